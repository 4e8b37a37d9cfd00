/** The grammar of statements that fit on a line: output, input, assignment, calls, jumps, ends. */
import type { ParserMethod, TokenType } from "chevrotain";
import type { Expression, LabelName, Name, Place, PrintItem, Statement } from "./ast.ts";
import { complaints } from "./complaints.ts";
import { scanData } from "./data-items.ts";
import { foreignClauseHint } from "./foreign.ts";
import { ExpressionParser, isPlace, OPERATOR_TYPES } from "./parser-expressions.ts";
import { decodeString } from "./strings.ts";
import * as t from "./tokens.ts";

const k = t.keyword;

/** What the first argument of a call without parentheses may start with. */
const ARGUMENT_STARTS: ReadonlySet<TokenType> = new Set([
  ...[t.StringToken, t.StringHead, t.BadString, t.NumberToken, t.BadNumber, t.Name],
  ...[k.NOT, k.TRUE, k.FALSE, k.NULL, k.NEW],
]);
/** A name, or a chain that ends in a member: what can be called without parentheses. */
const isCallee = (node: Expression): boolean => node.kind === "name" || node.kind === "member";
const EXIT_LOOPS = new Map<TokenType, "FOR" | "WHILE" | "DO">([
  [k.FOR, "FOR"],
  [k.WHILE, "WHILE"],
  [k.DO, "DO"],
]);

const EXIT_WORDS: readonly TokenType[] = [...EXIT_LOOPS.keys(), k.SUB, k.FUNC, k.FUNCTION];

type StatementRule = ParserMethod<[], Statement>;

export abstract class StatementParser extends ExpressionParser {
  // ── Output and input ───────────────────────────────────────────────────────────────────────────────────────────

  readonly print: StatementRule = this.RULE("print", (): Statement => {
    const start = this.here();
    const word = this.OR1([{ ALT: () => this.CONSUME(k.PRINT) }, { ALT: () => this.CONSUME(k.PRINTLN) }]);
    const items: PrintItem[] = [];
    let separator: TokenType | undefined;
    let isAfterValue = false;
    this.MANY(() => {
      this.OR2([
        {
          ALT: () => {
            if (isAfterValue && !this.RECORDING_PHASE) this.#adjacentItems();
            items.push({ kind: "value", value: this.SUBRULE(this.expression) });
            isAfterValue = true;
          },
        },
        {
          ALT: () => {
            const token = this.OR3([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.CONSUME(t.ListSemicolon) }]);
            separator = token.tokenType;
            if (separator === t.Comma) items.push({ kind: "tab" });
            isAfterValue = false;
          },
        },
      ]);
    });
    if (this.RECORDING_PHASE) return NOTHING;
    const isOpen = !isAfterValue && separator !== undefined;
    if (isOpen && this.dialect === "basil") this.#needsValue();
    const isPrintln = word.tokenType === k.PRINTLN;
    const newline = isPrintln || (this.dialect === "classic" && !isOpen);
    return { kind: "print", items, newline, span: this.spanFrom(start) };
  });

  #adjacentItems(): never {
    const { text, span } = this.describe(this.LA(1));
    const separators = this.dialect === "classic" ? '";" or ","' : '","';
    return this.abandon(
      complaints.expected(this.at(span), `${separators} between two items of PRINT`, text, foreignClauseHint(this.LA(0).image)),
    );
  }

  #needsValue(): never {
    const { text, span } = this.describe(this.LA(1));
    return this.abandon(complaints.expected(this.at(span), 'an expression after ","', text));
  }

  readonly input_: StatementRule = this.RULE("input_", (): Statement => {
    const start = this.here();
    let isLine = false;
    let hasQuestionMark = true;
    this.OR1([
      { ALT: () => this.CONSUME(k.INPUT) },
      {
        ALT: () => {
          this.CONSUME(t.LineInput);
          isLine = true;
        },
      },
    ]);
    const prompt = this.OPTION(() => {
      const text = this.SUBRULE(this.text);
      const separator = this.OR2({
        DEF: [{ ALT: () => this.CONSUME(t.ListSemicolon) }, { ALT: () => this.CONSUME(t.Comma) }],
        ERR_MSG: '";" or "," and a variable after the prompt',
      });
      hasQuestionMark = separator.tokenType === t.ListSemicolon;
      return text;
    });
    const targets = this.#places(1);
    if (isLine && targets.length > 1) {
      const span = targets[1]!.span;
      this.abandon(complaints.syntax(this.at(span), "LINE INPUT reads one variable, the whole line."));
    }
    return {
      kind: "input",
      prompt: prompt ?? null,
      hasQuestionMark: hasQuestionMark && !isLine,
      isLine,
      targets,
      span: this.spanFrom(start),
    };
  });

  readonly data: StatementRule = this.RULE("data", (): Statement => {
    const token = this.CONSUME(t.DataStatement);
    const span = this.spanOf(token);
    if (this.RECORDING_PHASE) return NOTHING;
    const { items, badAt } = scanData(this.source.text, token.startOffset + 4);
    if (badAt !== undefined) {
      const at = this.at({ start: badAt, end: badAt + 1 });
      this.abandon(complaints.expected(at, '"," between two DATA items', `"${this.source.text.charAt(badAt)}"`));
    }
    if (items.length === 1 && items[0]!.text === "" && !items[0]!.isQuoted)
      this.abandon(complaints.expected(this.at(span), "an item after DATA", this.describe(this.LA(1)).text));
    return { kind: "data", items, span };
  });

  // ── Assignment and calls ───────────────────────────────────────────────────────────────────────────────────────

  readonly let: StatementRule = this.RULE("let", (): Statement => {
    const start = this.here();
    this.CONSUME(k.LET);
    const target = this.#place(1);
    this.CONSUME(t.Equals, { ERR_MSG: '"=" after the variable' });
    const value = this.SUBRULE(this.expression);
    return { kind: "assign", target, value, span: this.spanFrom(start) };
  });

  /** A statement that starts with a value: an assignment, a call without parentheses, or an expression. */
  readonly valueStatement: StatementRule = this.RULE("valueStatement", (): Statement => {
    const start = this.here();
    const isGrouped = this.LA(1).tokenType === t.LeftParen;
    const first = this.SUBRULE(this.chain);
    const isTarget = isPlace(first) && !isGrouped;
    const value = this.OPTION1({
      GATE: () => isTarget,
      DEF: () => {
        this.CONSUME(t.Equals);
        return this.SUBRULE1(this.expression);
      },
    });
    if (value !== undefined && !this.RECORDING_PHASE)
      return { kind: "assign", target: first as Place, value, span: this.spanFrom(start) };
    const isCalled = isTarget && isCallee(first);
    const list = this.OPTION2({
      GATE: () => isCalled && ARGUMENT_STARTS.has(this.LA(1).tokenType),
      DEF: () => {
        const values = [this.SUBRULE2(this.expression)];
        this.MANY(() => {
          this.CONSUME(t.Comma);
          values.push(this.SUBRULE3(this.expression));
        });
        return values;
      },
    });
    if (list !== undefined && !this.RECORDING_PHASE)
      return { kind: "callStatement", target: first, arguments: list, form: "arguments", span: this.spanFrom(start) };
    if (OPERATOR_TYPES.has(this.LA(1).tokenType)) {
      const whole = this.SUBRULE4(this.expression, { ARGS: [first] });
      return { kind: "expression", value: whole, span: this.spanFrom(start) };
    }
    if (isCalled) return { kind: "callStatement", target: first, arguments: [], form: "bare", span: this.spanFrom(start) };
    return { kind: "expression", value: first, span: this.spanFrom(start) };
  });

  /** A statement that starts with a sign or NOT. */
  readonly signedStatement: StatementRule = this.RULE("signedStatement", (): Statement => {
    const start = this.here();
    const value = this.SUBRULE(this.expression);
    return { kind: "expression", value, span: this.spanFrom(start) };
  });

  readonly call: StatementRule = this.RULE("call", (): Statement => {
    const start = this.here();
    this.CONSUME(k.CALL);
    const what = this.SUBRULE(this.chain);
    const span = this.spanFrom(start);
    if (what.kind === "call")
      return { kind: "callStatement", target: what.target, arguments: what.arguments, form: "call", span };
    if (!isCallee(what) && !this.RECORDING_PHASE)
      this.abandon(complaints.expected(this.at(what.span), "the name of a routine after CALL", this.describe(this.LA(0)).text));
    return { kind: "callStatement", target: what, arguments: [], form: "call", span };
  });

  readonly const: StatementRule = this.RULE("const", (): Statement => {
    const start = this.here();
    this.CONSUME(k.CONST);
    const entries: { name: Name; value: Expression }[] = [];
    const entry = (index: number): void => {
      const name = this.name("the name of a constant");
      this.consume(index, t.Equals);
      entries.push({ name, value: this.subrule(index, this.expression) });
    };
    entry(1);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      entry(2);
    });
    return { kind: "const", entries, span: this.spanFrom(start) };
  });

  readonly swap: StatementRule = this.RULE("swap", (): Statement => {
    const start = this.here();
    this.CONSUME(k.SWAP);
    const left = this.#place(1);
    this.CONSUME(t.Comma);
    const right = this.#place(2);
    return { kind: "swap", left, right, span: this.spanFrom(start) };
  });

  readonly read: StatementRule = this.RULE("read", (): Statement => {
    const start = this.here();
    this.CONSUME(k.READ);
    const targets = this.#places(1);
    return { kind: "read", targets, span: this.spanFrom(start) };
  });

  #places(index: number): Place[] {
    const list = [this.#place(index)];
    this.many(index + 200, () => {
      this.consume(index, t.Comma);
      list.push(this.#place(index + 1));
    });
    return list;
  }

  #place(index: number): Place {
    const value = this.subrule(index, this.chain);
    if (!isPlace(value) && !this.RECORDING_PHASE) {
      const text = this.source.text.slice(value.span.start, Math.min(value.span.end, value.span.start + 40));
      this.abandon(complaints.expected(this.at(value.span), "a variable, an element or a member", text));
    }
    return value as Place;
  }

  // ── Jumps and ends ─────────────────────────────────────────────────────────────────────────────────────────────

  protected labelName(index: number): LabelName {
    const token = this.or(index, {
      DEF: [{ ALT: () => this.consume(index, t.Name) }, { ALT: () => this.consume(index, t.NumberToken) }],
      ERR_MSG: "a label",
    });
    if (token.tokenType === t.NumberToken && !/^[0-9]+$/.test(token.image))
      this.abandon(complaints.expected(this.at(this.spanOf(token)), "a label", `"${token.image}"`));
    return { name: token.image, span: this.spanOf(token) };
  }

  readonly jump: StatementRule = this.RULE("jump", (): Statement => {
    const start = this.here();
    const word = this.OR1([
      { ALT: () => this.CONSUME(k.GOTO) },
      { ALT: () => this.CONSUME(k.GOSUB) },
      { ALT: () => this.CONSUME(t.ImpliedGoto) },
      { ALT: () => this.CONSUME(k.LABEL) },
    ]);
    const label = this.labelName(2);
    const span = this.spanFrom(start);
    if (word.tokenType === k.LABEL) return { kind: "label", name: label.name, span };
    return word.tokenType === k.GOSUB ? { kind: "gosub", label, span } : { kind: "goto", label, span };
  });

  readonly onJump: StatementRule = this.RULE("onJump", (): Statement => {
    const start = this.here();
    this.CONSUME(k.ON);
    const first = this.LA(1);
    if (first.image.toUpperCase() === "ERROR" && !this.RECORDING_PHASE)
      this.abandon(complaints.onError(this.at({ start, end: t.endOf(first) })));
    const selector = this.SUBRULE(this.expression);
    const word = this.OR1({
      DEF: [{ ALT: () => this.CONSUME(k.GOTO) }, { ALT: () => this.CONSUME(k.GOSUB) }],
      ERR_MSG: "GOTO or GOSUB",
    });
    const labels = [this.labelName(2)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      labels.push(this.labelName(3));
    });
    return { kind: "onJump", selector, isGosub: word.tokenType === k.GOSUB, labels, span: this.spanFrom(start) };
  });

  readonly return: StatementRule = this.RULE("return", (): Statement => {
    const start = this.here();
    this.CONSUME(k.RETURN);
    const result = this.OR1<LabelName | Expression | null>([
      {
        ALT: () => {
          this.CONSUME(k.TO);
          return this.labelName(2);
        },
      },
      { ALT: () => this.OPTION1(() => this.SUBRULE(this.expression)) ?? null },
    ]);
    const span = this.spanFrom(start);
    if (result === null || "kind" in result) return { kind: "return", value: result, span };
    return { kind: "returnTo", label: result, span };
  });

  readonly restore: StatementRule = this.RULE("restore", (): Statement => {
    const start = this.here();
    this.CONSUME(k.RESTORE);
    const label = this.OPTION(() => this.labelName(1));
    return { kind: "restore", label: label ?? null, span: this.spanFrom(start) };
  });

  readonly exit: StatementRule = this.RULE("exit", (): Statement => {
    const start = this.here();
    this.CONSUME(k.EXIT);
    const word = this.OPTION1(() => this.OR1(EXIT_WORDS.map((type) => ({ ALT: () => this.CONSUME(type).tokenType }))));
    const code = this.OPTION2(() => this.SUBRULE(this.expression)) ?? null;
    const span = this.spanFrom(start);
    if (word === undefined) return { kind: "exit", code, span };
    const loop = EXIT_LOOPS.get(word);
    return loop === undefined ? { kind: "exitRoutine", span } : { kind: "exitLoop", loop, span };
  });

  /** BREAK, CONTINUE, STOP and END: one word each. */
  readonly wordStatement: StatementRule = this.RULE("wordStatement", (): Statement => {
    const token = this.OR([
      { ALT: () => this.CONSUME(k.BREAK) },
      { ALT: () => this.CONSUME(k.CONTINUE) },
      { ALT: () => this.CONSUME(k.STOP) },
      { ALT: () => this.CONSUME(t.EndProgram) },
    ]);
    const span = this.spanOf(token);
    if (token.tokenType === k.BREAK) return { kind: "break", span };
    if (token.tokenType === k.CONTINUE) return { kind: "continue", span };
    return token.tokenType === k.STOP ? { kind: "stop", span } : { kind: "end", span };
  });

  // ── Statements that take one value ─────────────────────────────────────────────────────────────────────────────

  readonly oneValue: StatementRule = this.RULE("oneValue", (): Statement => {
    const start = this.here();
    const word = this.OR([k.DESCRIBE, k.SLEEP, t.ShellStatement, k.EXEC].map((type) => ({ ALT: () => this.CONSUME(type) })));
    const value = this.SUBRULE(this.expression);
    const span = this.spanFrom(start);
    if (word.tokenType === k.DESCRIBE) return { kind: "describe", value, span };
    if (word.tokenType === k.SLEEP) return { kind: "sleep", milliseconds: value, span };
    return word.tokenType === t.ShellStatement ? { kind: "shell", command: value, span } : { kind: "exec", code: value, span };
  });

  readonly optionalValue: StatementRule = this.RULE("optionalValue", (): Statement => {
    const start = this.here();
    const word = this.OR([{ ALT: () => this.CONSUME(k.RAISE) }, { ALT: () => this.CONSUME(k.RANDOMIZE) }]);
    const value = this.OPTION(() => this.SUBRULE(this.expression)) ?? null;
    const span = this.spanFrom(start);
    return word.tokenType === k.RAISE ? { kind: "raise", value, span } : { kind: "randomize", seed: value, span };
  });

  readonly setEnvironment: StatementRule = this.RULE("setEnvironment", (): Statement => {
    const start = this.here();
    const word = this.OR([{ ALT: () => this.CONSUME(k.SETENV) }, { ALT: () => this.CONSUME(k.EXPORTENV) }]);
    const name = this.CONSUME(t.Name, { ERR_MSG: "the name of an environment variable" });
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.expression);
    return {
      kind: "setEnvironment",
      name: name.image,
      value,
      isExported: word.tokenType === k.EXPORTENV,
      span: this.spanFrom(start),
    };
  });

  readonly include: StatementRule = this.RULE("include", (): Statement => {
    const start = this.here();
    this.CONSUME(k.INCLUDE);
    const token = this.CONSUME(t.StringToken, {
      ERR_MSG: 'a file or module name in quotes, such as "obj-gearman", after INCLUDE',
    });
    return { kind: "include", name: decodeString(token.image.slice(1, -1)), span: this.spanFrom(start) };
  });

  readonly use: StatementRule = this.RULE("use", (): Statement => {
    const token = this.CONSUME(t.UseDirective);
    const modules = token.image.slice(4).split(",");
    return { kind: "use", modules: modules.map((name) => name.trim()), span: this.spanOf(token) };
  });
}

/** Stands for a statement while the grammar is being recorded. */
const NOTHING: Statement = { kind: "end", span: { start: 0, end: 0 } };
