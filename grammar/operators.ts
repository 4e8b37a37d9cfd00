/** Operator precedence: turns the flat run `a + -b * c` into a tree, without recursion, however long the run is. */
import type { IToken } from "chevrotain";
import type { BinaryOperator, Expression } from "./ast.ts";
import { BINARY_OPERATORS, PREFIX_PRECEDENCE } from "./tokens.ts";

interface Pending {
  readonly precedence: number;
  readonly token: IToken;
  /** Undefined for a prefix. */
  readonly operator: BinaryOperator | undefined;
}

/** One expression on its way from operands and operators in text order to a tree (the shunting-yard algorithm). */
export class OperatorRun {
  readonly #operands: Expression[] = [];
  readonly #pending: Pending[] = [];

  /** Adds a unary minus or NOT. */
  prefix(token: IToken): void {
    this.#pending.push({ precedence: PREFIX_PRECEDENCE, token, operator: undefined });
  }

  operand(operand: Expression): void {
    this.#operands.push(operand);
  }

  /** Adds a binary operator; everything before it that binds at least as tightly is finished first. */
  binary(token: IToken): void {
    const row = BINARY_OPERATORS[token.image.toUpperCase() as keyof typeof BINARY_OPERATORS];
    this.#reduce(row.precedence);
    this.#pending.push({ precedence: row.precedence, token, operator: row.operator });
  }

  finish(): Expression {
    this.#reduce(0);
    return this.#operands[0]!;
  }

  #reduce(precedence: number): void {
    for (let top = this.#pending.at(-1); top !== undefined && top.precedence >= precedence; top = this.#pending.at(-1)) {
      this.#pending.pop();
      const right = this.#operands.pop()!;
      const operatorSpan = { start: top.token.startOffset, end: top.token.startOffset + top.token.image.length };
      if (top.operator === undefined) {
        const operator = top.token.image === "-" ? "-" : "NOT";
        this.#operands.push({
          kind: "unary",
          operator,
          operand: right,
          span: { start: operatorSpan.start, end: right.span.end },
        });
      } else {
        const left = this.#operands.pop()!;
        const span = { start: left.span.start, end: right.span.end };
        this.#operands.push({ kind: "binary", operator: top.operator, left, right, operatorSpan, span });
      }
    }
  }
}
