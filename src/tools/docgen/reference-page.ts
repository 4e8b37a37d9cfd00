/** The reference page of one module as Markdown, printed from its rows. */
import { type AliasRow, type FunctionRow, type Row, signature } from "../../../runtime/host.ts";
import { type DocumentedModule, paramText, resultText, SECTIONS, sectionOf } from "./row-text.ts";

/** Says at the top of every printed page where a correction belongs. */
export const PRINTED_NOTE = "<!-- Printed by `npm run docs` from the tables in the source. Change the tables, not this page. -->";

/** @param title heading of the page, such as `GEARMAN` */
export function referencePage(title: string, module: DocumentedModule): string {
  const parts = [`# ${title}`, PRINTED_NOTE, module.doc];
  for (const [section, heading] of Object.entries(SECTIONS)) {
    const rows = module.rows.filter((row) => sectionOf(row) === section).sort(byName);
    if (rows.length > 0) parts.push(`## ${heading}`, ...rows.map((row) => rowText(module, row)));
  }
  return `${parts.join("\n\n")}\n`;
}

const byName = (a: Row<never>, b: Row<never>): number => (a.name < b.name ? -1 : 1);

function rowText(module: DocumentedModule, row: Row<never>): string {
  if (row.kind === "function") return functionText(module, row);
  const prefix = module.name === "" || row.kind === "constant" ? "" : `${module.name}.`;
  if (row.kind === "constant") return `### \`${row.name}\` = ${JSON.stringify(row.value)}\n\n${row.doc}`;
  return `### \`${prefix}${row.name}\`\n\n${row.kind === "alias" ? aliasText(row, prefix) : row.doc}`;
}

const aliasText = (row: AliasRow, prefix: string): string => `The same as \`${prefix}${row.of}\`. ${row.doc}`;

function functionText(module: DocumentedModule, row: FunctionRow<never>): string {
  const params = Object.entries(row.params).map(([name, param]) => `- \`${name}\`: ${paramText(param)}`);
  const notes = [`*Gives ${resultText(row)}.${row.waits ? " Other tasks run while it waits." : ""}*`];
  return [`### \`${signature(module.name, row)}\``, row.doc, ...(params.length > 0 ? [params.join("\n")] : []), ...notes].join(
    "\n\n",
  );
}
