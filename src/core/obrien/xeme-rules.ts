/** The rules of Xemes that hold whoever made them: how groups succeed, what is left out, which error is the first. */
import type { Xeme } from "./xeme.ts";

/** Any JSON object: what workers send is not to be trusted to have the fields of a Xeme. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The fields that are left out when they are empty; others pass through as they are. */
const OPTIONAL_FIELDS = ["class", "errors", "nulls", "warnings", "notes", "nested", "meta", "io", "location", "tags", "misc"];

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * An outcome as it counts, without its empty fields. Each group, which is an outcome with others in its field `nested`,
 * gets the success of its least successful child (false < null < true) if that is less than its own; children with
 * `meta.skipped` do not count. A success that is missing, or neither true nor false, is null.
 */
export function tidied(value: JsonObject): Xeme {
  const children = Array.isArray(value["nested"]) ? value["nested"].map((one) => (isJsonObject(one) ? tidied(one) : one)) : null;
  let success = typeof value["success"] === "boolean" ? value["success"] : null;
  for (const child of children ?? [])
    if (!isSkipped(child)) success = lesser(success, isJsonObject(child) ? child["success"] : null);
  return withoutEmpty({ ...value, success, ...(children && { nested: children }) }) as unknown as Xeme;
}

/** An outcome without its empty fields. */
export function withoutEmpty(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key, field]) => !OPTIONAL_FIELDS.includes(key) || !isEmpty(field)));
}

/** The class of the first error of a tidied outcome, or, if it names none, of what failed within it; null without one. */
export function firstErrorClass(xeme: JsonObject): string | null {
  const { errors, nested } = xeme;
  for (const error of Array.isArray(errors) ? errors : []) {
    if (isJsonObject(error) && typeof error["class"] === "string" && error["class"] !== "") return error["class"];
  }
  for (const child of Array.isArray(nested) ? nested : []) {
    const hasFailed = isJsonObject(child) && child["success"] === false && !isSkipped(child);
    const found = hasFailed ? firstErrorClass(child) : null;
    if (found !== null) return found;
  }
  return null;
}

function lesser(own: boolean | null, child: unknown): boolean | null {
  if (own === false || child === false) return false;
  return own === true && child === true ? true : null;
}

function isSkipped(child: unknown): boolean {
  return isJsonObject(child) && isJsonObject(child["meta"]) && child["meta"]["skipped"] === true;
}

function isEmpty(field: unknown): boolean {
  if (field === null || field === undefined || field === "") return true;
  return Array.isArray(field) ? field.length === 0 : typeof field === "object" && Object.keys(field).length === 0;
}
