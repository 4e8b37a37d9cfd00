/** `basil doc`: what a function or module does, from the rows that also check its arguments. */
import { closest } from "../../../grammar/did-you-mean.ts";
import { type Row, signature } from "../../../runtime/host.ts";
import { type DocumentedModule, paramText, resultText, SECTIONS, sectionOf } from "../docgen/row-text.ts";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";
import { allModules } from "./modules.ts";
import { wrap } from "./wrap.ts";

/** A row and the name scripts use for it: `GEARMAN.SUBMIT$`. */
interface NamedRow {
  readonly fullName: string;
  readonly module: DocumentedModule;
  readonly row: Row<never>;
}

/** Prints what is known about a name, or all names when none is given. */
export function doc(name: string | undefined, context: CliContext): number {
  const modules = allModules();
  const rows = modules.flatMap(namedRows);
  const wanted = name?.toUpperCase().replace(/\(.*$/, "");
  const module = modules.find((one) => one.name !== "" && one.name.toUpperCase() === wanted);
  const found = rows.filter(({ fullName, row }) => fullName.toUpperCase() === wanted || row.name.toUpperCase() === wanted);
  if (wanted === undefined) context.stdout.write(modules.map(moduleText).join("\n"));
  else if (module) context.stdout.write(moduleText(module));
  else if (found.length > 0) context.stdout.write(found.map((row) => rowText(row, rows)).join("\n"));
  else throw unknownName(name ?? "", [...modules.map((one) => one.name), ...rows.map((one) => one.fullName)]);
  return EXIT_CODES.ok;
}

const namedRows = (module: DocumentedModule): NamedRow[] =>
  module.rows.map((row) => ({ module, row, fullName: row.kind === "constant" ? row.name : prefixOf(module) + row.name }));

const prefixOf = (module: DocumentedModule): string => (module.name === "" ? "" : `${module.name}.`);

function unknownName(name: string, known: readonly string[]): CliError {
  const suffixed = known.find((one) => one.toUpperCase().replace(/[$%&]$/, "") === name.toUpperCase());
  const guess = suffixed ?? closest(name, known);
  const hint = guess ? ` Did you mean ${guess}?` : "";
  return new CliError(EXIT_CODES.usage, `nothing is called ${name}.${hint} All names: basil doc`);
}

/** A module on one page: its sentence, then one line a row. */
function moduleText(module: DocumentedModule): string {
  const title = module.name === "" ? "Built-in functions" : module.name;
  let text = `${title}\n${wrap(module.doc, "  ")}\n`;
  for (const [section, heading] of Object.entries(SECTIONS)) {
    const rows = module.rows.filter((row) => sectionOf(row) === section);
    if (rows.length > 0 && section !== "function") text += `\n  ${heading}:\n`;
    for (const row of rows) text += `\n${lineText(module, row)}`;
    if (rows.length > 0) text += "\n";
  }
  return text;
}

function lineText(module: DocumentedModule, row: Row<never>): string {
  if (row.kind === "function") return `  ${signature(module.name, row)}`;
  if (row.kind === "constant") return `  ${row.name} = ${JSON.stringify(row.value)}`;
  return `  ${prefixOf(module)}${row.name}${row.kind === "alias" ? ` = ${prefixOf(module)}${row.of}` : ""}`;
}

/** All about one row. */
function rowText({ module, row, fullName }: NamedRow, rows: readonly NamedRow[]): string {
  if (row.kind === "alias") {
    const meant = rows.find((other) => other.module === module && other.row.name === row.of);
    const text = wrap(`${fullName} is another spelling of ${prefixOf(module)}${row.of}. ${row.doc}`);
    return `${text}\n\n${meant ? rowText(meant, rows) : ""}`;
  }
  let text = `${lineText(module, row).trim()}\n\n${wrap(row.doc, "  ")}\n`;
  if (row.kind !== "function") return text;
  const params = Object.entries(row.params);
  if (params.length > 0) text += `\n${params.map(([name, param]) => wrap(`${name}: ${paramText(param)}`, "  ")).join("\n")}\n`;
  return `${text}\n  Gives ${resultText(row)}.${row.waits ? " Other tasks run while it waits." : ""}\n`;
}
