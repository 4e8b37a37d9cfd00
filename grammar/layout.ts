/**
 * The layout pass: one linear walk over the tokens with a stack of open constructs that settles everything a context-free
 * grammar cannot: newlines, labels, soft words, which IF has a block, which word closes what. Behind it every construct has
 * exactly one closing token, every statement ends in EndOfStatement, and all forms of IF, BEGIN and `{ }` look alike.
 *
 * Whether `THEN⏎` opens a block is only known at its END IF. A first walk takes every such IF for a block; IFs whose END IF
 * never came are noted, and if there are any, a second walk gives them their single statement.
 */
import { EOF, type IToken, type TokenType } from "chevrotain";
import type { Dialect } from "./ast.ts";
import { type Complaint, complaints } from "./complaints.ts";
import { scanData } from "./data-items.ts";
import { foreignStatementHint, foreignStatementLength } from "./foreign.ts";
import { BlockLayout, END_WORDS } from "./layout-blocks.ts";
import { type LineRules, TooDeep } from "./layout-lines.ts";
import type { SourceFile, Span } from "./source.ts";
import * as t from "./tokens.ts";

/** What the parser reads. */
export interface LaidOut {
  readonly tokens: IToken[];
  readonly complaints: readonly Complaint[];
  /** Complaints that do not count when the statement at the offset is broken: it should have opened the construct. */
  readonly doubtful: ReadonlyMap<Complaint, number>;
  /** Stretches of raw text (DATA) where complaints of the lexer do not count. */
  readonly rawSpans: readonly Span[];
}

const k = t.keyword;
const EXIT_TARGETS: ReadonlySet<TokenType> = new Set([k.FOR, k.WHILE, k.DO, k.SUB, k.FUNC, k.FUNCTION]);
const JUMPS: ReadonlySet<TokenType> = new Set([k.GOTO, k.GOSUB]);
const BINARY: ReadonlySet<TokenType> = new Set([t.Operator, t.Minus, t.Star, t.Equals]);

/** Lays out a program's tokens. Never throws. */
export function layOut(source: SourceFile, input: readonly IToken[], dialect: Dialect): LaidOut {
  const first = new Layout(source, input, dialect, undefined);
  const laidOut = first.run();
  return first.singles.size === 0 ? laidOut : new Layout(source, input, dialect, first.singles).run();
}

class Layout extends BlockLayout {
  readonly #rawSpans: Span[] = [];

  run(): LaidOut {
    try {
      while (this.look().tokenType !== EOF) this.statement();
      this.popTo(0);
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error;
      this.singles.clear();
      return { tokens: [], complaints: [error.complaint], doubtful: new Map(), rawSpans: [] };
    }
    return { tokens: this.output, complaints: this.complaints, doubtful: this.doubtful, rawSpans: this.#rawSpans };
  }

  protected statement(): void {
    const token = this.look();
    const type = token.tokenType;
    if (this.isSeparator(token)) this.at++;
    else if (type === t.RightBrace) this.closeBrace();
    else if (this.frames.at(-1)?.kind === "type" && !this.isCloser()) this.typeField();
    else if (type === t.Name) this.nameStatement();
    else if (type === t.NumberToken && this.isLineNumber()) this.take(t.LabelDefinition);
    else if (type === t.LeftBrace) this.blockStatement("brace");
    else if (t.roles.has(token.tokenTypeIdx)) this.keywordStatement(token.image.toUpperCase());
    else this.simpleStatement();
  }

  protected simpleStatement(rules: LineRules = {}, type?: TokenType): void {
    if (type !== undefined) this.take(type);
    this.takeLine(rules, type === undefined ? 0 : 1);
    this.afterStatement();
  }

  protected nameStatement(): void {
    const token = this.look();
    const next = this.look(1);
    const isKeyword = this.isSoftKeyword();
    const word = isKeyword ? token.image.toUpperCase() : "";
    if (next.tokenType === t.Colon && next.startOffset === t.endOf(token) && this.mayBeLabel(word)) {
      this.take(t.LabelDefinition);
      this.at++;
    } else if (isKeyword) this.softStatement(word as t.SoftWord);
    else if (!this.foreignStatement()) {
      if (next.tokenType !== t.Equals && next.tokenType !== t.LeftParen && next.tokenType !== t.Dot) this.suspects.push(token);
      this.simpleStatement();
    }
  }

  /** Takes a statement of another BASIC as a whole, with one complaint; false when there is none. */
  protected foreignStatement(): boolean {
    const first = this.look();
    const length = foreignStatementLength(this.input, this.at);
    if (length === 0) return false;
    const word = first.image.toUpperCase();
    this.complaints.push(complaints.foreignStatement(this.spanOf(first), word, foreignStatementHint(word)!));
    this.takeJoined(t.Unexpected, length);
    this.insert(t.EndOfStatement);
    this.afterStatement();
    return true;
  }

  protected mayBeLabel(word: string): boolean {
    if (word === "") return true;
    const role = t.SOFT_WORDS[word as t.SoftWord];
    return role === "label" || role === "clause" || (role === "closer" && !this.closesSomething(word));
  }

  protected softStatement(word: t.SoftWord): void {
    switch (word) {
      case "LOOP":
        return this.loopWord();
      case "WEND":
        return this.closeWord(1, { kind: "while", opener: "WHILE" });
      case "ELSEIF":
        return this.elseWord();
      case "DATA":
        return this.dataStatement();
      case "INPUT":
        return this.simpleStatement({ list: "input" }, k.INPUT);
      case "LINE":
        this.takeJoined(t.LineInput, 2);
        this.takeLine({ list: "input" }, 1);
        return this.afterStatement();
      case "ON":
        return this.simpleStatement({ allowed: JUMPS }, k.ON);
      case "UNTIL":
        return this.simpleStatement();
      default:
        return this.simpleStatement({}, k[word]);
    }
  }

  protected keywordStatement(word: string): void {
    switch (word) {
      case "IF":
        return this.ifStatement();
      case "ELSE":
        return this.elseWord();
      case "END":
        return this.endWord();
      case "ENDIF":
      case "ENDSUB":
      case "ENDFUNC":
      case "ENDFUNCTION":
      case "ENDWHILE":
      case "ENDBLOCK":
        return this.closeWord(1, END_WORDS[word.slice(3)]!);
      case "WHILE":
        return this.whileStatement();
      case "DO":
        return this.doStatement();
      case "FOR":
      case "FOREACH":
        return this.forStatement();
      case "NEXT":
      case "ENDFOR":
        return this.nextWord();
      case "SELECT":
        return this.selectStatement();
      case "CASE":
        return this.caseWord();
      case "BEGIN":
        return this.blockStatement("begin");
      case "WITH":
      case "TYPE":
        this.openHeader(word === "WITH" ? "with" : "type", "lines");
        return;
      case "TRY":
        this.push("try", "lines", this.look());
        return this.take();
      case "CATCH":
      case "FINALLY":
        return this.handlerWord();
      case "SUB":
      case "FUNC":
      case "FUNCTION":
        return this.routineStatement();
      case "PRINT":
        return this.simpleStatement({ list: "print" }, k.PRINT);
      case "PRINTLN":
        return this.simpleStatement({ list: "println" }, k.PRINTLN);
      case "SHELL":
        return this.simpleStatement({}, t.ShellStatement);
      case "EXIT":
        return this.exitStatement();
      default:
        return this.simpleStatement({}, this.look().tokenType);
    }
  }

  protected exitStatement(): void {
    const isNamed = EXIT_TARGETS.has(this.look(1).tokenType);
    this.take();
    if (isNamed) this.take();
    this.takeLine({}, isNamed ? 2 : 1);
    this.afterStatement();
  }

  protected isLineNumber(): boolean {
    if (!/^[0-9]+$/.test(this.look().image)) return false;
    const previous = this.at === 0 ? undefined : this.input[this.at - 1];
    if (previous !== undefined && previous.tokenType !== t.Newline) return false;
    return !BINARY.has(this.look(1).tokenType);
  }

  /** A line of TYPE; words are not keywords here. */
  protected typeField(): void {
    if (this.isLineNumber()) this.at++;
    else {
      if (this.look().tokenType === k.DIM) this.take();
      this.takeLine();
    }
  }

  protected dataStatement(): void {
    const word = this.look();
    const { end } = scanData(this.source.text, t.endOf(word));
    this.output.push(t.makeToken(t.DataStatement, this.source.text.slice(word.startOffset, end), word.startOffset));
    this.#rawSpans.push({ start: word.startOffset, end });
    while (this.look().tokenType !== EOF && this.look().startOffset < end) this.at++;
    this.insert(t.EndOfStatement);
    this.afterStatement();
  }
}
