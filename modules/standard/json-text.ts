/** The two JSON built-ins of upstream, which work on text with sorted keys (language.md §12). */
import { BasilError } from "../../runtime/errors.ts";
import { required, type TaskContext } from "../../runtime/host.ts";
import type { Value } from "../../runtime/values.ts";
import { parseForTask } from "../json/index.ts";
import { stringifyJson } from "../json/stringify.ts";
import { fn } from "./state.ts";

/** A string that is itself JSON stands for its value. */
function meantBy(value: Value, task: TaskContext): Value {
  if (typeof value !== "string") return value;
  try {
    return parseForTask(task, value, "JSON_STRINGIFY$");
  } catch (error) {
    if (error instanceof BasilError && error.errorName === "JSON_ERROR") return value;
    throw error;
  }
}

export const jsonTextRows = [
  fn({
    name: "JSON_PARSE$",
    doc: "Checks a JSON text and writes it again, compact and with sorted keys.",
    params: { text: required("text", "The JSON text.") },
    run(_, { text }, task) {
      const value = parseForTask(task, text, "JSON_PARSE$");
      return stringifyJson(value, { caller: "JSON_PARSE$", sortsKeys: true }, task);
    },
  }),
  fn({
    name: "JSON_STRINGIFY$",
    doc: "A value as compact JSON with sorted keys; a string that is itself JSON is written as that JSON.",
    params: { value: required("any", "The value.") },
    run: (_, { value }, task) => stringifyJson(meantBy(value, task), { caller: "JSON_STRINGIFY$", sortsKeys: true }, task),
  }),
] as const;
