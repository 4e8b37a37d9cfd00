/** `basil explain`: what an error code means and what to do about it. */
import { closest } from "../../../grammar/did-you-mean.ts";
import {
  checkWarnings,
  compileErrors,
  type ErrorEntry,
  gearmanErrors,
  obrienErrors,
  runtimeErrors,
} from "../docgen/error-catalogue.ts";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";
import { wrap } from "./wrap.ts";

/** Prints one explanation, or all codes when none is given. */
export function explain(code: string | undefined, context: CliContext): number {
  const entries = [...compileErrors(), ...checkWarnings(), ...runtimeErrors(), ...gearmanErrors(), ...obrienErrors()];
  if (code === undefined) {
    for (const entry of entries) context.stdout.write(`${entry.code}  ${entry.title}\n`);
    return EXIT_CODES.ok;
  }
  const wanted = code.toUpperCase().replace(/^(?:ERROR|WARNING)\[(.*?)\].*$/s, "$1");
  const names = ({ code, names, group }: ErrorEntry): readonly string[] => [code, ...names, ...(group ? [group] : [])];
  const found = entries.find((entry) => names(entry).includes(wanted));
  if (!found) {
    const guess = closest(wanted, entries.flatMap(names));
    const hint = guess ? ` Did you mean ${guess}?` : "";
    throw new CliError(EXIT_CODES.usage, `there is no error code ${code}.${hint} All of them: basil explain`);
  }
  context.stdout.write(wanted === found.group ? groupText(wanted, entries) : entryText(found));
  return EXIT_CODES.ok;
}

const entryText = ({ code, title, text }: ErrorEntry): string => `${code}: ${title}\n\n${wrap(text)}\n`;

/** `ERRNAME$` is the same for all errors of a group; their codes tell them apart. */
const groupText = (name: string, entries: readonly ErrorEntry[]): string =>
  `${name}: ERR% and the message tell which of these it is\n\n${entries
    .filter(({ group }) => group === name)
    .map((entry) => `${entry.code}  ${entry.title}\n${wrap(entry.text, "       ")}\n`)
    .join("")}`;
