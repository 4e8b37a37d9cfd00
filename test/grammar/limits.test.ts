/** Size and depth: 500 levels work, more are a complaint, and no text takes the parser down or more than linear time. */
import { describe, expect, test } from "vitest";
import { parseProgram } from "../../grammar/parse.ts";

const NESTED: Readonly<Record<string, (depth: number) => string>> = {
  parentheses: (depth) => `x = ${"(".repeat(depth)}1${")".repeat(depth)}`,
  calls: (depth) => `x = ${"f(".repeat(depth)}1${")".repeat(depth)}`,
  lists: (depth) => `x = ${"[".repeat(depth)}1${"]".repeat(depth)}`,
  dictionaries: (depth) => `x = ${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
  interpolations: (depth) => `x = ${'"#{'.repeat(depth)}1${'}"'.repeat(depth)}`,
  signs: (depth) => `x = ${"-".repeat(depth)}1`,
  NOT: (depth) => `x = ${"NOT ".repeat(depth)}1`,
  powers: (depth) => `x = 2${" ^ -2".repeat(depth)}`,
  BEGIN: (depth) => `${"BEGIN\n".repeat(depth)}${"END\n".repeat(depth)}`,
  braces: (depth) => `${"{".repeat(depth)}${"}".repeat(depth)}`,
  "block IF": (depth) => `${"IF a THEN\n".repeat(depth)}x = 1\n${"END IF\n".repeat(depth)}`,
  "THEN newline": (depth) => `${"IF a THEN\n".repeat(depth)}x = 1`,
  "one-line IF": (depth) => `${"IF a THEN ".repeat(depth)}x = 1`,
  "ELSE IF on one line": (depth) => `${"IF a THEN x ELSE ".repeat(depth)}y`,
  FOR: (depth) => `${"FOR i = 1 TO 2\n".repeat(depth)}${"NEXT\n".repeat(depth)}`,
  TRY: (depth) => `${"TRY\n".repeat(depth)}${"CATCH\nEND TRY\n".repeat(depth)}`,
  SELECT: (depth) => `${"SELECT CASE 1\nCASE 1\n".repeat(depth)}${"END SELECT\n".repeat(depth)}`,
  SUB: (depth) => `${"SUB a\n".repeat(depth)}${"END SUB\n".repeat(depth)}`,
};
const codes = (text: string) => parseProgram(text, { file: "t" }).complaints.map(({ code, message }) => `${code} ${message}`);

describe.each(Object.entries(NESTED))("%s", (_, nested) => {
  test("500 deep are fine", () => {
    expect(codes(nested(500))).toEqual([]);
  });
  test.each([501, 10_000])("%i deep are one complaint", (depth) => {
    expect(codes(nested(depth))).toEqual(["B0106 The source is nested deeper than 500 levels here."]);
  });
});

test("ELSEIF chains are flat, however long", () => {
  expect(codes(`IF a THEN\nx\n${"ELSE IF b THEN\ny\n".repeat(10_000)}END IF`)).toEqual([]);
});

/** A generous limit for the slowest machine; quadratic behaviour would take minutes. */
const MAX_MS = 20_000;
const MEBIBYTE = 1 << 20;
const HUGE: Readonly<Record<string, string>> = {
  "a sum": `x = 1${" + 1".repeat(250_000)}`,
  "a chain of members": `x = a${".b".repeat(300_000)}`,
  "a PRINT list": `PRINT ${"a; ".repeat(300_000)}`,
  "a string": `x = "${"a".repeat(MEBIBYTE)}"`,
  "a string without end": `x = "${"a".repeat(MEBIBYTE)}`,
  quotes: '"'.repeat(MEBIBYTE + 1),
  "a number": "1".repeat(MEBIBYTE),
  "a name": "a".repeat(MEBIBYTE),
  "unexpected characters": "?".repeat(MEBIBYTE),
  "closing braces": "}".repeat(100_000),
  "closing parentheses": ")".repeat(200_000),
  "open interpolations": '"#{'.repeat(100_000),
  "unmatched END IF": "END IF\n".repeat(20_000),
  "THEN without END IF": "IF a THEN\nx\n".repeat(50_000),
  "blank lines behind an IF": `IF a THEN b${"\n".repeat(500_000)}`,
  "DATA with quotes": 'DATA 5" x\n'.repeat(20_000),
  "broken strings": `${'x = "abc\n'.repeat(10_000)}"`,
};
test.each(Object.entries(HUGE))("%s of about a megabyte take linear time", (_, text) => {
  const start = performance.now();
  parseProgram(text, { file: "t" });
  expect(performance.now() - start).toBeLessThan(MAX_MS);
});
