/**
 * Reads JSON into BASIC values in one pass. Not JSON.parse: that reorders integer-like keys and treats `__proto__`
 * specially, and a DICT keeps exactly the keys of the text, in their order.
 */
import { BasilError } from "../../runtime/errors.ts";
import { Dict, type Value } from "../../runtime/values.ts";

/** Deepest nesting accepted: what can still be shown and compared. */
export const MAX_JSON_DEPTH = 1000;

/**
 * The value of a JSON text. Unpaired surrogate escapes become U+FFFD, except `\udc80` to `\udcff`: as in runtime/bytes.ts they
 * stand for a byte, and so JSON.STRINGIFY$ writes it. A key given twice keeps its last value.
 *
 * @param caller names the built-in in the message: `JSON.PARSE: invalid JSON: …`
 */
export function parseJson(text: string, caller: string): Value {
  const reader = new JsonReader(text, caller);
  return reader.document();
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS: Readonly<Record<string, readonly [word: string, value: Value]>> = {
  t: ["true", true],
  f: ["false", false],
  n: ["null", null],
};
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Whether a surrogate stands for a byte that is no valid UTF-8. */
const isByteUnit = (unit: number): boolean => unit >= 0xdc80 && unit <= 0xdcff;

class JsonReader {
  readonly #text: string;
  readonly #caller: string;
  readonly #number = new RegExp(NUMBER);
  #at = 0;

  constructor(text: string, caller: string) {
    this.#text = text;
    this.#caller = caller;
  }

  document(): Value {
    const value = this.#value(0);
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(depth: number): Value {
    if (depth > MAX_JSON_DEPTH) throw this.#invalid(`nested deeper than ${MAX_JSON_DEPTH}`);
    this.#skipBlanks();
    const character = this.#text[this.#at];
    if (character === '"') return this.#string();
    if (character === "{") return this.#object(depth);
    if (character === "[") return this.#array(depth);
    const word = character === undefined ? undefined : WORDS[character];
    if (!word) return this.#numeric();
    if (!this.#text.startsWith(word[0], this.#at)) throw this.#unexpected();
    this.#at += word[0].length;
    return word[1];
  }

  #object(depth: number): Dict {
    const dict = new Dict();
    if (this.#opensEmpty("}")) return dict;
    do {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') throw this.#unexpected();
      const key = this.#string();
      this.#skipBlanks();
      if (this.#text[this.#at] !== ":") throw this.#unexpected();
      this.#at += 1;
      dict.map.set(key, this.#value(depth + 1));
    } while (this.#hasMore("}"));
    return dict;
  }

  #array(depth: number): Value[] {
    const list: Value[] = [];
    if (this.#opensEmpty("]")) return list;
    do list.push(this.#value(depth + 1));
    while (this.#hasMore("]"));
    return list;
  }

  /** Steps over the opening bracket, and over the closing one when it follows. */
  #opensEmpty(close: string): boolean {
    this.#at += 1;
    this.#skipBlanks();
    if (this.#text[this.#at] !== close) return false;
    this.#at += 1;
    return true;
  }

  /** Steps over a comma (true) or the closing bracket (false). */
  #hasMore(close: string): boolean {
    this.#skipBlanks();
    const character = this.#text[this.#at];
    if (character !== "," && character !== close) throw this.#unexpected();
    this.#at += 1;
    return character === ",";
  }

  #numeric(): number {
    this.#number.lastIndex = this.#at;
    const match = this.#number.exec(this.#text);
    if (!match) throw this.#unexpected();
    this.#at += match[0].length;
    return Number(match[0]);
  }

  #string(): string {
    this.#at += 1;
    let text = "";
    let from = this.#at;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === QUOTE) {
        const rest = this.#text.slice(from, this.#at);
        this.#at += 1;
        return text === "" ? rest : text + rest;
      }
      if (unit === BACKSLASH) {
        text += this.#text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else if (unit >= 0x20) this.#at += 1;
      else throw this.#unexpected();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") return this.#unicodeEscape();
    const character = ESCAPES[letter];
    if (character === undefined) throw this.#invalid("bad escape");
    this.#at += 2;
    return character;
  }

  #unicodeEscape(): string {
    const unit = this.#escapedUnit(this.#at);
    if (unit === undefined) throw this.#invalid("bad escape");
    this.#at += 6;
    if (unit < 0xd800 || unit > 0xdfff || isByteUnit(unit)) return String.fromCharCode(unit);
    const next = unit < 0xdc00 ? this.#escapedUnit(this.#at) : undefined;
    if (next === undefined || next < 0xdc00 || next > 0xdfff) return "\ufffd";
    this.#at += 6;
    return String.fromCharCode(unit, next);
  }

  /** The unit of a `\uXXXX` at an offset, or undefined. */
  #escapedUnit(at: number): number | undefined {
    const digits = this.#text.slice(at, at + 6);
    return /^\\u[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits.slice(2), 16) : undefined;
  }

  #skipBlanks(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at += 1;
    }
  }

  #unexpected(): BasilError {
    const codePoint = this.#text.codePointAt(this.#at);
    if (codePoint === undefined) return this.#invalid("it ends too early");
    return this.#invalid(`unexpected ${JSON.stringify(String.fromCodePoint(codePoint))}`);
  }

  #invalid(problem: string): BasilError {
    const before = this.#text.slice(0, this.#at).split("\n");
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
    return new BasilError("JSON_ERROR", `${this.#caller}: invalid JSON: ${problem} at ${place}`);
  }
}
