/** The values of BASIC as JavaScript values, and what is true of each: its type name, its truth, its display form. */
import { constants } from "node:buffer";
import { BasilError } from "./errors.ts";

/**
 * A BASIC value. NULL is `null`, BOOL `boolean`, numbers are doubles, a STRING is a JavaScript string, a LIST is a
 * JavaScript array (element 1 at index 0), a DICT is a `Dict`, a DIM array a `BasilArray`.
 */
export type Value = null | boolean | number | string | Value[] | Dict | BasilArray | RoutineValue | ObjectValue;

/** What long work over values is counted against: a task's limits. `TaskContext` is one. */
export interface Budget {
  /** Refuses a result of this size when it is over the limit. */
  claim(bytes: number): void;
  /** Counts work and looks at the deadline. */
  spend(steps: number): void;
}

/** A dictionary: exact string keys in insertion order. */
export class Dict {
  readonly map: Map<string, Value>;

  constructor(entries?: Iterable<readonly [string, Value]>) {
    this.map = new Map(entries);
  }

  /** Stores under an exact key. A struct refuses keys that are not its fields. */
  set(key: string, value: Value): void {
    this.map.set(key, value);
  }

  /** Takes an exact key out; false when there was none. A struct refuses. */
  remove(key: string): boolean {
    return this.map.delete(key);
  }

  /** The key `d.name` means: the exact one, else the first equal one ignoring case, else undefined. */
  memberKey(name: string): string | undefined {
    if (this.map.has(name)) return name;
    const folded = name.toUpperCase();
    for (const key of this.map.keys()) if (key.toUpperCase() === folded) return key;
    return undefined;
  }
}

/** What the elements of a DIM array are. */
export type ElementKind = "number" | "integer" | "string" | "any" | "struct";

/** An array made by DIM: rank 1 to 4, indices 0 to the upper bound, row-major. */
export abstract class BasilArray {
  abstract readonly element: ElementKind;
  /** Row-major. Numbers live in a typed array, everything else in an Array. */
  abstract readonly data: NumberData | Value[];
  /** `data` of a one-dimensional array, undefined for others: a whole-number index in range hits it directly. */
  abstract readonly line: NumberData | Value[] | undefined;
  /** Upper bound of each dimension, inclusive. */
  readonly upper: readonly number[];
  /** Elements in a row of a two-dimensional array, 0 for others. */
  readonly width: number;
  /** Name of the TYPE when the elements are structs. */
  readonly typeName: string | undefined;

  constructor(upper: readonly number[], typeName?: string) {
    this.upper = upper;
    this.width = upper.length === 2 ? upper[1]! + 1 : 0;
    this.typeName = typeName;
  }

  /** Element counts as shown to people: `3x4`. */
  get shape(): string {
    return this.upper.map((bound) => bound + 1).join("x");
  }
}

/** Where the elements of arrays of numbers are. */
export type NumberData = Float64Array | Int32Array | Int8Array;

const SMALL_ARRAYS = { int8: Int8Array, int32: Int32Array } as const;

/** An array of numbers (`a(10)`) or integers (`a%(10)`). */
export class NumberArray extends BasilArray {
  readonly element: "number" | "integer";
  readonly data: NumberData;
  readonly line: NumberData | undefined;

  /** @param storage smaller elements, for arrays of which the compiler knows that nothing bigger is stored */
  constructor(element: "number" | "integer", upper: readonly number[], storage?: keyof typeof SMALL_ARRAYS) {
    super(upper);
    this.element = element;
    this.data = new (storage ? SMALL_ARRAYS[storage] : Float64Array)(elementCount(upper));
    this.line = upper.length === 1 ? this.data : undefined;
  }
}

/** An array of strings, of any values, or of structs. */
export class ValueArray extends BasilArray {
  readonly element: "string" | "any" | "struct";
  readonly data: Value[];
  readonly line: Value[] | undefined;

  /** @param initial makes each element's first value */
  constructor(element: "string" | "any" | "struct", upper: readonly number[], initial: () => Value, typeName?: string) {
    super(upper, typeName);
    this.element = element;
    this.data = Array.from({ length: elementCount(upper) }, initial);
    this.line = upper.length === 1 ? this.data : undefined;
  }
}

const elementCount = (upper: readonly number[]): number => upper.reduce((count, bound) => count * (bound + 1), 1);

/** A routine as a value: what `LET g = f` stores. */
export interface RoutineValue {
  readonly isRoutine: true;
  readonly name: string;
  /** Number of parameters. */
  readonly arity: number;
}

/** A module or a class instance: its members are reached through these calls only. */
export interface ObjectValue {
  readonly isObject: true;
  /** Shown as `<GEARMAN>`. */
  readonly displayName: string;
}

export const isRoutine = (value: Value): value is RoutineValue =>
  typeof value === "object" && value !== null && "isRoutine" in value;

export const isObject = (value: Value): value is ObjectValue =>
  typeof value === "object" && value !== null && "isObject" in value;

const ARRAY_TYPE_NAMES = { number: "FLOAT[]", integer: "INTEGER[]", string: "STRING[]", any: "OBJECT[]" } as const;

/** What `TYPE$` says of a value whose written form does not matter. Numbers are FLOAT here. */
export function typeName(value: Value): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return "FLOAT";
  if (typeof value === "string") return "STRING";
  if (typeof value === "boolean") return "BOOL";
  if (Array.isArray(value)) return "LIST";
  if (value instanceof Dict) return "DICT";
  if (value instanceof BasilArray) return value.element === "struct" ? `${value.typeName}[]` : ARRAY_TYPE_NAMES[value.element];
  return isRoutine(value) ? "FUNCTION" : value.displayName;
}

/** Whether IF takes the branch. */
export function isTrue(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  if (typeof value === "string") return value !== "";
  if (value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Dict) return value.map.size > 0;
  return true;
}

/** Deepest nesting of lists and dictionaries that can be shown or compared: a list that contains itself ends here. */
const MAX_VALUE_DEPTH = 1000;

/** The display form of a value: what PRINT shows and `+` joins. A budget bounds what a deeply shared list may grow to. */
export function display(value: Value, budget?: Budget): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return displayNumber(value);
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (!Array.isArray(value) && !(value instanceof Dict)) return displayReference(value);
  const progress: Progress = { length: 0, claimed: 0, count: 0, budget };
  const text = displayNested(value, 0, progress);
  budget?.claim(progress.length);
  return text;
}

/** How far a walk over nested values has come: characters made, characters claimed, values seen. */
interface Progress {
  length: number;
  claimed: number;
  count: number;
  readonly budget: Budget | undefined;
}

function displayNested(value: Value, depth: number, progress: Progress): string {
  if (depth > MAX_VALUE_DEPTH) throw containsItself();
  if (Array.isArray(value)) {
    advance(progress, 2 * value.length);
    return `[${value.map((item) => displayNested(item, depth + 1, progress)).join(", ")}]`;
  }
  if (value instanceof Dict) {
    const parts: string[] = [];
    for (const [key, item] of value.map) {
      advance(progress, key.length + 6);
      parts.push(`"${key}": ${displayNested(item, depth + 1, progress)}`);
    }
    return `{${parts.join(", ")}}`;
  }
  const text = display(value);
  advance(progress, text.length);
  return text;
}

const MAX_DISPLAY_LENGTH = constants.MAX_STRING_LENGTH;
/** After so many characters, or values, the budget is asked again. */
const CLAIM_EVERY = 65_536;
const SPEND_EVERY = 1024;

function advance(progress: Progress, characters: number): void {
  progress.length += characters;
  if (progress.length > MAX_DISPLAY_LENGTH) {
    throw new BasilError("ARGUMENT_ERROR", `a list or dictionary is too long to show: over ${MAX_DISPLAY_LENGTH} characters`);
  }
  if (progress.length - progress.claimed > CLAIM_EVERY) {
    progress.claimed = progress.length;
    progress.budget?.claim(progress.length);
  }
  if (++progress.count % SPEND_EVERY === 0) progress.budget?.spend(SPEND_EVERY);
}

function displayReference(value: BasilArray | RoutineValue | ObjectValue): string {
  if (value instanceof BasilArray) return `<array ${ELEMENT_WORDS[value.element] ?? value.typeName} ${value.shape}>`;
  return isRoutine(value) ? `<func ${value.name} /${value.arity}>` : `<${value.displayName}>`;
}

const containsItself = (): BasilError => new BasilError("STACK_ERROR", "a list or dictionary contains itself");

const ELEMENT_WORDS: Record<ElementKind, string | undefined> = {
  number: "Num",
  integer: "Int",
  string: "Str",
  any: "OBJECT",
  struct: undefined,
};

/** Shortest decimal that reads back equal, never with an exponent: 1e21 is 1 and 21 zeros; `inf`, `-inf`, `NaN`, `-0`. */
export function displayNumber(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  if (text === "Infinity") return "inf";
  if (text === "-Infinity") return "-inf";
  return text.includes("e") ? withoutExponent(text) : text;
}

function withoutExponent(text: string): string {
  const [mantissa = "", exponentText = "0"] = text.split("e");
  const exponent = Number(exponentText);
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * `=` of BASIC: numbers and BOOL by value, lists and dictionaries deeply, the rest by identity. Never an error except
 * for endless values.
 */
export function isEqual(left: Value, right: Value, budget?: Budget): boolean {
  if (left === right) return true;
  if (typeof left === "number" || typeof left === "boolean") {
    return (typeof right === "number" || typeof right === "boolean") && Number(left) === Number(right);
  }
  if (typeof left !== "object" || typeof right !== "object") return false;
  return isEqualNested(left, right, 0, { length: 0, claimed: 0, count: 0, budget });
}

function isEqualNested(left: Value, right: Value, depth: number, progress: Progress): boolean {
  if (left === right) return true;
  if (typeof left !== "object") return isEqual(left, right);
  if (depth > MAX_VALUE_DEPTH) throw containsItself();
  advance(progress, 0);
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, at) => isEqualNested(item, right[at]!, depth + 1, progress));
  }
  if (left instanceof Dict && right instanceof Dict) {
    if (left.map.size !== right.map.size) return false;
    for (const [key, item] of left.map) {
      const other = right.map.get(key);
      if (other === undefined || !isEqualNested(item, other, depth + 1, progress)) return false;
    }
    return true;
  }
  return false;
}

/** Order of two strings by code point: negative, zero or positive. UTF-16 order differs above U+FFFF. */
export function compareStrings(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return codePointRank(left, at, a) - codePointRank(right, at, b);
  }
  return left.length - right.length;
}

/** Orders one differing UTF-16 unit as its whole code point would: paired surrogates come after everything in the BMP. */
function codePointRank(text: string, at: number, unit: number): number {
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  const isHigh = unit < 0xdc00;
  const partner = text.charCodeAt(isHigh ? at + 1 : at - 1);
  const isPaired = isHigh ? partner >= 0xdc00 && partner <= 0xdfff : partner >= 0xd800 && partner <= 0xdbff;
  return isPaired ? unit + 0x10000 : unit;
}

/** A number where BASIC wants one; BOOL counts as 1 and 0. */
export function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw new BasilError("TYPE_ERROR", "expected number");
}

/** What a store to a `%` name keeps: truncated toward zero, never −0, within ±(2^53−1). */
export function toInteger(value: Value): number {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "number") throw new BasilError("TYPE_ERROR", "ToInt expects a numeric value");
  const whole = Math.trunc(value) + 0;
  if (!(whole <= Number.MAX_SAFE_INTEGER && whole >= -Number.MAX_SAFE_INTEGER)) {
    throw new BasilError("OVERFLOW_ERROR", "integer overflow");
  }
  return whole;
}
