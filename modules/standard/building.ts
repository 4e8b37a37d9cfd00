/** Built-ins that make new strings and lists of strings: repetition, replacement, splitting and joining. */
import { optional, required, type TaskContext } from "../../runtime/host.ts";
import { BasilArray, display, isEqual, toNumber, type Value } from "../../runtime/values.ts";
import { BYTES_PER_ELEMENT, claimText, fail, fn, type StandardState, spendOnText } from "./state.ts";
import { canSplitPairs, findText, splitText } from "./text-index.ts";
import { trimStart } from "./white-space.ts";

function repeat(task: TaskContext, builtin: string, text: string, count: number): string {
  if (!(count > 0) || text === "") return "";
  claimText(task, builtin, text.length * count);
  return text.repeat(count);
}

/** The character of STRING$'s numeric second argument: code AND 255. */
const characterOf = (code: number): string => String.fromCharCode(((Math.trunc(code) % 256) + 256) % 256);

const repetitionRows = [
  fn({
    name: "STRING$",
    doc: "A string, or the character with a code (AND 255), so many times.",
    params: {
      count: required("integer", "How many times; 0 or less gives an empty string."),
      what: required("any", "The string to repeat, or a character's code."),
    },
    run: (_, { count, what }, task) =>
      repeat(task, "STRING$", typeof what === "string" ? what : characterOf(toNumber(what)), count),
  }),
  fn({
    name: "SPACE$",
    doc: "So many blanks.",
    params: { count: required("integer", "How many; 0 or less gives an empty string.") },
    yields: true,
    run: (_, { count }, task) => repeat(task, "SPACE$", " ", count),
  }),
];

/** How often a part occurs, counting at most `most` without overlaps. */
function countOf(text: string, part: string, most: number): number {
  let count = 0;
  for (let at = findText(text, part, 0); at >= 0 && count < most; at = findText(text, part, at + part.length)) count += 1;
  return count;
}

function replace(task: TaskContext, text: string, find: string, by: string, most: number): string {
  if (find === "" || !(most > 0)) return text;
  spendOnText(task, text.length);
  const count = countOf(text, find, most);
  if (count === 0) return text;
  claimText(task, "REPLACE$", text.length + count * (by.length - find.length));
  const everywhere = most === Number.POSITIVE_INFINITY && !canSplitPairs(find);
  return (everywhere ? text.split(find) : splitText(text, find, count + 1)).join(by);
}

function split(state: StandardState, task: TaskContext, text: string, separator: string, most: number): string[] {
  spendOnText(task, text.length);
  if (separator !== "") {
    const parts = splitText(text, separator, most);
    task.claim(parts.length * BYTES_PER_ELEMENT);
    return parts;
  }
  const count = Math.min(state.texts.length(text), most);
  task.claim(count * BYTES_PER_ELEMENT);
  if (count === text.length) return text.split("");
  const restFrom = state.texts.offset(text, count - 1);
  if (count === most) return [...text.slice(0, restFrom), text.slice(restFrom)];
  return [...text];
}

/** The elements of a list or of an array, row-major; undefined for anything else. */
export function elementsOf(value: Value): ArrayLike<Value> | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof BasilArray ? value.data : undefined;
}

function join(task: TaskContext, elements: ArrayLike<Value>, separator: string): string {
  task.spend(elements.length);
  const parts: string[] = [];
  let length = 0;
  for (let i = 0; i < elements.length; i++) {
    const part = display(elements[i]!, task);
    length += part.length + separator.length;
    if (length > separator.length) claimText(task, "JOIN$", length - separator.length);
    parts.push(part);
  }
  return parts.join(separator);
}

function contains(_state: StandardState, task: TaskContext, where: Value, what: Value): boolean {
  if (typeof where === "string") {
    if (typeof what !== "string") throw fail("TYPE_ERROR", "CONTAINS% arg 2 must be string");
    spendOnText(task, where.length);
    return findText(where, what, 0) >= 0;
  }
  const elements = elementsOf(where);
  if (!elements) throw fail("TYPE_ERROR", "CONTAINS% arg 1 must be string, list or array");
  task.spend(elements.length);
  for (let i = 0; i < elements.length; i++) if (isEqual(elements[i]!, what, task)) return true;
  return false;
}

const replacementRows = [
  fn({
    name: "REPLACE$",
    doc: "The string with each occurrence of a part, from left to right, replaced by another.",
    params: {
      text: required("text", "The string."),
      find: required("text", "What to replace; an empty one changes nothing."),
      by: required("text", "What stands there instead, as it is."),
      count: optional("integer", "Replaces only the first so many."),
    },
    yields: true,
    run: (_, { text, find, by, count = Number.POSITIVE_INFINITY }, task) => replace(task, text, find, by, count),
  }),
  fn({
    name: "SPLIT",
    doc: "A LIST of the parts of a string between separators.",
    params: {
      text: required("text", "The string; an empty one has one empty part."),
      separator: required("text", "What stands between the parts; an empty one gives single characters."),
      max: optional("integer", "At most so many parts, 1 or more; the last one holds the rest."),
    },
    yields: true,
    run(state, { text, separator, max = Number.POSITIVE_INFINITY }, task) {
      if (!(max >= 1)) throw fail("ARGUMENT_ERROR", `SPLIT: max must be 1 or more, not ${display(max)}`);
      return split(state, task, text, separator, max);
    },
  }),
  fn({
    name: "JOIN$",
    doc: "The display forms of all elements, with a separator between them.",
    params: {
      elements: required("any", "A list or an array."),
      separator: required("text", "What stands between two elements."),
    },
    yields: true,
    run(_, { elements, separator }, task) {
      const found = elementsOf(elements);
      if (!found) throw fail("TYPE_ERROR", "JOIN$ arg 1 must be a list or array");
      return join(task, found, separator);
    },
  }),
  fn({
    name: "CONTAINS%",
    doc: "1 when a string has a part, or a list or array an equal element, else 0. Case matters.",
    params: {
      where: required("any", "A string, list or array."),
      what: required("any", "The part, or the element."),
    },
    yields: true,
    isInteger: true,
    run: (state, { where, what }, task) => (contains(state, task, where, what) ? 1 : 0),
  }),
];

/** Values as text, and back. */
const conversionRows = [
  fn({
    name: "STR$",
    doc: "The display form of a value, as PRINT shows it.",
    params: { value: required("display", "Any value.") },
    yields: true,
    run: (_, { value }) => value,
  }),
  fn({
    name: "VAL",
    doc: "The number a string starts with, after white space; 0 when there is none. `&HFF` and `&B101` count. A number stays itself.",
    params: { value: required("any", "A string or a number.") },
    yields: true,
    run(_, { value }) {
      if (typeof value === "string") return numberPrefix(value);
      if (typeof value === "number" || typeof value === "boolean") return Number(value);
      throw fail("TYPE_ERROR", "VAL arg 1 must be string");
    },
  }),
];

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
const OTHER_BASE = /^&(?:h([0-9a-f]+)|b([01]+))/i;

function numberPrefix(text: string): number {
  const trimmed = trimStart(text);
  const decimal = DECIMAL.exec(trimmed);
  if (decimal) return Number(decimal[0]);
  const other = OTHER_BASE.exec(trimmed);
  if (!other) return 0;
  return other[1] === undefined ? Number(`0b${other[2]}`) : Number(`0x${other[1]}`);
}

export const buildingRows = [...repetitionRows, ...replacementRows, ...conversionRows] as const;
