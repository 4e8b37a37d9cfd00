/**
 * The grammar of expressions. Written by hand inside chevrotain rules: expressions nest deepest of all, and a level costs a
 * handful of stack frames this way instead of two dozen, so that the nesting limit holds on any stack.
 */
import type { IToken, ParserMethod, TokenType } from "chevrotain";
import type { Expression, Place } from "./ast.ts";
import { complaints } from "./complaints.ts";
import { OperatorRun } from "./operators.ts";
import { ParserBase } from "./parser-base.ts";
import { decodeString } from "./strings.ts";
import * as t from "./tokens.ts";

const k = t.keyword;

/** What a value may start with. */
const VALUE_STARTS: readonly TokenType[] = [
  ...[
    t.Name,
    t.NumberToken,
    t.BadNumber,
    t.StringToken,
    t.BadString,
    t.StringHead,
    t.Dot,
    t.LeftParen,
    t.LeftBracket,
    t.LeftBrace,
  ],
  ...[k.TRUE, k.FALSE, k.NULL, k.NEW, k.CLASS, k.EVAL, k.SHELL],
];
const PREFIXES: readonly TokenType[] = [t.Minus, k.NOT];
/** The types a binary operator may have. */
export const OPERATOR_TYPES: ReadonlySet<TokenType> = new Set([t.Operator, t.Equals, t.Minus, t.Star]);

export const isPlace = (node: Expression): node is Place =>
  node.kind === "name" || node.kind === "call" || node.kind === "index" || node.kind === "member";

/** The value of a number as it is written. */
function numberValue(image: string): number {
  if (image.startsWith("&")) return Number.parseInt(image.slice(2), image[1]!.toUpperCase() === "H" ? 16 : 2);
  return Number(image);
}

export abstract class ExpressionParser extends ParserBase {
  /**
   * An expression.
   * @param first the first operand, when a statement has parsed it already
   */
  readonly expression: ParserMethod<[first?: Expression], Expression> = this.RULE("expression", (first?: Expression) =>
    this.RECORDING_PHASE ? this.#record([...PREFIXES, ...VALUE_STARTS]) : this.#expression(first),
  );

  /** A value with everything glued to it, without operators: what statements start with, and where values are stored. */
  readonly chain: ParserMethod<[], Expression> = this.RULE("chain", () =>
    this.RECORDING_PHASE ? this.#record(VALUE_STARTS) : this.#operand(),
  );

  /** Tells chevrotain what a rule may start with; the rest of the rule it need not know. */
  #record(types: readonly TokenType[]): Expression {
    this.or(
      0,
      types.map((type) => ({ ALT: () => this.consume(0, type) })),
    );
    return { kind: "null", span: { start: 0, end: 0 } };
  }

  #expression(first?: Expression): Expression {
    let run: OperatorRun | undefined;
    let value = first;
    for (;;) {
      if (value === undefined) {
        run = this.#prefixes(run);
        value = this.#operand();
      }
      if (!OPERATOR_TYPES.has(this.LA(1).tokenType)) break;
      run ??= new OperatorRun();
      run.operand(value);
      run.binary(this.takeToken());
      value = undefined;
    }
    if (run === undefined) return value;
    run.operand(value);
    return run.finish();
  }

  #prefixes(started: OperatorRun | undefined): OperatorRun | undefined {
    let run = started;
    while (this.LA(1).tokenType === t.Minus || this.LA(1).tokenType === k.NOT) {
      run ??= new OperatorRun();
      run.prefix(this.takeToken());
    }
    return run;
  }

  #operand(): Expression {
    const start = this.here();
    let value = this.#atom();
    for (;;) {
      const { tokenType } = this.LA(1);
      if (tokenType === t.LeftParen) {
        const list = this.#arguments();
        value = { kind: "call", target: value, arguments: list, span: this.spanFrom(start) };
      } else if (tokenType === t.LeftBracket) {
        this.SKIP_TOKEN();
        const index = this.#expression();
        this.consume(0, t.RightBracket);
        value = { kind: "index", target: value, index, span: this.spanFrom(start) };
      } else if (tokenType === t.Dot) {
        this.SKIP_TOKEN();
        const name = this.#memberName();
        value = { kind: "member", target: value, name: name.image, nameSpan: this.spanOf(name), span: this.spanFrom(start) };
      } else return value;
    }
  }

  #memberName(): IToken {
    return this.consume(0, t.Name, { ERR_MSG: 'a member name after "."' });
  }

  /** `( a, b )` */
  #arguments(): Expression[] {
    this.consume(0, t.LeftParen);
    const list: Expression[] = [];
    if (this.LA(1).tokenType !== t.RightParen) {
      list.push(this.#expression());
      while (this.#takesComma()) list.push(this.#expression());
    }
    this.consume(0, t.RightParen);
    return list;
  }

  #takesComma(): boolean {
    if (this.LA(1).tokenType !== t.Comma) return false;
    this.SKIP_TOKEN();
    return true;
  }

  #atom(): Expression {
    const token = this.LA(1);
    switch (token.tokenType) {
      case t.StringHead:
        return this.#interpolation();
      case t.LeftParen:
        return this.#parenthesised();
      case t.LeftBracket:
        return this.#list();
      case t.LeftBrace:
        return this.#dict();
      case t.Dot:
        return this.#withMember();
      case k.NEW:
        return this.#newObject();
      case k.CLASS:
      case k.EVAL:
      case k.SHELL:
        return this.#wordCall(token.tokenType);
      default:
        return this.#literal(token);
    }
  }

  /** One token that is a value. */
  #literal(token: IToken): Expression {
    const span = this.spanOf(token);
    let value: Expression;
    switch (token.tokenType) {
      case t.Name:
        value = { kind: "name", name: token.image, span };
        break;
      case t.NumberToken:
        value = { kind: "number", value: numberValue(token.image), span };
        break;
      case t.StringToken:
        value = { kind: "string", value: decodeString(token.image.slice(1, -1)), span };
        break;
      case k.TRUE:
      case k.FALSE:
        value = { kind: "boolean", value: token.tokenType === k.TRUE, span };
        break;
      case k.NULL:
      case t.BadNumber:
      case t.BadString:
        value = { kind: "null", span };
        break;
      default:
        return this.expected(this.afterLast("an expression"));
    }
    this.SKIP_TOKEN();
    return value;
  }

  /** A string literal, perhaps with interpolations; anything else is a complaint. */
  readonly text: ParserMethod<[], Expression> = this.RULE("text", () => {
    if (this.RECORDING_PHASE) return this.#record([t.StringToken, t.StringHead]);
    const token = this.LA(1);
    return token.tokenType === t.StringHead ? this.#interpolation() : this.#literal(token);
  });

  /** `"text #{a} text #{b} text"`; the lexer has complained about `#{}`. */
  #interpolation(): Expression {
    const head = this.consume(0, t.StringHead);
    const parts: (string | Expression)[] = [];
    let text = head;
    while (text.tokenType !== t.StringTail) {
      parts.push(decodeString(text.image.slice(1, -2)));
      if (this.LA(1).tokenType !== t.StringTail && this.LA(1).tokenType !== t.StringMiddle) parts.push(this.#expression());
      text = this.LA(1);
      if (text.tokenType === t.StringMiddle) this.SKIP_TOKEN();
      else text = this.consume(0, t.StringTail);
    }
    parts.push(decodeString(text.image.slice(1, -1)));
    return { kind: "interpolation", parts, span: this.spanFrom(head.startOffset) };
  }

  #parenthesised(): Expression {
    const { startOffset } = this.takeToken();
    const inner = this.#expression();
    this.consume(0, t.RightParen, { ERR_MSG: '")"' });
    return { ...inner, span: this.spanFrom(startOffset) };
  }

  #list(): Expression {
    const { startOffset } = this.takeToken();
    const items: Expression[] = [];
    while (this.LA(1).tokenType !== t.RightBracket) {
      items.push(this.#expression());
      if (!this.#takesComma()) break;
    }
    this.consume(0, t.RightBracket, { ERR_MSG: '"]" or ","' });
    return { kind: "list", items, span: this.spanFrom(startOffset) };
  }

  #dict(): Expression {
    const { startOffset } = this.takeToken();
    const entries: { key: string; value: Expression }[] = [];
    while (this.LA(1).tokenType !== t.RightBrace) {
      const key = this.consume(0, t.StringToken, { ERR_MSG: "a key in quotes" });
      this.consume(0, t.Colon, { ERR_MSG: '":" after the key' });
      entries.push({ key: decodeString(key.image.slice(1, -1)), value: this.#expression() });
      if (!this.#takesComma()) break;
    }
    this.consume(0, t.RightBrace, { ERR_MSG: '"}" or ","' });
    return { kind: "dict", entries, span: this.spanFrom(startOffset) };
  }

  #withMember(): Expression {
    const { startOffset } = this.takeToken();
    const name = this.#memberName();
    const span = this.spanFrom(startOffset);
    if (this.withDepth === 0) this.complain(complaints.memberOutsideWith(this.at(span)));
    return { kind: "member", target: null, name: name.image, nameSpan: this.spanOf(name), span };
  }

  #newObject(): Expression {
    const { startOffset } = this.takeToken();
    const type = this.consume(0, t.Name, { ERR_MSG: "the name of a type after NEW" });
    const list = this.LA(1).tokenType === t.LeftParen ? this.#arguments() : [];
    return { kind: "new", type: type.image, arguments: list, span: this.spanFrom(startOffset) };
  }

  /** CLASS(file), EVAL(code), SHELL(command). */
  #wordCall(type: TokenType): Expression {
    const word = this.takeToken();
    this.consume(0, t.LeftParen, { ERR_MSG: `"(" after ${word.image.toUpperCase()}` });
    const argument = this.#expression();
    this.consume(0, t.RightParen, { ERR_MSG: '")"' });
    const span = this.spanFrom(word.startOffset);
    if (type === k.CLASS) return { kind: "class", file: argument, span };
    return type === k.EVAL ? { kind: "eval", code: argument, span } : { kind: "shellCode", command: argument, span };
  }

  /** `( a, b )` as a rule, for declarations. */
  readonly argumentList: ParserMethod<[], Expression[]> = this.RULE("argumentList", () => {
    if (!this.RECORDING_PHASE) return this.#arguments();
    this.#record([t.LeftParen]);
    return [];
  });
}
