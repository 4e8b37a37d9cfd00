/** Statements of other BASICs: one complaint each, with the way here, and nothing that follows from it. */
import { describe, expect, test } from "vitest";
import { foreignStatementHint } from "../../grammar/foreign.ts";
import { parseProgram } from "../../grammar/parse.ts";

const found = (text: string) =>
  parseProgram(text, { file: "t" }).complaints.map(({ message, hint, source, span }) => [
    source.text.slice(span.start, span.end),
    message,
    hint,
  ]);

describe("a statement whose words would open or close something is one mistake", () => {
  test.each([
    ['OPEN "f" FOR OUTPUT AS #1', "OPEN", /FOPEN/],
    ["open f$ FOR INPUT AS 1", "OPEN", /FOPEN/],
    ["DECLARE SUB s ()", "DECLARE", /before their text/],
    ["DECLARE FUNCTION f% (a AS INTEGER)", "DECLARE", /before their text/],
    ["RESUME NEXT", "RESUME", /TRY and CATCH/],
  ])("%s", (text, word, hint) => {
    const expected = [
      [expect.stringMatching(new RegExp(word, "i")), `${word} is not part of Basil.`, expect.stringMatching(hint)],
    ];
    expect(found(text)).toEqual(expected);
    expect(found(`IF a THEN ${text}\nFOR i = 1 TO 2\n${text}: PRINT i\nNEXT\nPRINT 1`)).toEqual([...expected, ...expected]);
  });
});

describe("a statement that breaks elsewhere says what to write here", () => {
  test.each([
    ["ON ERROR GOTO x", /TRY and CATCH/],
    ["DIM SHARED x", /global/],
    ['PRINT USING "##"; x', /FORMAT\$/],
    ["LINE INPUT #1, a$", /starts a comment.*FREADLINE\$/],
    ["INPUT #1, a$", /starts a comment.*FREADLINE\$/],
    ['NAME "a" AS "b"', /MOVE/],
  ])("%s", (text, hint) => {
    expect(found(text)).toEqual([[expect.anything(), expect.anything(), expect.stringMatching(hint)]]);
  });
});

describe("the same words as names mean what the program makes of them", () => {
  test.each([
    "OPEN = 5",
    'OPEN "f", 2',
    "FOR OPEN = 1 TO 2\nNEXT OPEN",
    "declare = 1\ndeclare",
    "SUB resume()\nEND SUB\nFOR i = 1 TO 2\nRESUME NEXT",
    "FOR i = 1 TO 2\nresume = i NEXT",
    "CLOSE #1",
    "CLS",
    "LOCATE 1, 2",
    'open.name = "x"',
  ])("%s", (text) => {
    expect(found(text)).toEqual([]);
  });
});

test("words that any program may use as names have no hint", () => {
  expect(foreignStatementHint("total")).toBeUndefined();
  expect(foreignStatementHint("constructor")).toBeUndefined();
});
