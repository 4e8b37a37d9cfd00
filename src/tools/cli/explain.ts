/** `basil explain`: what an error code means and what to do about it. */
import { closest } from "../../../grammar/did-you-mean.ts";
import { compileErrors, type ErrorEntry, gearmanErrors, runtimeErrors } from "../docgen/error-catalogue.ts";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";
import { wrap } from "./wrap.ts";

/** Prints one explanation, or all codes when none is given. */
export function explain(code: string | undefined, context: CliContext): number {
  const entries = [...compileErrors(), ...runtimeErrors(), ...gearmanErrors()];
  if (code === undefined) {
    for (const entry of entries) context.stdout.write(`${entry.code}  ${entry.title}\n`);
    return EXIT_CODES.ok;
  }
  const wanted = code.toUpperCase().replace(/^ERROR\[(.*?)\]:?$/, "$1");
  const names = (entry: ErrorEntry): readonly string[] => [entry.code, ...entry.names];
  const found = entries.find((entry) => names(entry).includes(wanted));
  if (!found) {
    const guess = closest(wanted, entries.flatMap(names));
    const hint = guess ? ` Did you mean ${guess}?` : "";
    throw new CliError(EXIT_CODES.usage, `there is no error code ${code}.${hint} All of them: basil explain`);
  }
  context.stdout.write(`${found.code}: ${found.title}\n\n${wrap(found.text)}\n`);
  return EXIT_CODES.ok;
}
