/** The module JSON and the two JSON built-ins (language.md §12). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { json } from "../../../modules/json/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import { decodeBytes } from "../../../runtime/bytes.ts";
import { Dict, isEqual, NumberArray, type Value, ValueArray } from "../../../runtime/values.ts";
import { bareHost, CountingTask, callerOf } from "../../helpers/call-row.ts";

const call = callerOf(json());
const builtin = callerOf(standard());
const parse = (text: string): Value => call("PARSE", text);
const write = (value: Value): Value => call("STRINGIFY$", value);
const dict = (entries: Record<string, Value>): Dict => new Dict(Object.entries(entries));

describe("JSON.PARSE", () => {
  test.each<[string, Value]>([
    ["null", null],
    [" true\n", true],
    ["false", false],
    ["-0", -0],
    ["12.50", 12.5],
    ["-1e3", -1000],
    ["1E+2", 100],
    ["1e999", Number.POSITIVE_INFINITY],
    ['""', ""],
    ['"a\\"\\\\\\/\\b\\f\\n\\r\\tz"', 'a"\\/\b\f\n\r\tz'],
    ['"\\u00e9\\u20AC"', "é€"],
    ['"\\ud83d\\ude00"', "😀"],
    ['"é😀"', "é😀"],
    ['"\\ud83d"', "\ufffd"],
    ['"\\ude00x"', "\ufffdx"],
    ['"\\ud83d\\ud83d\\ude00"', "\ufffd😀"],
    ['"\\ud83d\\n"', "\ufffd\n"],
    ['"\udcff"', "\udcff"],
    ['"\\udc80\\uDCFF"', "\udc80\udcff"],
    ['"\\udc7f\\udd00"', "\ufffd\ufffd"],
    ['"\\ud83d\\udc80\\udc80"', "\ud83d\udc80\udc80"],
    ["[]", []],
    ["[ 1 , [ ] ]", [1, []]],
  ])("reads %j as %o", (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  test("keeps the keys of an object as they are, in their order", () => {
    const found = parse('{"b":1,"10":2,"2":3,"__proto__":{"x":1},"constructor":4,"":5}') as Dict;
    expect([...found.map.keys()]).toEqual(["b", "10", "2", "__proto__", "constructor", ""]);
    expect((found.map.get("__proto__") as Dict).map.get("x")).toBe(1);
    expect(write(found)).toBe('{"b":1,"10":2,"2":3,"__proto__":{"x":1},"constructor":4,"":5}');
  });

  test("keeps the last value of a key given twice", () => {
    expect(write(parse('{"a":1,"b":2,"a":3}'))).toBe('{"a":3,"b":2}');
  });

  test("any bytes come back from JSON as they were", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = decodeBytes(Buffer.from(bytes));
        expect(parse(write([text, dict({ [text]: 1 })]) as string)).toEqual([text, dict({ [text]: 1 })]);
      }),
    );
  });

  test("PARSE$ is the same", () => {
    expect(call("PARSE$", "[1,2]")).toEqual([1, 2]);
  });

  test.each([
    ["", "it ends too early at line 1, column 1"],
    ["{x", 'unexpected "x" at line 1, column 2'],
    ["[1,\n 2,]", 'unexpected "]" at line 2, column 4'],
    ["[1 2]", 'unexpected "2" at line 1, column 4'],
    ['{"a" 1}', 'unexpected "1" at line 1, column 6'],
    ['{"a":1,}', 'unexpected "}" at line 1, column 8'],
    ["01", 'unexpected "1" at line 1, column 2'],
    ["-", 'unexpected "-" at line 1, column 1'],
    ["1.", 'unexpected "." at line 1, column 2'],
    [".5", 'unexpected "." at line 1, column 1'],
    ["+1", 'unexpected "+" at line 1, column 1'],
    ["nul", 'unexpected "n" at line 1, column 1'],
    ["NaN", 'unexpected "N" at line 1, column 1'],
    ['"a', "it ends too early at line 1, column 3"],
    ['"a\nb"', 'unexpected "\\n" at line 1, column 3'],
    ['"\\x"', "bad escape at line 1, column 2"],
    ['"\\u12g4"', "bad escape at line 1, column 2"],
    ["[] []", 'unexpected "[" at line 1, column 4'],
    ["'a'", 'unexpected "\'" at line 1, column 1'],
    ["\u00a01", 'unexpected "\u00a0" at line 1, column 1'],
  ])("refuses %j: %s", (text, problem) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ errorName: "JSON_ERROR", code: 1012, message: `JSON.PARSE: invalid JSON: ${problem}` }),
    );
  });

  test("accepts a nesting of 1000 and refuses more without exhausting the stack", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(write(parse(nested(1000)))).toBe(nested(1000));
    expect(() => parse(nested(1002))).toThrow("nested deeper than 1000");
    expect(() => parse("[".repeat(5_000_000))).toThrow("nested deeper than 1000");
    expect(() => parse('{"a":'.repeat(1_000_000))).toThrow("nested deeper than 1000");
  });

  test("reads megabytes in linear time and counts them as steps", () => {
    const counted = callerOf(json());
    const text = `[${Array.from({ length: 100_000 }, (_, i) => `{"k${i}":"v\\n${i}"}`).join(",")}]`;
    const started = performance.now();
    expect(counted("PARSE", text)).toHaveLength(100_000);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(counted.task.spent).toBeGreaterThan(100_000);
  });

  test("agrees with JSON.parse on what is JSON and what it means", () => {
    const pieces = fc.array(
      fc.constantFrom("[", "]", "{", "}", ",", ":", '"', "\\", "1", "-", ".", "e", "true", "null", " ", '"a"', "0"),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          pieces.map((parts) => parts.join("")),
        ),
        (text) => {
          let expected: string | undefined;
          try {
            expected = JSON.stringify(sorted(JSON.parse(text)));
          } catch {}
          if (expected === undefined) expect(() => parse(text)).toThrow("invalid JSON");
          else expect(JSON.stringify(sorted(JSON.parse(write(parse(text)) as string)))).toBe(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** With the keys of objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

describe("JSON.STRINGIFY$", () => {
  const words = new ValueArray("string", [1], () => "w");
  test.each<[Value, string]>([
    [null, "null"],
    [true, "true"],
    [5, "5"],
    [1e24, "1e+24"],
    [-0, "0"],
    [Number.NaN, "null"],
    [Number.NEGATIVE_INFINITY, "null"],
    ['q"q', '"q\\"q"'],
    ["5", '"5"'],
    ["\u0001\n", '"\\u0001\\n"'],
    [[1, 2.5, "x", null], '[1,2.5,"x",null]'],
    [dict({ b: [1], a: dict({}) }), '{"b":[1],"a":{}}'],
    [new NumberArray("number", [2]), "[0,0,0]"],
    [words, '["w","w"]'],
  ])("writes %o as %s", (value, text) => {
    expect(write(value)).toBe(text);
    expect(call("STRINGIFY", value)).toBe(text);
  });

  test.each<[Value, string]>([
    [new NumberArray("number", [1, 1]), "JSON.STRINGIFY$: an array of 2 dimensions has no JSON form"],
    [{ isRoutine: true, name: "f", arity: 0 }, "JSON.STRINGIFY$: FUNCTION has no JSON form"],
    [[{ isObject: true, displayName: "GEARMAN" }], "JSON.STRINGIFY$: GEARMAN has no JSON form"],
  ])("refuses %o", (value, message) => {
    expect(() => write(value)).toThrow(expect.objectContaining({ errorName: "TYPE_ERROR", message }));
  });

  test("a list that contains itself is a STACK_ERROR", () => {
    const endless: Value[] = [];
    endless.push(endless, endless);
    expect(() => write(endless)).toThrow(expect.objectContaining({ errorName: "STACK_ERROR" }));
  });

  test("a list shared over and over ends at the host's limit", () => {
    let shared: Value[] = ["x"];
    for (let i = 0; i < 60; i++) shared = [shared, shared];
    const limited = callerOf(json(), bareHost, new CountingTask({ maxBytes: 1_000_000 }));
    expect(() => limited("STRINGIFY$", shared)).toThrow("over the limit of 1000000");
  });

  const value = fc.letrec<{ any: Value }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      fc.string({ unit: "binary" }),
      fc.array(tie("any"), { maxLength: 5 }),
      fc.array(fc.tuple(fc.string(), tie("any")), { maxLength: 5 }).map((entries) => new Dict(entries)),
    ),
  })).any;

  test("JSON.PARSE reads back what it writes, keys in order", () => {
    fc.assert(
      fc.property(value, (original) => {
        const text = write(original) as string;
        const back = parse(text);
        expect(isEqual(back, original)).toBe(true);
        expect(write(back)).toBe(text);
      }),
    );
  });
});

describe("JSON.GET", () => {
  const text = '{"a":{"l":[5,{"c":"x"}],"n":null},"a.b":1,"":2,"t":true}';
  test.each<[string, Value, Value]>([
    ["a.l[1]", 5, "5"],
    ["a.l[2].c", "x", "x"],
    ["a.l", [5, dict({ c: "x" })], '[5,{"c":"x"}]'],
    ["t", true, "true"],
    ["a.n", null, ""],
    ["a.l[3]", null, ""],
    ["a.l[0]", null, ""],
    ["a.l.c", null, ""],
    ["A.l", null, ""],
    ["zz.y", null, ""],
    ["t.x", null, ""],
    ["constructor", null, ""],
    ['["a.b"]', 1, "1"],
    ['a["l"][1]', 5, "5"],
  ])("follows %s", (path, value, shown) => {
    expect(call("GET", text, path)).toEqual(value);
    expect(call("GET$", text, path)).toBe(shown);
    expect(call("GET", parse(text), path)).toEqual(value);
  });

  test("an empty path is the value itself; lists start at 1, arrays at their index 0", () => {
    expect(call("GET", "[7]", "")).toEqual([7]);
    expect(call("GET", "[7]", "[1]")).toBe(7);
    const numbers = new NumberArray("number", [1]);
    numbers.data[1] = 9;
    expect(call("GET", dict({ n: numbers }), "n[1]")).toBe(9);
  });

  test.each(["a[", "a[x]", "a..b", ".a", "a.", "[1]a", "a.[1]", "a]"])("refuses the path %s", (path) => {
    expect(() => call("GET", text, path)).toThrow(expect.objectContaining({ errorName: "ARGUMENT_ERROR" }));
  });

  test("text that is no JSON is a JSON_ERROR", () => {
    expect(() => call("GET", "{", "a")).toThrow("JSON.GET: invalid JSON");
    expect(() => call("GET$", "{", "a")).toThrow("JSON.GET$: invalid JSON");
  });
});

describe("JSON_PARSE$ and JSON_STRINGIFY$", () => {
  test.each<[string, Value, string]>([
    ["JSON_PARSE$", '{"b":1, "a":[1,2.50,null,true]}', '{"a":[1,2.5,null,true],"b":1}'],
    ["JSON_PARSE$", '{"\uffff":1,"😀":2,"é":{"z":0,"y":5.0}}', '{"é":{"y":5,"z":0},"\uffff":1,"😀":2}'],
    ["JSON_STRINGIFY$", dict({ z: 1, a: "t" }), '{"a":"t","z":1}'],
    ["JSON_STRINGIFY$", 5, "5"],
    ["JSON_STRINGIFY$", [], "[]"],
    ["JSON_STRINGIFY$", ' {"b":1,"a":2} ', '{"a":2,"b":1}'],
    ["JSON_STRINGIFY$", "5.0", "5"],
    ["JSON_STRINGIFY$", "plain", '"plain"'],
    ["JSON_STRINGIFY$", ["5"], '["5"]'],
  ])("%s of %o is %s", (name, value, text) => {
    expect(builtin(name, value)).toBe(text);
  });

  test("a text that is no JSON is a JSON_ERROR", () => {
    expect(() => builtin("JSON_PARSE$", "{x")).toThrow(
      expect.objectContaining({ errorName: "JSON_ERROR", message: expect.stringMatching(/^JSON_PARSE\$: invalid JSON/) }),
    );
  });
});
