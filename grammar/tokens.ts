/**
 * The vocabulary of Basil as data: reserved words with their roles, soft words, operators, and the token types the
 * lexer, the layout pass and the parser share. Editors take their word lists from here.
 */
import { createToken, type IToken, Lexer, type TokenType } from "chevrotain";

/**
 * The reserved words and what each may do: start a `statement`, close or divide a construct (`closer`), stand inside
 * a statement (`clause`) or an expression (`expression`, `operator`), or nothing at all (`unused`).
 */
export const RESERVED_WORDS = {
  FUNC: "statement",
  FUNCTION: "statement",
  SUB: "statement",
  RETURN: "statement",
  IF: "statement",
  WHILE: "statement",
  DO: "statement",
  BEGIN: "statement",
  SELECT: "statement",
  BREAK: "statement",
  CONTINUE: "statement",
  LET: "statement",
  PRINT: "statement",
  PRINTLN: "statement",
  FOR: "statement",
  DIM: "statement",
  DESCRIBE: "statement",
  WITH: "statement",
  TRY: "statement",
  RAISE: "statement",
  SETENV: "statement",
  EXPORTENV: "statement",
  SHELL: "statement",
  EXIT: "statement",
  STOP: "statement",
  LABEL: "statement",
  GOTO: "statement",
  GOSUB: "statement",
  EXEC: "statement",
  TYPE: "statement",
  END: "closer",
  ENDIF: "closer",
  ENDFUNC: "closer",
  ENDFUNCTION: "closer",
  ENDSUB: "closer",
  ENDWHILE: "closer",
  ENDBLOCK: "closer",
  NEXT: "closer",
  ELSE: "closer",
  CASE: "closer",
  CATCH: "closer",
  FINALLY: "closer",
  THEN: "clause",
  IS: "clause",
  TO: "clause",
  STEP: "clause",
  EACH: "clause",
  IN: "clause",
  AS: "clause",
  TRUE: "expression",
  FALSE: "expression",
  NULL: "expression",
  NEW: "expression",
  EVAL: "expression",
  CLASS: "expression",
  NOT: "expression",
  AND: "operator",
  OR: "operator",
  MOD: "operator",
  AUTHOR: "unused",
  FOREACH: "unused",
  ENDFOR: "unused",
} as const satisfies Record<string, WordRole>;

/** What a reserved word may do, see {@link RESERVED_WORDS}. */
export type WordRole = "statement" | "closer" | "clause" | "expression" | "operator" | "unused";
export type ReservedWord = keyof typeof RESERVED_WORDS;

/**
 * Soft words are keywords at the start of a statement only, and names everywhere else. `label` says that the word with
 * a colon directly behind it is a label: as a statement it could not stand alone.
 */
export const SOFT_WORDS = {
  ELSEIF: "closer",
  WEND: "closer",
  LOOP: "closer",
  UNTIL: "clause",
  CALL: "label",
  CONST: "label",
  SWAP: "label",
  INPUT: "label",
  LINE: "label",
  DATA: "label",
  READ: "label",
  RESTORE: "alone",
  ON: "label",
  INCLUDE: "label",
  RANDOMIZE: "alone",
  SLEEP: "label",
} as const satisfies Record<string, "closer" | "clause" | "label" | "alone">;

export type SoftWord = keyof typeof SOFT_WORDS;
export type Keyword = ReservedWord | SoftWord;

/** Binary operators by their spelling in upper case; `==` and `!=` are second spellings. */
export const BINARY_OPERATORS = {
  OR: { operator: "OR", precedence: 1 },
  AND: { operator: "AND", precedence: 2 },
  "=": { operator: "=", precedence: 3 },
  "==": { operator: "=", precedence: 3 },
  "<>": { operator: "<>", precedence: 3 },
  "!=": { operator: "<>", precedence: 3 },
  "<": { operator: "<", precedence: 4 },
  "<=": { operator: "<=", precedence: 4 },
  ">": { operator: ">", precedence: 4 },
  ">=": { operator: ">=", precedence: 4 },
  "+": { operator: "+", precedence: 5 },
  "-": { operator: "-", precedence: 5 },
  "*": { operator: "*", precedence: 6 },
  "/": { operator: "/", precedence: 6 },
  "\\": { operator: "\\", precedence: 6 },
  MOD: { operator: "MOD", precedence: 6 },
  "^": { operator: "^", precedence: 8 },
} as const;
/** Unary minus and NOT bind tighter than `*` and looser than `^`. */
export const PREFIX_PRECEDENCE = 7;

/** A token type the layout pass or the lexer's second step makes; no pattern of its own. */
const plain = (name: string): TokenType => createToken({ name, pattern: Lexer.NA });
/** A token type the lexer finds by its pattern. */
const lexed = (name: string, pattern: RegExp | string): TokenType =>
  createToken({ name, pattern, line_breaks: typeof pattern !== "string" && pattern.source.includes("\\n") });

/** A name with its suffix characters, which are part of it: `a`, `a$`, `a%` are three names. */
export const Name = lexed("Name", /[A-Za-z_][A-Za-z0-9_$%@&]*/);
/** `12`, `1.5`, `.5`, `1e3`, `&HFF`, `&B101`. */
export const NumberToken = lexed(
  "Number",
  /(?:&[Hh][0-9A-Fa-f]+|&[Bb][01]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.])/,
);
/** A number with something wrong behind it, such as `5abc` or `5.`; the lexer has complained about it. */
export const BadNumber = lexed("BadNumber", /(?:[0-9]|\.[0-9]|&[HhBb])[A-Za-z0-9_.]*/);
/** A whole string literal without interpolation. */
export const StringToken = plain("String");
/** `"text #{`: from the quote to the first interpolation. */
export const StringHead = plain("StringHead");
/** `} text #{`: between two interpolations. */
export const StringMiddle = plain("StringMiddle");
/** `} text"`: after the last interpolation. */
export const StringTail = plain("StringTail");
/** A string literal that never ends; the lexer has complained about it. */
export const BadString = plain("BadString");
/** Characters that mean nothing in Basil; the lexer has complained about them. */
export const Unexpected = plain("Unexpected");
/** `#USE A, B` as a whole line. */
export const UseDirective = plain("UseDirective");

/** Every binary operator that has no second use. */
export const Operator = lexed("Operator", /<=|>=|<>|!=|==|[<>+/\\^]/);
export const Minus = lexed("Minus", "-");
export const Star = lexed("Star", "*");
export const Equals = lexed("Equals", "=");
export const LeftParen = lexed("LeftParen", "(");
export const RightParen = lexed("RightParen", ")");
export const LeftBracket = lexed("LeftBracket", "[");
export const RightBracket = lexed("RightBracket", "]");
export const LeftBrace = lexed("LeftBrace", "{");
export const RightBrace = lexed("RightBrace", "}");
export const Comma = lexed("Comma", ",");
export const Dot = lexed("Dot", ".");
export const Semicolon = lexed("Semicolon", ";");
export const Colon = lexed("Colon", ":");
export const Newline = lexed("Newline", /\n/);

/** Layout: the end of a simple statement or of the first line of a construct. Always there, often of no width. */
export const EndOfStatement = plain("EndOfStatement");
/** Layout: in place of EndOfStatement where the next statement starts without a separator, which is a mistake. */
export const MissingEnd = plain("MissingEnd");
/** Layout: a `;` that belongs to a PRINT or INPUT list. */
export const ListSemicolon = plain("ListSemicolon");
/** Layout: a label where it is defined: a name or a line number. */
export const LabelDefinition = plain("LabelDefinition");
/** Layout: an END that ends the program. */
export const EndProgram = plain("EndProgram");
/** Layout: SHELL as a statement. */
export const ShellStatement = plain("ShellStatement");
/** Layout: `LINE INPUT`. */
export const LineInput = plain("LineInput");
/** Layout: a whole DATA statement; the image is its text. */
export const DataStatement = plain("DataStatement");
/** Layout: a jump without GOTO, as in `IF c THEN 100`. */
export const ImpliedGoto = plain("ImpliedGoto");
/** Layout: `CASE ELSE`. */
export const CaseElse = plain("CaseElse");
/** Layout: the `}` or END of a plain block. */
export const EndBlock = plain("EndBlock");
export const EndIf = plain("EndIf");
export const EndWhile = plain("EndWhile");
export const EndSelect = plain("EndSelect");
export const EndWith = plain("EndWith");
export const EndTry = plain("EndTry");
export const EndRoutine = plain("EndRoutine");
export const EndType = plain("EndType");
/** Layout: `BEGIN` or `{` of a plain block. */
export const BlockStart = plain("BlockStart");
/** Layout: FOR EACH. */
export const ForEachStart = plain("ForEachStart");

/** The words that are spelled as keywords but lexed as operators. */
const OPERATOR_WORDS: readonly string[] = ["AND", "OR", "MOD"];

const words = [...Object.keys(RESERVED_WORDS), ...Object.keys(SOFT_WORDS)] as Keyword[];
/** The token type of each keyword. */
export const keyword = Object.fromEntries(
  words.map((word) => [word, OPERATOR_WORDS.includes(word) ? Operator : plain(`word ${word}`)]),
) as Readonly<Record<Keyword, TokenType>>;

/** The token type of each reserved word by its spelling in upper case. */
export const reservedTypes: ReadonlyMap<string, TokenType> = new Map(
  Object.keys(RESERVED_WORDS).map((word) => [word, keyword[word as ReservedWord]]),
);

/** The role of each reserved word by its token type's index; operators and names have none. */
export const roles: ReadonlyMap<number, WordRole> = new Map(
  Object.entries(RESERVED_WORDS)
    .filter(([, role]) => role !== "operator")
    .map(([word, role]) => [keyword[word as ReservedWord].tokenTypeIdx!, role]),
);

/** Everything the parser may meet. */
export const vocabulary: readonly TokenType[] = [
  ...new Set([
    ...Object.values(keyword),
    ...[Name, NumberToken, BadNumber, StringToken, StringHead, StringMiddle, StringTail, BadString, Unexpected],
    ...[UseDirective, Operator, Minus, Star, Equals, LeftParen, RightParen, LeftBracket, RightBracket, LeftBrace],
    ...[
      RightBrace,
      Comma,
      Dot,
      Semicolon,
      Colon,
      Newline,
      EndOfStatement,
      MissingEnd,
      ListSemicolon,
      LabelDefinition,
      EndProgram,
    ],
    ...[ShellStatement, LineInput, DataStatement, ImpliedGoto, CaseElse, EndBlock, EndIf, EndWhile, EndSelect, EndWith, EndTry],
    ...[EndRoutine, EndType, BlockStart, ForEachStart],
  ]),
];

/** A token of the given type at a place; with no image it has no width. */
export function makeToken(type: TokenType, image: string, startOffset: number): IToken {
  return { image, startOffset, tokenType: type, tokenTypeIdx: type.tokenTypeIdx! } as IToken;
}

/** Where a token ends, exclusive. */
export const endOf = (token: IToken): number => token.startOffset + token.image.length;
