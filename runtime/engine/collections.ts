/** Elements, entries and members as generated code reaches them, with the errors of language.md 6. */
import { BasilError } from "../errors.ts";
import {
  BasilArray,
  Dict,
  display,
  isRoutine,
  NumberArray,
  toInteger,
  toNumber,
  typeName,
  type Value,
  ValueArray,
} from "../values.ts";
import { elementNumber } from "./operators.ts";

/** What a name that will hold an array holds before its DIM: every access misses it. */
export const NO_NUMBERS: BasilArray = new NumberArray("number", [-1]);
export const NO_VALUES: BasilArray = new ValueArray("any", [-1], () => null);

const notAnArray = (how: "access" | "write"): BasilError =>
  new BasilError("TYPE_ERROR", `array ${how} on non-array or not DIMed`);

/** A name that only ever holds arrays, as a value: NULL before its DIM. */
export const whole = (array: BasilArray): Value => (array === NO_NUMBERS || array === NO_VALUES ? null : array);

export const dict = (entries: readonly (readonly [string, Value])[]): Dict => new Dict(entries);

// ── DIM ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `DIM a(n, m)`: upper bounds truncated toward zero. */
export function newArray(
  element: "number" | "integer" | "string" | "any",
  bounds: readonly number[],
  claim: (bytes: number) => void,
  storage?: "int8" | "int32",
): BasilArray {
  if (bounds.length < 1 || bounds.length > 4) throw new BasilError("INDEX_ERROR", "array rank must be 1..4");
  const upper = bounds.map((bound) => {
    const whole = toInteger(bound);
    if (whole < 0) throw new BasilError("INDEX_ERROR", "array dimension upper bound must be >= 0");
    return whole;
  });
  claim(8 * upper.reduce((count, bound) => count * (bound + 1), 1));
  if (element === "number" || element === "integer") return new NumberArray(element, upper, storage);
  return new ValueArray(element, upper, element === "string" ? () => "" : () => null);
}

/** `DIM a$ = [..]`: items in 1..n, element 0 keeps the default. */
export function arrayOf(element: "integer" | "string", items: readonly Value[], claim: (bytes: number) => void): BasilArray {
  const array = newArray(element, [items.length], claim);
  items.forEach((item, at) => {
    array.data[at + 1] = element === "integer" ? toInteger(item) : display(item);
  });
  return array;
}

export function fixedLength(bytes: number): number {
  const whole = toInteger(bytes);
  if (whole < 1) throw new BasilError("ARGUMENT_ERROR", `a fixed string needs a length of at least 1 (got ${whole})`);
  return whole;
}

/** A fixed string keeps at most `bytes` UTF-8 bytes, cut at a character, padded with blanks. 0 bytes: not DIMmed yet, any value. */
export function fixedStore(value: Value, bytes: number): Value {
  if (bytes === 0) return value;
  let kept = "";
  let used = 0;
  for (const character of display(value)) {
    const size = Buffer.byteLength(character, "utf8");
    if (used + size > bytes) break;
    kept += character;
    used += size;
  }
  return kept + " ".repeat(bytes - used);
}

// ── Array elements ─────────────────────────────────────────────────────────────────────────────────────────────

/** Position of an element in `data`, after all checks. */
function position(array: Value, indices: readonly Value[], how: "access" | "write"): number {
  if (!(array instanceof BasilArray) || array === NO_NUMBERS || array === NO_VALUES) throw notAnArray(how);
  if (array.upper.length !== indices.length) throw new BasilError("INDEX_ERROR", "array rank mismatch");
  let at = 0;
  for (let dimension = 0; dimension < indices.length; dimension++) {
    const index = indices[dimension]!;
    if (typeof index !== "number") throw new BasilError("TYPE_ERROR", "array index must be numeric");
    const whole = Math.trunc(index);
    if (!(whole >= 0 && whole <= array.upper[dimension]!)) throw new BasilError("INDEX_ERROR", "array index out of bounds");
    at = at * (array.upper[dimension]! + 1) + whole;
  }
  return at;
}

export function element(array: Value, indices: readonly Value[]): Value {
  const at = position(array, indices, "access");
  return (array as BasilArray).data[at]!;
}

/** The slow path of a one-dimensional read: fractions, or an error. */
export const element1 = (array: BasilArray, index: Value): Value => element(array, [index]);

export function element2(array: BasilArray, row: Value, column: Value): Value {
  if (typeof row === "number" && typeof column === "number") {
    const [rows, columns] = array.upper as [number, number];
    if (row >= 0 && row <= rows && column >= 0 && column <= columns && array.upper.length === 2) {
      const found = array.data[row * (columns + 1) + column];
      if (found !== undefined && (row | 0) === row && (column | 0) === column) return found;
    }
  }
  return element(array, [row, column]);
}

/** Stores to an element of something that may be no array; the array's kind decides what it keeps. */
export function setElement(array: Value, indices: readonly Value[], value: Value): void {
  const at = position(array, indices, "write");
  const { data } = array as BasilArray;
  data[at] = elementValue(array as BasilArray, value) as never;
}

function elementValue(array: BasilArray, value: Value): Value {
  switch (array.element) {
    case "number":
      return elementNumber(value);
    case "integer":
      return toInteger(value);
    case "string":
      return display(value);
    case "any":
      return value;
    case "struct":
      if (value instanceof Dict) return value;
      throw new BasilError("TYPE_ERROR", `an element of this array must be a ${array.typeName}`);
  }
}

/** Stores to an element of a one-dimensional array that may be none: numbers into arrays of numbers at once. */
export function setElementAt(array: Value, index: Value, value: Value): void {
  if (
    array instanceof NumberArray &&
    array.element === "number" &&
    typeof value === "number" &&
    typeof index === "number" &&
    array.line?.[index] !== undefined
  ) {
    array.line[index] = value;
  } else setElement(array, [index], value);
}

export const setElement1 = (array: BasilArray, index: Value, value: Value): void => setElement(array, [index], value);

export const setElement2 = (array: BasilArray, row: Value, column: Value, value: Value): void =>
  setElement(array, [row, column], value);

// ── Lists and dictionaries ─────────────────────────────────────────────────────────────────────────────────────

const badIndex = (index: Value): BasilError => new BasilError("INDEX_ERROR", `List index out of range: ${display(index)}`);

function listPosition(list: readonly Value[], index: Value): number {
  const at = Math.trunc(toNumber(index)) - 1;
  if (!(at >= 0 && at < list.length)) throw badIndex(index);
  return at;
}

function keyOf(index: Value): string {
  if (typeof index !== "string") throw new BasilError("TYPE_ERROR", "dictionary key must be a string");
  return index;
}

/** `x[i]`. */
export function index(target: Value, at: Value): Value {
  if (Array.isArray(target)) return target[listPosition(target, at)]!;
  if (target instanceof Dict) {
    const key = keyOf(at);
    const found = target.map.get(key);
    if (found !== undefined) return found;
    throw new BasilError("KEY_ERROR", `Dictionary missing key: "${key}"`);
  }
  throw new BasilError("TYPE_ERROR", "Attempted [] on a non-list/dict value.");
}

/** `x[i] = v`. */
export function setIndex(target: Value, at: Value, value: Value): void {
  if (Array.isArray(target)) target[listPosition(target, at)] = value;
  else if (target instanceof Dict) target.set(keyOf(at), value);
  else throw new BasilError("TYPE_ERROR", "Attempted [] on a non-list/dict value.");
}

/** `d.name` of a dictionary. */
export function dictMember(target: Dict, name: string): Value {
  const key = target.memberKey(name);
  if (key === undefined) throw new BasilError("KEY_ERROR", `Dictionary missing key: "${name}"`);
  return target.map.get(key)!;
}

/** What FOR EACH goes through: a snapshot of a list, the elements of an array, the keys of a dictionary. */
export function itemsOf(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value.slice();
  if (value instanceof Dict) return [...value.map.keys()];
  if (value instanceof BasilArray) return value.data;
  const type = isRoutine(value) ? "FUNCTION" : typeName(value);
  throw new BasilError("TYPE_ERROR", `FOR EACH expects an array or iterable object after IN (got TYPE=${type}).`);
}
