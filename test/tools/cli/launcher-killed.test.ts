/** What becomes of a program when the process that a user started is killed, and the program runs in another one. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { type CliOptions, cliPath, runNode } from "../../helpers/cli.ts";
import { basilInProcess } from "../../helpers/in-process.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-launcher-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a program in a node that was started without the stack it needs. Resolves when nobody has its output open any more. */
function runLaunched(program: string, options: CliOptions = {}) {
  writeFileSync(join(directory, "program.basil"), program);
  return runNode([cliPath(), "run", "program.basil"], { directory, ...options });
}

/** Polls what another process makes, for 10 s at most. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo()).toBe(true);
}

test("a program ends when its launcher is killed", async () => {
  const { signal, stdout } = await runLaunched('PRINT "up"\nDO : SLEEP 50 : LOOP', {
    onOutput: (_, kill) => kill("SIGKILL"),
  });
  expect({ signal, stdout: stdout.toString() }).toEqual({ signal: "SIGKILL", stdout: "up\n" });
});

test("a manager finishes its running jobs when its launcher is killed, and then ends", async () => {
  const made = await basilInProcess(["obrien", "enqueue", "a", "x"], { directory });
  const id = made.stdout.toString().trim();
  const program = `ok% = OBRIEN.DEFINE_COMMAND%("a", "touch began; sleep 0.3", {"shell": TRUE})
ok% = OBRIEN.START%()
DO : SLEEP 50 : LOOP`;
  let killed: Promise<void> | undefined;
  const { signal, stderr } = await runLaunched(program, {
    onStart: (kill) => {
      killed = until(() => existsSync(join(directory, "began"))).then(() => kill("SIGKILL"));
    },
  });
  await killed;
  expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: expect.stringContaining("stopping:") });
  const queue = await JobQueue.open(join(directory, ".basil-obrien.db"));
  expect(queue.get(id)?.state).toBe("done");
  queue.close();
});

test("a program sees nothing of it, nor do the programs it starts, and it ends when it has nothing to do", async () => {
  const program = `PRINT "[" + ENV$("BASIL_LAUNCHED") + "]"
SHELL "echo [$BASIL_LAUNCHED]; (: <&3) 2>/dev/null && echo open || echo closed"
`;
  const { code, stdout, stderr } = await runLaunched(program);
  expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 0, stdout: "[]\n[]\nclosed\n", stderr: "" });
});
