/**
 * Finds the JSON value that megabytes of mixed output end with, in one pass backwards.
 *
 * Read backwards, JSON is unambiguous: between the brackets of a value a backslash stands in a string only, so the
 * number of backslashes before a quote tells whether the quote belongs to the string or bounds it. Therefore at most one
 * ending of a text is a JSON object or array, whatever stands before it: its start is where the last bracket's partner
 * is, and one `JSON.parse` from there decides.
 */

/** Values that are nested deeper are not taken. */
export const MAX_JSON_DEPTH = 500;

const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, QUOTE, BACKSLASH] = [0x7b, 0x7d, 0x5b, 0x5d, 0x22, 0x5c];
const [NUL, TAB, NEWLINE, RETURN, SPACE] = [0x00, 0x09, 0x0a, 0x0d, 0x20];

/** What a text ends with. */
export type TrailingJson =
  /** There is nothing but white space. */
  | { readonly kind: "nothing" }
  /** There is text, but no JSON at its end. */
  | { readonly kind: "text"; readonly isTooDeep: boolean }
  /** Something that is not an object: an array anywhere, or any other value alone on the last line. */
  | { readonly kind: "other"; readonly type: "array" | "number" | "string" | "boolean" | "null" }
  /** An object, which starts at the byte `start`. */
  | { readonly kind: "object"; readonly value: { readonly [key: string]: unknown }; readonly start: number };

/**
 * What a text ends with, white space and NULs after it aside. Takes time in proportion to the text, whatever is in it,
 * and never throws. Bytes that are not UTF-8 count as U+FFFD, of equal keys the last one counts.
 */
export function trailingJson(bytes: Uint8Array): TrailingJson {
  let end = bytes.length;
  while (end > 0 && isBlank(bytes[end - 1]!)) end--;
  if (end === 0) return { kind: "nothing" };
  const last = bytes[end - 1];
  return last === CLOSE_BRACE || last === CLOSE_BRACKET ? bracketed(bytes, end) : lastLine(bytes, end);
}

/** An object or array that ends before `end`. */
function bracketed(bytes: Uint8Array, end: number): TrailingJson {
  let depth = 0;
  for (let at = end - 1; at >= 0; at--) {
    const byte = bytes[at];
    if (byte === QUOTE) at = openingQuote(bytes, at);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (++depth > MAX_JSON_DEPTH) return { kind: "text", isTooDeep: true };
    } else if ((byte === OPEN_BRACE || byte === OPEN_BRACKET) && --depth === 0) {
      const value = parsed(bytes, at, end);
      if (value === undefined) break;
      if (Array.isArray(value)) return { kind: "other", type: "array" };
      return { kind: "object", value: value as { [key: string]: unknown }, start: at };
    }
  }
  return { kind: "text", isTooDeep: false };
}

/** Where the string starts whose last quote is at `closing`; -1 when nowhere. */
function openingQuote(bytes: Uint8Array, closing: number): number {
  for (let at = closing - 1; at >= 0; at--) {
    if (bytes[at] !== QUOTE) continue;
    let first = at;
    while (first > 0 && bytes[first - 1] === BACKSLASH) first--;
    if ((at - first) % 2 === 0) return at;
  }
  return -1;
}

/** A number, string or word that stands alone on its line. */
function lastLine(bytes: Uint8Array, end: number): TrailingJson {
  let start = end;
  while (start > 0 && bytes[start - 1] !== NEWLINE && bytes[start - 1] !== RETURN) start--;
  const value = parsed(bytes, start, end);
  if (value === undefined) return { kind: "text", isTooDeep: false };
  return { kind: "other", type: value === null ? "null" : (typeof value as "number" | "string" | "boolean") };
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB || byte === NUL;
}

/** The value between two places, or undefined when it is not JSON. */
function parsed(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8"));
  } catch {
    return undefined;
  }
}
