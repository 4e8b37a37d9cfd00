/**
 * Finds code points in JavaScript strings quickly. Strings without surrogates, nearly all, are indexed directly; for
 * the others, places of every 16th code point are kept, so that MID$ in a loop over a long text stays linear.
 */
import { encodeText } from "../../runtime/bytes.ts";

const SURROGATE = /[\ud800-\udfff]/;
/** Shorter texts are looked at each time. */
const REMEMBERED_FROM = 128;
/** How many long texts are remembered: enough for a program that compares two or three. */
const REMEMBERED_TEXTS = 4;
/** Code points between two kept places. */
const STRIDE = 16;

/** What is known of one long text. */
interface KnownText {
  readonly text: string;
  /** UTF-16 offset of every STRIDEth code point; undefined when the text has no surrogates. */
  readonly places: Uint32Array | undefined;
  /** Number of code points. */
  readonly length: number;
  bytes: Buffer | undefined;
}

/** Code point arithmetic on strings. Offsets are UTF-16 units from 0; indexes count code points from 0. */
export class TextIndex {
  readonly #known: KnownText[] = [];
  #oldest = 0;
  #last: KnownText | undefined;
  /** The text without surrogates that was looked at last: in it code points and UTF-16 units are the same. */
  #plain = "";

  /** Number of code points: 1 for `"😀"`. */
  length(text: string): number {
    if (this.#isPlain(text)) return text.length;
    return text.length < REMEMBERED_FROM ? countCodePoints(text, 0, text.length) : this.#look(text).length;
  }

  /** Offset of the code point with an index, or the text's length when it has fewer. */
  offset(text: string, index: number): number {
    if (index <= 0) return 0;
    if (index >= text.length) return text.length;
    if (this.#isPlain(text)) return index;
    if (text.length < REMEMBERED_FROM) return skip(text, 0, index);
    const places = this.#look(text).places!;
    const place = Math.floor(index / STRIDE);
    return place < places.length ? skip(text, places[place]!, index - place * STRIDE) : text.length;
  }

  /** Index of the code point at an offset. */
  index(text: string, offset: number): number {
    if (this.#isPlain(text)) return offset;
    if (text.length < REMEMBERED_FROM) return countCodePoints(text, 0, offset);
    const places = this.#look(text).places!;
    let low = 0;
    let high = places.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (places[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low * STRIDE + countCodePoints(text, places[low]!, offset);
  }

  /** The text's bytes; those of long texts are remembered, for ASCB% in a loop. */
  bytes(text: string): Buffer {
    if (text.length < REMEMBERED_FROM) return encodeText(text);
    const known = this.#look(text);
    known.bytes ??= encodeText(text);
    return known.bytes;
  }

  /** Whether a text has no surrogates. Loops ask again and again about the same one. */
  #isPlain(text: string): boolean {
    if (text === this.#plain) return true;
    const isPlain = text.length < REMEMBERED_FROM ? !SURROGATE.test(text) : this.#look(text).places === undefined;
    if (isPlain) this.#plain = text;
    return isPlain;
  }

  #look(text: string): KnownText {
    if (this.#last?.text === text) return this.#last;
    this.#last = this.#known.find((known) => known.text === text) ?? this.#remember(text);
    return this.#last;
  }

  #remember(text: string): KnownText {
    const known = SURROGATE.test(text) ? indexed(text) : { text, places: undefined, length: text.length, bytes: undefined };
    this.#known[this.#oldest] = known;
    this.#oldest = (this.#oldest + 1) % REMEMBERED_TEXTS;
    return known;
  }
}

function indexed(text: string): KnownText {
  const places = new Uint32Array(Math.ceil(text.length / STRIDE));
  let count = 0;
  for (let offset = 0; offset < text.length; count++) {
    if (count % STRIDE === 0) places[count / STRIDE] = offset;
    offset += unitsAt(text, offset);
  }
  return { text, places: places.subarray(0, Math.ceil(count / STRIDE)), length: count, bytes: undefined };
}

/** UTF-16 units of the code point at an offset: 2 for a surrogate pair. */
function unitsAt(text: string, offset: number): 1 | 2 {
  return isPairAt(text, offset) ? 2 : 1;
}

function isPairAt(text: string, offset: number): boolean {
  const unit = text.charCodeAt(offset);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(offset + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

function skip(text: string, offset: number, count: number): number {
  for (; count > 0 && offset < text.length; count--) offset += unitsAt(text, offset);
  return offset;
}

function countCodePoints(text: string, from: number, to: number): number {
  let count = 0;
  for (let offset = from; offset < to; count++) offset += unitsAt(text, offset);
  return count;
}

/** Whether an offset lies inside a surrogate pair, where no character starts. */
const splitsPair = (text: string, offset: number): boolean => offset > 0 && isPairAt(text, offset - 1);

const startsLow = (text: string): boolean => {
  const unit = text.charCodeAt(0);
  return unit >= 0xdc00 && unit <= 0xdfff;
};
const endsHigh = (text: string): boolean => {
  const unit = text.charCodeAt(text.length - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
};

/** Whether a part can be found in the middle of a character by comparing units: it starts or ends with half a pair. */
export const canSplitPairs = (part: string): boolean => startsLow(part) || endsHigh(part);

/** Offset of a part at or after an offset, or -1. A lone byte never matches half of a surrogate pair. */
export function findText(text: string, part: string, from: number): number {
  let at = text.indexOf(part, from);
  if (at < 0 || !canSplitPairs(part)) return at;
  while (at >= 0 && !isAt(text, part, at)) at = text.indexOf(part, at + 1);
  return at;
}

/** Whether a part found at an offset starts and ends between characters. */
export const isAt = (text: string, part: string, offset: number): boolean =>
  !splitsPair(text, offset) && !splitsPair(text, offset + part.length);

/** The parts between separators: all, or the first ones so that there are at most `most`, the last with the rest. */
export function splitText(text: string, separator: string, most: number): string[] {
  if (most >= text.length + 1 && !canSplitPairs(separator)) return text.split(separator);
  const parts: string[] = [];
  let from = 0;
  while (parts.length < most - 1) {
    const at = findText(text, separator, from);
    if (at < 0) break;
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  parts.push(text.slice(from));
  return parts;
}
