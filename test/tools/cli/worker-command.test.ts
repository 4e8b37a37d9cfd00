/** The command line of `basil worker`: its options on both sides of FILE, and what the script gets of the words. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basil } from "../../helpers/cli.ts";
import { basilInProcess } from "../../helpers/in-process.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-worker-command-"));
  writeFileSync(join(directory, "said.basil"), 'PRINT ENV$("BASIL_PROCESS"); " "; JOIN$(ARGS(), "|")\n');
  writeFileSync(join(directory, "-dash.basil"), 'PRINT JOIN$(ARGS(), "|")\n');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The lines of standard output, sorted: processes print in any order. */
async function lines(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await basil(["worker", ...args], { directory });
  expect({ code, stderr: stderr.replace(/^worker \d .*ended and is not restarted\n/gm, "") }).toEqual({ code: 0, stderr: "" });
  return stdout.toString().trimEnd().split("\n").sort();
}

describe("words after FILE", () => {
  test.each([
    [["said.basil", "--processes", "2", "--no-cache", "a", "b"]],
    [["--processes", "2", "said.basil", "a", "--no-cache", "b"]],
  ])("%j: its own options are taken, plain words go to the script", async (words) => {
    expect(await lines(...words)).toEqual(["[1] 1 a|b", "[2] 2 a|b"]);
  });

  test("what stands after -- goes to the script, whatever it looks like", async () => {
    expect(await lines("said.basil", "a", "--", "--processes", "2", "--embedded")).toEqual(["1 a|--processes|2|--embedded"]);
    expect(await lines("--", "-dash.basil", "-x")).toEqual(["-x"]);
  });
});

describe("wrong usage", () => {
  test.each([
    [["said.basil", "--verbose"], "unknown option '--verbose'\nOptions for the script stand after --."],
    [["said.basil", "--processes", "none"], "Give a whole number from 1."],
    [["said.basil", "--embedded"], "basil gearman serve"],
    [["--embedded", "said.basil"], "basil gearman serve"],
    [["-"], "processes cannot share standard input"],
  ])("%j", async (words, message) => {
    const { code, stdout, stderr } = await basilInProcess(["worker", ...words], { directory });
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

test("the help fits 80 columns", async () => {
  const { code, stdout } = await basilInProcess(["worker", "--help"]);
  expect(code).toBe(0);
  expect(stdout.toString()).toMatch(/^Usage: basil worker/);
  expect(
    stdout
      .toString()
      .split("\n")
      .filter((line) => line.length > 80),
  ).toEqual([]);
});
