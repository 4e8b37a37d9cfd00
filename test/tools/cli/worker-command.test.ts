/** The command line of `basil worker`: its options on both sides of FILE, and what the script gets of the words. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

test("a process that crashed is restarted though a process it started holds its pipes; its lines are there", async () => {
  // In each script process, before the script: something that outlives it and has its output.
  const preload = join(directory, "outlives.cjs");
  const pids = join(directory, "pids");
  writeFileSync(
    preload,
    `if (process.env.BASIL_PROCESS) {
      const child = require("node:child_process").spawn("sleep", ["600"], { stdio: ["ignore", "inherit", "inherit"] });
      child.unref();
      require("node:fs").appendFileSync(${JSON.stringify(pids)}, child.pid + "\\n");
    }`,
  );
  writeFileSync(join(directory, "crashes.basil"), 'PRINT "here"\nEXIT 7\n');
  const words = ["worker", "crashes.basil", "--processes", "2", "--restart-limit", "1", "--no-cache"];
  const environment = { NODE_OPTIONS: `--require=${preload}` };
  const { code, stdout, stderr } = await basil(words, { directory, environment, timeoutMs: 60_000 });
  const outliving = readFileSync(pids, "utf8").trim().split("\n").map(Number);
  for (const pid of outliving) process.kill(pid, "SIGKILL");
  expect({ code, starts: outliving.length }).toEqual({ code: 7, starts: stdout.toString().match(/^\[[12]\] here$/gm)?.length });
  expect(outliving.length).toBeGreaterThanOrEqual(3);
  expect(stderr).toContain("giving up after 2 starts");
}, 90_000);

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
