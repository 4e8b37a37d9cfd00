/** What every value shows, is worth and is called, and how strings and numbers compare (language.md §4, §5, §7). */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Budget,
  compareStrings,
  Dict,
  display,
  displayNumber,
  isEqual,
  isTrue,
  NumberArray,
  toInteger,
  toNumber,
  typeName,
  type Value,
  ValueArray,
} from "../../runtime/values.ts";

const routine = { isRoutine: true, name: "f", arity: 2 } as const;
const module = { isObject: true, displayName: "GEARMAN" } as const;
const strings = new ValueArray("string", [2], () => "");
const structs = new ValueArray("struct", [1, 1], () => new Dict(), "Point");
const dict = (entries: Record<string, Value>): Dict => new Dict(Object.entries(entries));

test.each<[Value, string, string, boolean]>([
  [null, "NULL", "null", false],
  [true, "BOOL", "true", true],
  [false, "BOOL", "false", false],
  [0, "FLOAT", "0", false],
  [Number.NaN, "FLOAT", "NaN", true],
  ["", "STRING", "", false],
  ["0", "STRING", "0", true],
  [[], "LIST", "[]", false],
  [[1, "two", [3]], "LIST", "[1, two, [3]]", true],
  [new Dict(), "DICT", "{}", false],
  [dict({ k: "v", n: 1 }), "DICT", '{"k": v, "n": 1}', true],
  [new NumberArray("number", [2, 3]), "FLOAT[]", "<array Num 3x4>", true],
  [new NumberArray("integer", [0]), "INTEGER[]", "<array Int 1>", true],
  [strings, "STRING[]", "<array Str 3>", true],
  [new ValueArray("any", [1], () => null), "OBJECT[]", "<array OBJECT 2>", true],
  [structs, "Point[]", "<array Point 2x2>", true],
  [routine, "FUNCTION", "<func f /2>", true],
  [module, "GEARMAN", "<GEARMAN>", true],
])("%o is a %s that shows as %s", (value, type, shown, truth) => {
  expect(typeName(value)).toBe(type);
  expect(display(value)).toBe(shown);
  expect(isTrue(value)).toBe(truth);
});

test.each([
  [1e24, `1${"0".repeat(24)}`],
  [1 / 3e9, "0.0000000003333333333333333"],
  [1e21, `1${"0".repeat(21)}`],
  [1.5e-7, "0.00000015"],
  [-1.25e22, `-125${"0".repeat(20)}`],
  [Number.POSITIVE_INFINITY, "inf"],
  [Number.NEGATIVE_INFINITY, "-inf"],
  [-0, "-0"],
  [5, "5"],
])("%f shows as %s", (value, shown) => {
  expect(displayNumber(value)).toBe(shown);
});

test("a number shows without exponent and reads back equal", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const shown = displayNumber(value);
      return Object.is(Number(shown), value) && /^-?\d+(\.\d+)?$/.test(shown);
    }),
  );
});

const anyText = fc
  .array(fc.constantFrom("a", "z", "é", "\ud7ff", "\ue000", "\uffff", "😀", "😁", "\u{10ffff}", "\udc80"))
  .map((p) => p.join(""));

test("strings compare by code point, not by UTF-16 unit", () => {
  const points = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!);
  const byCodePoint = (left: number[], right: number[]): number => {
    for (let i = 0; i < left.length && i < right.length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
    return left.length - right.length;
  };
  fc.assert(
    fc.property(anyText, anyText, (left, right) => {
      return Math.sign(compareStrings(left, right)) === Math.sign(byCodePoint(points(left), points(right)));
    }),
  );
  expect(compareStrings("\uffff", "😀")).toBeLessThan(0);
});

test("equality is deep for lists and dictionaries, by value for BOOL, and never mixes kinds", () => {
  expect(isEqual([1, [true]], [1, [1]])).toBe(true);
  expect(isEqual(dict({ a: 1, b: [2] }), dict({ b: [2], a: 1 }))).toBe(true);
  expect(isEqual(dict({ a: 1 }), dict({ b: 1 }))).toBe(false);
  expect(isEqual(dict({ a: 1 }), dict({ a: 1, b: 1 }))).toBe(false);
  expect(isEqual("1", 1)).toBe(false);
  expect(isEqual(null, 0)).toBe(false);
  expect(isEqual(null, null)).toBe(true);
  expect(isEqual([null], [[]])).toBe(false);
  expect(isEqual([], new Dict())).toBe(false);
  expect(isEqual(strings, strings)).toBe(true);
  expect(isEqual(strings, new ValueArray("string", [2], () => ""))).toBe(false);
  expect(isEqual(Number.NaN, Number.NaN)).toBe(false);
});

test("a list that contains itself is a STACK_ERROR to show and to compare", () => {
  const endless: Value[] = [];
  endless.push(endless, endless);
  const other: Value[] = [];
  other.push(other, other);
  expect(() => display(endless)).toThrow("a list or dictionary contains itself");
  expect(() => isEqual(endless, other)).toThrow("a list or dictionary contains itself");
});

/** A list of two, of two, … : small in memory, astronomic to show. */
function shared(levels: number): Value[] {
  let list: Value[] = [1];
  for (let i = 0; i < levels; i++) list = [list, list];
  return list;
}

test("showing and comparing deeply shared lists ends at the budget", () => {
  const limited = (limit: number): Budget => {
    let spent = 0;
    return {
      claim(bytes) {
        if (bytes > limit) throw new Error("too many bytes");
      },
      spend(steps) {
        if ((spent += steps) > limit) throw new Error("too many steps");
      },
    };
  };
  expect(() => display(shared(60), limited(1_000_000))).toThrow("too many");
  expect(() => isEqual(shared(60), shared(60), limited(1_000_000))).toThrow("too many steps");
  expect(() => display(["x".repeat(20)], limited(10))).toThrow("too many bytes");
});

test("a member name finds the exact key first, else the first one equal ignoring case", () => {
  const keys = dict({ Name: 1, name: 2 });
  expect(keys.memberKey("name")).toBe("name");
  expect(keys.memberKey("NAME")).toBe("Name");
  expect(keys.memberKey("constructor")).toBeUndefined();
});

test("a % store truncates toward zero, never to -0, and refuses what is no integer", () => {
  expect(toInteger(-2.9)).toBe(-2);
  expect(Object.is(toInteger(-0.5), 0)).toBe(true);
  expect(toInteger(true)).toBe(1);
  expect(toInteger(2 ** 53 - 1)).toBe(2 ** 53 - 1);
  for (const value of [2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => toInteger(value)).toThrow("integer overflow");
  }
  for (const value of ["1", null, []]) expect(() => toInteger(value)).toThrow("ToInt expects a numeric value");
});

test("arithmetic takes numbers and BOOL only", () => {
  expect(toNumber(false)).toBe(0);
  for (const value of ["1", null, [], new Dict()]) expect(() => toNumber(value)).toThrow("expected number");
});
