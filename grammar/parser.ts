/**
 * The grammar of constructs with bodies, and the parser as a whole. The layout pass has given every construct exactly one
 * closing token, so these methods only follow the tokens; they are plain methods and no chevrotain rules, because nesting
 * costs stack (see parser-expressions.ts).
 */
import { EOF, type IToken, type ParserMethod, type TokenType } from "chevrotain";
import type { BinaryOperator, CaseTest, Expression, LoopTest, Name, Select, Statement, Try } from "./ast.ts";
import { complaints } from "./complaints.ts";
import { DeclarationParser } from "./parser-declarations.ts";
import type { Span } from "./source.ts";
import * as t from "./tokens.ts";

const k = t.keyword;
type CaseOperator = "=" | "<>" | "<" | "<=" | ">" | ">=";
const CASE_OPERATORS: readonly BinaryOperator[] = ["=", "<>", "<", "<=", ">", ">="];

/** Tokens that close or divide a body: no statement starts with one. */
const DIVIDERS: ReadonlySet<TokenType> = new Set([
  ...[EOF, k.ELSE, k.ELSEIF, k.CASE, t.CaseElse, k.CATCH, k.FINALLY, k.NEXT, k.LOOP],
  ...[t.EndIf, t.EndWhile, t.EndSelect, t.EndBlock, t.EndWith, t.EndTry, t.EndRoutine, t.EndType],
]);

type Body = Statement[];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class BasilParser extends DeclarationParser {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  /** All statements of the text; what fits nowhere is complained about and skipped. */
  readonly program: ParserMethod<[], Body> = this.RULE("program", () => {
    if (this.RECORDING_PHASE) return [];
    const list = this.#body();
    while (this.LA(1).tokenType !== EOF) {
      this.#complainAboutNext("a statement");
      this.SKIP_TOKEN();
      for (const statement of this.#body()) list.push(statement);
    }
    return list;
  });

  /** One expression and nothing else. */
  readonly wholeExpression: ParserMethod<[], Expression | null> = this.RULE("wholeExpression", () => {
    if (this.RECORDING_PHASE) return null;
    const value = this.line(() => this.SUBRULE(this.expression));
    if (value !== undefined && this.LA(1).tokenType !== EOF) this.#complainAboutNext("one expression only");
    return value ?? null;
  });

  #complainAboutNext(expected: string): void {
    const { text, span } = this.describe(this.LA(1));
    this.complain(complaints.expected(this.at(span), expected, text));
  }

  #body(): Body {
    const list: Body = [];
    while (!DIVIDERS.has(this.LA(1).tokenType)) {
      const statement = this.#statement();
      if (statement !== undefined) list.push(statement);
    }
    return list;
  }

  /** One statement; undefined when it is broken. */
  #statement(): Statement | undefined {
    switch (this.LA(1).tokenType) {
      case t.LabelDefinition:
        return this.#label();
      case t.BlockStart:
        return this.#block();
      case k.IF:
        return this.#if();
      case k.WHILE:
        return this.#while();
      case k.DO:
        return this.#do();
      case k.FOR:
        return this.#for();
      case t.ForEachStart:
        return this.#forEach();
      case k.SELECT:
        return this.#select();
      case k.WITH:
        return this.#with();
      case k.TRY:
        return this.#try();
      case k.SUB:
      case k.FUNC:
      case k.FUNCTION:
        return this.#routine();
      case k.TYPE:
        return this.typeDefinition();
      default:
        return this.line(() => this.SUBRULE(this.simple));
    }
  }

  #label(): Statement {
    const token = this.takeToken();
    return { kind: "label", name: token.image, span: this.spanOf(token) };
  }

  #value(): Expression {
    return this.subrule(0, this.expression);
  }

  // ── Constructs ─────────────────────────────────────────────────────────────────────────────────────────────────

  #block(): Statement {
    const start = this.takeToken().startOffset;
    const body = this.#body();
    this.consume(0, t.EndBlock);
    return { kind: "block", body, span: this.spanFrom(start) };
  }

  #if(): Statement {
    const start = this.here();
    const arms: { condition: Expression; body: Body }[] = [];
    do {
      this.SKIP_TOKEN();
      const condition = this.line(() => this.#condition());
      const body = this.#body();
      if (condition !== undefined) arms.push({ condition, body });
    } while (this.LA(1).tokenType === k.ELSEIF);
    const otherwise = this.takes(k.ELSE) ? this.#body() : null;
    this.consume(0, t.EndIf);
    return { kind: "if", arms, otherwise, span: this.spanFrom(start) };
  }

  #condition(): Expression {
    const value = this.#value();
    this.consume(0, k.THEN, { ERR_MSG: "THEN after the condition" });
    return value;
  }

  #while(): Statement | undefined {
    const start = this.takeToken().startOffset;
    const condition = this.line(() => this.#value());
    const body = this.#body();
    this.consume(0, t.EndWhile);
    return condition && { kind: "while", condition, body, span: this.spanFrom(start) };
  }

  #do(): Statement {
    const start = this.takeToken().startOffset;
    const before = this.line(() => this.#loopTest()) ?? null;
    const body = this.#body();
    this.consume(0, k.LOOP);
    const after = this.line(() => this.#loopTest()) ?? null;
    return { kind: "do", before, body, after, span: this.spanFrom(start) };
  }

  #loopTest(): LoopTest | null {
    if (this.takes(k.WHILE)) return { kind: "WHILE", condition: this.#value() };
    return this.takes(k.UNTIL) ? { kind: "UNTIL", condition: this.#value() } : null;
  }

  #for(): Statement | undefined {
    const start = this.takeToken().startOffset;
    const header = this.line(() => {
      const variable = this.name("a variable after FOR");
      this.consume(0, t.Equals);
      const from = this.#value();
      this.consume(0, k.TO);
      const to = this.#value();
      const step = this.takes(k.STEP) ? this.#value() : null;
      return { variable, from, to, step };
    });
    const body = this.#body();
    const span = this.#next(header?.variable, start);
    return header && { kind: "for", ...header, body, span };
  }

  #forEach(): Statement | undefined {
    const start = this.takeToken().startOffset;
    const header = this.line(() => {
      const variable = this.name("a variable after FOR EACH");
      this.consume(0, k.IN);
      return { variable, collection: this.#value() };
    });
    const body = this.#body();
    const span = this.#next(header?.variable, start);
    return header && { kind: "forEach", ...header, body, span };
  }

  /** `NEXT [v]`; returns the span of the whole loop. */
  #next(variable: Name | undefined, start: number): Span {
    this.consume(0, k.NEXT);
    const given = this.line(() => (this.LA(1).tokenType === t.Name ? this.takeToken() : undefined));
    if (given && variable && given.image.toUpperCase() !== variable.name.toUpperCase())
      this.complain(complaints.nextMismatch(this.at(this.spanOf(given)), given.image, variable.name));
    return this.spanFrom(start);
  }

  #with(): Statement | undefined {
    const start = this.takeToken().startOffset;
    const target = this.line(() => this.#value());
    this.withDepth++;
    const body = this.#body();
    this.withDepth--;
    this.consume(0, t.EndWith);
    return target && { kind: "with", target, body, span: this.spanFrom(start) };
  }

  // ── SELECT CASE ────────────────────────────────────────────────────────────────────────────────────────────────

  #select(): Statement | undefined {
    const start = this.takeToken().startOffset;
    const subject = this.line(() => {
      this.consume(0, k.CASE, { ERR_MSG: "CASE after SELECT" });
      return this.#value();
    });
    const stray = this.#body().find((statement) => statement.kind !== "label");
    if (stray) this.complain(complaints.beforeCase(this.at(stray.span)));
    const arms: Select["arms"][number][] = [];
    let otherwise: Body | null = null;
    while (this.LA(1).tokenType === k.CASE || this.LA(1).tokenType === t.CaseElse) {
      const word = this.takeToken();
      const isElse = word.tokenType === t.CaseElse;
      const tests = this.line(() => (isElse ? [] : this.#caseTests(word)));
      const body = this.#body();
      if (otherwise !== null)
        this.complain((isElse ? complaints.secondCaseElse : complaints.caseAfterElse)(this.at(this.spanOf(word))));
      if (isElse) otherwise ??= body;
      else if (tests !== undefined) arms.push({ tests, body });
    }
    this.consume(0, t.EndSelect);
    return subject && { kind: "select", subject, arms, otherwise, span: this.spanFrom(start) };
  }

  #caseTests(word: IToken): CaseTest[] {
    const list = [this.#caseTest(word)];
    while (this.takes(t.Comma)) list.push(this.#caseTest(word));
    return list;
  }

  /** `value`, `low TO high` or `IS operator value`. */
  #caseTest(word: IToken): CaseTest {
    if (this.takes(k.IS)) return { kind: "is", operator: this.#caseOperator(word), value: this.#value() };
    const low = this.#value();
    return this.takes(k.TO) ? { kind: "range", low, high: this.#value() } : { kind: "equal", value: low };
  }

  #caseOperator(word: IToken): CaseOperator {
    const rows: Readonly<Record<string, { readonly operator: BinaryOperator }>> = t.BINARY_OPERATORS;
    const spelling = this.LA(1).image.toUpperCase();
    const operator = Object.hasOwn(rows, spelling) ? rows[spelling]!.operator : "+";
    if (!CASE_OPERATORS.includes(operator)) this.abandon(complaints.caseIs(this.at(this.spanFrom(word.startOffset))));
    this.SKIP_TOKEN();
    return operator as CaseOperator;
  }

  // ── TRY ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #try(): Statement {
    const word = this.takeToken();
    const start = word.startOffset;
    const node: Mutable<Try> = {
      kind: "try",
      body: this.#body(),
      catchVariable: null,
      catchBody: null,
      finallyBody: null,
      span: this.spanOf(word),
    };
    while (this.LA(1).tokenType !== t.EndTry) {
      if (this.LA(1).tokenType === k.CATCH) this.#catch(node);
      else this.#finally(node);
    }
    const isClosed = this.consume(0, t.EndTry).image !== "";
    if (node.catchBody === null && node.finallyBody === null && isClosed)
      this.complain(complaints.tryNeedsHandler(this.at(this.spanOf(word))));
    return { ...node, span: this.spanFrom(start) };
  }

  #catch(node: Mutable<Try>): void {
    const word = this.takeToken();
    const variable = this.line(() => (this.LA(1).tokenType === t.Name ? this.name("a variable") : null)) ?? null;
    if (variable && !variable.name.endsWith("$")) this.complain(complaints.catchVariable(this.at(variable.span)));
    const body = this.#body();
    const at = this.at(this.spanOf(word));
    if (node.catchBody !== null) this.complain(complaints.secondCatch(at));
    else if (node.finallyBody !== null) this.complain(complaints.catchAfterFinally(at));
    node.catchVariable ??= variable;
    node.catchBody ??= body;
  }

  #finally(node: Mutable<Try>): void {
    const word = this.consume(0, k.FINALLY);
    const body = this.#body();
    if (node.finallyBody !== null) this.complain(complaints.secondFinally(this.at(this.spanOf(word))));
    node.finallyBody ??= body;
  }

  // ── Routines ───────────────────────────────────────────────────────────────────────────────────────────────────

  #routine(): Statement | undefined {
    const token = this.takeToken();
    const start = token.startOffset;
    const word = token.tokenType === k.SUB ? "SUB" : "FUNC";
    const header = this.line(() => ({
      name: this.name(`the name of the routine after ${token.image.toUpperCase()}`),
      parameters: this.#parameters(),
    }));
    const outerDepth = this.withDepth;
    this.withDepth = 0;
    const body = this.#body();
    this.withDepth = outerDepth;
    this.consume(0, t.EndRoutine);
    return header && { kind: "routine", word, ...header, body, span: this.spanFrom(start) };
  }

  #parameters(): Name[] {
    const list: Name[] = [];
    if (!this.takes(t.LeftParen)) return list;
    if (this.takes(t.RightParen)) return list;
    do {
      list.push(this.name("the name of a parameter"));
    } while (this.takes(t.Comma));
    this.consume(0, t.RightParen);
    return list;
  }
}

/** Making a parser takes tens of milliseconds, so it is made once, on first use. */
let shared: BasilParser | undefined;
export const theParser = (): BasilParser => (shared ??= new BasilParser());
