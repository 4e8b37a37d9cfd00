/** Source text → tokens: words told apart into keywords and names, comments dropped, lexical complaints made. */
import { createToken, type ICustomPattern, type IToken, Lexer, type TokenType } from "chevrotain";
import { type Complaint, complaints } from "./complaints.ts";
import type { SourceFile, Span } from "./source.ts";
import { scanString } from "./strings.ts";
import * as t from "./tokens.ts";

/** What the lexer hands on: Newline tokens included, comments and blanks not. */
export interface Lexed {
  readonly tokens: IToken[];
  readonly complaints: Complaint[];
}

/** After this many strings that never end the rest of a file is not looked at. */
const MAX_BROKEN_STRINGS = 20;

type Matcher = ICustomPattern["exec"];
const custom = (name: string, hint: string[], exec: Matcher, extra: object = {}): TokenType =>
  createToken({ name, pattern: { exec }, start_chars_hint: hint, line_breaks: true, ...extra });
const matched = (text: string, from: number, end: number): RegExpExecArray =>
  [text.slice(from, end)] as unknown as RegExpExecArray;
const stretch =
  (kind: "closed" | "interpolation", opening: string): Matcher =>
  (text, offset) => {
    if (text[offset] !== opening) return null;
    const { end, kind: found } = scanString(text, offset + 1);
    return found === kind && !isStrayQuote(text, offset, end) ? matched(text, offset, end) : null;
  };

/** A quote in the middle of an unquoted DATA item (`DATA 5" pipe`) is text; it opens nothing. */
function isStrayQuote(text: string, offset: number, end: number): boolean {
  if (text[offset] !== '"' || !text.slice(offset, end).includes("\n")) return false;
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*(?:[0-9]+[ \t]+|[A-Za-z_][\w$%@&]*:[ \t]*)?DATA[ \t]/i.test(line) && !/(?:,|DATA)[ \t]*$/i.test(line);
}

const broken =
  (opening: string): Matcher =>
  (text, offset) => {
    if (text[offset] !== opening) return null;
    const { end } = scanString(text, offset + 1);
    if (!isStrayQuote(text, offset, end)) return matched(text, offset, text.length);
    const lineEnd = text.indexOf("\n", offset);
    return matched(text, offset, lineEnd < 0 ? text.length : lineEnd);
  };

const remark: Matcher = (text, offset, previous) => {
  if (text.slice(offset, offset + 3).toUpperCase() !== "REM" || /[\w$%@&]/.test(text.charAt(offset + 3))) return null;
  if (previous.at(-1)?.tokenType === t.Dot) return null;
  return toLineEnd(text, offset);
};
function toLineEnd(text: string, offset: number): RegExpExecArray {
  const end = text.indexOf("\n", offset);
  return matched(text, offset, end < 0 ? text.length : end);
}

const USE = /^#USE[ \t]+[A-Za-z_][\w$%@&]*(?:[ \t]*,[ \t]*[A-Za-z_][\w$%@&]*)*[ \t\r]*$/i;
/** `#USE A` counts only as a whole line; anywhere else `#` starts a comment. */
const useDirective: Matcher = (text, offset) => {
  if (text.slice(offset, offset + 4).toUpperCase() !== "#USE") return null;
  for (let at = offset - 1; at >= 0 && text[at] !== "\n"; at--) if (text[at] !== " " && text[at] !== "\t") return null;
  const line = toLineEnd(text, offset);
  return USE.test(line[0]) ? line : null;
};

const skipped = { group: Lexer.SKIPPED };
const BLANKS = createToken({ name: "Blanks", pattern: /[ \t\r\f\v]+/, ...skipped });
const COMMENT = createToken({
  name: "Comment",
  pattern: /(?:'|\/\/|#)[^\n]*/,
  start_chars_hint: ["'", "/", "#"],
  line_breaks: false,
  ...skipped,
});
const REMARK = custom("Remark", ["R", "r"], remark, skipped);
const CONTINUATION = createToken({
  name: "Continuation",
  pattern: /_[ \t\r]*(?:(?:'|\/\/|#|REM[ \t])[^\n]*)?\n/i,
  start_chars_hint: ["_"],
  line_breaks: true,
  ...skipped,
});
const USE_LINE = custom("UseLine", ["#"], useDirective);
const STRING = custom("StringLiteral", ['"'], stretch("closed", '"'));
const HEAD = custom("StringHeadText", ['"'], stretch("interpolation", '"'), { push_mode: "interpolation" });
const BROKEN = custom("BrokenString", ['"'], broken('"'));
const MIDDLE = custom("StringMiddleText", ["}"], stretch("interpolation", "}"));
const TAIL = custom("StringTailText", ["}"], stretch("closed", "}"), { pop_mode: true });
const BROKEN_TAIL = custom("BrokenStringTail", ["}"], broken("}"));
const INNER_LEFT = createToken({ name: "InnerLeftBrace", pattern: "{", push_mode: "braces" });
const INNER_RIGHT = createToken({ name: "InnerRightBrace", pattern: "}", pop_mode: true });

/** What the types of the lexer's own are called from here on. */
const FINAL_TYPES: ReadonlyMap<TokenType, TokenType> = new Map([
  [USE_LINE, t.UseDirective],
  [STRING, t.StringToken],
  [HEAD, t.StringHead],
  [BROKEN, t.BadString],
  [MIDDLE, t.StringMiddle],
  [TAIL, t.StringTail],
  [BROKEN_TAIL, t.BadString],
  [INNER_LEFT, t.LeftBrace],
  [INNER_RIGHT, t.RightBrace],
]);

function makeLexer(): Lexer {
  const common = [
    BLANKS, t.Newline, REMARK, CONTINUATION, t.Name, t.NumberToken, t.BadNumber, STRING, HEAD, BROKEN, USE_LINE, COMMENT, t.Operator, t.Equals,
    t.Minus, t.Star, t.LeftParen, t.RightParen, t.LeftBracket, t.RightBracket, t.Comma, t.Dot, t.Semicolon, t.Colon,
  ]; // biome-ignore format: one list
  return new Lexer(
    {
      modes: {
        code: [...common, t.LeftBrace, t.RightBrace],
        interpolation: [...common, INNER_LEFT, MIDDLE, TAIL, BROKEN_TAIL],
        braces: [...common, INNER_LEFT, INNER_RIGHT],
      },
      defaultMode: "code",
    },
    { positionTracking: "onlyOffset", skipValidations: true, ensureOptimizations: true },
  );
}

/** Building a lexer takes milliseconds, so it is made once, on first use. */
let shared: Lexer | undefined;
const theLexer = (): Lexer => (shared ??= makeLexer());

/** Tokens of a whole text. Never throws; every stretch that is no token becomes a complaint and an Unexpected token. */
export function tokenize(source: SourceFile): Lexed {
  const tokens: IToken[] = [];
  const found: Complaint[] = [];
  let start = 0;
  for (let tries = 0; tries < MAX_BROKEN_STRINGS && start < source.text.length; tries++) {
    start = tokenizeFrom(source, start, tokens, found);
  }
  return { tokens, complaints: found };
}

/** Adds the tokens from `start` on; returns where to go on after a string without an end, or the text's length. */
function tokenizeFrom(source: SourceFile, start: number, tokens: IToken[], found: Complaint[]): number {
  const { text } = source;
  const result = theLexer().tokenize(start === 0 ? text : text.slice(start));
  const unexpected = result.errors.filter((error) => error.length > 0);
  let nextError = 0;
  const first = tokens.length;
  for (const token of result.tokens) {
    token.startOffset += start;
    while (nextError < unexpected.length && unexpected[nextError]!.offset + start < token.startOffset)
      tokens.push(unexpectedToken(text, unexpected[nextError++]!, start));
    classify(token, tokens.length > first ? tokens[tokens.length - 1] : undefined);
    tokens.push(token);
  }
  while (nextError < unexpected.length) tokens.push(unexpectedToken(text, unexpected[nextError++]!, start));
  const culprit = findBrokenString(tokens, first, text);
  if (culprit === undefined) {
    complainAbout(source, tokens, first, found);
    return text.length;
  }
  const broken = tokens[culprit]!;
  tokens.length = culprit;
  complainAbout(source, tokens, first, found);
  const lineEnd = text.indexOf("\n", broken.startOffset);
  const end = lineEnd < 0 ? text.length : lineEnd;
  const at = { source, span: { start: broken.startOffset, end } };
  if (broken.tokenType === t.StringHead) {
    const hash = t.endOf(broken) - 2;
    found.push(complaints.unterminatedInterpolation({ source, span: { start: hash, end: hash + 2 } }));
  } else found.push(complaints.unterminatedString(at));
  tokens.push(t.makeToken(t.BadString, text.slice(broken.startOffset, end), broken.startOffset));
  return end;
}

function unexpectedToken(text: string, error: { offset: number; length: number }, start: number): IToken {
  const from = error.offset + start;
  return t.makeToken(t.Unexpected, text.slice(from, from + error.length), from);
}

/** Gives a token its final type: words may be keywords, except behind a dot, where every word is a member's name. */
function classify(token: IToken, previous: IToken | undefined): void {
  let type: TokenType | undefined;
  if (token.tokenType === t.Name) {
    if (token.image.length > 11 || previous?.tokenType === t.Dot) return;
    type = t.reservedTypes.get(token.image.toUpperCase());
  } else type = FINAL_TYPES.get(token.tokenType);
  if (type === undefined) return;
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

/**
 * The index of the string that has no end, when the text has one. The last string of the text runs into its end, but the
 * quote was most likely forgotten where a string spans lines and something that cannot follow a string is glued to its end.
 */
function findBrokenString(tokens: readonly IToken[], first: number, text: string): number | undefined {
  const heads: number[] = [];
  let suspect: number | undefined;
  let isBroken = false;
  for (let at = first; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.tokenType === t.StringHead) heads.push(at);
    else if (token.tokenType === t.StringTail) heads.pop();
    else if (token.tokenType === t.StringToken) {
      if (suspect === undefined && token.image.includes("\n") && /[A-Za-z0-9_]/.test(text.charAt(t.endOf(token)))) suspect = at;
    } else if (token.tokenType === t.BadString && t.endOf(token) === text.length) {
      isBroken = true;
      suspect ??= heads[0] ?? at;
    }
  }
  if (heads.length > 0) return suspect !== undefined && suspect < heads[0]! ? suspect : heads[0];
  return isBroken ? suspect : undefined;
}

function complainAbout(source: SourceFile, tokens: readonly IToken[], first: number, found: Complaint[]): void {
  for (let index = first; index < tokens.length; index++) {
    const token = tokens[index]!;
    const span: Span = { start: token.startOffset, end: t.endOf(token) };
    if (token.tokenType === t.BadNumber) found.push(badNumber(source, span, token.image));
    else if (token.tokenType === t.Unexpected) found.push(badCharacter(source, span, token.image));
    else if (token.tokenType === t.StringHead || token.tokenType === t.StringMiddle) {
      const next = tokens[index + 1]?.tokenType;
      if (next === t.StringTail || next === t.StringMiddle)
        found.push(complaints.emptyInterpolation({ source, span: { start: span.end - 2, end: span.end + 1 } }));
    }
  }
}

function badNumber(source: SourceFile, span: Span, text: string): Complaint {
  const at = { source, span };
  return /^[0-9]+\.$/.test(text) ? complaints.missingDecimals(at, text) : complaints.malformedNumber(at, text);
}

/** Characters people type or paste, and what they probably wanted. */
const CHARACTER_HINTS: Readonly<Record<string, string>> = {
  "?": "PRINT has no short form.",
  "!": 'Write <> for "not equal", and NOT for "not".',
  "&": 'Write AND for "and", + to join strings, &H for hexadecimal numbers.',
  "|": "Write OR.",
  "%": "Write MOD for the remainder. A % behind a name must touch it.",
  "\u00a0": "This is a no-break space; write a plain one.",
};
const QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb`\u00b4";

function badCharacter(source: SourceFile, span: Span, text: string): Complaint {
  const character = String.fromCodePoint(text.codePointAt(0)!);
  const code = character.codePointAt(0)!;
  const shown =
    code < 32 || (code >= 0x7f && code <= 0xa0) || (code >= 0xd800 && code <= 0xdfff)
      ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`
      : `"${character}"`;
  const hint = QUOTES.includes(character) ? 'Use the straight quote ".' : CHARACTER_HINTS[character];
  return complaints.unexpectedCharacter({ source, span }, shown, hint);
}
