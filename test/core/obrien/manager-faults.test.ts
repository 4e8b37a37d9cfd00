/** Jobs and stores that go wrong, on real processes and files: every job still ends, with the right reason. */
import { closeSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Manager } from "../../../src/core/obrien/manager.ts";
import { ManagerHarness, nextEvent } from "./manager-harness.ts";

const harness = new ManagerHarness();

/** Prints so many bytes, and then that it went well. */
const flood = (bytes: number): string => `head -c ${bytes} /dev/zero | tr '\\0' x; echo '{"success":true}'`;

describe("workers", () => {
  test.each([
    ["is killed by a signal", "kill -9 $$", "bryton/runtime/crashed", { signal: "SIGKILL" }],
    ["exits with a code", "exit 7", "bryton/runtime/crashed", { exit_code: 7 }],
    ["prints more after its verdict", `echo '{"success":true} bye'`, "bryton/runtime/unparseable", {}],
  ])("one that %s fails", async (_what, line, errorClass, error) => {
    const manager = await harness.open();
    manager.define(harness.shell("a", line));
    const id = manager.enqueue({ class: "a" });
    expect(await manager.run()).toMatchObject({ done: 0, failed: 1 });
    expect(manager.get(id)).toMatchObject({ errorClass, xeme: { success: false, errors: [error] } });
  });

  test("a program that is missing fails its jobs, and those of other classes run", async () => {
    const manager = await harness.open();
    manager.define({ name: "gone", command: { program: "/no/such/program", args: [] }, spares: 1 });
    manager.define(harness.shell("a", "true"));
    const id = manager.enqueue({ class: "gone" });
    manager.enqueue({ class: "a" });
    expect(await manager.run()).toMatchObject({ done: 1, failed: 1 });
    expect(manager.get(id)).toMatchObject({ errorClass: "bryton/runtime/not-executable" });
  });

  test("the time limit of a job wins over that of its class, and ends workers that ignore TERM", async () => {
    const manager = await harness.open();
    manager.define(harness.shell("a", "trap '' TERM; sleep 600", { timeoutMs: 600_000, killAfterMs: 50 }));
    const id = manager.enqueue({ class: "a", timeoutMs: 50 });
    await manager.run();
    expect(manager.get(id)).toMatchObject({ errorClass: "bryton/runtime/timedout" });
    await harness.noWorkers();
  });

  test("a process left behind that keeps the output open delays nothing, and is ended", async () => {
    const manager = await harness.open();
    manager.define(harness.shell("a", `sleep 600 & echo '{"success":true}'`));
    manager.enqueue({ class: "a" });
    const beforeMs = performance.now();
    expect(await manager.run()).toMatchObject({ done: 1 });
    expect(performance.now() - beforeMs).toBeLessThan(5000);
    await harness.noWorkers();
  });

  test("a verdict larger than what is kept fails with the option that keeps more, which then does", async () => {
    const manager = await harness.open();
    const line = `printf '{"success": true, "misc": "%0*d"}' 12000 0`;
    manager.define(harness.shell("small", line, { maxOutputBytes: 10_000 }));
    manager.define(harness.shell("large", line, { maxOutputBytes: 17_000 }));
    const [small] = manager.enqueue([{ class: "small" }, { class: "large" }]);
    expect(await manager.run()).toMatchObject({ done: 1, failed: 1 });
    const { xeme } = manager.get(small!)!;
    expect(xeme).toMatchObject({ errors: [{ class: "bryton/runtime/unparseable" }] });
    expect(xeme?.errors?.[0]?.message).toContain("raise the class's max_output_bytes (maxOutputBytes in TypeScript)");
  });

  test("a flood of output keeps its tail, and with it the verdict", async () => {
    const manager = await harness.open();
    manager.define(harness.shell("a", flood(30_000_000), { maxOutputBytes: 10_000 }));
    const id = manager.enqueue({ class: "a" });
    expect(await manager.run()).toMatchObject({ done: 1 });
    expect(manager.get(id)?.xeme?.io?.stdout?.length).toBeLessThan(20_000);
  });
});

describe("stores", () => {
  test.each([
    ["CORRUPT", "no database\n".repeat(1000)],
    ["CANNOT_OPEN", null],
  ])("one that cannot be opened is refused as %s, with the file and a way out", async (kind, content) => {
    if (content !== null) writeFileSync(harness.path, content);
    const path = content === null ? `${harness.directory}/none/jobs.db` : harness.path;
    await expect(Manager.open({ path })).rejects.toMatchObject({ kind, message: expect.stringContaining(path) });
  });

  test("two managers of one process are two as well", async () => {
    const first = await harness.open();
    const second = await harness.open();
    await first.start();
    await expect(second.run()).rejects.toMatchObject({ kind: "LOCKED" });
    await first.stop();
    expect(await second.run()).toMatchObject({ done: 0 });
  });

  test("while another process keeps the store locked, ends of jobs are kept, and then recorded", async () => {
    const manager = await harness.open({ busyTimeoutMs: 10 });
    manager.define(harness.shell("a", "true"));
    manager.enqueue({ class: "a" });
    const blocker = await openBlocker();
    const started = nextEvent(manager, "jobStarted").then(() => blocker.exec("BEGIN IMMEDIATE"));
    const failed = nextEvent(manager, "storeFailed", ({ waiting }) => waiting === 1);
    const run = manager.run();
    await started;
    expect(await failed).toMatchObject({ error: { kind: "LOCKED" }, waiting: 1 });
    blocker.exec("ROLLBACK");
    blocker.close();
    expect(await run).toMatchObject({ done: 1 });
    expect(harness.events(manager, "storeWorks")).toHaveLength(1);
  });

  test("on a full disk ends of jobs are kept, and recorded when there is room", async () => {
    const { manager, id, run } = await fullStore();
    await nextEvent(manager, "storeFailed");
    expect(manager.get(id)?.state).toBe("claimed");
    expect(await manager.prune({ olderThan: new Date(Date.now() + 1000) })).toBeGreaterThan(0);
    expect(await run).toMatchObject({ done: 1 });
    expect(manager.get(id)).toMatchObject({ state: "done" });
  });

  test("a disk that stays full keeps stop for a while only; the next start records what is left", async () => {
    const { manager, id, run } = await fullStore();
    await nextEvent(manager, "storeFailed");
    const stop = manager.stop();
    await expect(stop).rejects.toMatchObject({
      kind: "FULL",
      message: expect.stringMatching(/the end of 1 job is not recorded: .* once this process has ended .* as crashed/),
    });
    await expect(run).rejects.toMatchObject({ kind: "FULL" });
    expect(manager.isAlive).toBe(false);
    await manager.prune({ olderThan: new Date(Date.now() + 1000) });
    await manager.run();
    expect(manager.get(id)).toMatchObject({ state: "done" });
  });

  test("one that is damaged while the manager works ends the work with the reason", async () => {
    const before = await harness.open();
    before.enqueue(Array.from({ length: 2000 }, () => ({ class: "a", payload: "x".repeat(500) })));
    await before.close();
    const manager = await harness.open({ storePatienceMs: 200 });
    manager.define(harness.shell("a", "true"));
    const file = openSync(harness.path, "r+");
    for (let at = 4096 * 2; at < statSync(harness.path).size; at += 4096) writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, at);
    closeSync(file);
    await expect(manager.run()).rejects.toMatchObject({ kind: "CORRUPT", message: expect.stringContaining(harness.path) });
    expect(manager.isAlive).toBe(false);
  });

  /** A connection of somebody else, that can take the store's write lock. */
  async function openBlocker(): Promise<{ exec(sql: string): void; close(): void }> {
    const { default: Database } = await import("libsql");
    return new Database(harness.path);
  }

  /** A manager whose store has no room for the end of a job that runs, and jobs that can be pruned. */
  async function fullStore() {
    const manager = await harness.open({ maxBytes: 1_000_000, storePatienceMs: 300 });
    manager.define(harness.shell("a", flood(400_000)));
    manager.enqueue([{ class: "a" }, { class: "a" }]);
    expect(await manager.run()).toMatchObject({ done: 2 });
    const id = manager.enqueue({ class: "a" });
    return { manager, id, run: manager.run() };
  }
});
