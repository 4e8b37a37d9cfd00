/** The string built-ins, row by row (language.md §12). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { standard } from "../../../modules/standard/index.ts";
import { Dict, NumberArray, type Value, ValueArray } from "../../../runtime/values.ts";
import { bareHost, CountingTask, callerOf } from "../../helpers/call-row.ts";

const call = callerOf(standard());
const limited = (maxBytes: number) => callerOf(standard(), bareHost, new CountingTask({ maxBytes }));

describe("results", () => {
  const words = new ValueArray("string", [1], () => "w");
  test.each<[string, Value[], Value]>([
    ["LEN", ["日本 😀"], 4],
    ["LEN", ["\udcff\udc80"], 2],
    ["LEN", [[1, 2]], 2],
    ["LEN", [new Dict([["a", 1]])], 1],
    ["LEN", [new NumberArray("number", [2, 3])], 12],
    ["LEN", [-2.5], 4],
    ["LEN", [true], 4],
    ["LEN", [null], 4],
    ["LEFT$", ["a😀b", 2], "a😀"],
    ["LEFT$", ["abc", 99], "abc"],
    ["LEFT$", ["abc", 0], ""],
    ["LEFT$", ["abc", -1], ""],
    ["LEFT$", ["abc", 2 ** 53 - 1], "abc"],
    ["RIGHT$", ["a😀", 1], "😀"],
    ["RIGHT$", ["abc", 2.9], "bc"],
    ["RIGHT$", ["abc", 99], "abc"],
    ["RIGHT$", ["abc", 0], ""],
    ["MID$", ["banana", 2, 3], "ana"],
    ["MID$", ["banana", 3], "nana"],
    ["MID$", ["banana", 0, 2], "ba"],
    ["MID$", ["banana", -5, 2], "ba"],
    ["MID$", ["banana", 99, 2], ""],
    ["MID$", ["banana", 5, 99], "na"],
    ["MID$", ["banana", 3, 0], ""],
    ["MID$", ["banana", 3, -1], ""],
    ["MID$", ["日本語😀x", 4, 1], "😀"],
    ["MID$", ["banana", 2.9, 1.9], "a"],
    ["INSTR", ["banana", "na"], 3],
    ["INSTR", ["banana", "b"], 1],
    ["INSTR", ["banana", "zz"], 0],
    ["INSTR", ["banana", "na", 4], 5],
    ["INSTR", ["banana", "na", 6], 0],
    ["INSTR", ["banana", "b", -3], 1],
    ["INSTR", ["abc", ""], 1],
    ["INSTR", ["abc", "", 3], 3],
    ["INSTR", ["abc", "", 4], 4],
    ["INSTR", ["abc", "", 5], 0],
    ["INSTR", ["😀b", "b"], 2],
    ["INSTR_BASIL", ["banana", "na"], 2],
    ["INSTR_BASIL", ["banana", "na", 3], 4],
    ["INSTR_BASIL", ["banana", "zz"], 0],
    ["INSTR_BASIL", ["banana", ""], 0],
    ["INSTR_BASIL", ["banana", "", 3], 3],
    ["INSTR_BASIL", ["banana", "", 99], 6],
    ["INSTR_BASIL", ["banana", "a", 99], 0],
    ["INSTR_BASIL", ["banana", "a", 6], 0],
    ["INSTR_BASIL", ["banana", "b", -1], 0],
    ["INSTR", ["banana", "", Number.NaN], 1],
    ["INSTR", ["banana", "a", Number.POSITIVE_INFINITY], 0],
    ["INSTR_BASIL", ["banana", "n", Number.NaN], 2],
    ["LEFT$", ["abc", Number.NaN], ""],
    ["LEFT$", ["abc", Number.POSITIVE_INFINITY], "abc"],
    ["RIGHT$", ["abc", Number.POSITIVE_INFINITY], "abc"],
    ["MID$", ["abc", Number.NaN, Number.POSITIVE_INFINITY], "abc"],
    ["MID$", ["abc", Number.POSITIVE_INFINITY, 1], ""],
    ["CHR$", [Number.NaN], ""],
    ["STARTSWITH%", ["basil", "ba"], 1],
    ["STARTSWITH%", ["basil", "Ba"], 0],
    ["STARTSWITH%", ["basil", ""], 1],
    ["ENDSWITH%", ["basil", "ba"], 0],
    ["ENDSWITH%", ["basil", "il"], 1],
    ["UCASE$", ["straße é"], "STRASSE É"],
    ["LCASE$", ["AÉ"], "aé"],
    ["TRIM$", ["  x \t\r\n"], "x"],
    ["TRIM$", ["\u0085\u00a0\u2003x\u3000\u2028"], "x"],
    ["TRIM$", ["\ufeffx"], "\ufeffx"],
    ["TRIM$", ["   "], ""],
    ["LTRIM$", ["  a "], "a "],
    ["RTRIM$", [" a  "], " a"],
    ["CHR$", [65], "A"],
    ["CHR$", [65.9], "A"],
    ["CHR$", [9731], "☃"],
    ["CHR$", [0x1f600], "😀"],
    ["CHR$", [-1], ""],
    ["CHR$", [0xd800], ""],
    ["CHR$", [0x110000], ""],
    ["ASC%", ["é"], 233],
    ["ASC%", [""], 0],
    ["ASC", ["😀x"], 0x1f600],
    ["STRING$", [3, "ab"], "ababab"],
    ["STRING$", [3, 65], "AAA"],
    ["STRING$", [2, 256 + 66.7], "BB"],
    ["STRING$", [1, -190], "B"],
    ["STRING$", [0, "x"], ""],
    ["STRING$", [-5, "x"], ""],
    ["SPACE$", [2], "  "],
    ["SPACE$", [-1], ""],
    ["REPLACE$", ["banana", "an", "AN"], "bANANa"],
    ["REPLACE$", ["aaa", "a", "b", 2], "bba"],
    ["REPLACE$", ["aaa", "a", "b", 0], "aaa"],
    ["REPLACE$", ["aaa", "aa", "b"], "ba"],
    ["REPLACE$", ["x", "", "y"], "x"],
    ["REPLACE$", ["a.b.c", ".", "$&"], "a$&b$&c"],
    ["JOIN$", [["x", 1, true], "/"], "x/1/true"],
    ["JOIN$", [[], ","], ""],
    ["JOIN$", [words, "-"], "w-w"],
    ["JOIN$", [new NumberArray("integer", [2]), ""], "000"],
    ["CONTAINS%", ["hello", "ell"], 1],
    ["CONTAINS%", ["hello", "L"], 0],
    ["CONTAINS%", [[1, 2], 2], 1],
    ["CONTAINS%", [[[1], "a"], [1]], 1],
    ["CONTAINS%", [["a"], "b"], 0],
    ["CONTAINS%", [words, "w"], 1],
    ["STR$", [5], "5"],
    ["STR$", [-2.5], "-2.5"],
    ["STR$", [[1, "a"]], "[1, a]"],
    ["VAL", ["12.5abc"], 12.5],
    ["VAL", ["  -3 "], -3],
    ["VAL", ["\u00a0+7"], 7],
    ["VAL", ["abc"], 0],
    ["VAL", [""], 0],
    ["VAL", ["&HfF"], 255],
    ["VAL", ["&b101x"], 5],
    ["VAL", ["&H"], 0],
    ["VAL", ["1e3"], 1000],
    ["VAL", ["1e"], 1],
    ["VAL", [".5."], 0.5],
    ["VAL", ["5."], 5],
    ["VAL", ["."], 0],
    ["VAL", ["- 3"], 0],
    ["VAL", [42.5], 42.5],
    ["VAL", [true], 1],
  ])("%s of %j is %j", (name, args, result) => {
    expect(call(name, ...args)).toEqual(result);
  });

  test.each<[string, Value[], Value[]]>([
    ["SPLIT", ["a,b,,c", ","], ["a", "b", "", "c"]],
    ["SPLIT", ["abc", ""], ["a", "b", "c"]],
    ["SPLIT", ["a😀b", ""], ["a", "😀", "b"]],
    ["SPLIT", ["a😀b", "", 2], ["a", "😀b"]],
    ["SPLIT", ["abc", "", 2], ["a", "bc"]],
    ["SPLIT", ["abc", "", 1], ["abc"]],
    ["SPLIT", ["a-b-c", "-", 2], ["a", "b-c"]],
    ["SPLIT", ["a-b-c", "-", 1], ["a-b-c"]],
    ["SPLIT", ["a-b-c", "-", 9], ["a", "b", "c"]],
    ["SPLIT", ["", ","], [""]],
    ["SPLIT", ["", ""], []],
  ])("%s of %j is %j", (name, args, result) => {
    expect(call(name, ...args)).toEqual(result);
  });
});

test.each<[string, Value[], string, string]>([
  ["LEFT$", [123, 2], "TYPE_ERROR", "LEFT$ arg 1 must be string"],
  ["STRING$", [2, null], "TYPE_ERROR", "expected number"],
  ["SPLIT", ["a", ",", 0], "ARGUMENT_ERROR", "SPLIT: max must be 1 or more, not 0"],
  ["JOIN$", ["abc", ","], "TYPE_ERROR", "JOIN$ arg 1 must be a list or array"],
  ["CONTAINS%", ["abc", 1], "TYPE_ERROR", "CONTAINS% arg 2 must be string"],
  ["CONTAINS%", [5, 1], "TYPE_ERROR", "CONTAINS% arg 1 must be string, list or array"],
  ["VAL", [[]], "TYPE_ERROR", "VAL arg 1 must be string"],
])("%s of %j is a %s: %s", (name, args, errorName, message) => {
  expect(() => call(name, ...args)).toThrow(expect.objectContaining({ errorName, message }));
});

describe("a byte never matches half of a character", () => {
  // U+1F480 is the pair D83D DC80, and DC80 alone stands for the byte 0x80.
  const skull = "\u{1f480}";
  const byte = "\udc80";
  test.each<[string, Value[], Value]>([
    ["INSTR", [skull + byte, byte], 2],
    ["INSTR", [skull, byte], 0],
    ["CONTAINS%", [skull, byte], 0],
    ["ENDSWITH%", [skull, byte], 0],
    ["STARTSWITH%", [skull, "\ud83d"], 0],
    ["REPLACE$", [skull + byte, byte, "x"], `${skull}x`],
    ["SPLIT", [skull + byte + skull, byte], [skull, skull]],
    ["SPLIT", [skull + byte, ""], [skull, byte]],
  ])("%s of %j is %j", (name, args, result) => {
    expect(call(name, ...args)).toEqual(result);
  });
});

/** Texts long enough to be indexed, with and without characters of two UTF-16 units. */
const longText = fc
  .array(fc.constantFrom("a", "b", "é", "€", "😀", "\udcff"), { minLength: 0, maxLength: 400 })
  .map((parts) => parts.join(""));

test("MID$, LEFT$, RIGHT$, LEN and INSTR count code points in texts of every length", () => {
  fc.assert(
    fc.property(longText, fc.nat(420), fc.nat(420), (text, start, count) => {
      const points = [...text];
      expect(call("LEN", text)).toBe(points.length);
      expect(call("MID$", text, start + 1, count)).toBe(points.slice(start, start + count).join(""));
      expect(call("LEFT$", text, count)).toBe(points.slice(0, count).join(""));
      expect(call("RIGHT$", text, count)).toBe(count === 0 ? "" : points.slice(-count).join(""));
      const found = points.indexOf("😀", start);
      expect(call("INSTR", text, "😀", start + 1)).toBe(found + 1);
    }),
    { numRuns: 300 },
  );
});

test("SPLIT and JOIN$ undo each other", () => {
  fc.assert(
    fc.property(longText, fc.constantFrom(",", "ab", "😀", "\udcff"), (text, separator) => {
      expect(call("JOIN$", call("SPLIT", text, separator), separator)).toBe(text);
    }),
  );
});

test("STR$ and VAL undo each other for every finite number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(call("VAL", call("STR$", value))).toBe(value);
    }),
  );
});

describe("limits", () => {
  test.each<[string, Value[]]>([
    ["STRING$", [1000, "x"]],
    ["SPACE$", [1000]],
    ["REPLACE$", ["a".repeat(50), "a", "b".repeat(10)]],
    ["JOIN$", [Array.from({ length: 50 }, () => "12345"), ", "]],
    ["SPLIT", ["a".repeat(50), ""]],
  ])("%s refuses a result over the host's limit", (name, args) => {
    expect(() => limited(100)(name, ...args)).toThrow("over the limit of 100");
  });

  test("a string longer than JavaScript holds is an ARGUMENT_ERROR", () => {
    const message = /STRING\$: a string of 10000000000 characters is over the limit of 5368\d+/;
    expect(() => call("STRING$", 10_000_000_000, "x")).toThrow(message);
    const parts = Array.from({ length: 1000 }, () => "x".repeat(1_000_000));
    expect(() => call("JOIN$", parts, "")).toThrow("over the limit");
    expect(() => call("REPLACE$", "a".repeat(100_000), "a", "b".repeat(100_000))).toThrow("over the limit");
  });

  test("a pass over a long text counts as steps", () => {
    const counted = callerOf(standard());
    counted("REPLACE$", "ab".repeat(50_000), "a", "c");
    expect(counted.task.spent).toBeGreaterThan(1000);
  });
});

test.each(["plain text ", "accents é€ ", "pairs 😀 "])("walking through a long text stays linear: %s", (piece) => {
  const text = piece.repeat(20_000);
  const started = performance.now();
  const length = call("LEN", text) as number;
  let at = 0;
  for (let i = 1; i <= length; i += 2) {
    call("MID$", text, i, 1);
    call("ASCB%", text, i);
    at = call("INSTR", text, " ", at + 1) as number;
  }
  expect(performance.now() - started).toBeLessThan(10_000);
});
