/** What every part of the parser shares: spans, complaints in words, and recovery at the ends of lines. */
import {
  EmbeddedActionsParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  isRecognitionException,
  type TokenType,
} from "chevrotain";
import type { Dialect, Name } from "./ast.ts";
import { type Complaint, complaints } from "./complaints.ts";
import { closest } from "./did-you-mean.ts";
import { fileNumberHint, foreignClauseHint, foreignStatementHint } from "./foreign.ts";
import { SourceFile, type Span } from "./source.ts";
import * as t from "./tokens.ts";

/** How token types are called when one is missing. Keywords go by their word. */
const TYPE_WORDS: ReadonlyMap<TokenType, string> = new Map([
  [t.Name, "a name"],
  [t.NumberToken, "a number"],
  [t.StringToken, "a string"],
  [t.EndOfStatement, "the end of the statement"],
  [t.Equals, '"="'],
  [t.LeftParen, '"("'],
  [t.RightParen, '")" or ","'],
  [t.RightBracket, '"]"'],
  [t.RightBrace, '"}"'],
  [t.Comma, '","'],
  [t.Colon, '":"'],
  [t.StringTail, "}"],
]);
const typeWords = (type: TokenType): string => TYPE_WORDS.get(type) ?? type.name.replace(/^word /, "");

/** Messages are only the expected thing in words; the sentence around them is made in {@link ParserBase.report}. */
const EXPECTED_ONLY: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => typeWords(expected),
  buildNotAllInputParsedMessage: () => "the end of the text",
  buildNoViableAltMessage: ({ customUserDescription }) => customUserDescription ?? "a statement",
  buildEarlyExitMessage: ({ customUserDescription }) => customUserDescription ?? "a statement",
};

/** Raised inside a statement that is well formed token by token but wrong as a whole; caught at the end of its line. */
class Abandoned extends Error {
  readonly complaint: Complaint | undefined;
  constructor(complaint: Complaint | undefined) {
    super(complaint?.message);
    this.complaint = complaint;
  }
}

const BAD_TOKENS: ReadonlySet<TokenType> = new Set([t.Unexpected, t.BadNumber, t.BadString]);
const STATEMENT_WORDS = [...Object.entries(t.RESERVED_WORDS), ...Object.entries(t.SOFT_WORDS)]
  .filter(([word, role]) => role !== "expression" && role !== "operator" && role !== "unused" && word.length > 2)
  .map(([word]) => word);

export abstract class ParserBase extends EmbeddedActionsParser {
  protected source = new SourceFile("", "");
  protected dialect: Dialect = "classic";
  protected found: Complaint[] = [];
  /** The first token of the statement, or of the first line of a construct. */
  protected lineStart: IToken = t.makeToken(EOF, "", 0);
  /** Where the broken statements start. */
  readonly brokenAt = new Set<number>();
  /** How many WITH blocks of the routine are open. */
  protected withDepth = 0;

  constructor() {
    super([...t.vocabulary], {
      maxLookahead: 1,
      recoveryEnabled: false,
      nodeLocationTracking: "none",
      skipValidations: true,
      errorMessageProvider: EXPECTED_ONLY,
    });
  }

  /** Makes the parser ready for a text. */
  start(source: SourceFile, tokens: IToken[], dialect: Dialect): void {
    this.source = source;
    this.dialect = dialect;
    this.found = [];
    this.withDepth = 0;
    this.brokenAt.clear();
    this.input = tokens;
  }

  get complaints(): readonly Complaint[] {
    return this.found;
  }

  /** Where the next token starts. */
  protected here(): number {
    return this.LA(1).startOffset;
  }

  /** From an offset to the end of the last token. */
  protected spanFrom(start: number): Span {
    return { start, end: t.endOf(this.LA(0)) };
  }

  protected spanOf(token: IToken): Span {
    if (this.RECORDING_PHASE) return NOWHERE;
    return { start: token.startOffset, end: t.endOf(token) };
  }

  protected complain(complaint: Complaint): void {
    if (!this.RECORDING_PHASE) this.found.push(complaint);
  }

  protected at(span: Span): { source: SourceFile; span: Span } {
    return { source: this.source, span };
  }

  /** Gives up the statement with a complaint; without one when somebody has complained already. */
  protected abandon(complaint: Complaint | undefined): never {
    if (this.RECORDING_PHASE) return undefined as never;
    throw new Abandoned(complaint);
  }

  /** Gives up the statement because something else stands where this was expected. */
  protected expected(what: string): never {
    const token = this.LA(1);
    if (BAD_TOKENS.has(token.tokenType)) return this.abandon(undefined);
    const { text, span } = this.describe(token);
    return this.abandon(complaints.expected(this.at(span), what, text, this.#hint(what, span, this.lineStart)));
  }

  /** `an expression after "+"`, when the last token is short enough to be shown. */
  protected afterLast(what: string): string {
    const { image, tokenType } = this.LA(0);
    return tokenType === t.EndOfStatement || image === "" || image.length > 12 ? what : `${what} after "${image}"`;
  }

  /**
   * Parses a statement, or the first line of a construct, and its end. When it is broken, complains once, skips to the end
   * that the layout pass has marked, and returns undefined.
   */
  protected line<T>(parse: () => T): T | undefined {
    this.lineStart = this.LA(1);
    try {
      const result = parse();
      this.consume(0, t.EndOfStatement);
      return result;
    } catch (error) {
      this.report(error);
      this.brokenAt.add(this.lineStart.startOffset);
      this.skipLine();
      return undefined;
    }
  }

  /** Takes the next token when it has this type. */
  protected takes(type: TokenType): boolean {
    if (this.LA(1).tokenType !== type) return false;
    this.SKIP_TOKEN();
    return true;
  }

  /** A name, or a complaint that says what it is wanted for. */
  protected name(what: string): Name {
    const token = this.consume(0, t.Name, { ERR_MSG: what });
    return { kind: "name", name: token.image, span: this.spanOf(token) };
  }

  /** Takes the next token, whatever it is. */
  protected takeToken(): IToken {
    const token = this.LA(1);
    this.SKIP_TOKEN();
    return token;
  }

  protected skipLine(): void {
    for (;;) {
      const type = this.LA(1).tokenType;
      if (type === EOF) return;
      this.SKIP_TOKEN();
      if (type === t.EndOfStatement || type === t.MissingEnd) return;
    }
  }

  /** Turns an exception of the parse into a complaint; bugs go on as they are. */
  protected report(error: unknown): void {
    if (error instanceof Abandoned) {
      if (error.complaint) this.complain(error.complaint);
      return;
    }
    if (!(error instanceof Error) || !isRecognitionException(error)) throw error;
    const exception = error as unknown as { readonly token: IToken; readonly message: string };
    const { token } = exception;
    if (BAD_TOKENS.has(token.tokenType)) return;
    const { text: foundText, span } = this.describe(token);
    if (exception.message === "}") return this.complain(complaints.interpolationEnd(this.at(span), foundText));
    this.complain(
      complaints.expected(this.at(span), exception.message, foundText, this.#hint(exception.message, span, this.lineStart)),
    );
  }

  /** The word a person may have meant: at the place of the error, or at the start of the statement. */
  #hint(expected: string, span: Span, first: IToken): string | undefined {
    const word = this.source.text.slice(span.start, span.end);
    const last = this.LA(0).image;
    const foreign = foreignClauseHint(last) ?? fileNumberHint(this.source.text.slice(span.start, span.start + 20));
    if (foreign !== undefined) return foreign;
    if (/^[-+*/]$/.test(last) && (word === "=" || word === last)) return `Write x = x ${last} 1: there is no ${last}${word}.`;
    const keywords = expected.match(/\b[A-Z]{2,}\b/g) ?? [];
    const meant = keywords.length > 0 && /^[A-Za-z]+$/.test(word) ? closest(word, keywords) : undefined;
    if (first.tokenType === t.Name && meant === undefined) {
      const statement = foreignStatementHint(first.image);
      if (statement !== undefined) return statement;
    }
    const candidate = meant ?? (first.tokenType === t.Name ? closest(first.image, STATEMENT_WORDS) : undefined);
    return candidate === undefined ? undefined : `Did you mean ${candidate}?`;
  }

  /** What stands at a token, in words, and exactly where. Tokens without width stand for what follows them. */
  protected describe(token: IToken): { text: string; span: Span } {
    const { text } = this.source;
    const offset = token.tokenType === EOF || Number.isNaN(token.startOffset) ? text.length : token.startOffset;
    const start = skipBlanks(text, offset);
    if (start >= text.length) return { text: "the end of the text", span: { start: offset, end: offset } };
    const rest = text.slice(start, start + 60);
    if (/^(?:\n|'|#|\/\/|REM(?![\w$%@&]))/i.test(rest))
      return { text: "the end of the line", span: { start: offset, end: offset } };
    const image = /^(?:[A-Za-z_][\w$%@&]*|[0-9][\w.]*|"[^"\n]*"?|<=|>=|<>|!=|==|[\s\S])/.exec(rest)![0];
    const span = { start, end: start + image.length };
    return { text: image.startsWith('"') ? `the string ${image}` : `"${image}"`, span };
  }
}

/** Stands for a span while the grammar is being recorded, when there is no text. */
export const NOWHERE: Span = { start: 0, end: 0 };

/** Skips blanks and continued line ends. */
function skipBlanks(text: string, from: number): number {
  const pattern = /(?:[ \t\r\f\v]|_[ \t\r]*(?:'[^\n]*)?\n)*/y;
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}
