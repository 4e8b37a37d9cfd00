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
import { type Complaint, type Construct, complaints } from "./complaints.ts";
import { scanData } from "./data-items.ts";
import { LineLayout, TooDeep } from "./layout-lines.ts";
import type { SourceFile, Span } from "./source.ts";
import * as t from "./tokens.ts";

/** What the parser reads. */
export interface LaidOut {
  readonly tokens: IToken[];
  readonly complaints: readonly Complaint[];
  /** Stretches of raw text (DATA) where complaints of the lexer do not count. */
  readonly rawSpans: readonly Span[];
}

type Kind = "if" | "while" | "do" | "for" | "select" | "block" | "with" | "try" | "routine" | "type";
/**
 * How a construct's body ends: `line` at the end of the line, `single` after one statement, `lines` at its closing word,
 * `begin` at END, `brace` at `}`.
 */
type Form = "line" | "single" | "lines" | "begin" | "brace";

interface Frame {
  readonly kind: Kind;
  form: Form;
  readonly opener: IToken;
  /** IF: the place of its THEN among the tokens. */
  thenAt: number;
  hasElse: boolean;
  /** FOR: the loop variable. */
  readonly variable?: string;
}

const k = t.keyword;
const CLOSERS: Readonly<Record<Kind, TokenType>> = {
  if: t.EndIf,
  while: t.EndWhile,
  do: k.LOOP,
  for: k.NEXT,
  select: t.EndSelect,
  block: t.EndBlock,
  with: t.EndWith,
  try: t.EndTry,
  routine: t.EndRoutine,
  type: t.EndType,
};
/** What the words after END, and the closing words of one piece, close, and how that construct is opened. */
const END_WORDS: Readonly<Record<string, { readonly kind: Kind; readonly opener: string }>> = {
  IF: { kind: "if", opener: "IF" },
  SUB: { kind: "routine", opener: "SUB" },
  FUNC: { kind: "routine", opener: "FUNC" },
  FUNCTION: { kind: "routine", opener: "FUNCTION" },
  TRY: { kind: "try", opener: "TRY" },
  WITH: { kind: "with", opener: "WITH" },
  SELECT: { kind: "select", opener: "SELECT CASE" },
  WHILE: { kind: "while", opener: "WHILE" },
  TYPE: { kind: "type", opener: "TYPE" },
  BLOCK: { kind: "block", opener: "BEGIN" },
};
const EXIT_TARGETS: ReadonlySet<TokenType> = new Set([k.FOR, k.WHILE, k.DO, k.SUB, k.FUNC, k.FUNCTION]);
const JUMPS: ReadonlySet<TokenType> = new Set([k.GOTO, k.GOSUB]);
const BINARY: ReadonlySet<TokenType> = new Set([t.Operator, t.Minus, t.Star, t.Equals]);

/** Lays out a program's tokens. Never throws. */
export function layOut(source: SourceFile, input: readonly IToken[], dialect: Dialect): LaidOut {
  const first = new Layout(source, input, dialect, undefined);
  const laidOut = first.run();
  return first.singles.size === 0 ? laidOut : new Layout(source, input, dialect, first.singles).run();
}

class Layout extends LineLayout {
  /** The THENs of IFs that turned out to have no END IF. */
  readonly singles = new Set<number>();
  readonly #known: ReadonlySet<number> | undefined;
  readonly #frames: Frame[] = [];
  readonly #rawSpans: Span[] = [];

  constructor(source: SourceFile, input: readonly IToken[], dialect: Dialect, known: ReadonlySet<number> | undefined) {
    super(source, input, dialect);
    this.#known = known;
  }

  run(): LaidOut {
    try {
      while (this.look().tokenType !== EOF) this.#statement();
      this.#popTo(0);
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error;
      this.singles.clear();
      return { tokens: [], complaints: [error.complaint], rawSpans: [] };
    }
    return { tokens: this.output, complaints: this.complaints, rawSpans: this.#rawSpans };
  }

  protected override depth(): number {
    return this.#frames.length;
  }

  protected override isInsideWith(): boolean {
    return this.#find((frame) => frame.kind === "with", true) >= 0;
  }

  protected override closesSomething(softCloser: string): boolean {
    const kind = softCloser === "LOOP" ? "do" : softCloser === "WEND" ? "while" : "if";
    return this.#find((frame) => frame.kind === kind && (frame.form === "lines" || frame.form === "begin"), true) >= 0;
  }

  // ── The stack of open constructs ───────────────────────────────────────────────────────────────────────────────

  /** The index of the innermost frame that fits; -1 when none does. */
  #find(fits: (frame: Frame) => boolean, staysInRoutine: boolean): number {
    for (let index = this.#frames.length - 1; index >= 0; index--) {
      const frame = this.#frames[index]!;
      if (fits(frame)) return index;
      if (staysInRoutine && frame.kind === "routine") return -1;
    }
    return -1;
  }

  #push(kind: Kind, form: Form, opener: IToken, variable?: string): Frame {
    const frame: Frame = { kind, form, opener, thenAt: -1, hasElse: false, ...(variable === undefined ? {} : { variable }) };
    this.#frames.push(frame);
    this.checkDepth(0, opener);
    return frame;
  }

  /** Closes the innermost constructs without their closing words until `length` are left, with complaints. */
  #popTo(length: number): void {
    while (this.#frames.length > length) {
      const frame = this.#frames.pop()!;
      if (frame.kind === "if" && frame.form === "lines" && this.#known === undefined && frame.thenAt >= 0)
        this.singles.add(frame.thenAt);
      else if (frame.form !== "line" && frame.form !== "single")
        this.complaints.push(complaints.unclosed(this.spanOf(frame.opener), constructOf(frame)));
      this.insert(CLOSERS[frame.kind]);
      if (frame.kind === "do" || frame.kind === "for") this.insert(t.EndOfStatement);
    }
  }

  /** Closes the frame at an index with the next `count` tokens. */
  #close(index: number, count: number): void {
    this.#popTo(index + 1);
    const frame = this.#frames.pop()!;
    this.takeJoined(CLOSERS[frame.kind], count);
  }

  #stray(count: number, opener: string, hint?: string): void {
    const last = this.look(count - 1);
    const first = this.look();
    const span = { start: first.startOffset, end: t.endOf(last) };
    const words = this.source.text.slice(span.start, span.end).toUpperCase().replace(/\s+/g, " ");
    this.complaints.push(complaints.stray({ source: this.source, span }, words, opener, hint));
    const length = this.output.length;
    this.at += count;
    this.takeLine();
    this.output.length = length;
    this.#afterStatement();
  }

  // ── Statements ─────────────────────────────────────────────────────────────────────────────────────────────────

  #statement(): void {
    const token = this.look();
    const type = token.tokenType;
    if (this.isSeparator(token)) this.at++;
    else if (type === t.RightBrace) this.#closeBrace();
    else if (this.#frames.at(-1)?.kind === "type" && !this.isCloser()) this.#field();
    else if (type === t.Name) this.#nameStatement();
    else if (type === t.NumberToken && this.#isLineNumber()) this.take(t.LabelDefinition);
    else if (type === t.LeftBrace) this.#block("brace");
    else if (t.roles.has(token.tokenTypeIdx)) this.#keywordStatement(token.image.toUpperCase());
    else this.#simple();
  }

  #simple(rules = {}, type?: TokenType): void {
    if (type !== undefined) this.take(type);
    this.takeLine(rules, type === undefined ? 0 : 1);
    this.#afterStatement();
  }

  #nameStatement(): void {
    const token = this.look();
    const next = this.look(1);
    const isKeyword = this.isSoftKeyword();
    const word = isKeyword ? token.image.toUpperCase() : "";
    if (next.tokenType === t.Colon && next.startOffset === t.endOf(token) && this.#mayBeLabel(word)) {
      this.take(t.LabelDefinition);
      this.at++;
    } else if (isKeyword) this.#softStatement(word as t.SoftWord);
    else this.#simple();
  }

  #mayBeLabel(word: string): boolean {
    if (word === "") return true;
    const role = t.SOFT_WORDS[word as t.SoftWord];
    return role === "label" || role === "clause" || (role === "closer" && !this.closesSomething(word));
  }

  #softStatement(word: t.SoftWord): void {
    switch (word) {
      case "LOOP":
        return this.#loop();
      case "WEND":
        return this.#closeWord(1, { kind: "while", opener: "WHILE" });
      case "ELSEIF":
        return this.#else();
      case "DATA":
        return this.#data();
      case "INPUT":
        return this.#simple({ list: "input" }, k.INPUT);
      case "LINE":
        this.takeJoined(t.LineInput, 2);
        this.takeLine({ list: "input" }, 1);
        return this.#afterStatement();
      case "ON":
        return this.#simple({ allowed: JUMPS }, k.ON);
      case "UNTIL":
        return this.#simple();
      default:
        return this.#simple({}, k[word]);
    }
  }

  #keywordStatement(word: string): void {
    switch (word) {
      case "IF":
        return this.#if();
      case "ELSE":
        return this.#else();
      case "END":
        return this.#end();
      case "ENDIF":
      case "ENDSUB":
      case "ENDFUNC":
      case "ENDFUNCTION":
      case "ENDWHILE":
      case "ENDBLOCK":
        return this.#closeWord(1, END_WORDS[word.slice(3)]!);
      case "WHILE":
        return this.#while();
      case "DO":
        return this.#do();
      case "FOR":
      case "FOREACH":
        return this.#for();
      case "NEXT":
      case "ENDFOR":
        return this.#next();
      case "SELECT":
        return this.#select();
      case "CASE":
        return this.#case();
      case "BEGIN":
        return this.#block("begin");
      case "WITH":
      case "TYPE":
        this.#header(word === "WITH" ? "with" : "type", "lines");
        return;
      case "TRY":
        this.#push("try", "lines", this.look());
        return this.take();
      case "CATCH":
      case "FINALLY":
        return this.#handler();
      case "SUB":
      case "FUNC":
      case "FUNCTION":
        return this.#routine();
      case "PRINT":
        return this.#simple({ list: "print" }, k.PRINT);
      case "PRINTLN":
        return this.#simple({ list: "println" }, k.PRINTLN);
      case "SHELL":
        return this.#simple({}, t.ShellStatement);
      case "EXIT":
        return this.#exit();
      default:
        return this.#simple({}, this.look().tokenType);
    }
  }

  #exit(): void {
    const isNamed = EXIT_TARGETS.has(this.look(1).tokenType);
    this.take();
    if (isNamed) this.take();
    this.takeLine({}, isNamed ? 2 : 1);
    this.#afterStatement();
  }

  #isLineNumber(): boolean {
    if (!/^[0-9]+$/.test(this.look().image)) return false;
    const previous = this.at === 0 ? undefined : this.input[this.at - 1];
    if (previous !== undefined && previous.tokenType !== t.Newline) return false;
    return !BINARY.has(this.look(1).tokenType);
  }

  /** A line of TYPE; words are not keywords here. */
  #field(): void {
    if (this.#isLineNumber()) this.at++;
    else {
      if (this.look().tokenType === k.DIM) this.take();
      this.takeLine();
    }
  }

  #data(): void {
    const word = this.look();
    const { end } = scanData(this.source.text, t.endOf(word));
    this.output.push(t.makeToken(t.DataStatement, this.source.text.slice(word.startOffset, end), word.startOffset));
    this.#rawSpans.push({ start: word.startOffset, end });
    while (this.look().tokenType !== EOF && this.look().startOffset < end) this.at++;
    this.insert(t.EndOfStatement);
    this.#afterStatement();
  }

  // ── Simple blocks and loops ────────────────────────────────────────────────────────────────────────────────────

  #block(form: "begin" | "brace"): void {
    this.#push("block", form, this.look());
    this.take(t.BlockStart);
  }

  /** A construct that starts with a line of its own; a `{` or BEGIN at its end may open the body. */
  #header(kind: Kind, form: Form, rules = {}): Frame {
    const frame = this.#push(kind, form, this.look());
    this.take();
    this.takeLine({ isHeader: true, ...rules }, 1);
    if (this.look().tokenType === t.LeftBrace && kind !== "with" && kind !== "for") {
      this.at++;
      frame.form = "brace";
    }
    return frame;
  }

  #while(): void {
    const frame = this.#header("while", "lines", { endsBetweenValues: "always" });
    if (frame.form === "lines" && this.look().tokenType === k.BEGIN) {
      this.at++;
      frame.form = "begin";
    }
  }

  #do(): void {
    this.#push("do", "lines", this.look());
    this.take();
    this.#loopTest({ isHeader: true, endsBetweenValues: "always" });
  }

  #loop(): void {
    const index = this.#find((frame) => frame.kind === "do", true);
    if (index < 0) return this.#stray(1, "DO");
    this.#close(index, 1);
    this.#loopTest({ isHeader: true });
    this.#afterStatement();
  }

  /** `WHILE c` or `UNTIL c` behind DO or LOOP. */
  #loopTest(rules: object): void {
    const word = this.look();
    if (word.tokenType === k.WHILE) this.take();
    else if (word.tokenType === t.Name && word.image.toUpperCase() === "UNTIL") this.take(k.UNTIL);
    else return this.insert(t.EndOfStatement);
    this.takeLine(rules, 1);
  }

  #for(): void {
    const word = this.look();
    const isOneWord = word.tokenType === k.FOREACH;
    if (isOneWord)
      this.complaints.push(complaints.syntax(this.spanOf(word), "FOREACH is not a statement of Basil.", "Write FOR EACH."));
    const isEach = isOneWord || this.look(1).tokenType === k.EACH;
    const variable = this.look(isEach && !isOneWord ? 2 : 1);
    this.#push("for", "lines", word, variable.tokenType === t.Name ? variable.image : undefined);
    if (isEach) this.takeJoined(t.ForEachStart, isOneWord ? 1 : 2);
    else this.take();
    this.takeLine({ isHeader: true, endsBetweenValues: "always" }, 1);
  }

  #next(): void {
    const word = this.look();
    const index = this.#find((frame) => frame.kind === "for", true);
    if (word.tokenType === k.ENDFOR)
      this.complaints.push(complaints.syntax(this.spanOf(word), "ENDFOR is not a statement of Basil.", "Write NEXT."));
    if (index < 0) return this.#stray(1, "FOR");
    const { variable } = this.#frames[index]!;
    this.#close(index, 1);
    const name = this.look();
    if (name.tokenType === t.Name && (name.image.toUpperCase() === variable?.toUpperCase() || this.#endsStatement(1))) {
      const isOther = this.look(1).tokenType === t.Equals;
      if (!isOther) this.take();
    }
    this.insert(t.EndOfStatement);
    this.#afterStatement();
  }

  #endsStatement(ahead: number): boolean {
    return this.isSeparator(this.look(ahead)) || this.isCloser(ahead);
  }

  #select(): void {
    const frame = this.#push("select", "lines", this.look());
    this.take();
    if (this.look().tokenType === k.CASE) this.take();
    this.takeLine({ isHeader: true }, 1);
    if (this.look().tokenType !== t.LeftBrace) return;
    this.at++;
    frame.form = "brace";
  }

  #case(): void {
    const index = this.#find((frame) => frame.kind === "select", true);
    if (index < 0) return this.#stray(1, "SELECT CASE");
    this.#popTo(index + 1);
    if (this.look(1).tokenType === k.ELSE) {
      this.takeJoined(t.CaseElse, 2);
      this.insert(t.EndOfStatement);
    } else {
      this.take();
      this.takeLine({ isHeader: true }, 1);
    }
  }

  #handler(): void {
    const index = this.#find((frame) => frame.kind === "try", true);
    if (index < 0) return this.#stray(1, "TRY");
    this.#popTo(index + 1);
    const isCatch = this.look().tokenType === k.CATCH;
    this.take();
    if (isCatch) this.takeLine({ isHeader: true }, 1);
  }

  #routine(): void {
    const frame = this.#header("routine", "lines", { endsBetweenValues: "afterParen" });
    if (frame.form === "brace") return;
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const { tokenType } = this.look(ahead);
    if (tokenType !== t.LeftBrace && tokenType !== k.BEGIN) return;
    this.at += ahead + 1;
    frame.form = tokenType === k.BEGIN ? "begin" : "brace";
  }

  // ── IF ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #if(): void {
    const frame = this.#push("if", "line", this.look());
    this.take();
    this.#condition(frame, true);
  }

  /** The condition, THEN, and how the branch is written. */
  #condition(frame: Frame, isFirst: boolean): void {
    const thenAt = this.#takeCondition(isFirst);
    if (!isFirst && (frame.form === "lines" || frame.form === "begin")) {
      if (frame.form === "begin") this.#skipBegin();
      this.#branchWord();
      return;
    }
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const { tokenType } = this.look(ahead);
    if (tokenType === k.BEGIN || (tokenType === t.LeftBrace && (ahead === 0 || thenAt >= 0))) {
      this.at += ahead + 1;
      frame.form = tokenType === k.BEGIN ? "begin" : "brace";
    } else if (ahead === 0) this.#lineBranch(frame);
    else if (this.#known?.has(this.at)) this.#singleBranch(frame, ahead);
    else {
      frame.form = "lines";
      frame.thenAt = this.at;
    }
  }

  /** Takes condition and THEN; puts a THEN in where it may be missing. Returns where THEN was, or -1. */
  #takeCondition(isFirst: boolean): number {
    this.takeLine({ isHeader: true, stopsAtThen: true }, 1);
    this.output.pop();
    const next = this.look();
    let thenAt = -1;
    if (next.tokenType === k.THEN) {
      thenAt = this.at;
      this.take();
    } else if (!isFirst || next.tokenType === t.LeftBrace) this.insert(k.THEN);
    this.insert(t.EndOfStatement);
    return thenAt;
  }

  #skipBegin(): void {
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    if (this.look(ahead).tokenType === k.BEGIN) this.at += ahead + 1;
  }

  #singleBranch(frame: Frame, newlines: number): void {
    frame.form = "single";
    this.at += newlines;
    if (!this.isCloser()) return;
    this.complaints.push(complaints.unclosed(this.spanOf(frame.opener), "IF"));
    this.#afterStatement();
  }

  /** What stands on the line of THEN or ELSE: one statement, with more behind `:` in classic. */
  #lineBranch(frame: Frame): void {
    frame.form = "line";
    while (this.look().tokenType === t.Colon) this.at++;
    if (this.#branchWord()) return;
    const next = this.look();
    if (!this.isCloser() && next.tokenType !== t.Newline) return;
    const word = frame.hasElse ? "ELSE" : "THEN";
    const hasThen = this.output[this.output.length - 2]?.tokenType === k.THEN || frame.hasElse;
    const found =
      next.tokenType === EOF ? "the end of the file" : next.tokenType === t.Newline ? "the end of the line" : `"${next.image}"`;
    if (hasThen) this.complaints.push(complaints.expected(this.spanOf(next), `a statement after ${word}`, found));
    this.#afterStatement();
  }

  /** A branch that is just a line number jumps there; END directly behind THEN or ELSE ends the program. */
  #branchWord(): boolean {
    const { tokenType, image } = this.look();
    if (tokenType === k.END) this.take(t.EndProgram);
    else if (tokenType === t.NumberToken && /^[0-9]+$/.test(image) && this.#endsStatement(1)) {
      this.insert(t.ImpliedGoto);
      this.take();
    } else return false;
    this.insert(t.EndOfStatement);
    this.#afterStatement();
    return true;
  }

  /** ELSE or ELSEIF at the start of a statement: belongs to the innermost IF with END IF or END. */
  #else(): void {
    const index = this.#find((frame) => frame.kind === "if" && (frame.form === "lines" || frame.form === "begin"), true);
    const isElseIf = this.look().tokenType !== k.ELSE;
    if (index < 0) return this.#strayElse();
    this.#popTo(index + 1);
    const frame = this.#frames[index]!;
    if (frame.hasElse) {
      this.complaints.push(complaints.secondElse(this.spanOf(this.look())));
      this.at++;
    } else if (isElseIf || this.#isElseIf(frame)) {
      this.takeJoined(k.ELSEIF, isElseIf ? 1 : 2);
      this.#condition(frame, false);
    } else {
      this.take();
      frame.hasElse = true;
      if (frame.form === "begin") this.#skipBegin();
      this.#branchWord();
    }
  }

  #strayElse(): void {
    const word = this.look();
    this.complaints.push(complaints.stray(this.spanOf(word), word.image.toUpperCase(), "IF"));
    this.at++;
    if (word.tokenType === k.ELSE) return;
    this.at--;
    this.#push("if", "line", word);
    this.take(k.IF);
    this.#condition(this.#frames.at(-1)!, true);
  }

  /** Whether `ELSE IF c THEN` is an ELSEIF of the IF around it: its THEN ends the line, or opens the next BEGIN part. */
  #isElseIf(frame: Frame): boolean {
    if (this.look(1).tokenType !== k.IF) return false;
    let ahead = 2;
    for (; ; ahead++) {
      const { tokenType, tokenTypeIdx } = this.look(ahead);
      if (tokenType === k.THEN) break;
      const role = t.roles.get(tokenTypeIdx);
      if (tokenType === EOF || role === "statement" || role === "closer") return false;
    }
    const { tokenType } = this.look(ahead + 1);
    return tokenType === t.Newline || tokenType === EOF || (frame.form === "begin" && tokenType === k.BEGIN);
  }

  /** ELSE of a one-line or brace IF; stands at the next token. */
  #takeElse(frame: Frame): void {
    if (this.look().tokenType !== k.ELSE) {
      this.take(k.ELSEIF);
      return this.#condition(frame, false);
    }
    this.take();
    frame.hasElse = true;
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const { tokenType } = this.look(ahead);
    if (tokenType === t.LeftBrace) {
      this.at += ahead + 1;
      frame.form = "brace";
    } else if (ahead === 0 && tokenType !== EOF) this.#lineBranch(frame);
    else this.#singleBranch(frame, ahead);
  }

  /** Whether an ELSE behind the branch of the IF at an index belongs to it. */
  #ownsElse(index: number, isAtLineStart: boolean): boolean {
    if (this.#frames[index]!.hasElse) return false;
    if (!isAtLineStart) return true;
    let outer = index - 1;
    while (outer >= 0 && (this.#frames[outer]!.form === "line" || this.#frames[outer]!.form === "single")) outer--;
    const frame = this.#frames[outer];
    return frame === undefined || frame.kind !== "if" || frame.form !== "lines" || frame.hasElse;
  }

  /** How far the next ELSE or ELSEIF is, over separators only, and whether it starts a line; -1 when there is none. */
  #elseAhead(): { ahead: number; isAtLineStart: boolean } {
    let ahead = 0;
    let isAtLineStart = false;
    while (this.isSeparator(this.look(ahead))) {
      if (this.look(ahead).tokenType === t.Newline) isAtLineStart = true;
      ahead++;
    }
    const next = this.look(ahead);
    const isElse =
      next.tokenType === k.ELSE ||
      (next.tokenType === t.Name && next.image.toUpperCase() === "ELSEIF" && this.isSoftKeyword(ahead));
    return { ahead: isElse ? ahead : -1, isAtLineStart };
  }

  /** Ends the branches of one-line IFs where their line, or their one statement, ends. */
  #afterStatement(): void {
    for (;;) {
      const index = this.#frames.length - 1;
      const frame = this.#frames[index];
      if (frame === undefined || (frame.form !== "line" && frame.form !== "single")) return;
      const { ahead, isAtLineStart } = this.#elseAhead();
      if (ahead >= 0 && this.#ownsElse(index, isAtLineStart)) {
        this.at += ahead;
        return this.#takeElse(frame);
      }
      if (frame.form === "line" && ahead < 0 && this.#joinsNext()) return;
      this.#frames.pop();
      this.insert(t.EndIf);
    }
  }

  /** Whether `:` joins the next statement to the branch of a one-line IF (classic). */
  #joinsNext(): boolean {
    if (this.dialect !== "classic" || this.look().tokenType !== t.Colon) return false;
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Colon) ahead++;
    const next = this.look(ahead);
    if (this.isSeparator(next) || this.isCloser(ahead)) return false;
    this.at += ahead;
    return true;
  }

  // ── Closing words ──────────────────────────────────────────────────────────────────────────────────────────────

  #closeWord(count: number, { kind, opener }: { kind: Kind; opener: string }): void {
    const index = this.#find(
      (frame) => frame.kind === kind && (frame.form === "lines" || frame.form === "begin"),
      kind !== "routine",
    );
    if (index < 0) return this.#stray(count, opener);
    this.#close(index, count);
    this.#afterStatement();
  }

  #end(): void {
    const next = this.look(1);
    const word = next.tokenType === t.Newline ? "" : next.image.toUpperCase();
    if (Object.hasOwn(END_WORDS, word)) return this.#closeWord(2, END_WORDS[word]!);
    if (word === "FOR" && this.#endsStatement(2)) return this.#endFor();
    const index = this.#find(closesWithEnd, false);
    const frame = this.#frames[index];
    if (frame === undefined) {
      return this.#simple({}, t.EndProgram);
    }
    if (next.tokenType === k.ELSE && frame.kind === "if" && !frame.hasElse) return this.#endElse(index);
    this.#close(index, 1);
    this.#afterStatement();
  }

  #endFor(): void {
    const index = this.#find((frame) => frame.kind === "for", true);
    if (index < 0) return this.#stray(2, "FOR");
    const { source } = this;
    const span = { start: this.look().startOffset, end: t.endOf(this.look(1)) };
    this.complaints.push(complaints.syntax({ source, span }, "FOR is not closed by END FOR.", "Write NEXT."));
    this.#close(index, 2);
    this.insert(t.EndOfStatement);
    this.#afterStatement();
  }

  /** `END ELSE …` on one line: the BEGIN part ends, and an ELSE follows. */
  #endElse(index: number): void {
    this.#popTo(index + 1);
    const frame = this.#frames[index]!;
    this.at++;
    if (this.look(1).tokenType !== k.BEGIN) return this.#takeElse(frame);
    this.take();
    this.at++;
    frame.hasElse = true;
  }

  #closeBrace(): void {
    const index = this.#find((frame) => frame.form === "brace", false);
    if (index < 0) {
      const token = this.look();
      this.complaints.push(complaints.stray(this.spanOf(token), "'}'", "'{'"));
      this.at++;
      return;
    }
    this.#popTo(index + 1);
    const frame = this.#frames[index]!;
    if (frame.kind === "if") {
      const brace = this.look();
      this.at++;
      const { ahead, isAtLineStart } = this.#elseAhead();
      if (ahead >= 0 && this.#ownsElse(index, isAtLineStart)) {
        this.at += ahead;
        return this.#takeElse(frame);
      }
      this.#frames.pop();
      this.emit(t.makeToken(t.EndIf, brace.image, brace.startOffset));
    } else this.#close(index, 1);
    this.#afterStatement();
  }
}

const closesWithEnd = (frame: Frame): boolean =>
  frame.form === "begin" ||
  (frame.form === "lines" && (frame.kind === "select" || frame.kind === "routine" || frame.kind === "type"));

/** How a frame's opener is called in a complaint. */
function constructOf(frame: Frame): Construct {
  if (frame.form === "brace") return "{";
  if (frame.form === "begin" && (frame.kind === "block" || frame.kind === "if")) return "BEGIN";
  if (frame.kind === "routine") return frame.opener.image.toUpperCase() === "SUB" ? "SUB" : "FUNC";
  return frame.kind.toUpperCase() as Construct;
}
