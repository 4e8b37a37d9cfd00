/** String literals: where they end, and what their characters mean. */

const QUOTE = 34;
const HASH = 35;
const BACKSLASH = 92;
const BRACE = 123;

/** How a stretch of string text ends: at its quote, at `#{`, or not at all. */
export interface StringEnd {
  /** The offset behind the closing quote or `#{`; the length of the text when `kind` is `open`. */
  readonly end: number;
  readonly kind: "closed" | "interpolation" | "open";
}

/**
 * Finds the end of string text.
 * @param from the offset behind the opening quote, or behind the `}` of an interpolation
 */
export function scanString(text: string, from: number): StringEnd {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) {
      if (text.charCodeAt(at + 1) !== QUOTE) return { end: at + 1, kind: "closed" };
      at++;
    } else if (code === HASH && text.charCodeAt(at + 1) === BRACE) return { end: at + 2, kind: "interpolation" };
  }
  return { end: text.length, kind: "open" };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** The value of string text without its delimiters: escapes resolved, `""` one quote. */
export function decodeString(text: string): string {
  if (!text.includes("\\") && !text.includes('"')) return text;
  return text.replace(/""|\\([\s\S])/g, (_, escaped: string | undefined) =>
    escaped === undefined ? '"' : (ESCAPES[escaped] ?? escaped),
  );
}
