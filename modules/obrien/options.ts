/** Options of rows: DICTs with known keys, each with the kind of its value. */
import { BasilArray, Dict, display, typeName, type Value } from "../../runtime/values.ts";
import { ObrienError } from "../../src/core/obrien/errors.ts";

/** One option: reads its value, or says in words what fits. */
export interface OptionKind<T> {
  readonly wanted: string;
  /** Undefined when the value does not fit. */
  readonly read: (value: Value) => T | undefined;
}

const kind = <T>(wanted: string, read: (value: Value) => T | undefined): OptionKind<T> => ({ wanted, read });

const isText = (value: Value): value is string => typeof value === "string";

/** The kinds of options. Limits are checked where the values are used. */
export const KINDS = {
  text: kind("text", (value) => (isText(value) ? value : undefined)),
  whole: kind("a whole number", (value) => (typeof value === "number" && Number.isInteger(value) ? value : undefined)),
  truth: kind("TRUE or FALSE", (value) =>
    typeof value === "boolean" ? value : value === 0 || value === 1 ? value === 1 : undefined,
  ),
  texts: kind("a LIST of texts", (value) => (Array.isArray(value) && value.every(isText) ? (value as string[]) : undefined)),
  textByName: kind("a DICT of texts", (value) =>
    value instanceof Dict && [...value.map.values()].every(isText)
      ? (Object.fromEntries(value.map) as Record<string, string>)
      : undefined,
  ),
  mode: kind("implicit or positive", (value) => (value === "implicit" || value === "positive" ? value : undefined)),
  /** A time: milliseconds since 1970, or text such as 2026-11-21T08:00:00Z. */
  date: kind("milliseconds since 1970, or a text such as 2026-11-21T08:00:00Z", (value) => {
    const date = typeof value === "number" || isText(value) ? new Date(value) : undefined;
    return date && !Number.isNaN(date.getTime()) ? date : undefined;
  }),
} as const;

/** The known keys of a DICT of options. */
export type OptionTable = Readonly<Record<string, OptionKind<unknown>>>;

/** What is read of such a DICT. */
export type OptionsOf<T extends OptionTable> = {
  readonly [Key in keyof T]?: T[Key] extends OptionKind<infer V> ? V | undefined : never;
};

/** Reads options. Keys count in any case; NULL is as if the key were not there. Throws `ARGUMENT`. @param row for messages */
export function readOptions<const T extends OptionTable>(row: string, options: Dict | undefined, table: T): OptionsOf<T> {
  const found: Record<string, unknown> = {};
  for (const [key, value] of options?.map ?? []) {
    const name = key.toLowerCase();
    const known = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!known) throw new ObrienError("ARGUMENT", `${row}: there is no option ${JSON.stringify(key)}: use ${listed(table)}`);
    if (value === null) continue;
    const read = known.read(value);
    if (read === undefined) throw new ObrienError("ARGUMENT", `${row}: ${name} is ${shown(value)}: use ${known.wanted}`);
    found[name] = read;
  }
  return found as OptionsOf<T>;
}

const listed = (table: OptionTable): string => Object.keys(table).join(", ");

const shown = (value: Value): string => {
  if (isText(value)) return JSON.stringify(value.slice(0, 60));
  return typeof value === "object" &&
    value !== null &&
    (value instanceof BasilArray || !(Array.isArray(value) || value instanceof Dict))
    ? typeName(value)
    : display(value).slice(0, 60);
};
