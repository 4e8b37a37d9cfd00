/** The grammar of expressions: one flat rule for operators, so that every level of nesting costs one call. */
import type { IToken, ParserMethod, TokenType } from "chevrotain";
import type { Expression, Place } from "./ast.ts";
import { complaints } from "./complaints.ts";
import { OperatorRun } from "./operators.ts";
import { NOWHERE, ParserBase } from "./parser-base.ts";
import { decodeString } from "./strings.ts";
import * as t from "./tokens.ts";

const k = t.keyword;
const AN_EXPRESSION = "an expression";

/** The value of a number as it is written. */
function numberValue(image: string): number {
  if (image.startsWith("&")) return Number.parseInt(image.slice(2), image[1]!.toUpperCase() === "H" ? 16 : 2);
  return Number(image);
}

export const isPlace = (node: Expression): node is Place =>
  node.kind === "name" || node.kind === "call" || node.kind === "index" || node.kind === "member";

/** The types a binary operator may have. */
export const OPERATOR_TYPES: ReadonlySet<TokenType> = new Set([t.Operator, t.Equals, t.Minus, t.Star]);

type Alternatives = { ALT: () => Expression }[];

export abstract class ExpressionParser extends ParserBase {
  readonly #atoms: Alternatives[] = [];
  readonly #postfixes: Alternatives[] = [];
  #prefixes: { ALT: () => IToken }[] | undefined;
  /** What the postfix being parsed belongs to. */
  #target: Expression | undefined;

  /**
   * An expression. Operators and operands alternate in a loop, which the recorded grammar sees once: copies of the operand
   * would each cost start-up time.
   * @param first the first operand, when a statement has parsed it already
   */
  readonly expression: ParserMethod<[first?: Expression], Expression> = this.RULE("expression", (first?: Expression) => {
    let run: OperatorRun | undefined;
    let value = first;
    while (true) {
      if (value === undefined) {
        run = this.#takePrefixes(run);
        value = this.operand(1);
      }
      if (!OPERATOR_TYPES.has(this.LA(1).tokenType)) break;
      run ??= new OperatorRun();
      run.operand(value);
      run.binary(this.LA(1));
      this.SKIP_TOKEN();
      value = undefined;
    }
    if (run === undefined || this.RECORDING_PHASE) return value;
    run.operand(value);
    return run.finish();
  });

  /** A value with everything glued to it, without operators: what statements start with, and where values are stored. */
  readonly chain: ParserMethod<[], Expression> = this.RULE("chain", () => this.operand(2));

  #takePrefixes(started: OperatorRun | undefined): OperatorRun | undefined {
    let run = started;
    this.many(41, () => {
      const sign = this.or(81, (this.#prefixes ??= [t.Minus, k.NOT].map((type) => ({ ALT: () => this.consume(41, type) }))));
      run ??= new OperatorRun();
      run.prefix(sign);
    });
    return run;
  }

  /** A value with everything glued to it: calls, indexes, members. The index must be its own in each rule. */
  protected operand(index: number): Expression {
    const start = this.here();
    let value = this.or(index, { DEF: (this.#atoms[index] ??= this.#atomAlternatives(index)), ERR_MSG: AN_EXPRESSION });
    this.many(index + 20, () => {
      this.#target = value;
      const postfix = this.or(index + 20, (this.#postfixes[index] ??= this.#postfixAlternatives(index)));
      if (!this.RECORDING_PHASE) value = { ...postfix, span: this.spanFrom(start) };
    });
    return value;
  }

  #postfixAlternatives(index: number): Alternatives {
    const at = index * 12 + 100;
    return [
      {
        ALT: () => {
          const target = this.#target!;
          return { kind: "call", target, arguments: this.argumentList(at), span: NOWHERE };
        },
      },
      {
        ALT: () => {
          const target = this.#target!;
          this.consume(at + 1, t.LeftBracket);
          const position = this.subrule(at + 1, this.expression);
          this.consume(at + 1, t.RightBracket);
          return { kind: "index", target, index: position, span: NOWHERE };
        },
      },
      {
        ALT: () => {
          const target = this.#target!;
          this.consume(at + 2, t.Dot);
          const name = this.consume(at + 2, t.Name, { ERR_MSG: 'a member name after "."' });
          return { kind: "member", target, name: name.image, nameSpan: this.spanOf(name), span: NOWHERE };
        },
      },
    ];
  }

  /** `( a, b )` */
  protected argumentList(at: number): Expression[] {
    const list: Expression[] = [];
    this.consume(at, t.LeftParen);
    this.option(at, () => {
      list.push(this.subrule(at, this.expression));
      this.many(at, () => {
        this.consume(at, t.Comma);
        list.push(this.subrule(at + 3, this.expression));
      });
    });
    this.consume(at, t.RightParen);
    return list;
  }

  #atomAlternatives(index: number): Alternatives {
    const at = index * 12 + 100;
    const literal = (type: TokenType, make: (token: IToken) => Expression): Alternatives[number] => ({
      ALT: () => make(this.consume(at + 5, type)),
    });
    return [
      literal(t.Name, (token) => ({ kind: "name", name: token.image, span: this.spanOf(token) })),
      literal(t.NumberToken, (token) => ({ kind: "number", value: numberValue(token.image), span: this.spanOf(token) })),
      literal(t.BadNumber, (token) => ({ kind: "number", value: 0, span: this.spanOf(token) })),
      literal(t.StringToken, (token) => this.#plainString(token)),
      literal(t.BadString, (token) => ({ kind: "string", value: "", span: this.spanOf(token) })),
      literal(k.TRUE, (token) => ({ kind: "boolean", value: true, span: this.spanOf(token) })),
      literal(k.FALSE, (token) => ({ kind: "boolean", value: false, span: this.spanOf(token) })),
      literal(k.NULL, (token) => ({ kind: "null", span: this.spanOf(token) })),
      { ALT: () => this.interpolation(at + 4) },
      { ALT: () => this.#parenthesised(at + 6) },
      { ALT: () => this.#list(at + 7) },
      { ALT: () => this.#dict(at + 9) },
      { ALT: () => this.#withMember(at + 6) },
      { ALT: () => this.#newObject(at + 2) },
      ...([k.CLASS, k.EVAL, k.SHELL] as const).map((type) => ({ ALT: () => this.#wordCall(at + 10, type) })),
    ];
  }

  #plainString(token: IToken): Expression {
    return { kind: "string", value: decodeString(token.image.slice(1, -1)), span: this.spanOf(token) };
  }

  /** `"text #{a} text #{b} text"` */
  protected interpolation(at: number): Expression {
    const head = this.consume(at, t.StringHead);
    const parts: (string | Expression)[] = [decodeString(head.image.slice(1, -2))];
    this.option(at, () => parts.push(this.subrule(at, this.expression)));
    this.many(at, () => {
      const middle = this.consume(at, t.StringMiddle);
      parts.push(decodeString(middle.image.slice(1, -2)));
      this.option(at + 1, () => parts.push(this.subrule(at + 11, this.expression)));
    });
    const tail = this.consume(at, t.StringTail);
    parts.push(decodeString(tail.image.slice(1, -1)));
    return { kind: "interpolation", parts, span: { start: head.startOffset, end: t.endOf(tail) } };
  }

  #parenthesised(at: number): Expression {
    const start = this.consume(at, t.LeftParen).startOffset;
    const inner = this.subrule(at, this.expression);
    this.consume(at, t.RightParen, { ERR_MSG: '")"' });
    return { ...inner, span: this.spanFrom(start) };
  }

  #list(at: number): Expression {
    const start = this.consume(at, t.LeftBracket).startOffset;
    const items: Expression[] = [];
    this.option(at, () => {
      items.push(this.subrule(at, this.expression));
      this.many(at, () => {
        this.consume(at, t.Comma);
        this.option(at + 1, () => items.push(this.subrule(at + 1, this.expression)));
      });
    });
    this.consume(at, t.RightBracket, { ERR_MSG: '"]" or ","' });
    return { kind: "list", items, span: this.spanFrom(start) };
  }

  #dict(at: number): Expression {
    const start = this.consume(at, t.LeftBrace).startOffset;
    const entries: { key: string; value: Expression }[] = [];
    this.many(at, () => {
      const key = this.consume(at, t.StringToken);
      this.consume(at, t.Colon, { ERR_MSG: '":" after the key' });
      const value = this.subrule(at, this.expression);
      if (!this.RECORDING_PHASE) entries.push({ key: decodeString(key.image.slice(1, -1)), value });
      this.option(at, () => this.consume(at, t.Comma));
    });
    this.consume(at, t.RightBrace, { ERR_MSG: '"}" or a key, which is a string' });
    return { kind: "dict", entries, span: this.spanFrom(start) };
  }

  #withMember(at: number): Expression {
    const dot = this.consume(at, t.Dot);
    const name = this.consume(at, t.Name, { ERR_MSG: 'a member name after "."' });
    const span = this.spanFrom(dot.startOffset);
    if (this.withDepth === 0) this.complain(complaints.memberOutsideWith(this.at(span)));
    return { kind: "member", target: null, name: name.image, nameSpan: this.spanOf(name), span };
  }

  #newObject(at: number): Expression {
    const start = this.consume(at, k.NEW).startOffset;
    const type = this.consume(at, t.Name, { ERR_MSG: "the name of a type after NEW" });
    const list = this.option(at + 1, () => this.argumentList(at - 1));
    return { kind: "new", type: type.image, arguments: list ?? [], span: this.spanFrom(start) };
  }

  /** CLASS(file), EVAL(code), SHELL(command). */
  #wordCall(at: number, type: typeof k.CLASS): Expression {
    const start = this.consume(at, type).startOffset;
    this.consume(at, t.LeftParen);
    const argument = this.subrule(at, this.expression);
    this.consume(at, t.RightParen, { ERR_MSG: '")"' });
    const span = this.spanFrom(start);
    if (type === k.CLASS) return { kind: "class", file: argument, span };
    return type === k.EVAL ? { kind: "eval", code: argument, span } : { kind: "shellCode", command: argument, span };
  }
}
