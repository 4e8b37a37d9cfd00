/** The step of a FOR is evaluated each round, whatever the compiler knows about it beforehand. */
import { expect, test } from "vitest";
import { outputOf } from "./program.ts";

test.each([
  ["a variable that nothing changes, up", 's = 2\nFOR i = 1 TO 7 STEP s\nPRINT i; " ";\nNEXT\nPRINT i', "1 3 5 7 9\n"],
  ["a variable that nothing changes, down", 's% = -3\nFOR i% = 9 TO 1 STEP s%\nPRINT i%; " ";\nNEXT\nPRINT i%', "9 6 3 0\n"],
  ["a variable that the body changes", 's = 1\nFOR i = 1 TO 9 STEP s\nPRINT i; " ";\ns = s + 1\nNEXT\nPRINT i', "1 3 6 10\n"],
  [
    "a variable that a nested statement reads",
    's = 1\nDATA 5\nFOR i = 1 TO 9 STEP s\nPRINT i; " ";\nIF i = 1 THEN READ s\nNEXT\nPRINT i',
    "1 6 11\n",
  ],
  ["the loop's own variable", 'i = 1\nFOR i = 1 TO 9 STEP i\nPRINT i; " ";\nNEXT\nPRINT i', "1 2 4 8 16\n"],
  [
    "a variable that a routine changes",
    's = 1\nSUB f()\ns = s + 1\nEND SUB\nFOR i = 1 TO 9 STEP s\nPRINT i; " ";\nf\nNEXT\nPRINT i',
    "1 3 6 10\n",
  ],
  ["a variable that EXEC changes", 's = 1\nFOR i = 1 TO 9 STEP s\nPRINT i; " ";\nEXEC "s = s + 1"\nNEXT\nPRINT i', "1 3 6 10\n"],
  [
    "a variable that a GOSUB changes",
    's = 1\nFOR i = 1 TO 9 STEP s\nPRINT i; " ";\nGOSUB more\nNEXT\nPRINT i\nEND\nmore: s = s + 1\nRETURN',
    "1 3 6 10\n",
  ],
  ["a parameter", 'SUB f(s)\nFOR i = 4 TO 1 STEP s\nPRINT i; " ";\nNEXT\nPRINT i\nEND SUB\nf(-2)', "4 2 0\n"],
])("%s", async (_, text, output) => {
  expect(await outputOf(text)).toBe(output);
});
