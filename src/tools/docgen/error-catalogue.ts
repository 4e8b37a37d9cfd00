/** All errors a person can meet, as one list: the compiler's, the language's own at run time, and the modules'. */
import { EXPLANATIONS } from "../../../grammar/complaints.ts";
import { ERROR_NAME, FIRST_CODE } from "../../../modules/gearman/outcome.ts";
import { FIRST_CODE as FIRST_OBRIEN_CODE, ERROR_NAME as OBRIEN_ERROR } from "../../../modules/obrien/outcome.ts";
import { ERROR_CODES, type ErrorName } from "../../../runtime/errors.ts";
import { GEARMAN_ERRORS } from "../../core/gearman/errors.ts";
import { OBRIEN_ERRORS } from "../../core/obrien/errors.ts";

/** One error code and what to know about it. */
export interface ErrorEntry {
  /** `B0101`, `B1002`: as in a report. */
  readonly code: string;
  /** One line: what it is called. `ERRNAME$` for run-time errors. */
  readonly title: string;
  readonly text: string;
  /** Other names people may look it up by. */
  readonly names: readonly string[];
  /** `ERRNAME$` when several codes share it. */
  readonly group?: string;
}

/** What the language itself raises at run time: why, and the way out. */
const RUNTIME_TEXTS: Record<ErrorName, string> = {
  USER_ERROR: "The program raised it with RAISE. The message is what followed RAISE.",
  TYPE_ERROR:
    "A value of the wrong kind, such as text where a number is needed. STR$ and VAL convert; TYPE$ tells what a value is.",
  INDEX_ERROR:
    "An index outside an array or list, or the wrong number of indices. DIM a(n) has the indices 0 to n; lists start at 1. UBOUND and LEN tell the size.",
  KEY_ERROR: "A dictionary has no such key, or a TYPE no such field. HASKEY% tells whether a key is there.",
  NAME_ERROR:
    "A function, member, method or TYPE of this name does not exist. `basil check` finds such names before the program runs.",
  ARGUMENT_ERROR: "A function got too few or too many arguments, or a value it cannot use. `basil doc NAME` shows what it takes.",
  OVERFLOW_ERROR: "A number too large for a % name: beyond 9007199254740991 in either direction, infinite, or not a number.",
  IO_ERROR: "A file or another outside thing could not be used. The message names it and the system's reason.",
  GOSUB_ERROR: "RETURN without an active GOSUB, or more than 4096 GOSUBs without their RETURN.",
  STACK_ERROR:
    "Routines call each other too deeply, mostly a recursion that does not end, or a list or dictionary that contains itself.",
  DATA_ERROR: "READ found no DATA left. RESTORE starts again.",
  EOF_ERROR: "INPUT found the end of the input.",
  JSON_ERROR: "Text that is not valid JSON. The message tells where.",
  SYNTAX_ERROR: "EXEC or EVAL got text that does not compile. The message is the compiler's.",
};

const explained = (isWarning: boolean): ErrorEntry[] =>
  Object.entries(EXPLANATIONS)
    .filter(([code]) => code.startsWith("B03") === isWarning)
    .map(([code, { title, text }]) => ({ code, title, text, names: [] }));

/** The codes of what the compiler refuses, in order. */
export const compileErrors = (): ErrorEntry[] => explained(false);

/** The codes of what only `basil check` speaks of, in order. */
export const checkWarnings = (): ErrorEntry[] => explained(true);

/** What TRY can catch of the language itself. */
export const runtimeErrors = (): ErrorEntry[] =>
  Object.entries(ERROR_CODES).map(([name, code]) => ({
    code: `B${code}`,
    title: name,
    text: RUNTIME_TEXTS[name as ErrorName],
    names: [name, String(code)],
  }));

/** What the GEARMAN module reports in `GEARMAN.ERRCODE%`, and raises when it is fatal. */
export const gearmanErrors = (): ErrorEntry[] =>
  Object.entries(GEARMAN_ERRORS).map(([kind, { code, fatal, doc }]) => ({
    code: `B${FIRST_CODE + code}`,
    title: `${ERROR_NAME}: ${kind}`,
    group: ERROR_NAME,
    text: `${doc} GEARMAN.ERRCODE% is ${code}. ${fatal ? "Always raised." : 'Raised with on_error = "raise" only.'}`,
    names: [kind, `GEARMAN_${kind}`, `GEARMAN_${kind}%`, String(FIRST_CODE + code)],
  }));

/** What the OBRIEN module reports in `OBRIEN.ERRCODE%`, and raises when it is fatal. */
export const obrienErrors = (): ErrorEntry[] =>
  Object.entries(OBRIEN_ERRORS).map(([kind, { code, fatal, doc }]) => ({
    code: `B${FIRST_OBRIEN_CODE + code}`,
    title: `${OBRIEN_ERROR}: ${kind}`,
    group: OBRIEN_ERROR,
    text: `${doc} OBRIEN.ERRCODE% is ${code}. ${fatal ? "Always raised." : "Never raised."}`,
    names: [`OBRIEN_${kind}`, `OBRIEN_${kind}%`, String(FIRST_OBRIEN_CODE + code)],
  }));
