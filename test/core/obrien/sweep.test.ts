/** What a new manager finds after the death of another: jobs that were claimed, and processes that must be told apart. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { startTimeOf } from "../../../src/core/obrien/process-group.ts";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { until } from "../gearman/fake-server.ts";
import { ManagerHarness, nextEvent } from "./manager-harness.ts";

const harness = new ManagerHarness();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process with a group of its own, started as workers are. */
async function leftover(env: Record<string, string>, line = "exec sleep 600", setup = ":"): Promise<ChildProcess> {
  const child = spawn("/bin/sh", ["-c", `${setup}; echo up; ${line}`], {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  await once(child.stdout!, "data");
  return child;
}

/** A job that a manager claimed before it died. */
async function claimedJob(mark?: (child: number) => { pid: number; startTime: number | null }, pid = 0): Promise<string> {
  const queue = await JobQueue.open(harness.path);
  const [id] = queue.enqueue([{ class: "a" }]);
  expect(queue.claim(new Map([["a", 1]]), 1)).toHaveLength(1);
  if (mark !== undefined) queue.started(id!, mark(pid));
  queue.close();
  return id!;
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

describe.skipIf(process.platform !== "linux")("leftover processes", () => {
  test("are found by the job in their environment, and ended with their group before the job fails", async () => {
    const id = await claimedJob();
    const child = await leftover({ OBRIEN_STORE: harness.path, OBRIEN_JOB: id, PATH: "/usr/bin:/bin" }, "env -i /bin/sleep 600");
    const exit = once(child, "exit");
    const manager = await harness.open();
    await manager.start();
    expect(await exit).toEqual([null, "SIGTERM"]);
    expect(manager.get(id)).toMatchObject({ state: "failed", errorClass: "bryton/runtime/crashed" });
    expect(harness.events(manager, "swept")).toMatchObject([{ jobs: [id] }]);
  });

  test("are found by the row that names them", async () => {
    const child = await leftover({});
    const id = await claimedJob((pid) => ({ pid, startTime: startTimeOf(pid) }), child.pid);
    const exit = once(child, "exit");
    const manager = await harness.open();
    await manager.start();
    await exit;
    expect(harness.events(manager, "swept")).toEqual([{ type: "swept", jobs: [id], processes: 1 }]);
  });

  test("are killed when they ignore TERM", async () => {
    const id = await claimedJob();
    const env = { OBRIEN_STORE: harness.path, OBRIEN_JOB: id };
    const child = await leftover(env, "while :; do sleep 600; done", "trap '' TERM");
    const exit = once(child, "exit");
    const manager = await harness.open();
    await manager.start();
    expect(await exit).toEqual([null, "SIGKILL"]);
  });

  test("are warm workers too", async () => {
    const child = await leftover({ OBRIEN_STORE: harness.path, OBRIEN_SPARE: "1" });
    const exit = once(child, "exit");
    const manager = await harness.open();
    await manager.start();
    await exit;
    expect(harness.events(manager, "swept")).toEqual([{ type: "swept", jobs: [], processes: 1 }]);
  });

  test("are not those that only have the store's name, another store's jobs, a job that has ended, or a number used again", async () => {
    const others = await Promise.all([
      leftover({ OBRIEN_STORE: harness.path }),
      leftover({ OBRIEN_STORE: `${harness.path}2`, OBRIEN_SPARE: "1" }),
      leftover({ OBRIEN_STORE: harness.path, OBRIEN_JOB: "of-a-job-that-has-ended" }),
      leftover({}),
    ]);
    const id = await claimedJob((pid) => ({ pid, startTime: startTimeOf(pid)! - 1 }), others.at(-1)!.pid);
    const manager = await harness.open();
    await manager.start();
    expect(harness.events(manager, "swept")).toEqual([{ type: "swept", jobs: [id], processes: 0 }]);
    expect(others.map(isOver)).toEqual([false, false, false, false]);
  });
});

test.skipIf(process.platform !== "linux")("a job that takes longer has its worker in its row, for sweeps to come", async () => {
  const manager = await harness.open();
  manager.define(harness.shell("a", "sleep 600"));
  manager.enqueue({ class: "a" });
  const started = nextEvent(manager, "jobStarted");
  await manager.start();
  const { pid } = await started;
  const queue = await JobQueue.open(harness.path);
  await until(() => queue.claimed()[0]?.pid === pid);
  expect(queue.claimed()).toMatchObject([{ pid, startTime: startTimeOf(pid!) }]);
  queue.close();
});

test("a store without claimed jobs has nothing to tell", async () => {
  const manager = await harness.open();
  manager.enqueue({ class: "a" });
  await manager.start();
  expect(harness.events(manager, "swept")).toEqual([]);
});
