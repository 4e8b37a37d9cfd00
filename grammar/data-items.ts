/** DATA statements: their items are raw text, not tokens, so they are read from the source itself. */

/** One item; an unquoted one may be a number, which READ decides. */
export interface DataItem {
  readonly text: string;
  readonly isQuoted: boolean;
}

export interface DataItems {
  readonly items: readonly DataItem[];
  /** Where the statement ends: at a `:`, the end of the line, or a comment. */
  readonly end: number;
  /** The offset of text behind a quoted item that should not be there. */
  readonly badAt: number | undefined;
}

const BLANK = /[ \t\r]/;

/** Reads the items of a DATA statement; `from` is the offset behind the word DATA. */
export function scanData(text: string, from: number): DataItems {
  const items: DataItem[] = [];
  let badAt: number | undefined;
  let at = from;
  for (;;) {
    at = skipBlanks(text, at);
    if (text[at] === '"') {
      const close = quoteEnd(text, at + 1);
      items.push({ text: text.slice(at + 1, close).replaceAll('""', '"'), isQuoted: true });
      at = skipBlanks(text, close + 1);
      if (!isItemEnd(text, at)) badAt ??= at;
      while (!isItemEnd(text, at)) at++;
    } else {
      const start = at;
      while (!isItemEnd(text, at)) at++;
      items.push({ text: text.slice(start, at).trim(), isQuoted: false });
    }
    if (text[at] !== ",") return { items, end: Math.min(at, text.length), badAt };
    at++;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && BLANK.test(text[at]!)) at++;
  return at;
}

/** The offset of the closing quote; a quote written twice is none. */
function quoteEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at;
    at++;
  }
  return text.length;
}

function isItemEnd(text: string, at: number): boolean {
  if (at >= text.length) return true;
  const character = text[at]!;
  if (character === "," || character === ":" || character === "\n" || character === "'" || character === "#") return true;
  if (character === "/") return text[at + 1] === "/";
  return (character === "R" || character === "r") && isRemark(text, at);
}

function isRemark(text: string, at: number): boolean {
  return BLANK.test(text[at - 1] ?? " ") && /^REM(?![\w$%@&])/i.test(text.slice(at, at + 4));
}
