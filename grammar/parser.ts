/** The grammar of constructs with bodies, and the parser as a whole. */
import { EOF, type ParserMethod, type TokenType } from "chevrotain";
import type { BinaryOperator, CaseTest, Expression, LoopTest, Name, Select, Statement, Try } from "./ast.ts";
import { complaints } from "./complaints.ts";
import { DeclarationParser } from "./parser-declarations.ts";
import * as t from "./tokens.ts";

const k = t.keyword;
type CaseOperator = "=" | "<>" | "<" | "<=" | ">" | ">=";
const CASE_OPERATORS: readonly BinaryOperator[] = ["=", "<>", "<", "<=", ">", ">="];

/** Tokens that close or divide a body: no statement starts with one. */
const DIVIDERS: ReadonlySet<TokenType> = new Set([
  ...[k.ELSE, k.ELSEIF, k.CASE, t.CaseElse, k.CATCH, k.FINALLY, k.NEXT, k.LOOP],
  ...[t.EndIf, t.EndWhile, t.EndSelect, t.EndBlock, t.EndWith, t.EndTry, t.EndRoutine, t.EndType],
]);
/** Tokens a statement starts with, beside the openings of constructs. */
const STARTERS: ReadonlySet<TokenType> = new Set([
  ...[t.Name, t.NumberToken, t.BadNumber, t.StringToken, t.StringHead, t.BadString, t.LeftParen, t.LeftBracket, t.LeftBrace],
  ...[t.Dot, t.Minus, t.LabelDefinition, t.DataStatement, t.ImpliedGoto, t.EndProgram, t.LineInput, t.UseDirective],
  ...[
    t.BlockStart,
    t.ForEachStart,
    k.TRUE,
    k.FALSE,
    k.NULL,
    k.NOT,
    k.NEW,
    k.CLASS,
    k.EVAL,
    k.SHELL,
    t.ShellStatement,
    k.EXEC,
    k.DESCRIBE,
  ],
  ...[k.SLEEP, k.RAISE, k.RANDOMIZE, k.SETENV, k.EXPORTENV, k.INCLUDE, k.PRINT, k.PRINTLN, k.INPUT, k.LET, k.CALL, k.CONST],
  ...[k.SWAP, k.READ, k.GOTO, k.GOSUB, k.LABEL, k.ON, k.RETURN, k.RESTORE, k.EXIT, k.BREAK, k.CONTINUE, k.STOP, k.DIM],
  ...[k.IF, k.WHILE, k.DO, k.FOR, k.SELECT, k.WITH, k.TRY, k.SUB, k.FUNC, k.FUNCTION, k.TYPE],
]);
const JUNK: readonly TokenType[] = t.vocabulary.filter((type) => !DIVIDERS.has(type) && !STARTERS.has(type));

type Body = Statement[];

export class BasilParser extends DeclarationParser {
  #simpleAlternatives: { ALT: () => Statement }[] | undefined;
  #alternatives: { ALT: () => Statement | undefined }[] | undefined;

  constructor() {
    super();
    this.performSelfAnalysis();
  }

  /** All statements of the text; what fits nowhere is complained about and skipped. */
  readonly program: ParserMethod<[], Body> = this.RULE("program", () => {
    const list = this.SUBRULE1(this.body);
    while (!this.RECORDING_PHASE && this.LA(1).tokenType !== EOF) {
      const { text, span } = this.describe(this.LA(1));
      this.complain(complaints.expected(this.at(span), "a statement", text));
      this.SKIP_TOKEN();
      list.push(...this.SUBRULE2(this.body));
    }
    return list;
  });

  /** One expression and nothing else. */
  readonly wholeExpression: ParserMethod<[], Expression | null> = this.RULE("wholeExpression", () => {
    return this.line(1, () => this.SUBRULE(this.expression)) ?? null;
  });

  /** Complains about what is left behind a whole expression. */
  expectEnd(): void {
    if (this.complaints.length > 0 || this.LA(1).tokenType === EOF) return;
    const { text, span } = this.describe(this.LA(1));
    this.complain(complaints.expected(this.at(span), "one expression only", text));
  }

  /** The statements up to a token that closes or divides. One rule for every level of nesting: depth costs stack. */
  readonly body: ParserMethod<[], Body> = this.RULE("body", () => {
    const list: Body = [];
    this.MANY(() => {
      const statement = this.or(0, (this.#alternatives ??= this.#statementAlternatives()));
      if (statement !== undefined) list.push(statement);
    });
    return list;
  });

  #statementAlternatives(): { ALT: () => Statement | undefined }[] {
    return [
      { ALT: () => this.line(1, () => this.SUBRULE(this.simple)) },
      { ALT: () => this.#label() },
      { ALT: () => this.#block() },
      { ALT: () => this.#if() },
      { ALT: () => this.#while() },
      { ALT: () => this.#do() },
      { ALT: () => this.#for() },
      { ALT: () => this.#forEach() },
      { ALT: () => this.#select() },
      { ALT: () => this.#with() },
      { ALT: () => this.#try() },
      { ALT: () => this.#routine() },
      { ALT: () => this.typeDefinition() },
    ];
  }

  #label(): Statement {
    const token = this.CONSUME(t.LabelDefinition);
    return { kind: "label", name: token.image, span: this.spanOf(token) };
  }

  readonly simple: ParserMethod<[], Statement> = this.RULE("simple", () =>
    this.or(
      0,
      (this.#simpleAlternatives ??= [
        { ALT: () => this.SUBRULE(this.valueStatement) },
        ...[
          ...[this.print, this.let, this.call, this.jump, this.return, this.dim, this.exit, this.wordStatement, this.oneValue],
          ...[this.optionalValue, this.input_, this.const, this.swap, this.read, this.data, this.restore, this.onJump],
          ...[this.setEnvironment, this.include, this.use, this.signedStatement, this.junk],
        ].map((rule) => ({ ALT: () => this.SUBRULE1(rule) })),
      ]),
    ),
  );

  /** A token no statement starts with. */
  readonly junk: ParserMethod<[], Statement> = this.RULE("junk", (): Statement => {
    if (!this.RECORDING_PHASE) {
      const { text, span } = this.describe(this.LA(1));
      if (this.LA(1).tokenType === t.Unexpected) this.abandon(undefined);
      this.abandon(complaints.expected(this.at(span), "a statement", text));
    }
    this.OR(JUNK.map((type) => ({ ALT: () => this.CONSUME(type) })));
    return { kind: "end", span: this.spanFrom(0) };
  });

  // ── Constructs ─────────────────────────────────────────────────────────────────────────────────────────────────

  #block(): Statement {
    const start = this.here();
    this.consume(1, t.BlockStart);
    const body = this.subrule(1, this.body);
    this.consume(1, t.EndBlock);
    return { kind: "block", body, span: this.spanFrom(start) };
  }

  #if(): Statement | undefined {
    const start = this.here();
    const arms: { condition: Expression; body: Body }[] = [];
    const arm = (word: TokenType, index: number): void => {
      this.consume(index, word);
      const condition = this.line(index, () => {
        const value = this.subrule(index, this.expression);
        this.consume(index, k.THEN, { ERR_MSG: "THEN after the condition" });
        return value;
      });
      const body = this.subrule(index, this.body);
      if (condition !== undefined) arms.push({ condition, body });
    };
    arm(k.IF, 2);
    this.many(3, () => arm(k.ELSEIF, 3));
    const otherwise = this.option(4, () => {
      this.consume(4, k.ELSE);
      return this.subrule(4, this.body);
    });
    this.consume(4, t.EndIf);
    return { kind: "if", arms, otherwise: otherwise ?? null, span: this.spanFrom(start) };
  }

  #while(): Statement | undefined {
    const start = this.here();
    this.consume(5, k.WHILE);
    const condition = this.line(5, () => this.subrule(5, this.expression));
    const body = this.subrule(5, this.body);
    this.consume(5, t.EndWhile);
    return condition && { kind: "while", condition, body, span: this.spanFrom(start) };
  }

  #do(): Statement {
    const start = this.here();
    this.consume(6, k.DO);
    const before = this.line(6, () => this.option(6, () => this.#loopTest(6)) ?? null) ?? null;
    const body = this.subrule(6, this.body);
    this.consume(6, k.LOOP);
    const after = this.line(7, () => this.option(7, () => this.#loopTest(7)) ?? null) ?? null;
    return { kind: "do", before, body, after, span: this.spanFrom(start) };
  }

  #loopTest(index: number): LoopTest {
    const word = this.or(index, [{ ALT: () => this.consume(index, k.WHILE) }, { ALT: () => this.consume(index, k.UNTIL) }]);
    const condition = this.subrule(index, this.expression);
    return { kind: word.tokenType === k.WHILE ? "WHILE" : "UNTIL", condition };
  }

  #for(): Statement | undefined {
    const start = this.here();
    this.consume(8, k.FOR);
    const header = this.line(8, () => {
      const variable = this.name(8, "a variable after FOR");
      this.consume(8, t.Equals);
      const from = this.subrule(8, this.expression);
      this.consume(8, k.TO, { ERR_MSG: "TO" });
      const to = this.subrule(9, this.expression);
      const step = this.option(9, () => {
        this.consume(9, k.STEP);
        return this.subrule(10, this.expression);
      });
      return { variable, from, to, step: step ?? null };
    });
    const body = this.subrule(9, this.body);
    const span = this.#next(10, header?.variable, start);
    return header && { kind: "for", ...header, body, span };
  }

  #forEach(): Statement | undefined {
    const start = this.here();
    this.consume(11, t.ForEachStart);
    const header = this.line(11, () => {
      const variable = this.name(11, "a variable after FOR EACH");
      this.consume(11, k.IN, { ERR_MSG: "IN" });
      return { variable, collection: this.subrule(11, this.expression) };
    });
    const body = this.subrule(11, this.body);
    const span = this.#next(12, header?.variable, start);
    return header && { kind: "forEach", ...header, body, span };
  }

  /** `NEXT [v]`; returns the span of the whole loop. */
  #next(index: number, variable: Name | undefined, start: number): { start: number; end: number } {
    this.consume(index, k.NEXT);
    const given = this.line(index, () => this.option(index, () => this.consume(index, t.Name)));
    if (given && variable && !this.RECORDING_PHASE && given.image.toUpperCase() !== variable.name.toUpperCase())
      this.complain(complaints.nextMismatch(this.at(this.spanOf(given)), given.image, variable.name));
    return this.spanFrom(start);
  }

  #select(): Statement | undefined {
    const start = this.here();
    this.consume(13, k.SELECT);
    const subject = this.line(13, () => {
      this.consume(13, k.CASE, { ERR_MSG: "CASE after SELECT" });
      return this.subrule(13, this.expression);
    });
    const stray = this.subrule(13, this.body)[0];
    if (stray && stray.kind !== "label" && !this.RECORDING_PHASE) this.complain(complaints.beforeCase(this.at(stray.span)));
    const arms: Select["arms"][number][] = [];
    let otherwise: Body | null = null;
    this.many(13, () => {
      this.or(13, [
        {
          ALT: () => {
            const word = this.consume(14, k.CASE);
            const tests = this.line(14, () => this.#caseTests(word.startOffset));
            const body = this.subrule(14, this.body);
            if (otherwise !== null) this.complain(complaints.caseAfterElse(this.at(this.spanOf(word))));
            if (tests !== undefined) arms.push({ tests, body });
          },
        },
        {
          ALT: () => {
            const word = this.consume(15, t.CaseElse);
            this.line(15, () => undefined);
            const body = this.subrule(15, this.body);
            if (otherwise !== null) this.complain(complaints.secondCaseElse(this.at(this.spanOf(word))));
            otherwise ??= body;
          },
        },
      ]);
      if (this.RECORDING_PHASE) otherwise = null;
    });
    this.consume(15, t.EndSelect);
    return subject && { kind: "select", subject, arms, otherwise, span: this.spanFrom(start) };
  }

  #caseTests(start: number): CaseTest[] {
    const list = [this.SUBRULE1(this.caseTest, { ARGS: [start] })];
    this.many(16, () => {
      this.consume(16, t.Comma);
      list.push(this.SUBRULE2(this.caseTest, { ARGS: [start] }));
    });
    return list;
  }

  readonly caseTest: ParserMethod<[number], CaseTest> = this.RULE("caseTest", (start: number) =>
    this.OR1<CaseTest>([
      {
        ALT: () => {
          this.CONSUME(k.IS);
          const token = this.LA(1);
          const row = t.BINARY_OPERATORS[token.image.toUpperCase() as keyof typeof t.BINARY_OPERATORS] as
            | { operator: BinaryOperator }
            | undefined;
          if (!this.RECORDING_PHASE && (row === undefined || !CASE_OPERATORS.includes(row.operator)))
            this.abandon(complaints.caseIs(this.at({ start, end: t.endOf(this.LA(0)) })));
          this.OR2([{ ALT: () => this.CONSUME(t.Operator) }, { ALT: () => this.CONSUME(t.Equals) }]);
          return { kind: "is", operator: (row?.operator ?? "=") as CaseOperator, value: this.SUBRULE1(this.expression) };
        },
      },
      {
        ALT: () => {
          const low = this.SUBRULE2(this.expression);
          const high = this.OPTION(() => {
            this.CONSUME(k.TO);
            return this.SUBRULE3(this.expression);
          });
          return high === undefined ? { kind: "equal", value: low } : { kind: "range", low, high };
        },
      },
    ]),
  );

  #with(): Statement | undefined {
    const start = this.here();
    this.consume(17, k.WITH);
    const target = this.line(17, () => this.subrule(17, this.expression));
    this.withDepth++;
    const body = this.subrule(17, this.body);
    this.withDepth--;
    this.consume(17, t.EndWith);
    return target && { kind: "with", target, body, span: this.spanFrom(start) };
  }

  #try(): Statement {
    const start = this.here();
    const word = this.consume(18, k.TRY);
    const node: { -readonly [K in keyof Try]: Try[K] } = {
      kind: "try",
      body: this.subrule(18, this.body),
      catchVariable: null,
      catchBody: null,
      finallyBody: null,
      span: this.spanOf(word),
    };
    this.many(18, () => this.or(18, [{ ALT: () => this.#catch(node) }, { ALT: () => this.#finally(node) }]));
    const end = this.consume(18, t.EndTry);
    const span = this.spanFrom(start);
    if (node.catchBody === null && node.finallyBody === null && end.image !== "")
      this.complain(complaints.tryNeedsHandler(this.at(this.spanOf(word))));
    return { ...node, span };
  }

  #catch(node: { -readonly [K in keyof Try]: Try[K] }): void {
    const word = this.consume(19, k.CATCH);
    const variable = this.line(19, () => this.option(19, () => this.name(19))) ?? null;
    if (variable && !this.RECORDING_PHASE && !variable.name.endsWith("$"))
      this.complain(complaints.catchVariable(this.at(variable.span)));
    const body = this.subrule(19, this.body);
    if (this.RECORDING_PHASE) return;
    if (node.catchBody !== null) this.complain(complaints.secondCatch(this.at(this.spanOf(word))));
    else if (node.finallyBody !== null) this.complain(complaints.catchAfterFinally(this.at(this.spanOf(word))));
    node.catchBody ??= body;
    node.catchVariable ??= variable;
  }

  #finally(node: { -readonly [K in keyof Try]: Try[K] }): void {
    const word = this.consume(20, k.FINALLY);
    const body = this.subrule(20, this.body);
    if (this.RECORDING_PHASE) return;
    if (node.finallyBody !== null) this.complain(complaints.secondFinally(this.at(this.spanOf(word))));
    node.finallyBody ??= body;
  }

  #routine(): Statement | undefined {
    const start = this.here();
    const token = this.or(
      21,
      [k.SUB, k.FUNC, k.FUNCTION].map((type) => ({ ALT: () => this.consume(21, type) })),
    );
    const word = token.tokenType === k.SUB ? "SUB" : "FUNC";
    const header = this.line(21, () => {
      const name = this.name(21, `the name of the routine after ${word}`);
      const parameters = this.option(21, () => this.#parameters());
      return { name, parameters: parameters ?? [] };
    });
    const outerDepth = this.withDepth;
    this.withDepth = 0;
    const body = this.subrule(21, this.body);
    this.withDepth = outerDepth;
    this.consume(21, t.EndRoutine);
    return header && { kind: "routine", word, ...header, body, span: this.spanFrom(start) };
  }

  #parameters(): Name[] {
    const list: Name[] = [];
    this.consume(22, t.LeftParen);
    this.option(22, () => {
      list.push(this.name(22));
      this.many(22, () => {
        this.consume(22, t.Comma);
        list.push(this.name(23, "the name of a parameter"));
      });
    });
    this.consume(22, t.RightParen);
    return list;
  }
}

/** Making a parser takes tens of milliseconds, so it is made once, on first use. */
let shared: BasilParser | undefined;
export const theParser = (): BasilParser => (shared ??= new BasilParser());
