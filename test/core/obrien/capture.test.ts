/** Streams of any length in bounded memory: the beginning and the end are kept, the cut is marked. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Capture, textOf } from "../../../src/core/obrien/capture.ts";

/** A stream pushed in pieces of the sizes given, over and over. */
function capture(bytes: Buffer, maxBytes: number, sizes: readonly number[] = [bytes.length || 1]) {
  const taking = new Capture(maxBytes);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + sizes[turn % sizes.length]!;
    taking.push(bytes.subarray(at, end));
    at = end;
  }
  return taking.captured();
}

describe("what is kept", () => {
  test("is everything up to the limit", () => {
    const kept = capture(Buffer.from("12345678"), 8);
    expect(kept).toEqual({ head: Buffer.alloc(0), tail: Buffer.from("12345678"), droppedBytes: 0 });
    expect(textOf(kept)).toBe("12345678");
  });

  test("is the beginning and the end over the limit, with the cut marked", () => {
    const kept = capture(Buffer.from("123456789"), 8);
    expect(kept).toEqual({ head: Buffer.from("12"), tail: Buffer.from("456789"), droppedBytes: 1 });
    expect(textOf(kept)).toBe("12\n[… 1 bytes dropped …]\n456789");
    expect(textOf(kept, 2)).toBe("12\n[… 1 bytes dropped …]\n45");
  });

  test("is nothing when there is room for nothing", () => {
    expect(capture(Buffer.from("123"), 0)).toEqual({ head: Buffer.alloc(0), tail: Buffer.alloc(0), droppedBytes: 3 });
  });

  test("is the same for all sizes of pieces, always ends as the stream does, and stays within the limit", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 100 }), sizes, (array, maxBytes, pieces) => {
        const ascii = Buffer.from(array.map((byte) => byte & 0x7f));
        const kept = capture(ascii, maxBytes, pieces);
        const headBytes = ascii.length > maxBytes ? Math.floor(maxBytes / 4) : 0;
        const tailBytes = Math.min(ascii.length, maxBytes) - headBytes;
        expect(kept.head).toEqual(ascii.subarray(0, headBytes));
        expect(kept.tail).toEqual(ascii.subarray(ascii.length - tailBytes));
        expect(kept.droppedBytes).toBe(ascii.length - headBytes - tailBytes);
      }),
      { numRuns: 2000 },
    );
  });

  test("has no half characters at the cut, whose bytes count as dropped", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), fc.integer({ min: 0, max: 60 }), (whole, maxBytes) => {
        const bytes = Buffer.from(whole.toWellFormed());
        const kept = capture(bytes, maxBytes, [7]);
        expect(kept.head.length + kept.tail.length + kept.droppedBytes).toBe(bytes.length);
        for (const part of [kept.head, kept.tail]) expect(Buffer.from(part.toString("utf8"))).toEqual(part);
      }),
      { numRuns: 500 },
    );
  });

  test("can be asked for while the stream goes on", () => {
    const taking = new Capture(8);
    taking.push(Buffer.from("1234"));
    expect(taking.captured().tail.toString()).toBe("1234");
    taking.push(Buffer.from("56789"));
    expect(taking.captured().tail.toString()).toBe("456789");
  });

  test("does not change with the buffer that was pushed", () => {
    const taking = new Capture(8);
    const chunk = Buffer.from("1234");
    taking.push(chunk);
    chunk.fill("x");
    expect(taking.captured().tail.toString()).toBe("1234");
  });
});

describe("what it costs", () => {
  test("a million pieces of a byte, and 256 MiB in large ones, are taken within seconds and the limit's memory", () => {
    const maxBytes = 1024 * 1024;
    const taking = new Capture(maxBytes);
    const byte = Buffer.from("x");
    const large = Buffer.alloc(64 * 1024, "y");
    const before = performance.now();
    const memory = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 1_000_000; n++) taking.push(byte);
    for (let n = 0; n < 4096; n++) taking.push(large);
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(4 * maxBytes);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(taking.captured().droppedBytes).toBe(1_000_000 + 4096 * 64 * 1024 - maxBytes);
  });
});
