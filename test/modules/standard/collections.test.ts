/** The built-ins for lists, dictionaries, arrays and types, row by row (language.md §12). */
import { expect, test } from "vitest";
import { standard } from "../../../modules/standard/index.ts";
import { StructType } from "../../../runtime/engine/structs.ts";
import { Dict, NumberArray, type Value, ValueArray } from "../../../runtime/values.ts";
import { bareHost, CountingTask, callerOf } from "../../helpers/call-row.ts";

const call = callerOf(standard());
const table = new NumberArray("integer", [3, 2]);
const objects = new ValueArray("any", [1], () => null);
const points = new ValueArray("struct", [1], () => new Dict(), "Point");
const gearman = { isObject: true, displayName: "GEARMAN" } as const;

test.each<[string, Value[], Value]>([
  ["UBOUND", [table], 3],
  ["UBOUND", [table, 2], 2],
  ["UBOUND", [[4, 5, 6]], 3],
  ["UBOUND", [[]], 0],
  ["LBOUND", [table], 0],
  ["LBOUND", [table, 2], 0],
  ["LBOUND", [[1]], 1],
  ["ARRAY_ROWS%", [table], 4],
  ["ARRAY_COLS%", [table], 3],
  ["TYPE$", [1], "FLOAT"],
  ["TYPE$", [table], "INTEGER[]"],
  ["TYPE$", [points], "Point[]"],
  ["DESCRIBE$", [table], "Array — elem=INTEGER, dims=4x3, size=12 (row-major)"],
  ["DESCRIBE$", [objects], "Array — elem=OBJECT, dims=2, size=2 (row-major)"],
  ["DESCRIBE$", [points], "Array — elem=Point, dims=2, size=2 (row-major)"],
  ["DESCRIBE$", [gearman], "<GEARMAN>"],
])("%s of %o is %j", (name, args, result) => {
  expect(call(name, ...args)).toBe(result);
});

test("APPEND, INSERTAT and REMOVEAT change the list in place", () => {
  const list: Value[] = [];
  expect(call("APPEND", list, "a")).toBe(1);
  expect(call("APPEND", list, "d")).toBe(2);
  expect(call("INSERTAT", list, 2, "b")).toBe(3);
  expect(call("INSERTAT", list, 4, "e")).toBe(4);
  expect(list).toEqual(["a", "b", "d", "e"]);
  expect(call("REMOVEAT", list, 1)).toBe("a");
  expect(call("REMOVEAT", list, 3)).toBe("e");
  expect(list).toEqual(["b", "d"]);
});

test("HASKEY%, KEYS, VALUES and REMOVEKEY keep to exact keys and their order", () => {
  const dict = new Dict(Object.entries({ b: 1, a: 2, c: 3 }));
  expect(call("KEYS", dict)).toEqual(["b", "a", "c"]);
  expect(call("VALUES", dict)).toEqual([1, 2, 3]);
  expect(call("HASKEY%", dict, "a")).toBe(1);
  expect(call("HASKEY%", dict, "A")).toBe(0);
  expect(call("HASKEY%", dict, "__proto__")).toBe(0);
  expect(call("HASKEY%", dict, "constructor")).toBe(0);
  expect(call("REMOVEKEY", dict, "b")).toBe(1);
  expect(call("REMOVEKEY", dict, "b")).toBe(0);
  expect(call("KEYS", dict)).toEqual(["a", "c"]);
});

test.each<[string, Value[], string, string]>([
  ["INSERTAT", [[1], 3, 0], "INDEX_ERROR", "List index out of range: 3"],
  ["INSERTAT", [[1], 0, 0], "INDEX_ERROR", "List index out of range: 0"],
  ["REMOVEAT", [[1], -0.5], "INDEX_ERROR", "List index out of range: 0"],
  ["REMOVEAT", [[1], Number.NaN], "INDEX_ERROR", "List index out of range: NaN"],
  ["REMOVEAT", [[1], 0], "INDEX_ERROR", "List index out of range: 0"],
  ["REMOVEAT", [[1], 2], "INDEX_ERROR", "List index out of range: 2"],
  ["REMOVEAT", [[], -1], "INDEX_ERROR", "List index out of range: -1"],
  ["APPEND", ["x", 1], "TYPE_ERROR", "APPEND arg 1 must be a list"],
  ["KEYS", [[]], "TYPE_ERROR", "KEYS arg 1 must be a dictionary"],
  ["HASKEY%", [new Dict(), 1], "TYPE_ERROR", "HASKEY% arg 2 must be string"],
  ["UBOUND", [table, 3], "INDEX_ERROR", "UBOUND: there is no dimension 3, only 1 to 2"],
  ["LBOUND", [[1], 0], "INDEX_ERROR", "LBOUND: there is no dimension 0, only 1 to 1"],
  ["UBOUND", ["abc"], "TYPE_ERROR", "UBOUND arg 1 must be a list or array"],
  ["ARRAY_ROWS%", [objects], "INDEX_ERROR", "ARRAY_ROWS% expects a 2-D array, not one of rank 1"],
  ["DESCRIBE$", [[1]], "TYPE_ERROR", "DESCRIBE on unsupported value: LIST"],
])("%s of %o is a %s: %s", (name, args, errorName, message) => {
  expect(() => call(name, ...args)).toThrow(expect.objectContaining({ errorName, message }));
});

test("REMOVEKEY leaves a struct its fields", () => {
  const point = new StructType(
    "Point",
    () => [["x", "number"]],
    () => expect.fail("there is no other TYPE"),
  ).create();
  expect(call("HASKEY%", point, "x")).toBe(1);
  expect(call("REMOVEKEY", point, "y")).toBe(0);
  expect(() => call("REMOVEKEY", point, "x")).toThrow("Point keeps its fields: x cannot be removed");
});

test("a list cannot grow over the host's limit on bytes", () => {
  const limited = callerOf(standard(), bareHost, new CountingTask({ maxBytes: 80 }));
  const list: Value[] = [];
  for (let i = 0; i < 10; i++) limited("APPEND", list, i);
  expect(() => limited("APPEND", list, 10)).toThrow("over the limit");
  expect(() => limited("INSERTAT", list, 1, 0)).toThrow("over the limit");
  expect(list).toHaveLength(10);
});
