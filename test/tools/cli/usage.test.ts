/** The command line itself: help, version, wrong usage, programs that cannot be read. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { basilInProcess } from "../../helpers/in-process.ts";

const text = async (...args: string[]) => {
  const { code, stdout, stderr } = await basilInProcess(args);
  return { code, stdout: stdout.toString(), stderr };
};

describe("help", () => {
  test.each([[[]], [["run"]], [["check"]], [["explain"]], [["doc"]]])(
    "of %j fits 80 columns and says what there is",
    async (command) => {
      const { code, stdout, stderr } = await text(...command, "--help");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^Usage: basil/);
      expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
  );

  test("names every command", async () => {
    const { stdout } = await text("--help");
    for (const command of ["run", "check", "explain", "doc"]) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
  });

  test("--version is the package's", async () => {
    expect(await text("--version")).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });
});

describe("wrong usage ends with 2, says what was wrong, and leaves stdout empty", () => {
  test.each([
    [[], "Usage: basil"],
    [["run"], "missing required argument 'file'"],
    [["fly"], "unknown command 'fly'"],
    [["rnu", "a.basil"], "Did you mean run?"],
    [["hello.basil"], "To run a program: basil run hello.basil"],
    [["run", "--fast", "a.basil"], "unknown option '--fast'"],
    [["run", "--timeout-ms", "soon", "a.basil"], "Give a whole number from 1."],
    [["run", "--timeout-ms", "0", "a.basil"], "Give a whole number from 1."],
    [["run", "--max-steps", "1.5", "a.basil"], "Give a whole number from 1."],
    [["run", "--deadline-ms", "-1", "a.basil"], "Give a whole number from 1."],
    [["run", "--dialect", "qbasic", "a.basil"], "There are classic and basil."],
    [
      ["run", "--embedded", "--servers", "a:4730", "a.basil"],
      "option '--embedded' cannot be used with option '--servers <list>'",
    ],
    [["check"], "missing required argument 'file'"],
    [["explain", "B9999"], "there is no error code B9999"],
    [["explain", "INDEX_EROR"], "Did you mean INDEX_ERROR?"],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await text(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("a program that cannot be read ends with 3, and the text names it and the way out", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "basil-unreadable-"));
    mkdirSync(join(directory, "folder"));
    symlinkSync("loop.basil", join(directory, "loop.basil"));
    writeFileSync(join(directory, "latin.basil"), Buffer.from('PRINT "ok"\nPRINT "caf\u00e9"\n', "latin1"));
    writeFileSync(join(directory, "cut.basil"), Buffer.of(0x27, 0x20, 0xe2, 0x82));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each([
    ["missing.basil", "cannot read missing.basil: there is no such file"],
    ["folder", "cannot read folder: it is a directory. Name a file in it, such as folder/main.basil."],
    ["folder/", "such as folder/main.basil."],
    ["latin.basil/x", "a part of the path before the last is not a directory"],
    ["loop.basil", "its symbolic links lead in a circle"],
    [`${"x".repeat(300)}.basil`, "the name is too long"],
    ["latin.basil", "it is not UTF-8 text (byte 0xE9 at line 2, column 11).\nSave it as UTF-8"],
    ["cut.basil", "byte 0xE2 at line 1, column 3"],
  ])("%s", async (file, message) => {
    for (const command of ["run", "check"]) {
      const { code, stdout, stderr } = await basilInProcess([command, file], { directory });
      expect({ code, stdout: stdout.toString() }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain(message);
      expect(stderr).not.toContain("    at ");
    }
  });
});
