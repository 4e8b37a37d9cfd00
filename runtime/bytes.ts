/** The one place where payload bytes become text and text becomes bytes, exactly, whatever the bytes are. */
import { isAscii, isUtf8 } from "node:buffer";

/**
 * Bytes as text: valid UTF-8 is decoded; each byte that is not part of valid UTF-8 becomes the lone surrogate
 * 0xDC00 + byte, so that `encodeText` gives back exactly the same bytes. `Buffer.of(0x41, 0xff)` is `"A\udcff"`.
 */
export function decodeBytes(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString("latin1");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const parts: string[] = [];
  let validFrom = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      if (validFrom < at) parts.push(bytes.toString("utf8", validFrom, at));
      parts.push(String.fromCharCode(0xdc00 + bytes[at]!));
      at += 1;
      validFrom = at;
    } else at += length;
  }
  if (validFrom < bytes.length) parts.push(bytes.toString("utf8", validFrom, bytes.length));
  return parts.join("");
}

/** Length of the valid UTF-8 sequence at an offset, 0 when there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
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
  const parts: Buffer[] = [];
  const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  let from = 0;
  for (const match of text.matchAll(lone)) {
    if (from < match.index) parts.push(Buffer.from(text.slice(from, match.index), "utf8"));
    const unit = match[0].charCodeAt(0);
    parts.push(unit >= 0xdc80 && unit <= 0xdcff ? Buffer.of(unit - 0xdc00) : Buffer.from("\ufffd", "utf8"));
    from = match.index + 1;
  }
  if (from < text.length) parts.push(Buffer.from(text.slice(from), "utf8"));
  return Buffer.concat(parts);
}
