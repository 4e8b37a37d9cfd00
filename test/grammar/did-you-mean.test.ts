/** Guesses: close enough to help, never far-fetched. */
import { expect, test } from "vitest";
import { closest, editDistance, misspeltKeyword } from "../../grammar/did-you-mean.ts";

test.each([
  ["WHLE", "WHILE"],
  ["PRNT", "PRINT"],
  ["pirnt", "PRINT"],
  ["ENDIFF", "ENDIF"],
  ["FUNCTOIN", "FUNCTION"],
  ["FRO", "FOR"],
  ["total", undefined],
  ["x", undefined],
  ["PRINT", undefined],
])("%s as a keyword is %s", (name, keyword) => {
  expect(misspeltKeyword(name)).toBe(keyword);
});

test("the nearest candidate wins, the first among equals, and its spelling is kept", () => {
  expect(closest("toatl", ["Totals", "Total", "tot"])).toBe("Total");
  expect(closest("cat", ["bat", "hat"])).toBe("bat");
});

test("no guess is further away than its length allows", () => {
  expect(closest("abcd", ["abxy"])).toBeUndefined();
  expect(closest("abcdefgh", ["abcdexyz"])).toBeUndefined();
});

test("a swap of neighbours counts once", () => {
  expect(editDistance("ABCD", "ABDC", 5)).toBe(1);
  expect(editDistance("KITTEN", "SITTING", 5)).toBe(3);
  expect(editDistance("A", "ABCDEF", 2)).toBe(3);
});

test("names of any length are compared quickly", () => {
  expect(closest("a".repeat(1e6), ["b".repeat(1e6)])).toBeUndefined();
});
