/** Writes BASIC values as compact JSON, within the limits of the task that asks. */
import { constants } from "node:buffer";
import { BasilError } from "../../runtime/errors.ts";
import { BasilArray, type Budget, compareStrings, Dict, typeName, type Value } from "../../runtime/values.ts";
import { MAX_JSON_DEPTH } from "./parse.ts";

export interface JsonStyle {
  /** Names the built-in in messages. */
  readonly caller: string;
  /** Keys by code point instead of in the dictionary's order. */
  readonly sortsKeys: boolean;
}

/** A value as JSON. NaN, infinities and NULL are null; arrays must have one dimension; the rest has no JSON form. */
export function stringifyJson(value: Value, style: JsonStyle, budget: Budget): string {
  const writer = new JsonWriter(style, budget);
  const text = writer.write(value, 0);
  writer.finish();
  return text;
}

/** After so many characters, or values, the budget is asked again. */
const CLAIM_EVERY = 65_536;
const SPEND_EVERY = 1024;

class JsonWriter {
  readonly #style: JsonStyle;
  readonly #budget: Budget;
  #length = 0;
  #claimed = 0;
  #count = 0;

  constructor(style: JsonStyle, budget: Budget) {
    this.#style = style;
    this.#budget = budget;
  }

  finish(): void {
    this.#budget.claim(this.#length);
  }

  write(value: Value, depth: number): string {
    if (++this.#count % SPEND_EVERY === 0) this.#budget.spend(SPEND_EVERY);
    if (typeof value === "string") return this.#made(JSON.stringify(value));
    if (typeof value === "number") return this.#made(Number.isFinite(value) ? String(value) : "null");
    if (value === null || typeof value === "boolean") return this.#made(String(value));
    if (depth > MAX_JSON_DEPTH) throw new BasilError("STACK_ERROR", "a list or dictionary contains itself");
    if (Array.isArray(value)) return this.#list(value, depth);
    if (value instanceof Dict) return this.#dict(value, depth);
    if (value instanceof BasilArray && value.upper.length === 1) return this.#list(value.data, depth);
    throw new BasilError("TYPE_ERROR", `${this.#style.caller}: ${this.#describe(value)} has no JSON form`);
  }

  #describe(value: Value): string {
    return value instanceof BasilArray ? `an array of ${value.upper.length} dimensions` : typeName(value);
  }

  #list(items: ArrayLike<Value>, depth: number): string {
    const parts: string[] = [];
    for (let i = 0; i < items.length; i++) parts.push(this.write(items[i]!, depth + 1));
    this.#length += parts.length + 1;
    return `[${parts.join(",")}]`;
  }

  #dict(dict: Dict, depth: number): string {
    const entries = [...dict.map];
    if (this.#style.sortsKeys) entries.sort(([left], [right]) => compareStrings(left, right));
    const parts = entries.map(([key, item]) => `${this.#made(JSON.stringify(key))}:${this.write(item, depth + 1)}`);
    this.#length += 2 * parts.length + 1;
    return `{${parts.join(",")}}`;
  }

  #made(text: string): string {
    this.#length += text.length;
    if (this.#length > constants.MAX_STRING_LENGTH) {
      const limit = constants.MAX_STRING_LENGTH;
      throw new BasilError("ARGUMENT_ERROR", `${this.#style.caller}: the text is over the limit of ${limit} characters`);
    }
    if (this.#length - this.#claimed > CLAIM_EVERY) {
      this.#claimed = this.#length;
      this.#budget.claim(this.#length);
    }
    return text;
  }
}
