/** The module JSON: reading, writing and looking into JSON (language.md §12). Always present. */
import { alias, defineModule, functionsOf, type HostModule, required, type TaskContext } from "../../runtime/host.ts";
import { Dict, display, type Value } from "../../runtime/values.ts";
import { parseJson } from "./parse.ts";
import { followPath } from "./path.ts";
import { stringifyJson } from "./stringify.ts";

/** Characters the reader handles in about the time of one step. */
const CHARACTERS_PER_STEP = 16;

/** Reads JSON for a task, counted against its limits. */
export function parseForTask(task: TaskContext, text: string, caller: string): Value {
  task.spend(Math.ceil(text.length / CHARACTERS_PER_STEP));
  return parseJson(text, caller);
}

/** What a path leads to in a JSON text or a value; undefined when it leads nowhere. */
function get(task: TaskContext, source: Value, path: string, caller: string): Value | undefined {
  return followPath(typeof source === "string" ? parseForTask(task, source, caller) : source, path, caller);
}

const fn = functionsOf<null>();
const SOURCE = required("any", "A JSON text, or a value.");
const PATH = required("text", 'Keys and indexes from 1, such as a.b[1].c; a["x.y"] for a key with a dot.');

const rows = [
  fn({
    name: "PARSE",
    doc: "The value of a JSON text: objects become DICTs, arrays LISTs.",
    params: { text: required("text", "The JSON text.") },
    run: (_, { text }, task) => parseForTask(task, text, "JSON.PARSE"),
  }),
  alias("PARSE$", "PARSE", "The value of a JSON text, which need not be a string."),
  fn({
    name: "STRINGIFY$",
    doc: "A value as compact JSON, keys in their order. NaN, infinities and NULL become null.",
    params: { value: required("any", "Anything but objects, functions and arrays of several dimensions.") },
    run: (_, { value }, task) => stringifyJson(value, { caller: "JSON.STRINGIFY$", sortsKeys: false }, task),
  }),
  alias("STRINGIFY", "STRINGIFY$", "A value as compact JSON."),
  fn({
    name: "GET",
    doc: "The value a path leads to in a JSON text or a value; NULL when it leads nowhere.",
    params: { source: SOURCE, path: PATH },
    run: (_, { source, path }, task) => get(task, source, path, "JSON.GET") ?? null,
  }),
  fn({
    name: "GET$",
    doc: "Like JSON.GET, as text: strings as they are, lists and dictionaries as JSON, empty when there is nothing.",
    params: { source: SOURCE, path: PATH },
    run(_, { source, path }, task) {
      const found = get(task, source, path, "JSON.GET$") ?? null;
      if (found === null) return "";
      const isNested = Array.isArray(found) || found instanceof Dict;
      return isNested ? stringifyJson(found, { caller: "JSON.GET$", sortsKeys: false }, task) : display(found, task);
    },
  }),
];

/** The module `JSON`. */
export const json = (): HostModule<null> =>
  defineModule<null>({ name: "JSON", doc: "Reads, writes and looks into JSON.", rows, open: () => null });
