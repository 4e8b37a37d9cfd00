/** The layout of single lines: where a statement ends, which newlines count, which separators belong to a list. */
import { EOF, type IToken, type TokenType } from "chevrotain";
import type { Dialect } from "./ast.ts";
import { type Complaint, complaints } from "./complaints.ts";
import type { SourceFile } from "./source.ts";
import * as t from "./tokens.ts";

/** How deep blocks, brackets and signs may nest, all counted together. */
export const MAX_NESTING = 500;

/** Thrown inside the layout pass when {@link MAX_NESTING} is passed; never leaves it. */
export class TooDeep extends Error {
  readonly complaint: Complaint;
  constructor(complaint: Complaint) {
    super("nested too deep");
    this.complaint = complaint;
  }
}

/** What is special about one line. */
export interface LineRules {
  /** Whose separators `;` and `,` are. */
  readonly list?: "print" | "println" | "input";
  /** The first line of a construct: `{` behind a value and any statement word end it. */
  readonly isHeader?: boolean;
  /** A value directly behind a value ends it too, as in `FOR i = 1 TO 3 x = i`; or only behind `)`. */
  readonly endsBetweenValues?: "always" | "afterParen";
  readonly stopsAtThen?: boolean;
  /** Statement words that belong to this line, as in EXIT FOR. */
  readonly allowed?: ReadonlySet<TokenType>;
}

const k = t.keyword;
const VALUE_ENDS: ReadonlySet<TokenType> = new Set([
  ...[t.Name, t.NumberToken, t.BadNumber, t.StringToken, t.StringTail, t.BadString],
  ...[t.RightParen, t.RightBracket, t.RightBrace, k.TRUE, k.FALSE, k.NULL],
]);
const VALUE_STARTS: ReadonlySet<TokenType> = new Set([
  ...[t.Name, t.NumberToken, t.BadNumber, t.StringToken, t.StringHead, t.BadString],
  ...[k.TRUE, k.FALSE, k.NULL, k.NOT, k.NEW],
]);
/** Behind these a newline does not count. */
const CONTINUING: ReadonlySet<TokenType> = new Set([t.Operator, t.Minus, t.Star, t.Equals, t.Dot, t.Comma, k.TO, k.STEP]);
const OPENING: ReadonlySet<TokenType> = new Set([t.LeftParen, t.LeftBracket, t.LeftBrace, t.StringHead]);
const CLOSING: ReadonlySet<TokenType> = new Set([t.RightParen, t.RightBracket, t.RightBrace, t.StringTail]);
/** Statements that are complete with their first word. */
const ALONE: ReadonlySet<TokenType> = new Set([
  ...[k.RETURN, k.EXIT, k.STOP, k.BREAK, k.CONTINUE, k.PRINT, k.PRINTLN, k.RAISE, k.RESTORE, k.RANDOMIZE, t.EndProgram],
]);
/** Reserved words that do not end a PRINT list. */
const PRINTABLE: ReadonlySet<TokenType> = new Set([k.TRUE, k.FALSE, k.NULL, k.NOT, k.NEW, k.EVAL, k.CLASS]);
const SOFT_CLOSERS: ReadonlySet<string> = new Set(["LOOP", "WEND", "ELSEIF"]);

export const isValueEnd = (token: IToken | undefined): boolean => token !== undefined && VALUE_ENDS.has(token.tokenType);

/** One open bracket of a line, with the count of signs in front of it. */
interface Bracket {
  readonly type: TokenType;
  readonly signs: number;
}

/** Walks over the tokens and writes the laid-out ones; knows lines, not constructs. */
export abstract class LineLayout {
  readonly source: SourceFile;
  readonly dialect: Dialect;
  readonly input: readonly IToken[];
  readonly output: IToken[] = [];
  readonly complaints: Complaint[] = [];
  protected at = 0;
  readonly #end: IToken;

  constructor(source: SourceFile, input: readonly IToken[], dialect: Dialect) {
    this.source = source;
    this.input = input;
    this.dialect = dialect;
    this.#end = t.makeToken(EOF, "", source.text.length);
  }

  /** How many constructs are open. */
  protected abstract depth(): number;
  protected abstract isInsideWith(): boolean;
  /** Whether LOOP, WEND or ELSEIF would close or divide something here. */
  protected abstract closesSomething(softCloser: string): boolean;

  protected look(ahead = 0): IToken {
    return this.input[this.at + ahead] ?? this.#end;
  }

  protected emit(token: IToken): void {
    this.output.push(token);
  }

  /** Takes the next token over, perhaps as another type. */
  protected take(type?: TokenType): void {
    const token = this.look();
    this.at++;
    this.output.push(type === undefined || type === token.tokenType ? token : t.makeToken(type, token.image, token.startOffset));
  }

  /** Takes several tokens over as one, such as `END IF`. */
  protected takeJoined(type: TokenType, count: number): void {
    const first = this.look();
    const last = this.look(count - 1);
    this.at += count;
    this.output.push(t.makeToken(type, this.source.text.slice(first.startOffset, t.endOf(last)), first.startOffset));
  }

  /** Writes a token of no width behind the last one. */
  protected insert(type: TokenType): void {
    const last = this.output[this.output.length - 1];
    this.output.push(t.makeToken(type, "", last === undefined ? 0 : t.endOf(last)));
  }

  protected spanOf(token: IToken): { source: SourceFile; span: { start: number; end: number } } {
    return { source: this.source, span: { start: token.startOffset, end: t.endOf(token) } };
  }

  protected checkDepth(extra: number, token: IToken): void {
    if (this.depth() + extra > MAX_NESTING) throw new TooDeep(complaints.tooDeep(this.spanOf(token), MAX_NESTING));
  }

  protected isSeparator(token: IToken): boolean {
    const type = token.tokenType;
    return type === t.Newline || type === t.Colon || type === t.Semicolon;
  }

  /** Whether a soft word acts as a keyword: at the start of a statement, and not followed by `=`, `[` or `.`. */
  protected isSoftKeyword(ahead = 0): boolean {
    const token = this.look(ahead);
    if (token.tokenType !== t.Name || token.image.length > 9) return false;
    const word = token.image.toUpperCase();
    if (!Object.hasOwn(t.SOFT_WORDS, word)) return false;
    const next = this.look(ahead + 1);
    const type = next.tokenType;
    if (type === t.Equals || type === t.LeftBracket || type === t.Dot || next.image === "==") return false;
    if (word === "INPUT") return type !== t.LeftParen;
    if (word === "LINE") return next.image.toUpperCase() === "INPUT";
    return true;
  }

  /** Whether a token can only follow a finished statement. */
  protected isCloser(ahead = 0): boolean {
    const token = this.look(ahead);
    if (token.tokenType === t.RightBrace || token.tokenType === EOF) return true;
    if (t.roles.get(token.tokenTypeIdx) === "closer") return true;
    return token.tokenType === t.Name && SOFT_CLOSERS.has(token.image.toUpperCase()) && this.isSoftKeyword(ahead);
  }

  /**
   * Takes over the tokens up to the end of the statement, then writes EndOfStatement. The separator itself stays.
   * @param taken how many tokens of the statement have been written already
   */
  protected takeLine(rules: LineRules = {}, taken = 0): void {
    const first = this.output.length - taken;
    const brackets: Bracket[] = [];
    let signs = 0;
    let isMissing = false;
    for (;;) {
      const token = this.look();
      const type = token.tokenType;
      const previous = this.output.length > first ? this.output[this.output.length - 1] : undefined;
      if (type === EOF) break;
      if (type === t.Newline) {
        if (!this.#skipsNewline(rules, previous, brackets.length > 0)) break;
        continue;
      }
      if (type === t.Semicolon) {
        if (brackets.length > 0 || !this.#isListSemicolon(rules, previous)) break;
        this.take(t.ListSemicolon);
        if (this.#endsList(rules)) break;
        continue;
      }
      if (type === t.Colon && brackets.at(-1)?.type !== t.LeftBrace) break;
      if (type === t.Comma && brackets.length === 0 && this.#isPrint(rules)) {
        this.take();
        if (this.#endsListAfterComma(rules)) break;
        continue;
      }
      if (CLOSING.has(type)) {
        if (type === t.RightBrace && !brackets.some((open) => open.type === t.LeftBrace)) break;
        signs = brackets.pop()?.signs ?? 0;
      } else if (OPENING.has(type)) {
        if (type === t.LeftBrace && brackets.length === 0 && rules.isHeader && isValueEnd(previous)) break;
        brackets.push({ type, signs });
        this.checkDepth(brackets.length + signs, token);
      } else if (type === k.NOT || (type === t.Minus && !isValueEnd(previous))) {
        signs++;
        this.checkDepth(brackets.length + signs, token);
      } else if (CONTINUING.has(type) && token.image !== "^") signs = brackets.at(-1)?.signs ?? 0;
      if (previous !== undefined && this.#endsAtWord(rules, token, previous, brackets.length)) {
        isMissing = !rules.isHeader && this.#needsSeparator(token, previous, first);
        break;
      }
      this.take();
    }
    this.insert(isMissing ? t.MissingEnd : t.EndOfStatement);
  }

  /** Skips a newline that does not count and returns true; leaves one that ends the statement. */
  #skipsNewline(rules: LineRules, previous: IToken | undefined, isInBrackets: boolean): boolean {
    let ahead = 1;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const next = this.look(ahead);
    let skips: boolean;
    if (isInBrackets) {
      const role = t.roles.get(next.tokenTypeIdx);
      const isBroken = role === "statement" || role === "closer" || (isValueEnd(previous) && VALUE_STARTS.has(next.tokenType));
      skips = next.tokenType !== EOF && !(isBroken && !this.#isShellCall(ahead));
    } else if (previous !== undefined && CONTINUING.has(previous.tokenType)) skips = true;
    else if (previous?.tokenType === t.ListSemicolon) skips = false;
    else skips = this.#continues(next, ahead);
    if (skips) this.at += ahead;
    return skips && rules !== undefined;
  }

  /** Whether a line that starts with this token continues the one above it. */
  #continues(next: IToken, ahead: number): boolean {
    const type = next.tokenType;
    if (type === t.Minus || type === t.Star || type === t.Comma) return true;
    if (type === t.Operator) return next.image === "+" || next.image === "/";
    return type === t.Dot && this.look(ahead + 1).tokenType === t.Name && !this.isInsideWith();
  }

  #isPrint(rules: LineRules): boolean {
    return rules.list === "print" || rules.list === "println";
  }

  #isListSemicolon(rules: LineRules, previous: IToken | undefined): boolean {
    if (rules.list === "input") {
      const type = previous?.tokenType;
      return (type === t.StringToken || type === t.StringTail) && !this.isSeparator(this.look(1));
    }
    return this.#isPrint(rules) && this.dialect === "classic";
  }

  /** Whether a PRINT list ends behind a separator just taken (classic). */
  #endsList(rules: LineRules): boolean {
    if (rules.list === "input") return false;
    const next = this.look();
    const type = next.tokenType;
    if (type === t.Newline || type === t.Colon || type === t.RightBrace || type === EOF) return true;
    if (type === t.Name) return next.image.length <= 6 && SOFT_CLOSERS.has(next.image.toUpperCase());
    if (!t.roles.has(next.tokenTypeIdx)) return /^(?:AND|OR|MOD)$/i.test(next.image);
    return !PRINTABLE.has(type) && !this.#isShellCall();
  }

  #endsListAfterComma(rules: LineRules): boolean {
    if (this.dialect === "basil") return false;
    if (rules.list === "println" && this.look().tokenType === t.Newline) return false;
    return this.#endsList(rules);
  }

  #isShellCall(ahead = 0): boolean {
    return this.look(ahead).tokenType === k.SHELL && this.look(ahead + 1).tokenType === t.LeftParen;
  }

  /** Whether the line ends in front of a word that starts, closes or divides something, or between two values. */
  #endsAtWord(rules: LineRules, token: IToken, previous: IToken, brackets: number): boolean {
    const type = token.tokenType;
    if (VALUE_STARTS.has(type)) {
      if (brackets > 0 || !VALUE_ENDS.has(previous.tokenType)) return false;
      if (rules.endsBetweenValues === "always") return true;
      if (rules.endsBetweenValues === "afterParen" && previous.tokenType === t.RightParen) return true;
      return type === t.Name && this.#endsAtSoftCloser(token);
    }
    const role = t.roles.get(token.tokenTypeIdx);
    if (role === undefined || role === "expression") return false;
    if (role === "clause") return type === k.THEN && rules.stopsAtThen === true;
    if (rules.allowed?.has(type) || this.#isShellCall()) return false;
    if (role === "closer" || this.input[this.at - 1]?.tokenType === t.Newline) return true;
    // On the same line, and where a value is still wanted, a statement word is a mistake of this statement.
    return brackets === 0 && (rules.isHeader === true || isValueEnd(previous) || ALONE.has(previous.tokenType));
  }

  #endsAtSoftCloser(token: IToken): boolean {
    if (token.image.length > 6 || !this.isSoftKeyword() || this.look(1).tokenType === t.LeftParen) return false;
    const word = token.image.toUpperCase();
    return SOFT_CLOSERS.has(word) && this.closesSomething(word);
  }

  /** Whether a separator had to stand in front of a word that starts a statement. */
  #needsSeparator(token: IToken, previous: IToken, first: number): boolean {
    if (t.roles.get(token.tokenTypeIdx) !== "statement") return false;
    return isValueEnd(previous) || (this.output.length === first + 1 && ALONE.has(previous.tokenType));
  }
}
