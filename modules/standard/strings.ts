/** Built-ins that take strings apart: length, pieces, search, case and code points (language.md §12). */
import { optional, required, type TaskContext } from "../../runtime/host.ts";
import { BasilArray, Dict, display } from "../../runtime/values.ts";
import { fn, spendOnText } from "./state.ts";
import { findText, isAt } from "./text-index.ts";
import { trimEnd, trimStart } from "./white-space.ts";

const TEXT = required("text", "The string.");
const START_CLASSIC = "First character to look at, from 1.";

/** Pieces of a string. */
const pieceRows = [
  fn({
    name: "LEN",
    doc: "Characters of a string, elements of a list, dictionary or array, else characters of the display form.",
    params: { value: required("any", "What to measure.") },
    isInteger: true,
    run({ texts }, { value }, task) {
      if (typeof value === "string") return texts.length(value);
      if (Array.isArray(value)) return value.length;
      if (value instanceof Dict) return value.map.size;
      if (value instanceof BasilArray) return value.data.length;
      return texts.length(display(value, task));
    },
  }),
  fn({
    name: "LEFT$",
    doc: "The first characters of a string, all when it has fewer.",
    params: { text: TEXT, count: required("integer", "How many; 0 or less gives an empty string.") },
    run: ({ texts }, { text, count }) => (count > 0 ? text.slice(0, texts.offset(text, count)) : ""),
  }),
  fn({
    name: "RIGHT$",
    doc: "The last characters of a string, all when it has fewer.",
    params: { text: TEXT, count: required("integer", "How many; 0 or less gives an empty string.") },
    run: ({ texts }, { text, count }) => (count > 0 ? text.slice(texts.offset(text, texts.length(text) - count)) : ""),
  }),
  fn({
    name: "MID$",
    doc: "Characters from the middle of a string.",
    params: {
      text: TEXT,
      start: required("integer", "First character, from 1; less counts as 1."),
      count: optional("integer", "How many; all that follow when left out."),
    },
    run({ texts }, { text, start, count }) {
      const first = start > 1 ? start - 1 : 0;
      const from = texts.offset(text, first);
      if (count === undefined) return text.slice(from);
      return count > 0 ? text.slice(from, texts.offset(text, first + count)) : "";
    },
  }),
];

/** Offset of a part at or after an offset, or -1; counts how far it looked. */
function search(task: TaskContext, text: string, part: string, from: number): number {
  const at = findText(text, part, from);
  spendOnText(task, (at < 0 ? text.length : at) - from);
  return at;
}

/** Searching. */
const searchRows = [
  fn({
    name: "INSTR",
    doc: "Where a part first occurs in a string, from 1; 0 when it does not. In the basil dialect INSTR counts from 0.",
    params: {
      text: required("text", "The string to search."),
      part: required("text", "What to find; an empty one is found at the start."),
      start: optional("integer", START_CLASSIC),
    },
    isInteger: true,
    run({ texts }, { text, part, start = 1 }, task) {
      const first = Math.max(start || 1, 1);
      if (first > 1 && first > texts.length(text) + 1) return 0;
      if (part === "") return first;
      const at = search(task, text, part, texts.offset(text, first - 1));
      return at < 0 ? 0 : texts.index(text, at) + 1;
    },
  }),
  fn({
    name: "INSTR_BASIL",
    doc:
      "What INSTR means in the basil dialect, where programs write INSTR and get this: it counts from 0, and 0 also means " +
      "not found.",
    basilFormOf: "INSTR",
    params: {
      text: required("text", "The string to search."),
      part: required("text", "What to find; an empty one is found at the start."),
      start: optional("integer", "First character to look at, from 0."),
    },
    isInteger: true,
    yields: true,
    run({ texts }, { text, part, start = 0 }, task) {
      const first = Math.max(start || 0, 0);
      const length = texts.length(text);
      if (part === "") return Math.min(first, length);
      if (first > length) return 0;
      const at = search(task, text, part, texts.offset(text, first));
      return at < 0 ? 0 : texts.index(text, at);
    },
  }),
  fn({
    name: "STARTSWITH%",
    doc: "1 when a string starts with a part, exactly, else 0.",
    params: { text: TEXT, part: required("text", "The start to look for.") },
    yields: true,
    isInteger: true,
    run: (_, { text, part }) => (text.startsWith(part) && isAt(text, part, 0) ? 1 : 0),
  }),
  fn({
    name: "ENDSWITH%",
    doc: "1 when a string ends with a part, exactly, else 0.",
    params: { text: TEXT, part: required("text", "The end to look for.") },
    yields: true,
    isInteger: true,
    run: (_, { text, part }) => (text.endsWith(part) && isAt(text, part, text.length - part.length) ? 1 : 0),
  }),
];

/** Case and white space. */
const caseRows = [
  fn({
    name: "UCASE$",
    doc: "The string in upper case, in every script: `straße` gives `STRASSE`.",
    params: { text: TEXT },
    run(_, { text }, task) {
      spendOnText(task, text.length);
      const upper = text.toUpperCase();
      task.claim(upper.length);
      return upper;
    },
  }),
  fn({
    name: "LCASE$",
    doc: "The string in lower case, in every script.",
    params: { text: TEXT },
    run(_, { text }, task) {
      spendOnText(task, text.length);
      const lower = text.toLowerCase();
      task.claim(lower.length);
      return lower;
    },
  }),
  fn({
    name: "TRIM$",
    doc: "The string without white space at its start and end.",
    params: { text: TEXT },
    run: (_, { text }) => trimStart(trimEnd(text)),
  }),
  fn({
    name: "LTRIM$",
    doc: "The string without white space at its start.",
    params: { text: TEXT },
    yields: true,
    run: (_, { text }) => trimStart(text),
  }),
  fn({
    name: "RTRIM$",
    doc: "The string without white space at its end.",
    params: { text: TEXT },
    yields: true,
    run: (_, { text }) => trimEnd(text),
  }),
];

const codePoint = (text: string): number => text.codePointAt(0) ?? 0;

/** Characters and their numbers. */
const characterRows = [
  fn({
    name: "CHR$",
    doc: "The character with a Unicode code point; an empty string when there is none.",
    params: { code: required("integer", "The code point, such as 65 for A.") },
    run: (_, { code }) =>
      code >= 0 && code < 0xd800 ? String.fromCharCode(code) : isCharacter(code) ? String.fromCodePoint(code) : "",
  }),
  fn({
    name: "ASC%",
    doc: "The Unicode code point of a string's first character; 0 for an empty string.",
    params: { text: TEXT },
    isInteger: true,
    run: (_, { text }) => codePoint(text),
  }),
  fn({
    name: "ASC",
    doc: "The Unicode code point of a string's first character; 0 for an empty string.",
    params: { text: TEXT },
    yields: true,
    isInteger: true,
    run: (_, { text }) => codePoint(text),
  }),
];

const isCharacter = (code: number): boolean =>
  Number.isInteger(code) && code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);

export const stringRows = [...pieceRows, ...searchRows, ...caseRows, ...characterRows] as const;
