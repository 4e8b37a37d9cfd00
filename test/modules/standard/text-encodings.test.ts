/** HTML, URLs, base64, hashes and bytes, row by row (language.md §12). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { standard } from "../../../modules/standard/index.ts";
import { decodeBytes } from "../../../runtime/bytes.ts";
import type { Value } from "../../../runtime/values.ts";
import { callerOf } from "../../helpers/call-row.ts";

const call = callerOf(standard());

test.each<[string, Value[], Value]>([
  ["HTML$", ["<a href='x'>&\"</a>"], "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;"],
  ["HTML", [5], "5"],
  ["ESCAPE$", ["O'Neil's"], "O''Neil''s"],
  ["UNESCAPE$", ["O''Neil'''s"], "O'Neil''s"],
  ["URLENCODE$", ["a b&é"], "a+b%26%C3%A9"],
  ["URLENCODE$", ["A-Z_.~9"], "A-Z_.~9"],
  ["URLENCODE$", ["\udcff+"], "%FF%2B"],
  ["URLDECODE$", ["%C3%A9+x%zz"], "é x%zz"],
  ["URLDECODE$", ["a+b"], "a b"],
  ["URLDECODE$", ["%c3%a9%"], "é%"],
  ["URLDECODE$", ["%4"], "%4"],
  ["URLDECODE$", ["%%41"], "%A"],
  ["URLDECODE$", ["%FFé"], "\udcffé"],
  ["BYTES%", ["abc"], 3],
  ["BYTES%", ["€😀"], 7],
  ["BYTES%", ["\udcff"], 1],
  ["CHRB$", [65], "A"],
  ["CHRB$", [128], "\udc80"],
  ["CHRB$", [255.9], "\udcff"],
  ["ASCB%", ["é"], 195],
  ["ASCB%", ["é", 2], 169],
  ["ASCB%", ["é", 3], -1],
  ["ASCB%", ["é", 0], -1],
  ["ASCB%", [""], -1],
  ["ASCB%", ["\udcff"], 255],
  ["HASH$", ["abc"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["BASE64_ENCODE$", ["Hello"], "SGVsbG8="],
  ["BASE64_ENCODE$", ["\udcffA\udc80"], "/0GA"],
  ["BASE64_DECODE$", ["SGVsbG8="], "Hello"],
  ["BASE64_DECODE$", ["/0GA"], "\udcffA\udc80"],
  ["BASE64_DECODE$", [""], ""],
])("%s of %j is %j", (name, args, result) => {
  expect(call(name, ...args)).toBe(result);
});

test.each(["***", "SGVsbG8", "SGVs bG8=", "A===", "=", "AB==", "AAB=", "SGVsbG8=SGVs", "-_-_", "SGVsbG8=\n"])(
  "BASE64_DECODE$ refuses %j",
  (text) => {
    expect(() => call("BASE64_DECODE$", text)).toThrow("BASE64_DECODE$: invalid base64");
  },
);

test.each([-1, 256, 1e9])("CHRB$ refuses %d", (byte) => {
  expect(() => call("CHRB$", byte)).toThrow("CHRB$ expects 0 to 255");
});

const anyText = fc.uint8Array({ maxLength: 300 }).map((bytes) => decodeBytes(Buffer.from(bytes)));

test.each([
  ["BASE64_ENCODE$", "BASE64_DECODE$"],
  ["URLENCODE$", "URLDECODE$"],
  ["ESCAPE$", "UNESCAPE$"],
])("%s and %s undo each other for any bytes", (encode, decode) => {
  fc.assert(fc.property(anyText, (text) => call(decode, call(encode, text)) === text));
});

test("BYTES%, ASCB% and CHRB$ take a string apart and put it together again", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = decodeBytes(Buffer.from(bytes));
      expect(call("BYTES%", text)).toBe(bytes.length);
      bytes.forEach((byte, index) => {
        expect(call("ASCB%", text, index + 1)).toBe(byte);
        expect(call("ASCB%", call("CHRB$", byte))).toBe(byte);
      });
    }),
  );
});
