/** The numeric built-ins, ROUND and FORMAT$ against exact decimal arithmetic (language.md §12). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { standard } from "../../../modules/standard/index.ts";
import { displayNumber, NumberArray, type Value, ValueArray } from "../../../runtime/values.ts";
import { bareHost, callerOf } from "../../helpers/call-row.ts";

const call = callerOf(standard());

test.each<[string, Value[], Value]>([
  ["INT", [2.7], 2],
  ["INT", [-2.1], -3],
  ["INT", [-0], 0],
  ["FIX", [-2.7], -2],
  ["FIX", [-0.7], 0],
  ["ABS", [-3], 3],
  ["ABS", [true], 1],
  ["SGN", [-4], -1],
  ["SGN", [-0], 0],
  ["SGN", [0.1], 1],
  ["SQR", [16], 4],
  ["SIN", [0], 0],
  ["COS", [0], 1],
  ["TAN", [0], 0],
  ["ATN", [1], Math.PI / 4],
  ["EXP", [0], 1],
  ["LOG", [1], 0],
  ["HEX$", [255], "FF"],
  ["HEX$", [-16], "-10"],
  ["HEX$", [4096.9], "1000"],
  ["HEX$", [-0.5], "0"],
  ["MIN", [3, 1, 2], 1],
  ["MIN", [[5, 4]], 4],
  ["MAX", [7], 7],
  ["MAX", [3, true, -1], 3],
  ["MAX", [new NumberArray("number", [2])], 0],
  ["ROUND", [2.5], 3],
  ["ROUND", [-2.5], -3],
  ["ROUND", [2.4], 2],
  ["ROUND", [1.005, 2], 1.01],
  ["ROUND", [1234, -2], 1200],
  ["ROUND", [1250, -2], 1300],
  ["ROUND", [-0.4], 0],
  ["ROUND", [-0.004, 2], 0],
  ["ROUND", [0.49999999999999994], 0],
  ["ROUND", [9.995, 2], 10],
  ["ROUND", [5e-324, 400], 5e-324],
  ["ROUND", [5, -1], 10],
  ["ROUND", [5.5, Number.NaN], 6],
  ["ROUND", [5.55, Number.POSITIVE_INFINITY], 5.55],
  ["ROUND", [5.55, Number.NEGATIVE_INFINITY], 0],
  ["ROUND", [4, -1], 0],
  ["ROUND", [5, -9], 0],
  ["ROUND", [1e300, 2], 1e300],
  ["ROUND", [Number.POSITIVE_INFINITY, 2], Number.POSITIVE_INFINITY],
  ["ROUND", [Number.NaN], Number.NaN],
])("%s of %o is %d", (name, args, result) => {
  expect(Object.is(call(name, ...args), result)).toBe(true);
});

test.each<[string, Value[], string, string]>([
  ["SQR", [-1], "ARGUMENT_ERROR", "SQR of a negative number"],
  ["LOG", [0], "ARGUMENT_ERROR", "LOG of a number that is not positive"],
  ["LOG", [-1], "ARGUMENT_ERROR", "LOG of a number that is not positive"],
  ["MIN", [[]], "ARGUMENT_ERROR", "MIN of an empty list"],
  ["MAX", ["a"], "TYPE_ERROR", "expected number"],
  ["MAX", [1, [2]], "TYPE_ERROR", "expected number"],
  ["MIN", [new ValueArray("string", [1], () => "")], "TYPE_ERROR", "expected number"],
  ["HEX$", [Number.NaN], "OVERFLOW_ERROR", "integer overflow"],
  ["ABS", ["1"], "TYPE_ERROR", "expected number"],
  ["FORMAT$", ["x", "0"], "TYPE_ERROR", "expected number"],
  ["FORMAT$", [1, "none"], "ARGUMENT_ERROR", "FORMAT$: no digit placeholder in format"],
  ["FORMAT$", [1, "., ,."], "ARGUMENT_ERROR", "FORMAT$: no digit placeholder in format"],
])("%s of %j is a %s: %s", (name, args, errorName, message) => {
  expect(() => call(name, ...args)).toThrow(expect.objectContaining({ errorName, message }));
});

/** Rounds half away from zero with integers only: an independent way to the same result. */
function roundExactly(value: number, places: number): string {
  const [whole = "", fraction = ""] = displayNumber(Math.abs(value)).split(".");
  const digits = fraction.padEnd(places + 1, "0");
  const scaled = BigInt(whole + digits.slice(0, places)) + (digits[places]! >= "5" ? 1n : 0n);
  const text = scaled.toString().padStart(places + 1, "0");
  const sign = value < 0 && scaled !== 0n ? "-" : "";
  return sign + (places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`);
}

const roundable = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e25, max: 1e25 }),
  fc.integer({ min: -100_000_000, max: 100_000_000 }).map((n) => n / 1000),
);

test("FORMAT$ shows exactly the decimal that rounding the shortest form gives", () => {
  fc.assert(
    fc.property(roundable, fc.nat(12), (value, places) => {
      const picture = places === 0 ? "0" : `0.${"0".repeat(places)}`;
      expect(call("FORMAT$", value, picture)).toBe(roundExactly(value, places));
    }),
    { numRuns: 500 },
  );
});

test("ROUND gives the number nearest to what exact rounding gives", () => {
  fc.assert(
    fc.property(roundable, fc.nat(12), (value, places) => {
      expect(call("ROUND", value, places)).toBe(Number(roundExactly(value, places)) + 0);
    }),
    { numRuns: 500 },
  );
});

describe("FORMAT$", () => {
  test.each<[number, string, string]>([
    [1234.5, "#,##0.00", "1,234.50"],
    [-5, "$0.00", "-$5.00"],
    [7, "000", "007"],
    [0.256, "0.0%", "25.6%"],
    [1.005, "0%", "101%"],
    [0.285, "0.0%", "28.5%"],
    [2.5, "0.##", "2.5"],
    [2, "0.##", "2"],
    [2.456, "0.0#", "2.46"],
    [2, "0.0#", "2.0"],
    [1234567, "#,###", "1,234,567"],
    [123, "#,###", "123"],
    [7, "0,000", "0,007"],
    [1234567, "#,", "1,234,567"],
    [-0.001, "0.0", "0.0"],
    [-0.05, "0.0", "-0.1"],
    [0.5, "#.##", ".5"],
    [0, "#.##", "0"],
    [0, "#.00", ".00"],
    [0, "#", "0"],
    [0, "0", "0"],
    [12.3, ".00", "12.30"],
    [9.999, "0.00", "10.00"],
    [999.9, "#,##0", "1,000"],
    [5, "Total, all: # pieces", "Total, all: 5 pieces"],
    [5, "You have #.", "You have 5."],
    [5, "0.00, paid", "5.00, paid"],
    [5, "0.0.0", "5.0.0"],
    [1e21, "#,##0", "1,000,000,000,000,000,000,000"],
    [1e-7, "0.0000000", "0.0000001"],
    [Number.POSITIVE_INFINITY, "0.0 m", "inf m"],
    [Number.NEGATIVE_INFINITY, "$0.0", "-$inf"],
    [Number.NaN, "0.0", "NaN"],
  ])("shows %d by %j as %s", (value, format, shown) => {
    expect(call("FORMAT$", value, format)).toBe(shown);
  });

  test("without a picture it is the display form", () => {
    expect(call("FORMAT$", 2.125)).toBe("2.125");
    expect(call("FORMAT$", "x")).toBe("x");
  });

  test("reads a picture of any length in linear time", () => {
    expect(() => call("FORMAT$", 1, ",".repeat(2_000_000))).toThrow("no digit placeholder");
    expect(call("FORMAT$", 1, "0".repeat(1_000_000))).toHaveLength(1_000_000);
    expect(call("FORMAT$", 1, `0,${"0".repeat(999_999)}`)).toHaveLength(1_333_333);
  });
});

describe("RND", () => {
  test("gives numbers in [0, 1) that fill the range", () => {
    call("RANDOMIZE", 42);
    const numbers = Array.from({ length: 10_000 }, () => call("RND") as number);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const tenths = Array.from({ length: 10 }, (_, i) => numbers.filter((n) => Math.floor(n * 10) === i).length);
    for (const count of tenths) expect(count).toBeGreaterThan(850);
  });

  test("equal seeds give equal sequences, different ones different", () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (seed, other) => {
        const sequence = (start: number): Value[] => {
          call("RANDOMIZE", start);
          return [call("RND"), call("RND", 1), call("RND")];
        };
        expect(sequence(seed)).toEqual(sequence(seed));
        if (seed !== other && !Number.isNaN(seed + other)) expect(sequence(seed)).not.toEqual(sequence(other));
      }),
    );
  });

  test("0 gives the previous number again, a negative number reseeds first", () => {
    const first = call("RND", -7);
    expect(call("RND", 0)).toBe(first);
    const second = call("RND");
    expect(second).not.toBe(first);
    expect(call("RND", -7)).toBe(first);
    expect(call("RND", 1)).toBe(second);
  });

  test("without a seed it asks the host for one, and interpreters do not share a sequence", () => {
    let asked = 0;
    const host = { ...bareHost, randomSeed: () => ++asked };
    const one = callerOf(standard(), host);
    const two = callerOf(standard(), host);
    expect(one("RND", 0)).toBe(one("RND", 0));
    expect(one("RND", 0)).not.toBe(two("RND"));
    expect(asked).toBe(2);
    expect(one("RANDOMIZE")).toBe(0);
    expect(asked).toBe(3);
  });
});
