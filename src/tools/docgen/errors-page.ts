/** The page docs/errors.md: every error code, printed from the tables that the compiler and the run time use. */
import { checkWarnings, compileErrors, type ErrorEntry, gearmanErrors, obrienErrors, runtimeErrors } from "./error-catalogue.ts";
import { PRINTED_NOTE } from "./reference-page.ts";

/** The page as Markdown. */
export function errorsPage(): string {
  return `${[
    "# Errors",
    PRINTED_NOTE,
    "`basil explain CODE` prints the same on a terminal. A report looks like this, on standard error:",
    "```text\nerror[B1002]: array index out of bounds\n  --> file.basil:3:9\n  PRINTLN a(9)\n          ^^^^\n```",
    "## In the text of a program",
    "A program with one of these does not start: nothing is printed, and the exit code is 1.",
    ...compileErrors().map(explainedText),
    "## What is legal, but suspicious",
    "`basil check` warns about these; its exit code stays 0. `basil run` says nothing of them.",
    ...checkWarnings().map(explainedText),
    "## While a program runs",
    "TRY … CATCH catches these: `ERR%` is the number behind the B, `ERRNAME$` the name. Uncaught, they end the program with exit code 1.",
    tableText(runtimeErrors()),
    "## From GEARMAN",
    "`GEARMAN.ERR$` and `GEARMAN.ERRCODE%` tell of the last call of a task. Raised errors have the name `GEARMAN_ERROR`, and `ERR%` is 2000 plus the code.",
    tableText(gearmanErrors()),
    "## From OBRIEN",
    "`OBRIEN.ERR$` and `OBRIEN.ERRCODE%` tell of the last call of a task. Raised errors have the name `OBRIEN_ERROR`, and `ERR%` is 2100 plus the code.",
    tableText(obrienErrors()),
  ].join("\n\n")}\n`;
}

/** The examples are indented by four blanks, which is Markdown for code. */
const explainedText = ({ code, title, text }: ErrorEntry): string => `### ${code}: ${title}\n\n${text}`;

const tableText = (entries: readonly ErrorEntry[]): string =>
  [
    "| Code | Name | Meaning |",
    "|---|---|---|",
    ...entries.map(({ code, title, text }) => `| ${code} | ${title} | ${text} |`),
  ].join("\n");
