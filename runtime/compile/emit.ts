/** Generated text with marks that say which BASIC text each call came from, and their table once the text is whole. */
import type { Span } from "../../grammar/source.ts";

/** Generated code and, for each mark in it, where it stands and what it means. */
export interface MarkedCode {
  readonly code: string;
  /** Four numbers a mark, in order of the code: offset in `code`, file index, start and end in that file. */
  readonly marks: readonly number[];
}

/**
 * Puts a mark before a piece of code: an error raised by what starts there happened at this BASIC text.
 * JavaScript reports a call at its first character, so the last mark at or before a reported place is its mark.
 */
export const mark = (file: number, span: Span, code: string): string => `\u0001${file}:${span.start}:${span.end};${code}`;

/** Takes the marks out of the pieces of finished code, which are joined by newlines. `starts` is where each begins. */
export function takeMarks(pieces: readonly string[]): MarkedCode & { readonly starts: readonly number[] } {
  const marks: number[] = [];
  const parts: string[] = [];
  const starts: number[] = [];
  let length = 0;
  const add = (code: string): void => {
    parts.push(code);
    length += code.length;
  };
  for (const marked of pieces) {
    if (starts.length > 0) add("\n");
    starts.push(length);
    const [first, ...others] = marked.split("\u0001");
    add(first!);
    for (const piece of others) {
      const end = piece.indexOf(";");
      const [file, from, to] = piece.slice(0, end).split(":");
      marks.push(length, Number(file), Number(from), Number(to));
      add(piece.slice(end + 1));
    }
  }
  return { code: parts.join(""), marks, starts };
}

/** A JavaScript string literal of any text; control characters are escaped, so it cannot hold a mark. */
export const quote = (text: string): string => JSON.stringify(text);
