/** What a worker's output ends with, whatever stands before it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_JSON_DEPTH, trailingJson } from "../../../src/core/obrien/trailing-json.ts";

const of = (text: string | Uint8Array) => trailingJson(typeof text === "string" ? Buffer.from(text) : text);
const object = (value: unknown, start: number) => ({ kind: "object", value, start });
const text = { kind: "text", isTooDeep: false };

/** Pieces that noise is made of: much of JSON's own, in any order, and bytes that are no UTF-8. */
const noisePiece = fc.oneof(
  fc.constantFrom("{", "}", "[", "]", '"', "\\", '\\"', '{"a":', '"b":1,', ",", ":", "\n", "\0", "\ufeff", "é", "👍", "true"),
  fc.string(),
  fc.json(),
);
const noise = fc
  .tuple(fc.array(noisePiece), fc.uint8Array({ maxLength: 8 }))
  .map(([pieces, bytes]) => Buffer.concat([Buffer.from(pieces.join("")), bytes]));
const blank = fc.array(fc.constantFrom(" ", "\n", "\r\n", "\t", "\0")).map((parts) => parts.join(""));
const anyObject = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" }));

describe("an object at the end", () => {
  test.each([
    ["alone", '{"success":true}', 0],
    ["after text on the same line", 'done: {"success":true}', 6],
    ["after an unclosed bracket", '{"success":true', -1],
    ["after what would be an object around it", '{"a":{"success":true}', 5],
    ["after another object", '{"success":false}{"success":true}', 17],
    ["after a quote that is never closed", '"{"success":true}', 1],
    ["after half of a character", Buffer.concat([Buffer.from([0xf0, 0x9f, 0x91]), Buffer.from('{"success":true}')]), 3],
    ["after a byte order mark", '\ufeff{"success":true}', 3],
    ["before white space, line ends and NULs", '{"success":true}\r\n\t \n\0', 0],
    ["over lines", 'x\n{\n  "success": true\n}\n', 2],
  ])("is found %s", (_, bytes, start) => {
    expect(of(bytes)).toEqual(start < 0 ? text : object({ success: true }, start));
  });

  test.each([
    '{"a":"}"}',
    '{"a":"{"}',
    '{"a":"\\""}',
    '{"a":"\\\\"}',
    '{"a":"\\\\\\"{"}',
    '{"a":"\\\\","b":"{\\"}"}',
    '{"\\"":{"{":["]"]}}',
    "{}",
  ])("is read through its strings: %s", (json) => {
    expect(of(`noise "${json}`)).toEqual(object(JSON.parse(json), 7));
  });

  test("has the last of equal keys, numbers as JavaScript has them, and keys that mean something to JavaScript as keys", () => {
    const found = of('{"a":1,"a":2,"big":123456789012345678901234567890,"huge":1e999,"__proto__":{"x":1}}');
    if (found.kind !== "object") throw new Error(found.kind);
    expect(Object.keys(found.value)).toEqual(["a", "big", "huge", "__proto__"]);
    expect(found.value).toMatchObject({ a: 2, big: Number("123456789012345678901234567890"), huge: Number.POSITIVE_INFINITY });
    expect("x" in found.value).toBe(false);
  });

  test("has U+FFFD for bytes in its strings that are not UTF-8", () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
    expect(of(bytes)).toEqual(object({ a: "\ufffd\ufffd" }, 0));
  });

  test(`is taken down to a depth of ${MAX_JSON_DEPTH}, and not deeper`, () => {
    const deep = (depth: number) => '{"a":'.repeat(depth - 1) + "{}" + "}".repeat(depth - 1);
    expect(of(`{{{${deep(MAX_JSON_DEPTH)}`)).toMatchObject({ kind: "object", start: 3 });
    expect(of(deep(MAX_JSON_DEPTH + 1))).toEqual({ kind: "text", isTooDeep: true });
  });

  test("is found exactly, compact or over lines, after any noise and before any white space", () => {
    fc.assert(
      fc.property(noise, anyObject, fc.constantFrom(0, 2, "\t"), blank, (before, value, indent, after) => {
        const json = JSON.stringify(value, null, indent);
        const found = of(Buffer.concat([before, Buffer.from(json + after)]));
        expect(found).toEqual(object(JSON.parse(json), before.length));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("other ends", () => {
  test.each(["", " ", "\n\r\n\t", "\0\0"])("nothing is printed in %j", (bytes) => {
    expect(of(bytes)).toEqual({ kind: "nothing" });
  });

  test.each([
    ["[1,2]", "array"],
    ["log\n[]\n", "array"],
    ['x [{"a":1}]', "array"],
    ["5", "number"],
    ["done\n-1.5e3\n", "number"],
    ['"done"', "string"],
    ["true", "boolean"],
    ["\r\n  null\n", "null"],
  ])("%j is JSON that is not an object", (bytes, type) => {
    expect(of(bytes)).toEqual({ kind: "other", type });
  });

  test.each([
    "done",
    "took 5",
    'he said "so"',
    '{"success":true} ok',
    '{"success":true}}',
    '{"success":true]',
    "{success:true}",
    "}",
    "]",
    '"}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":"\n"}',
  ])("%j is text", (bytes) => {
    expect(of(bytes)).toEqual(text);
  });

  test("the rest of an object whose beginning was cut away is text, wherever the cut is", () => {
    fc.assert(
      fc.property(anyObject, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (value, share) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const cut = 1 + Math.floor(share * (bytes.length - 1));
        expect(of(bytes.subarray(cut)).kind).not.toBe("object");
      }),
      { numRuns: 2000 },
    );
  });

  test("any bytes at all have an end, and none is an error", () => {
    fc.assert(
      fc.property(noise, (bytes) => {
        expect(["nothing", "text", "other", "object"]).toContain(of(bytes).kind);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Time the processor spent, in milliseconds, which other processes do not add to. */
function busyMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe("the time it takes", () => {
  const size = 8 * 1024 * 1024;

  test.each(["{", "}", '"{"', '{"', '"', "\\", '\\"', '\\\\"', "[]", "{}", '{"a":[', "]}", '"},', "\n", "é", "0"])(
    "is less than a second for 8 MiB of %j, with or without an object after it",
    (piece) => {
      const garbage = piece.repeat(size / Buffer.byteLength(piece));
      for (const end of ["", "}", "]", '"}', '{"success":true}']) {
        const bytes = Buffer.from(garbage + end);
        const before = process.cpuUsage();
        const found = trailingJson(bytes);
        expect(busyMsSince(before)).toBeLessThan(1000);
        if (end.length > 2) expect(found).toMatchObject({ kind: "object", value: { success: true } });
      }
    },
  );

  test("grows with the output, not faster, for an object as large as it", () => {
    const bytes = Buffer.from(
      JSON.stringify({ success: true, notes: Array.from({ length: 200_000 }, (_, n) => ({ class: `{"${n}` })) }),
    );
    const before = process.cpuUsage();
    const found = trailingJson(bytes);
    expect(busyMsSince(before)).toBeLessThan(1000);
    expect(found).toMatchObject({ kind: "object", start: 0 });
  });
});
