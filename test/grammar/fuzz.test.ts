/** No text makes the grammar throw, report twice, or point outside of the text. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExpression, parseProgram } from "../../grammar/parse.ts";
import { formatComplaints } from "../../grammar/report.ts";
import { RESERVED_WORDS, SOFT_WORDS } from "../../grammar/tokens.ts";
import { statement } from "../helpers/sexp.ts";

const WORDS = [...Object.keys(RESERVED_WORDS), ...Object.keys(SOFT_WORDS)];
const SCRAPS = [
  ..."abx()[]{},;:.=+-*/\\^<>'#?_\n\n\n\"",
  "1",
  "2.5",
  "5.",
  "5a",
  '"s"',
  '"#{',
  '}"',
  "b$",
  "#USE A",
  "//",
  "REM ",
  "==",
];
const PROGRAM = `10 IF a THEN
  FOR i = 1 TO 3 : PRINT i; "x", : NEXT i
ELSEIF b = {"k": [1, 2]} THEN
  WITH o
    .m = "v #{f(1) + "in"}"
  END WITH
ELSE
  TRY : RAISE "x" : CATCH e$ : SELECT CASE e$ : CASE "a" TO "b", IS > 1 : EXIT 3 : CASE ELSE : END SELECT : END TRY
END IF
SUB s(a, b$) { IF a THEN RETURN b$ ELSE GOTO 10 }
DIM r(2) AS T, s$ AS STRING * 5
DO WHILE x < 3 : x = x + 1 : LOOP
DATA 1, "two", three
`;

function check(text: string): void {
  for (const dialect of ["classic", "basil"] as const) {
    const { program, complaints } = parseProgram(text, { file: "f", dialect });
    program.body.map(statement);
    formatComplaints(complaints);
    const seen = new Set(complaints.map(({ code, span, message }) => `${code} ${span.start} ${message}`));
    expect(seen.size).toBe(complaints.length);
    for (const { span } of complaints) {
      expect(span.start).toBeGreaterThanOrEqual(0);
      expect(span.end).toBeGreaterThanOrEqual(span.start);
      expect(span.end).toBeLessThanOrEqual(text.length);
    }
  }
  parseExpression(text, { file: "f" });
}

const scrap = fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...SCRAPS));

test("random characters", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 300 });
});

test("random words", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(scrap, fc.constantFrom(" ", " ", "")), { maxLength: 80 }), (parts) =>
      check(parts.flat().join("")),
    ),
    { numRuns: 600 },
  );
});

test("a program with stretches taken out, doubled and put in", () => {
  const edit = fc.record({ at: fc.nat(PROGRAM.length), length: fc.nat(20), put: fc.oneof(fc.constant(""), scrap) });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
      check(edits.reduce((text, { at, length, put }) => `${text.slice(0, at)}${put}${text.slice(at + length)}`, PROGRAM));
    }),
    { numRuns: 600 },
  );
});

test("a program with its lines shuffled", () => {
  const lines = PROGRAM.split("\n");
  fc.assert(
    fc.property(fc.shuffledSubarray(lines), (some) => check(some.join("\n"))),
    { numRuns: 300 },
  );
});

test("the program itself has no fault", () => {
  expect(parseProgram(PROGRAM, { file: "f" }).complaints).toEqual([]);
});
