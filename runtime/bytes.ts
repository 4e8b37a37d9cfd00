/** The one place where payload bytes become text and text becomes bytes, exactly, whatever the bytes are. */
import { isAscii, isUtf8 } from "node:buffer";

/**
 * Bytes as text: valid UTF-8 is decoded; each byte that is not part of valid UTF-8 becomes the lone surrogate
 * 0xDC00 + byte, so that `encodeText` gives back exactly the same bytes. `Buffer.of(0x41, 0xff)` is `"A\udcff"`.
 */
export function decodeBytes(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString("latin1");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const units = Buffer.allocUnsafe(bytes.length * 2);
  let end = 0;
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    if (first < 0x80) {
      units[end++] = first;
      units[end++] = 0;
      at += 1;
      continue;
    }
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      units[end++] = first;
      units[end++] = 0xdc;
      at += 1;
    } else {
      end = putCodePoint(units, end, codePointAt(bytes, at, length));
      at += length;
    }
  }
  return units.toString("utf16le", 0, end);
}

function putUnit(units: Buffer, end: number, unit: number): number {
  units[end] = unit & 0xff;
  units[end + 1] = unit >> 8;
  return end + 2;
}

function putCodePoint(units: Buffer, end: number, codePoint: number): number {
  if (codePoint < 0x10000) return putUnit(units, end, codePoint);
  const high = putUnit(units, end, 0xd7c0 + (codePoint >> 10));
  return putUnit(units, high, 0xdc00 + (codePoint & 0x3ff));
}

/** The code point of a valid UTF-8 sequence of two bytes or more. */
function codePointAt(bytes: Buffer, at: number, length: number): number {
  let codePoint = bytes[at]! & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) codePoint = (codePoint << 6) | (bytes[at + i]! & 0x3f);
  return codePoint;
}

/** Length of the valid UTF-8 sequence of two bytes or more at an offset, 0 when there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return length;
}

/** Text as bytes: UTF-8; U+DC80…U+DCFF standing alone give back their byte; any other lone surrogate is U+FFFD. */
export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const bytes = Buffer.allocUnsafe(text.length * MAX_BYTES_OF_UNIT);
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // A low surrogate is met here only when it stands alone: pairs are taken whole.
    if (unit < 0x80) bytes[end++] = unit;
    else if (isByte(unit)) bytes[end++] = unit - 0xdc00;
    else {
      const codePoint = text.codePointAt(at)!;
      end = putUtf8(bytes, end, isLone(codePoint) ? 0xfffd : codePoint);
      if (codePoint > 0xffff) at += 1;
    }
  }
  return Buffer.from(bytes.subarray(0, end));
}

/** Bytes that one UTF-16 unit takes at most in UTF-8. */
const MAX_BYTES_OF_UNIT = 3;

/** How many bytes `encodeText` gives: `byteLength("é")` is 2. */
export function byteLength(text: string): number {
  const length = Buffer.byteLength(text, "utf8");
  if (text.isWellFormed()) return length;
  let lone = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isByte(unit)) lone += 1;
    else if (unit >= 0xd800 && unit <= 0xdbff && text.codePointAt(at)! > 0xffff) at += 1;
  }
  // Node counts a lone surrogate as the three bytes of U+FFFD; a byte is one.
  return length - 2 * lone;
}

const isLone = (codePoint: number): boolean => codePoint >= 0xd800 && codePoint <= 0xdfff;
/** Whether a unit that is no second half of a pair stands for one byte. */
const isByte = (unit: number): boolean => unit >= 0xdc80 && unit <= 0xdcff;

function putUtf8(bytes: Buffer, end: number, codePoint: number): number {
  if (codePoint < 0x800) bytes[end++] = 0xc0 | (codePoint >> 6);
  else {
    if (codePoint < 0x10000) bytes[end++] = 0xe0 | (codePoint >> 12);
    else {
      bytes[end++] = 0xf0 | (codePoint >> 18);
      bytes[end++] = 0x80 | ((codePoint >> 12) & 0x3f);
    }
    bytes[end++] = 0x80 | ((codePoint >> 6) & 0x3f);
  }
  bytes[end++] = 0x80 | (codePoint & 0x3f);
  return end;
}
