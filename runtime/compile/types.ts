/** What the compiler knows of a value before the program runs: a set of kinds, as bits. */
import type { BinaryOperator } from "../../grammar/ast.ts";

/** A set of possible kinds; `ANY` knows nothing. */
export type Kinds = number;

export const NULL = 1;
export const BOOL = 2;
export const NUMBER = 4;
export const STRING = 8;
/** Lists, dictionaries, arrays, routines, objects. */
export const OTHER = 16;
export const ANY: Kinds = NULL | BOOL | NUMBER | STRING | OTHER;

/** Whether a value of kinds `kinds` is certainly within `wanted`. */
export const isOnly = (kinds: Kinds, wanted: Kinds): boolean => (kinds & ~wanted) === 0 && kinds !== 0;

/** Kinds of a binary operation's result. An operation that can only fail still has its result's kinds. */
export function binaryKinds(operator: BinaryOperator, left: Kinds, right: Kinds): Kinds {
  switch (operator) {
    case "+": {
      if (isOnly(left, STRING) || isOnly(right, STRING)) return STRING;
      return ((left | right) & STRING ? STRING : 0) | NUMBER;
    }
    case "-":
    case "*":
    case "/":
    case "\\":
    case "MOD":
    case "^":
      return NUMBER;
    default:
      return BOOL;
  }
}

/** Kinds a variable of this name keeps of a stored value: `%` names truncate numbers and BOOL, and refuse the rest of the scalars. */
export const storedKinds = (isInteger: boolean, kinds: Kinds): Kinds => (isInteger ? NUMBER | (kinds & OTHER) : kinds);
