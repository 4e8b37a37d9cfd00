/** A manager at work: which jobs run when, how its callers learn of it, and how it stops. */
import { describe, expect, test } from "vitest";
import type { JobClass } from "../../../src/core/obrien/job-class.ts";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { ManagerHarness, nextEvent } from "./manager-harness.ts";

const harness = new ManagerHarness();
const shell = (name: string, line: string, more: Partial<JobClass> = {}) => harness.shell(name, line, more);

/** Logs its payload. */
const LOG_IT = 'read -r id; echo "$id" >> "$LOG"';

describe("run", () => {
  test("works until the queue is empty, and counts how jobs ended", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "cat"));
    manager.enqueue([
      { class: "a", payload: "" },
      { class: "a", payload: '{"success":true}' },
      { class: "a", payload: '{"success":false,"errors":[{"class":"x/y"}]}' },
    ]);
    expect(await manager.run()).toEqual({ done: 2, failed: 1, left: new Map() });
    expect(manager.isAlive).toBe(false);
    expect(manager.find({ errorClass: "x/y" })).toHaveLength(1);
  });

  test("takes the highest priority first, then the oldest", async () => {
    const manager = await harness.open();
    manager.define(shell("a", LOG_IT));
    for (const [payload, priority] of [
      ["low\n", -1],
      ["first\n", 0],
      ["second\n", 0],
      ["high\n", 5],
    ] as const) {
      manager.enqueue({ class: "a", payload, priority });
    }
    await manager.run({ concurrency: 1 });
    expect(harness.logged()).toEqual(["high", "first", "second", "low"]);
  });

  test("leaves jobs of classes that are not defined, and says how many of which", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "true"));
    manager.enqueue([{ class: "a" }, { class: "b" }, { class: "b" }]);
    expect(await manager.run()).toEqual({ done: 1, failed: 0, left: new Map([["b", 2]]) });
    expect(harness.events(manager, "left")).toEqual([{ type: "left", classes: new Map([["b", 2]]) }]);
    expect(manager.counts().classes.get("b")).toMatchObject({ pending: 2 });
  });

  test("waits for delayed jobs, unless it is told to leave them", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "true"));
    const id = manager.enqueue({ class: "a", runAt: new Date(Date.now() + 300) });
    expect(await manager.run({ waitsForDelayed: false })).toMatchObject({ done: 0 });
    expect(await manager.run()).toMatchObject({ done: 1 });
    const { claimedAt, runAt } = manager.get(id)!;
    expect(claimedAt!.getTime() - runAt!.getTime()).toBeGreaterThanOrEqual(0);
    expect(claimedAt!.getTime() - runAt!.getTime()).toBeLessThan(1000);
  });

  test("runs the follow-ups of a verdict", async () => {
    const manager = await harness.open();
    manager.define(shell("count", `read -r n; [ "$n" = 0 ] || echo '{"success":true,"enqueue":["'$((n - 1))'"]}'`));
    manager.enqueue({ class: "count", payload: "3\n" });
    expect(await manager.run()).toMatchObject({ done: 4, failed: 0 });
  });

  test("is called off by its signal: running jobs fail, pending ones stay", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "sleep 600"));
    const ids = manager.enqueue([{ class: "a" }, { class: "a" }]);
    const controller = new AbortController();
    const run = manager.run({ concurrency: 1, signal: controller.signal });
    await nextEvent(manager, "jobStarted");
    controller.abort("enough");
    await expect(run).rejects.toMatchObject({ kind: "ABORTED", cause: "enough" });
    expect(ids.map((id) => manager.get(id)!.state)).toEqual(["failed", "pending"]);
    await expect(manager.run({ signal: controller.signal })).rejects.toMatchObject({ kind: "ABORTED" });
  });

  test("is refused while the manager is at work", async () => {
    const manager = await harness.open();
    await manager.start();
    await expect(manager.run()).rejects.toMatchObject({ kind: "STATE" });
    await expect(manager.start()).rejects.toMatchObject({ kind: "STATE" });
  });

  test("hands a job to its class's input, and fails it when that throws", async () => {
    const manager = await harness.open();
    const input: JobClass["input"] = ({ payload }) => {
      if (payload.length === 0) throw new Error("no payload");
      return [Buffer.from("<"), payload, Buffer.from(">")];
    };
    manager.define(shell("a", "cat; echo; echo '{\"success\":true}'", { input }));
    const [good, bad] = manager.enqueue([{ class: "a", payload: "x" }, { class: "a" }]);
    await manager.run();
    expect(manager.get(good!)?.xeme?.io?.stdout).toContain("<x>");
    expect(manager.get(bad!)).toMatchObject({ state: "failed", errorClass: "bryton/runtime/not-started" });
    expect(manager.get(bad!)?.xeme?.errors?.[0]?.message).toBe("the job's input cannot be made: no payload");
  });

  test("works on a store without a file", async () => {
    const manager = await harness.open({ path: ":memory:" });
    manager.define(shell("a", "true", { spares: 1 }));
    manager.enqueue([{ class: "a" }, { class: "a" }]);
    expect(await manager.run()).toMatchObject({ done: 2 });
  });
});

describe("concurrency", () => {
  /** The most jobs that ran at once, of all or of a class. */
  async function mostAtOnce(classes: readonly JobClass[], jobs: number, concurrency: number, counted?: string): Promise<number> {
    const manager = await harness.open();
    for (const jobClass of classes) manager.define(jobClass);
    let now = 0;
    let most = 0;
    manager.onEvent((event) => {
      if (event.type === "jobStarted" && (counted ?? event.job.class) === event.job.class) most = Math.max(most, ++now);
      if (event.type === "jobEnded" && (counted ?? event.class) === event.class) now--;
    });
    manager.enqueue(classes.flatMap(({ name }) => Array.from({ length: jobs }, () => ({ class: name }))));
    await manager.run({ concurrency });
    return most;
  }

  test("no more jobs run at once than the manager allows", async () => {
    expect(await mostAtOnce([shell("a", "sleep 0.02")], 8, 3)).toBe(3);
  });

  test("no more jobs of a class run at once than the class allows, and others use the places", async () => {
    const classes = [shell("a", "sleep 0.02", { maxConcurrency: 1 }), shell("b", "sleep 0.02")];
    expect(await mostAtOnce(classes, 4, 3, "a")).toBe(1);
    expect(await mostAtOnce(classes, 4, 3)).toBe(3);
  });

  test("can be changed while jobs run", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "sleep 600"));
    const ids = manager.enqueue([{ class: "a" }, { class: "a" }, { class: "a" }]);
    await manager.start({ concurrency: 1 });
    expect(manager.counts().total.claimed).toBe(1);
    const third = nextEvent(manager, "jobStarted", ({ job }) => job.id === ids[2]);
    manager.setConcurrency(3);
    await third;
    expect(manager.concurrency).toBe(3);
    expect(() => manager.setConcurrency(0)).toThrow("concurrency is 0: use a whole number from 1 to 10000");
  });
});

describe("jobs from elsewhere", () => {
  test("what another process enqueues is noticed while the manager is idle", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "true"));
    await manager.start();
    const foreign = await JobQueue.open(harness.path);
    const started = nextEvent(manager, "jobStarted");
    const beforeMs = performance.now();
    const [id] = foreign.enqueue([{ class: "a" }]);
    expect((await started).job.id).toBe(id);
    expect(performance.now() - beforeMs).toBeLessThan(1000);
    foreign.close();
  });

  test("a class that is defined later gets its jobs at once", async () => {
    const manager = await harness.open();
    await manager.start();
    const id = manager.enqueue({ class: "a" });
    manager.define(shell("a", "true"));
    expect((await manager.wait(id)).state).toBe("done");
  });

  test("a manager that is only open waits for the jobs that another runs", async () => {
    const worker = await harness.open();
    worker.define(shell("a", "true"));
    await worker.start();
    const client = await harness.open();
    expect((await client.wait(client.enqueue({ class: "a" }))).state).toBe("done");
    expect(client.isAlive).toBe(false);
  });
});

describe("wait", () => {
  test("is over at once for a job that has ended, and ends with the job otherwise", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "true"));
    const id = manager.enqueue({ class: "a" });
    const waits = [manager.wait(id), manager.wait(id)];
    await manager.run();
    for (const job of await Promise.all(waits)) expect(job).toMatchObject({ id, state: "done" });
    expect(await manager.wait(id, { timeoutMs: 0 })).toMatchObject({ id, state: "done" });
  });

  test("has its limits", async () => {
    const manager = await harness.open();
    const id = manager.enqueue({ class: "a" });
    await expect(manager.wait(id, { timeoutMs: 10 })).rejects.toMatchObject({
      kind: "TIMEOUT",
      message: `job ${id} has not ended within 10 ms`,
    });
    await expect(manager.wait(id, { signal: AbortSignal.abort("why") })).rejects.toMatchObject({ kind: "ABORTED", cause: "why" });
    await expect(manager.wait("none")).rejects.toMatchObject({ kind: "NOT_FOUND" });
    const wait = manager.wait(id);
    void manager.close();
    await expect(wait).rejects.toMatchObject({ kind: "CLOSED" });
  });
});

describe("cancel", () => {
  test("a pending job fails at once, and its callers go on", async () => {
    const manager = await harness.open();
    const id = manager.enqueue({ class: "a" });
    const wait = manager.wait(id);
    expect(manager.cancel(id)).toBe("cancelled");
    expect(await wait).toMatchObject({ state: "failed", errorClass: "obrien/cancelled" });
    expect(manager.cancel(id)).toBe("ended");
  });

  test.each(["this", "another"])("a running job's process group is ended, asked for by %s process", async (who) => {
    const manager = await harness.open();
    manager.define(shell("a", "sleep 600 & sleep 600"));
    await manager.start();
    const id = manager.enqueue({ class: "a" });
    await nextEvent(manager, "jobStarted");
    const foreign = await JobQueue.open(harness.path);
    expect(who === "this" ? manager.cancel(id) : foreign.requestCancel(id)).toBe("requested");
    expect(await manager.wait(id)).toMatchObject({ state: "failed", errorClass: "bryton/runtime/cancelled" });
    await harness.noWorkers();
    foreign.close();
  });
});

describe("stop", () => {
  test("lets running jobs finish within the drain time, and takes no more", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "sleep 0.1"));
    manager.enqueue([{ class: "a" }, { class: "a" }]);
    await manager.start({ concurrency: 1 });
    await manager.stop();
    expect(manager.counts().total).toMatchObject({ pending: 1, claimed: 0, done: 1 });
    expect(manager.isAlive).toBe(false);
  });

  test("ends those that run on after it, TERM first, then KILL; a later stop may shorten the time", async () => {
    const manager = await harness.open();
    manager.define(shell("polite", "sleep 600"));
    manager.define(shell("deaf", "trap '' TERM; sleep 600 & wait; sleep 600", { killAfterMs: 50 }));
    const ids = manager.enqueue([{ class: "polite" }, { class: "deaf" }]);
    await manager.start({ concurrency: 2 });
    const long = manager.stop({ drainMs: 600_000 });
    await Promise.all([manager.stop({ drainMs: 20 }), long]);
    for (const id of ids) expect(manager.get(id)).toMatchObject({ state: "failed", errorClass: "bryton/runtime/shutdown" });
    await harness.noWorkers();
    expect(harness.events(manager, "stopping")).toHaveLength(1);
  });

  test("while it starts, and when it is not at work, is as good", async () => {
    const manager = await harness.open();
    await manager.stop();
    manager.define(shell("a", "true"));
    manager.enqueue({ class: "a" });
    const start = manager.start();
    await manager.stop();
    await start;
    expect(manager.counts().total).toMatchObject({ pending: 1 });
    expect(await manager.run()).toMatchObject({ done: 1 });
  });
});

describe("close", () => {
  test("may come twice, in every mode, and ends what runs", async () => {
    const open = await harness.open();
    await Promise.all([open.close(), open.close()]);
    await open.close();
    expect(() => open.enqueue({ class: "a" })).toThrow(expect.objectContaining({ kind: "CLOSED" }));
    await expect(open.run()).rejects.toMatchObject({ kind: "CLOSED" });

    const starting = await harness.open();
    const start = starting.start();
    await starting.close();
    await start;

    const working = await harness.open();
    working.define(shell("a", "sleep 600"));
    const id = working.enqueue({ class: "a" });
    const run = working.run();
    await nextEvent(working, "jobStarted");
    await working.close();
    expect(await run).toMatchObject({ failed: 1 });
    await working.close();
    expect((await harness.open()).get(id)?.errorClass).toBe("bryton/runtime/shutdown");
    await harness.noWorkers();
  });
});

describe("define", () => {
  test.each([
    [{ name: "" }, "the class of a job is empty"],
    [{ command: { program: "", args: [] } }, 'class a: program is "": use a path, or a name to look up in PATH'],
    [{ command: { program: "x", args: ["\0"] } }, 'class a: args is "\\u0000": use texts without NUL'],
    [{ timeoutMs: 0 }, "class a: timeoutMs is 0: use a whole number from 1 to 2147483647"],
    [{ spares: 1.5 }, "class a: spares is 1.5: use a whole number from 0 to 1000"],
    [{ mode: "maybe" }, 'class a: mode is "maybe": use implicit or positive'],
    [{ environment: { "A=B": "" } }, 'class a: environment is "A=B": use names without ='],
    [{ retries: 3 }, 'class a: there is no "retries": use name, command, input,'],
  ])("refuses %j", async (wrong, message) => {
    const manager = await harness.open();
    const jobClass = { name: "a", command: { program: "true", args: [] }, ...wrong } as JobClass;
    expect(() => manager.define(jobClass)).toThrow(message);
  });

  test("again, it replaces the class for jobs that start later", async () => {
    const manager = await harness.open();
    manager.define(shell("a", "exit 1"));
    manager.define(shell("a", "true"));
    manager.enqueue({ class: "a" });
    expect(await manager.run()).toMatchObject({ done: 1, failed: 0 });
  });
});

test("a listener that throws becomes a warning, and one that was taken away hears no more", async () => {
  const manager = await harness.open();
  const stop = manager.onEvent(() => {
    throw new Error("no");
  });
  const warning = new Promise<Error>((resolve) => process.once("warning", resolve));
  await manager.start();
  expect((await warning).message).toBe("onEvent threw at started: no");
  stop();
  await manager.stop();
});
