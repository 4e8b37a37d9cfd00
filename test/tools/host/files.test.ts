/** The files of the real host, beyond what the built-ins' tests go through. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeFiles } from "../../../src/tools/host/files.ts";
import { matchesWildcards } from "../../../src/tools/host/wildcards.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-host-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("relative paths start at the directory, absolute ones are themselves", () => {
  const files = new NodeFiles(directory);
  files.writeFile("a.txt", Buffer.from("x"));
  expect(readFileSync(join(directory, "a.txt"), "utf8")).toBe("x");
  expect(files.readFile(join(directory, "a.txt")).toString()).toBe("x");
});

test("resolve leads from the file that names another one", () => {
  const files = new NodeFiles("/srv/app");
  expect(files.resolve("a.basil")).toBe("/srv/app/a.basil");
  expect(files.resolve("b.basil", "lib/a.basil")).toBe("/srv/app/lib/b.basil");
  expect(files.resolve("../b.basil", "/srv/other/a.basil")).toBe("/srv/b.basil");
  expect(files.resolve("/x.basil", "lib/a.basil")).toBe("/x.basil");
});

test("opening a directory fails as reading one does, and a path with a zero byte is refused", () => {
  const files = new NodeFiles(directory);
  mkdirSync(join(directory, "d"));
  expect(() => files.open("d", "r")).toThrow(expect.objectContaining({ code: "EISDIR" }));
  expect(() => files.readFile("a\0b")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }));
});

test("an open file reads and writes at positions", () => {
  writeFileSync(join(directory, "a"), "0123456789");
  const file = new NodeFiles(directory).open("a", "r+");
  expect(file.read(3, 4).toString()).toBe("3456");
  expect(file.read(8, 10).toString()).toBe("89");
  expect(file.read(99, 1)).toHaveLength(0);
  expect(file.write(9, Buffer.from("xy"))).toBe(2);
  expect(file.size()).toBe(11);
  file.flush();
  file.close();
});

test.each<[string, string, boolean]>([
  ["a.txt", "*.txt", true],
  ["a.txt", "*", true],
  [".hidden", "*", true],
  ["", "*", true],
  ["a.txt", "?.txt", true],
  ["ab.txt", "?.txt", false],
  ["😀.txt", "?.txt", true],
  ["a.txt", "A.txt", false],
  ["a+b", "a+b", true],
  ["aab", "a.b", false],
  ["mississippi", "m*iss*pi", true],
  ["mississippi", "m*issx*", false],
  ["abc", "abc**", true],
  ["abc", "", false],
])("the name %j against %j: %s", (name, pattern, matches) => {
  expect(matchesWildcards(name, pattern)).toBe(matches);
});

test("a pattern of many stars is matched quickly", () => {
  expect(matchesWildcards("a".repeat(5000), `${"*a".repeat(500)}b`)).toBe(false);
});
