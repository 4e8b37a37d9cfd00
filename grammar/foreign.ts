/** Statements of other BASICs that Basil does not have, and the way here: hints wherever such a word cannot be understood. */
import { EOF, type IToken, type TokenType } from "chevrotain";
import * as t from "./tokens.ts";

const k = t.keyword;
const FILES = "FOPEN, FREADLINE$, FWRITELN and FCLOSE read and write files; READFILE$ and WRITEFILE do it in one step.";
const ERRORS = "Put the statements between TRY and CATCH e$ … END TRY.";
const TYPES = "Leave it out: a name ending in % holds whole numbers; all others hold anything.";
const NO_SCREEN = "There is no screen, only lines of text: PRINT writes them.";
const NO_SOUND = "There is no sound. PRINT CHR$(7); rings the bell of a terminal.";
const NO_MEMORY = "Programs cannot reach memory or ports; a list or an array holds data.";

/** The way here, by the word such a statement starts with. */
const STATEMENT_HINTS = {
  OPEN: `Write h% = FOPEN(name$, "r"), or "w", or "a" to append. ${FILES}`,
  CLOSE: "Write FCLOSE(h%), with the handle that FOPEN gave.",
  GET: FILES,
  PUT: FILES,
  WRITE: FILES,
  FIELD: "Write a TYPE of numbers and fixed strings: it is read from a string and written to one.",
  KILL: "Write DELETE(path$).",
  NAME: "Write MOVE(from$, to$), or RENAME(path$, name$).",
  FILES: 'Write DIR$("*.txt"), which gives an array of names.',
  MKDIR: "Write MKDIRS%(path$).",
  ERROR: "Write RAISE message$.",
  RESUME: ERRORS,
  DECLARE: "Leave it out: routines can be called before their text.",
  DEF: "Write FUNC name(x), RETURN with the value, and END FUNC.",
  DEFINT: TYPES,
  DEFLNG: TYPES,
  DEFSNG: TYPES,
  DEFDBL: TYPES,
  DEFSTR: TYPES,
  OPTION: "Leave it out: DIM a(n) has the indices 0 to n.",
  SHARED: "Leave it out: a name that the main program mentions above a routine is global there.",
  STATIC: "Use a global: mention the name in the main program above the routine.",
  REDIM: "Write DIM again: it makes the array anew. A list grows by itself.",
  ERASE: "Write DIM again: it makes the array anew.",
  SYSTEM: "Write END, or EXIT n for an exit code.",
  CHAIN: "INCLUDE puts another file's text in; SHELL starts another program.",
  LPRINT: "There is no printer: PRINT, or APPENDFILE to a file.",
  CLS: NO_SCREEN,
  LOCATE: NO_SCREEN,
  COLOR: NO_SCREEN,
  SCREEN: NO_SCREEN,
  WIDTH: NO_SCREEN,
  VIEW: NO_SCREEN,
  WINDOW: NO_SCREEN,
  PSET: NO_SCREEN,
  PRESET: NO_SCREEN,
  CIRCLE: NO_SCREEN,
  PAINT: NO_SCREEN,
  DRAW: NO_SCREEN,
  BEEP: NO_SOUND,
  SOUND: NO_SOUND,
  PLAY: NO_SOUND,
  POKE: NO_MEMORY,
  PEEK: NO_MEMORY,
  OUT: NO_MEMORY,
  INP: NO_MEMORY,
} as const satisfies Record<string, string>;

/** The way here, by a word inside a statement that Basil has. */
const CLAUSE_HINTS = {
  SHARED: STATEMENT_HINTS.SHARED,
  USING: 'Write PRINT FORMAT$(x, "#,##0.00").',
} as const satisfies Record<string, string>;

const WHOLE = "Leave AS out: a name ending in % holds whole numbers, as in DIM n%.";
const ANYTHING = "Leave AS out: a name without a suffix holds any number.";

/** The way here, by the type behind AS. */
const TYPE_HINTS = {
  INTEGER: WHOLE,
  LONG: WHOLE,
  BYTE: WHOLE,
  SINGLE: ANYTHING,
  DOUBLE: ANYTHING,
  FLOAT: ANYTHING,
  CURRENCY: ANYTHING,
} as const satisfies Record<string, string>;

const hintIn = (table: Readonly<Record<string, string>>, word: string): string | undefined => {
  const key = word.toUpperCase();
  return Object.hasOwn(table, key) ? table[key] : undefined;
};

/** What to write in place of a statement that starts with this word; undefined when no BASIC here is known to have it. */
export const foreignStatementHint = (word: string): string | undefined => hintIn(STATEMENT_HINTS, word);

/** What to write in place of a word inside a statement, such as USING behind PRINT. */
export const foreignClauseHint = (word: string): string | undefined => hintIn(CLAUSE_HINTS, word);

/** What to write in place of a type behind AS that is no TYPE, such as INTEGER. */
export const foreignTypeHint = (word: string): string | undefined => hintIn(TYPE_HINTS, word);

/** What to write where `#1` was meant as a file and started a comment; undefined when the text does not look so. */
export const fileNumberHint = (text: string): string | undefined =>
  /^[ \t]*#[ \t]*[0-9]/.test(text) ? `# starts a comment. ${FILES}` : undefined;

const ROUTINE_WORDS: ReadonlySet<TokenType> = new Set([k.SUB, k.FUNC, k.FUNCTION]);
const ENDS: ReadonlySet<TokenType> = new Set([t.Newline, t.Colon, EOF]);
const VALUES: ReadonlySet<TokenType> = new Set([t.Name, t.StringToken, t.StringHead]);

/**
 * How many tokens a statement has whose inner words would be taken for constructs of their own: `OPEN … FOR … AS`,
 * `DECLARE SUB`, `RESUME NEXT`. 0 when the tokens from `at` on are something else, or the program defines the name.
 */
export function foreignStatementLength(tokens: readonly IToken[], at: number): number {
  const word = tokens[at]!.image.toUpperCase();
  if (word !== "OPEN" && word !== "DECLARE" && word !== "RESUME") return 0;
  const next = tokens[at + 1]?.tokenType ?? EOF;
  let end = at + 1;
  while (!ENDS.has(tokens[end]?.tokenType ?? EOF)) end++;
  if (word === "DECLARE") return ROUTINE_WORDS.has(next) ? end - at : 0;
  if (word === "RESUME") return next === k.NEXT && end === at + 2 && !isDefined(tokens, word) ? 2 : 0;
  const types = tokens.slice(at, end).map((token) => token.tokenType);
  const mode = types.indexOf(k.FOR);
  return VALUES.has(next) && mode > 0 && types.indexOf(k.AS) > mode ? end - at : 0;
}

/** Whether a program has a routine or a variable of this name. */
function isDefined(tokens: readonly IToken[], word: string): boolean {
  return tokens.some(
    ({ image }, at) =>
      image.toUpperCase() === word &&
      (ROUTINE_WORDS.has(tokens[at - 1]?.tokenType ?? EOF) || tokens[at + 1]?.tokenType === t.Equals),
  );
}
