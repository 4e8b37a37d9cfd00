/** What can end a BASIC statement early: catchable run-time errors, limits nobody catches, and the program's own end. */
import type { SourceFile, Span } from "../grammar/source.ts";

/** The language's own run-time errors (language.md 11): `ERR%` by `ERRNAME$`. Modules add theirs from 2000 on. */
export const ERROR_CODES = {
  USER_ERROR: 1000,
  TYPE_ERROR: 1001,
  INDEX_ERROR: 1002,
  KEY_ERROR: 1003,
  NAME_ERROR: 1004,
  ARGUMENT_ERROR: 1005,
  OVERFLOW_ERROR: 1006,
  IO_ERROR: 1007,
  GOSUB_ERROR: 1008,
  STACK_ERROR: 1009,
  DATA_ERROR: 1010,
  EOF_ERROR: 1011,
  JSON_ERROR: 1012,
  SYNTAX_ERROR: 1013,
} as const;

/** A name in ERRNAME$ that the language itself raises. */
export type ErrorName = keyof typeof ERROR_CODES;

/** Where in a program something happened. */
export interface SourcePlace {
  readonly source: SourceFile;
  readonly span: Span;
}

/** One active routine when an error was raised, innermost first; the place is the call or the raising expression. */
export interface CallFrame extends SourcePlace {
  readonly routine: string;
  /** The place is in text that EVAL or EXEC compiled. */
  readonly isInner: boolean;
}

/** A run-time error of the BASIC program: TRY/CATCH catches it. The JavaScript stack leads back to the BASIC place. */
export class BasilError extends Error {
  override readonly name: string = "BasilError";
  /** `ERR%`. */
  readonly code: number;
  /** `ERRNAME$`. */
  readonly errorName: string;
  /** A way out, shown below the report. */
  readonly hint: string | undefined;
  /** Set once, by the engine, when the error leaves the expression that raised it. */
  place: SourcePlace | undefined;
  calls: readonly CallFrame[] = [];

  constructor(errorName: string, message: string, options: ErrorOptions & { code?: number; hint?: string | undefined } = {}) {
    super(message, options);
    this.errorName = errorName;
    this.code = options.code ?? ERROR_CODES[errorName as ErrorName] ?? ERROR_CODES.USER_ERROR;
    this.hint = options.hint;
  }
}

/** Which limit of the host ended a run. */
export type LimitKind = "steps" | "bytes" | "deadline" | "abort";

/** A limit set by the host was reached: no CATCH and no FINALLY runs after it. */
export class LimitError extends Error {
  override readonly name = "LimitError";
  readonly kind: LimitKind;
  place: SourcePlace | undefined;
  calls: readonly CallFrame[] = [];

  constructor(kind: LimitKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** EXIT, END and STOP: the program ends with an exit code. Not an error, and nothing catches it. */
export class ProgramEnd {
  readonly exitCode: number;
  /** Where STOP stood, when it was STOP. */
  readonly stoppedAt: SourcePlace | undefined;

  constructor(exitCode: number, stoppedAt?: SourcePlace) {
    this.exitCode = exitCode;
    this.stoppedAt = stoppedAt;
  }
}
