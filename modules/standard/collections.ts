/** Built-ins for lists, dictionaries and arrays, and what is known about a value (language.md §12). */
import { optional, required } from "../../runtime/host.ts";
import { BasilArray, display, isObject, typeName, type Value } from "../../runtime/values.ts";
import { BYTES_PER_ELEMENT, fail, fn } from "./state.ts";

const LIST = required("list", "The list, changed in place.");
const DICT = required("dict", "The dictionary.");
const KEY = required("text", "The key, exactly.");

/** Elements a list moves natively in about the time of one step. */
const MOVES_PER_STEP = 256;

const outOfRange = (index: number): Error => fail("INDEX_ERROR", `List index out of range: ${display(index + 0)}`);

const listRows = [
  fn({
    name: "APPEND",
    doc: "Adds a value at the end of a list and gives the new length.",
    params: { list: LIST, value: required("any", "The new last element.") },
    yields: true,
    run(_, { list, value }, task) {
      task.claim((list.length + 1) * BYTES_PER_ELEMENT);
      return list.push(value);
    },
  }),
  fn({
    name: "INSERTAT",
    doc: "Puts a value into a list before the element at an index and gives the new length.",
    params: {
      list: LIST,
      index: required("integer", "From 1 to the length plus 1."),
      value: required("any", "The new element."),
    },
    yields: true,
    run(_, { list, index, value }, task) {
      if (!(index >= 1 && index <= list.length + 1)) throw outOfRange(index);
      task.claim((list.length + 1) * BYTES_PER_ELEMENT);
      task.spend(Math.ceil((list.length + 1 - index) / MOVES_PER_STEP));
      list.splice(index - 1, 0, value);
      return list.length;
    },
  }),
  fn({
    name: "REMOVEAT",
    doc: "Takes the element at an index out of a list and gives it.",
    params: { list: LIST, index: required("integer", "From 1 to the length.") },
    yields: true,
    run(_, { list, index }, task) {
      if (!(index >= 1 && index <= list.length)) throw outOfRange(index);
      if (index === list.length) return list.pop()!;
      task.spend(Math.ceil((list.length - index) / MOVES_PER_STEP));
      return list.splice(index - 1, 1)[0]!;
    },
  }),
];

const dictRows = [
  fn({
    name: "HASKEY%",
    doc: "1 when a dictionary has a key, exactly as written, else 0.",
    params: { dict: DICT, key: KEY },
    yields: true,
    isInteger: true,
    run: (_, { dict, key }) => (dict.map.has(key) ? 1 : 0),
  }),
  fn({
    name: "KEYS",
    doc: "A new list of a dictionary's keys, in order.",
    params: { dict: DICT },
    yields: true,
    run(_, { dict }, task) {
      task.claim(dict.map.size * BYTES_PER_ELEMENT);
      task.spend(dict.map.size);
      return [...dict.map.keys()];
    },
  }),
  fn({
    name: "VALUES",
    doc: "A new list of a dictionary's values, in the order of its keys.",
    params: { dict: DICT },
    yields: true,
    run(_, { dict }, task) {
      task.claim(dict.map.size * BYTES_PER_ELEMENT);
      task.spend(dict.map.size);
      return [...dict.map.values()];
    },
  }),
  fn({
    name: "REMOVEKEY",
    doc: "Takes a key out of a dictionary: 1 when it was there, else 0.",
    params: { dict: DICT, key: KEY },
    yields: true,
    run: (_, { dict, key }) => (dict.remove(key) ? 1 : 0),
  }),
];

/** Bounds of one dimension of an array, or of a list. */
function bounds(builtin: string, value: Value, dimension: number): { lower: number; upper: number } {
  const upper = Array.isArray(value) ? [value.length] : value instanceof BasilArray ? value.upper : undefined;
  if (!upper) throw fail("TYPE_ERROR", `${builtin} arg 1 must be a list or array`);
  const bound = upper[dimension - 1];
  if (bound === undefined) {
    throw fail("INDEX_ERROR", `${builtin}: there is no dimension ${display(dimension)}, only 1 to ${upper.length}`);
  }
  return { lower: Array.isArray(value) ? 1 : 0, upper: bound };
}

/** Elements of a 2-D array along one of its dimensions. */
function extent(builtin: string, array: BasilArray, dimension: number): number {
  if (array.upper.length !== 2)
    throw fail("INDEX_ERROR", `${builtin} expects a 2-D array, not one of rank ${array.upper.length}`);
  return array.upper[dimension]! + 1;
}

const ARRAY = required("any", "An array, or a list, which has one dimension.");
const DIMENSION = optional("integer", "Which dimension, from 1; the first when left out.");
const TABLE = required("array", "A 2-D array.");

const arrayRows = [
  fn({
    name: "UBOUND",
    doc: "The greatest index of an array, or of a list.",
    params: { array: ARRAY, dimension: DIMENSION },
    yields: true,
    isInteger: true,
    run: (_, { array, dimension = 1 }) => bounds("UBOUND", array, dimension).upper,
  }),
  fn({
    name: "LBOUND",
    doc: "The smallest index: 0 of an array, 1 of a list.",
    params: { array: ARRAY, dimension: DIMENSION },
    yields: true,
    isInteger: true,
    run: (_, { array, dimension = 1 }) => bounds("LBOUND", array, dimension).lower,
  }),
  fn({
    name: "ARRAY_ROWS%",
    doc: "How many elements a 2-D array has along its first dimension.",
    params: { array: TABLE },
    run: (_, { array }) => extent("ARRAY_ROWS%", array, 0),
  }),
  fn({
    name: "ARRAY_COLS%",
    doc: "How many elements a 2-D array has along its second dimension.",
    params: { array: TABLE },
    run: (_, { array }) => extent("ARRAY_COLS%", array, 1),
  }),
];

/** `Array — elem=INTEGER, dims=4x3, size=12 (row-major)`, or an object's display form. */
export function describe(value: Value): string {
  if (value instanceof BasilArray) {
    const element = typeName(value).replace("[]", "");
    return `Array — elem=${element}, dims=${value.shape}, size=${value.data.length} (row-major)`;
  }
  if (isObject(value)) return display(value);
  throw fail("TYPE_ERROR", `DESCRIBE on unsupported value: ${typeName(value)}`);
}

const typeRows = [
  fn({
    name: "TYPE$",
    doc: "What a value is: NULL, BOOL, FLOAT, INTEGER, STRING, LIST, DICT, FUNCTION, an array such as FLOAT[], or the name of an object such as GEARMAN.",
    params: { value: required("any", "Any value. A number is INTEGER when it is written as a % name.") },
    run: (_, { value }) => typeName(value),
  }),
  fn({
    name: "DESCRIBE$",
    doc: "An array's element type, dimensions and size, or what an object is.",
    params: { value: required("any", "An array or an object.") },
    run: (_, { value }) => describe(value),
  }),
];

export const collectionRows = [...listRows, ...dictRows, ...arrayRows, ...typeRows] as const;
