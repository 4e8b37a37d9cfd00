/** How `basil obrien run` ends when it is told to: by which signals, with which exit codes, and what becomes of its jobs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobQueue } from "../../../../src/core/obrien/queue.ts";
import { basil } from "../../../helpers/cli.ts";
import { basilInProcess } from "../../../helpers/in-process.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-obrien-stop-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The id of a new job of class a. */
async function enqueued(): Promise<string> {
  const { stdout } = await basilInProcess(["obrien", "enqueue", "a", "x"], { directory });
  return stdout.toString().trim();
}

/** Polls the store, which another process writes, until a job is in one of these states, for 10 s at most. */
async function until(id: string, ...states: string[]): Promise<void> {
  const queue = await JobQueue.open(join(directory, ".basil-obrien.db"));
  const end = performance.now() + 10_000;
  try {
    while (!states.includes(queue.get(id)?.state ?? "") && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(states).toContain(queue.get(id)?.state);
  } finally {
    queue.close();
  }
}

/** How a job ended. */
async function outcomeOf(id: string) {
  const { stdout } = await basilInProcess(["obrien", "show", id, "--json"], { directory });
  const { state, errorClass } = JSON.parse(stdout.toString());
  return { state, errorClass };
}

describe("SIGHUP lets running jobs finish, and the exit code is 129", () => {
  test("of basil obrien run", async () => {
    const id = await enqueued();
    let sent: Promise<void> | undefined;
    const { code, stdout } = await basil(["obrien", "run", "--watch", "--shell-class", "a=sleep 0.3"], {
      directory,
      onError: (stderr, kill) => {
        if (stderr.includes("waiting for jobs")) sent ??= until(id, "claimed", "done").then(() => kill("SIGHUP"));
      },
    });
    await sent;
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 129, stdout: "1 done, 0 failed\n" });
    expect(await outcomeOf(id)).toEqual({ state: "done" });
  });

  test("of a script that started a manager", async () => {
    const id = await enqueued();
    const program = `ok% = OBRIEN.DEFINE_COMMAND%("a", "sleep 0.3", {"shell": TRUE})\nok% = OBRIEN.START%()\nPRINT "up"\nDO : SLEEP 50 : LOOP`;
    writeFileSync(join(directory, "service.basil"), program);
    let sent: Promise<void> | undefined;
    const { code } = await basil(["run", "service.basil"], {
      directory,
      onOutput: (stdout, kill) => {
        if (stdout.includes("up")) sent ??= until(id, "claimed", "done").then(() => kill("SIGHUP"));
      },
    });
    await sent;
    expect(code).toBe(129);
    expect(await outcomeOf(id)).toEqual({ state: "done" });
  });
});

test("the second Ctrl-C ends the running jobs, and the exit code is still 130", async () => {
  const id = await enqueued();
  let first: Promise<void> | undefined;
  let isSecondSent = false;
  const { code, stdout } = await basil(["obrien", "run", "--shell-class", "a=sleep 60"], {
    directory,
    onError: (stderr, kill) => {
      if (!stderr.includes("stopping:") || isSecondSent) return;
      isSecondSent = true;
      // Two signals within 50 ms count as one.
      setTimeout(() => kill("SIGINT"), 100);
    },
    onStart: (kill) => {
      first = until(id, "claimed").then(() => kill("SIGINT"));
    },
  });
  await first;
  expect({ code, stdout: stdout.toString() }).toEqual({ code: 130, stdout: "0 done, 1 failed\n" });
  expect(await outcomeOf(id)).toEqual({ state: "failed", errorClass: "bryton/runtime/shutdown" });
});
