/** Deep recursion in the command, however node was started. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasBigStack } from "../../../src/tools/cli/big-stack.ts";
import { basil, cliPath, runNode } from "../../helpers/cli.ts";

function program(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "basil-stack-")), "deep.basil");
  writeFileSync(path, text);
  return path;
}

/** The two ways to start the command: by its own first line, and through a node that knows nothing of it. */
const STARTS = {
  basil,
  "node dist/cli.js": (args: readonly string[], options = {}) => runNode([cliPath(), ...args], options),
} as const;

describe.each(Object.keys(STARTS) as (keyof typeof STARTS)[])("deep recursion through %s", (start) => {
  const basil = STARTS[start];

  test.each([
    ["plain routines", "FUNC f(n)\nIF n = 0 THEN RETURN 0\nRETURN f(n - 1) + 1\nEND FUNC\nPRINT f(10000)"],
    [
      "routines that wait",
      "FUNC f(n)\nIF n = 0 THEN SLEEP 0\nIF n = 0 THEN RETURN 0\nRETURN f(n - 1) + 1\nEND FUNC\nPRINT f(10000)",
    ],
  ])("%s nest 10,000 deep", async (_, text) => {
    const result = await basil(["run", program(text)]);
    expect(result.stderr).toBe("");
    expect(result.stdout.toString()).toBe("10000\n");
  });

  test("beyond the limit is an error that TRY catches, and without TRY a report and exit code 1", async () => {
    const text = "FUNC f(n)\nRETURN f(n + 1) + 1\nEND FUNC\nTRY\nPRINT f(1)\nCATCH e$\nPRINT e$; ERR%\nEND TRY\nPRINT f(1)";
    const result = await basil(["run", program(text)]);
    expect(result.stdout.toString()).toBe("call stack overflow1009\n");
    expect(result.stderr).toContain("error[B1009]: call stack overflow\n  --> deep.basil:2:8");
    expect(result.code).toBe(1);
  });

  test("the exit code of the program is that of the command", async () => {
    expect((await basil(["run", program("EXIT 7")])).code).toBe(7);
  });

  test("one SIGINT stops a worker gracefully, with 130", async () => {
    const text =
      'SUB w(j$)\nRETURN j$\nEND SUB\nok% = GEARMAN.WORKER_ADD%("w", "w")\nok% = GEARMAN.WORKER_START%("w")\nPRINT "up"\nDO : SLEEP 50 : LOOP';
    let isSent = false;
    const result = await basil(["run", "--embedded", program(text)], {
      onOutput: (stdout: string, kill: (signal: NodeJS.Signals) => void) => {
        if (isSent || !stdout.includes("up")) return;
        isSent = true;
        kill("SIGINT");
      },
    });
    expect(result).toMatchObject({ code: 130, signal: null });
    expect(result.stderr).toContain("stopping:");
  });
});

test("the flag is known in both spellings", () => {
  expect(hasBigStack(["--stack-size=7000"])).toBe(true);
  expect(hasBigStack(["--stack_size=7000"])).toBe(true);
  expect(hasBigStack(["--inspect"])).toBe(false);
});
