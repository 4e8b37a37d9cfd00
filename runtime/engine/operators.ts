/** The checked operators of generated code: fast for the expected kinds, with the language's errors for the rest. */
import { BasilError } from "../errors.ts";
import {
  type Budget,
  compareStrings,
  display,
  displayNumber,
  isEqual,
  toInteger,
  toNumber,
  typeName,
  type Value,
} from "../values.ts";

export const num = (value: Value): number => (typeof value === "number" ? value : toNumber(value));

/** The order of two values that are not both numbers: strings by code point, BOOL as numbers. */
function order(left: Value, right: Value): number {
  if (typeof left === "string" && typeof right === "string") return compareStrings(left, right);
  return toNumber(left) - toNumber(right);
}

export const less = (left: Value, right: Value): boolean =>
  typeof left === "number" && typeof right === "number" ? left < right : order(left, right) < 0;
export const lessEqual = (left: Value, right: Value): boolean =>
  typeof left === "number" && typeof right === "number" ? left <= right : order(left, right) <= 0;
export const more = (left: Value, right: Value): boolean =>
  typeof left === "number" && typeof right === "number" ? left > right : order(left, right) > 0;
export const moreEqual = (left: Value, right: Value): boolean =>
  typeof left === "number" && typeof right === "number" ? left >= right : order(left, right) >= 0;

/** Display form of a number: whole numbers of everyday size without further look. */
export const showNumber = (value: number): string =>
  (value | 0) === value && value !== 0 ? String(value) : displayNumber(value);

/** What a `%` name keeps of a number: small whole numbers pass at once; `| 0` also turns −0 into 0. */
export function whole53(value: number): number {
  const small = value | 0;
  return small === value ? small : toInteger(value);
}

/** What a `%` name keeps of any value: arrays and objects untouched, the rest truncated or refused. */
export const toIntegerOrObject = (value: Value): Value =>
  typeof value === "number"
    ? whole53(value)
    : typeof value === "object" && value !== null && !Array.isArray(value)
      ? value
      : toInteger(value);

/** What an array of numbers stores. */
export function elementNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw new BasilError("TYPE_ERROR", "cannot store non-numeric value into numeric array");
}

/** TYPE$ of something written in a form that counts as INTEGER. */
export const integerTypeName = (value: Value): string => (typeof value === "number" ? "INTEGER" : typeName(value));

/** The operators that can take long or make something big: they keep to the host's limits. */
export function boundedOperators(budget: Budget, maxText: number) {
  const show = (value: Value): string => (typeof value === "string" ? value : display(value, budget));
  /** A string that was put together, unless it is over the limit. */
  const joined = (text: string): string => {
    if (text.length > maxText) budget.claim(text.length);
    return text;
  };
  const add = (left: Value, right: Value): number | string => {
    if (typeof left === "number" && typeof right === "number") return left + right;
    if (typeof left === "string" || typeof right === "string") return joined(show(left) + show(right));
    return toNumber(left) + toNumber(right);
  };
  const equal = (left: Value, right: Value): boolean =>
    left === right ||
    (typeof left === "object" && typeof right === "object" ? isEqual(left, right, budget) : isEqual(left, right));
  return { show, joined, add, equal };
}
