/** Every complaint the compiler can make, in one place: codes, texts, and an explanation of each code for people. */
import type { SourceFile, Span } from "./source.ts";

/** Something wrong with a program's text: which rule, where, and perhaps the way out. */
export interface Complaint {
  /** `B0101` … `B0303`; of warnings about what will fail when it runs, the code of that error: `B1004`. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly source: SourceFile;
  readonly span: Span;
  readonly hint?: string;
}

/** Where a complaint points. */
export interface Place {
  readonly source: SourceFile;
  readonly span: Span;
}

function complain(severity: Complaint["severity"], code: ComplaintCode, at: Place, message: string, hint?: string): Complaint {
  const { source, span } = at;
  return { code, severity, message, source, span, ...(hint === undefined ? {} : { hint }) };
}
const error = (code: ComplaintCode, at: Place, message: string, hint?: string): Complaint =>
  complain("error", code, at, message, hint);

const meant = (name: string | undefined): string | undefined => (name === undefined ? undefined : `Did you mean ${name}?`);
const lineOf = (at: Place): number => at.source.position(at.span.start).line;

/** How each construct is closed, for B0105. The first texts are upstream's. */
const UNCLOSED = {
  TRY: "Expected 'END TRY' to terminate TRY block.",
  WITH: "Expected 'END WITH' to terminate WITH block.",
  SELECT: "Expected 'END' or 'END SELECT' to terminate SELECT CASE block.",
  DO: "Expected 'LOOP' to terminate DO.",
  FOR: "Expected 'NEXT' to terminate FOR.",
  WHILE: "Expected 'WEND' to terminate WHILE.",
  IF: "Expected 'END IF' to terminate IF.",
  FUNC: "Expected 'END FUNC' to terminate FUNC.",
  SUB: "Expected 'END SUB' to terminate SUB.",
  TYPE: "Expected 'END TYPE' to terminate TYPE.",
  BEGIN: "Expected 'END' to terminate BEGIN.",
  "{": "Expected '}' to terminate the block.",
} as const;
/** A construct that has an end. */
export type Construct = keyof typeof UNCLOSED;

/** The catalogue: one function a complaint; the place comes first, then what the text needs to know. */
export const complaints = {
  expected: (at: Place, expected: string, found: string, hint?: string) =>
    error("B0101", at, `Expected ${expected}, found ${found}.`, hint),
  syntax: (at: Place, message: string, hint?: string) => error("B0101", at, message, hint),
  missingDecimals: (at: Place, text: string) =>
    error("B0101", at, `Expected a digit after the decimal point in ${text}`, `Write ${text}0 or ${text.slice(0, -1)}.`),
  onError: (at: Place) =>
    error("B0101", at, "ON ERROR is not part of Basil.", "Put the statements between TRY and CATCH e$ … END TRY."),
  foreignStatement: (at: Place, word: string, hint: string) => error("B0101", at, `${word} is not part of Basil.`, hint),
  tryNeedsHandler: (at: Place) => error("B0101", at, "TRY must contain a CATCH or FINALLY block."),
  secondCatch: (at: Place) => error("B0101", at, "Only one CATCH block is allowed per TRY."),
  secondFinally: (at: Place) => error("B0101", at, "Only one FINALLY block is allowed per TRY."),
  catchAfterFinally: (at: Place) => error("B0101", at, "CATCH must stand before FINALLY."),
  catchVariable: (at: Place) => error("B0101", at, "CATCH variable must be a string (use '$' suffix)."),
  secondCaseElse: (at: Place) => error("B0101", at, "Only one CASE ELSE is allowed."),
  caseAfterElse: (at: Place) => error("B0101", at, "CASE ELSE must be the last CASE."),
  caseIs: (at: Place) => error("B0101", at, "Use 'CASE IS <op> <expr>' with one comparator operator."),
  secondElse: (at: Place) => error("B0101", at, "Only one ELSE is allowed per IF."),

  unexpectedCharacter: (at: Place, character: string, hint?: string) =>
    error("B0102", at, `unexpected character ${character}`, hint),
  unterminatedString: (at: Place, hint?: string) => error("B0103", at, "unterminated string", hint),
  emptyInterpolation: (at: Place) =>
    error("B0104", at, `Empty interpolation not allowed: expected expression after '#{' at line ${lineOf(at)}.`),
  unterminatedInterpolation: (at: Place) =>
    error("B0104", at, `Unterminated interpolation: missing '}' after '#{' at line ${lineOf(at)}.`),
  interpolationEnd: (at: Place, found: string) =>
    error(
      "B0104",
      at,
      `Expected '}' after the expression of an interpolation, found ${found}.`,
      "Write \\#{ for the two characters #{.",
    ),

  unclosed: (at: Place, construct: Construct, hint?: string) => error("B0105", at, UNCLOSED[construct], hint),

  outsideLoop: (at: Place, word: "BREAK" | "CONTINUE") => error("B0106", at, `${word} used outside of loop`),
  exitOutside: (at: Place, loop: string) => error("B0106", at, `EXIT ${loop} used outside of ${loop}`),
  exitOutsideRoutine: (at: Place) => error("B0106", at, "EXIT SUB or EXIT FUNC used outside of a SUB or FUNC"),
  bareRaise: (at: Place) => error("B0106", at, "RAISE without an expression is only valid inside CATCH."),
  memberOutsideWith: (at: Place) => error("B0106", at, `Leading '.' member requires a WITH block (at line ${lineOf(at)})`),
  nextMismatch: (at: Place, given: string, wanted: string) =>
    error("B0106", at, `NEXT ${given} does not match FOR ${wanted}`, `Write NEXT ${wanted}, or NEXT alone.`),
  stray: (at: Place, closer: string, opener: string, hint?: string) => error("B0106", at, `${closer} without ${opener}`, hint),
  beforeCase: (at: Place) => error("B0106", at, "Only CASE may follow SELECT CASE: this statement belongs to no CASE."),
  includeInside: (at: Place) => error("B0106", at, "INCLUDE is only allowed at the top level, not inside a routine."),
  tooDeep: (at: Place, limit: number) =>
    error(
      "B0106",
      at,
      `The source is nested deeper than ${limit} levels here.`,
      "Move the inner part to a routine or a variable.",
    ),

  tooLong: (at: Place) =>
    error(
      "B0106",
      at,
      "The program holds an expression of thousands of operators, too long to compile.",
      "Cut it into several assignments.",
    ),

  malformedNumber: (at: Place, text: string) => error("B0107", at, `malformed number ${text}`),

  undefinedLabel: (at: Place, name: string, closest?: string) => error("B0201", at, `Undefined label: ${name}`, meant(closest)),
  duplicateLabel: (at: Place, name: string) => error("B0202", at, `Duplicate label: ${name}`),
  duplicateDefinition: (at: Place, name: string, firstLine: number) =>
    error("B0203", at, `${name} is already defined at line ${firstLine}`),
  constantAssigned: (at: Place, name: string) => error("B0203", at, `cannot assign to constant ${name}`),
  unknownModule: (at: Place, name: string, available: readonly string[]) =>
    error("B0204", at, `unknown module '${name}' (available: ${available.join(", ")})`),
  /** `#USE NAME` of a module nobody knows. */
  unknownUse: (at: Place, name: string, available: readonly string[]) =>
    complain("warning", "B0204", at, `unknown module '${name}' (available: ${available.join(", ")})`),
  includeFile: (at: Place, path: string, reason: string) => error("B0205", at, `cannot include '${path}': ${reason}`),
  argumentCount: (at: Place, name: string, expected: number, given: number) =>
    error("B0206", at, `${name} expects ${expected} argument(s), got ${given}`),
  jumpIntoBlock: (at: Place, label: string, construct: string) =>
    error("B0207", at, `cannot jump to ${label}: it stands inside a ${construct} body`, "Jump to a label in front of the block."),
  unknownDialect: (at: Place, name: string) => error("B0208", at, `unknown dialect '${name}' (available: classic, basil)`),

  /** A bare name that looks like a misspelt keyword; the program is legal all the same. */
  looksLikeKeyword: (at: Place, text: string, keyword: string) =>
    complain("warning", "B0101", at, `${text} is a name that nothing in the program sets or defines`, `Did you mean ${keyword}?`),

  neverSet: (at: Place, name: string, hint?: string) =>
    complain("warning", "B0301", at, `nothing in the program sets ${name}: it is NULL`, hint),
  doesNothing: (at: Place, what: string, hint?: string) =>
    complain("warning", "B0302", at, `${what}: the statement does nothing`, hint),
  valueDropped: (at: Place) =>
    complain(
      "warning",
      "B0303",
      at,
      "the main program returns nothing: the value of RETURN is dropped",
      "EXIT n ends it with an exit code.",
    ),
} as const;

interface Explanation {
  /** One line. */
  readonly title: string;
  /** What `basil explain CODE` prints. */
  readonly text: string;
}

/** What each code means, with an example; printed by `basil explain B0101` and in the error reference. */
export const EXPLANATIONS = {
  B0101: {
    title: "syntax",
    text: `The statement does not follow the grammar. The message names what was expected and what stands there instead; the caret points at it.
Every broken statement of a file is reported, each once, so the first report is the one to trust most.

    IF x > 3 PRINT 1        ' Expected THEN after the condition, found "PRINT".
    IF x > 3 THEN PRINT 1   ' right`,
  },
  B0102: {
    title: "unexpected character",
    text: `The character has no meaning in Basil outside of strings and comments. Typical cases are typographic quotes that an
editor or a web page put in place of ", and operators of other languages.

    PRINT 7 ? 2                   ' unexpected character "?"
    PRINT 7 / 2                   ' right`,
  },
  B0103: {
    title: "unterminated string",
    text: `A string literal has no closing quote. Strings may span lines, so the compiler looks for the place where the quote was most
likely forgotten. A quote inside a string is written twice, or with a backslash.

    PRINT "abc                    ' unterminated string
    PRINT "say ""abc"""           ' right: prints say "abc"`,
  },
  B0104: {
    title: "interpolation",
    text: `"#{" in a string starts an expression whose value is put in its place; it needs exactly one expression and a closing "}".
Write "\\#{" when you mean the two characters themselves.

    PRINT "Hello #{}"             ' Empty interpolation not allowed
    PRINT "Hello #{name$}"        ' right`,
  },
  B0105: {
    title: "block not terminated",
    text: `A construct was opened and never closed. The report points at its first word. Another construct that closes too early, or a
closing word of the wrong kind, is the usual reason.

    DO
      PRINT 1                     ' Expected 'LOOP' to terminate DO.
    LOOP                          ' right`,
  },
  B0106: {
    title: "statement out of place",
    text: `The statement is well formed, but means nothing here: BREAK outside of a loop, NEXT with another loop's variable, a closing word
without its opening one, RAISE without a value outside of CATCH. Source nested deeper than 500 levels is reported with this code too.

    IF done THEN BREAK            ' BREAK used outside of loop
    IF done THEN END              ' right, to end the program`,
  },
  B0107: {
    title: "malformed number",
    text: `A letter or a second decimal point stands directly behind a number. Names cannot start with a digit, and hexadecimal and binary
numbers are written &HFF and &B101.

    x = 5abc                      ' malformed number 5abc
    x = &H5ABC                    ' right`,
  },
  B0201: {
    title: "undefined label",
    text: `GOTO, GOSUB, RETURN TO, ON or RESTORE names a label that does not exist. Labels are visible only in the same routine, or among
top-level code: a SUB cannot jump to a label of the main program.

    GOTO done                     ' Undefined label: done
    done: PRINT "end"             ' right, when the file has this line`,
  },
  B0202: {
    title: "duplicate label",
    text: `Two labels of one routine, or of the top level, have the same name. Case does not matter, and line numbers are compared digit by digit.

    again: PRINT 1
    Again: PRINT 2                ' Duplicate label: Again`,
  },
  B0203: {
    title: "duplicate definition, or constant assigned",
    text: `Two routines or types of one program have the same name, or a name made by CONST is stored to again. Case does not matter.
Rename one of the routines, or use a plain variable for what changes.

    CONST LIMIT = 10
    limit = 11                    ' cannot assign to constant limit`,
  },
  B0204: {
    title: "unknown module",
    text: `INCLUDE "obj-NAME" asks for a module that this interpreter does not have. The message lists the ones it has; which ones depends on
how the interpreter was started or embedded.

    INCLUDE "obj-germany"         ' unknown module 'obj-germany'
    INCLUDE "obj-gearman"         ' right`,
  },
  B0205: {
    title: "include file",
    text: `The file of an INCLUDE cannot be read. Its name is relative to the file that contains the INCLUDE, not to the current directory, and
must be a plain string.

    INCLUDE "lib/utl.basil"       ' cannot include 'lib/utl.basil'
    INCLUDE "lib/util.basil"      ' right`,
  },
  B0206: {
    title: "argument count",
    text: `A routine of the program is called with more or fewer arguments than it has parameters. There are no optional parameters; pass NULL
where there is nothing to pass.

    FUNC area(w, h)
      RETURN w * h
    END FUNC
    PRINT area(3)                 ' area expects 2 argument(s), got 1`,
  },
  B0207: {
    title: "jump into a block",
    text: `A jump may enter IF, BEGIN, WHILE, DO and FOR bodies, but not FOR EACH, SELECT, TRY and WITH bodies: their start prepares something
that a jump would skip. Put the label in front of the construct.

    GOTO inside                   ' cannot jump to inside
    FOR EACH x IN list@
      inside: PRINT x
    NEXT`,
  },
  B0208: {
    title: "unknown dialect",
    text: `The first line selects a dialect that does not exist. There are two: classic, the default, and basil, which follows the original
implementation in PRINT, one-line IF and INSTR.

    #DIALECT qbasic               ' unknown dialect 'qbasic'
    #DIALECT classic              ' right`,
  },
  B0301: {
    title: "name never set",
    text: `The program reads a name that no statement of it ever sets: its value is NULL, and most of what can be done with it is an error.
Typical reasons are a spelling mistake, another suffix (total and total% are two names), and a variable that a routine has for itself.
Nothing is said of names in a program with EVAL, EXEC or CLASS, or in a file of routines only: other text may set them there.

    total% = 5
    PRINT total                   ' nothing in the program sets total
    PRINT total%                  ' right`,
  },
  B0302: {
    title: "statement without effect",
    text: `A name that stands alone as a statement calls the routine or the function of that name. This one is a variable, or nothing at all:
a spelling mistake, or a statement of another BASIC.

    cls                           ' cls is neither a routine nor a function
    PRINT CHR$(27); "[2J";        ' clears most terminals`,
  },
  B0303: {
    title: "value of RETURN dropped",
    text: `RETURN gives a value from a routine to its caller. The main program has no caller: the value is computed and dropped, and the program
goes on with the next statement.

    RETURN 5                      ' the main program returns nothing
    EXIT 5                        ' ends the program with exit code 5`,
  },
} as const satisfies Record<string, Explanation>;

/** The codes of the catalogue. */
export type ComplaintCode = keyof typeof EXPLANATIONS;
