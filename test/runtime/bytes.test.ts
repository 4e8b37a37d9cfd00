/** Bytes as text and back: exact for every byte, and the same as Node's wherever Node is exact. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { byteLength, decodeBytes, encodeText } from "../../runtime/bytes.ts";

/** Bytes as payloads are: pieces of valid text between arbitrary bytes. */
const mixedBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.string({ unit: "binary", maxLength: 6 }).map((s) => Buffer.from(s)),
    ),
  )
  .map((parts) => Buffer.concat(parts));

test("bytes → text → bytes is exact for any bytes", () => {
  fc.assert(fc.property(mixedBytes, (bytes) => encodeText(decodeBytes(bytes)).equals(bytes)));
});

test("valid UTF-8 decodes as Node decodes it, a byte order mark included", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => decodeBytes(Buffer.from(text)) === text));
  expect(decodeBytes(Buffer.from("\ufeffx"))).toBe("\ufeffx");
});

test("valid text before and after a wrong byte is decoded as text", () => {
  const bytes = Buffer.concat([Buffer.from("é€😀"), Buffer.of(0xff), Buffer.from("😀é")]);
  expect(decodeBytes(bytes)).toBe("é€😀\udcff😀é");
});

test.each([
  ["a byte that never occurs", [0xff], "\udcff"],
  ["an overlong form", [0xc0, 0x80], "\udcc0\udc80"],
  ["an overlong three-byte form", [0xe0, 0x80, 0x80], "\udce0\udc80\udc80"],
  ["an encoded surrogate", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  ["a code point over U+10FFFF", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  ["a sequence cut at the end", [0x41, 0xe2, 0x82], "A\udce2\udc82"],
])("%s becomes one lone surrogate a byte", (_name, bytes, text) => {
  expect(decodeBytes(Buffer.from(bytes))).toBe(text);
});

test("lone surrogates that stand for no byte encode as U+FFFD", () => {
  expect(encodeText("a\ud800b")).toEqual(Buffer.from("a\ufffdb"));
  expect(encodeText("\udc00\udfff\udc7f")).toEqual(Buffer.from("\ufffd\ufffd\ufffd"));
});

test("a surrogate pair is one character even when its second half looks like a byte", () => {
  expect(encodeText("\ud83d\udc80\udc80")).toEqual(Buffer.concat([Buffer.from("\ud83d\udc80"), Buffer.of(0x80)]));
});

test("byteLength counts what encodeText makes", () => {
  const units = fc.array(fc.constantFrom("a", "é", "€", "😀", "\ud83d", "\udc80", "\udcff", "\udc00", "\udfff"));
  fc.assert(
    fc.property(units, (parts) => {
      const text = parts.join("");
      return byteLength(text) === encodeText(text).length;
    }),
  );
});

test("decodes and encodes megabytes of arbitrary bytes in linear time", () => {
  const bytes = Buffer.alloc(4_000_000, Buffer.from([0xff, 0x41, 0xc3, 0xa9, 0x80, 0xf0, 0x9f, 0x98, 0x80]));
  const started = performance.now();
  expect(encodeText(decodeBytes(bytes)).equals(bytes)).toBe(true);
  expect(performance.now() - started).toBeLessThan(5000);
});
