/** Warm workers: they save the start, run one job each, and nothing of one job reaches the next. */
import { describe, expect, test } from "vitest";
import type { JobClass } from "../../../src/core/obrien/job-class.ts";
import { until } from "../gearman/fake-server.ts";
import { ManagerHarness, nextEvent } from "./manager-harness.ts";

const harness = new ManagerHarness();

/** Starts slowly, says so in the log, and then does what its input says. */
const EAGER = 'sleep 0.05; echo "up $$" >> "$LOG"; read -r id || exit 0; ';

const eager = (line: string, more: Partial<JobClass> = {}): JobClass => harness.shell("a", EAGER + line, { spares: 1, ...more });

/** The processes that have said that they are up. */
const up = (): number[] => harness.logged().map((line) => Number(line.slice(3)));

describe.skipIf(process.platform !== "linux")("warm workers", () => {
  test("are up before their job comes, run it, and are replaced", async () => {
    const manager = await harness.open();
    manager.define(eager("true"));
    await manager.start();
    await until(() => up().length === 1);
    const started = nextEvent(manager, "jobStarted");
    const id = manager.enqueue({ class: "a", payload: "1\n" });
    expect((await started).pid).toBe(up()[0]);
    expect((await manager.wait(id)).state).toBe("done");
    await until(() => up().length === 2);
    expect(new Set(up()).size).toBe(2);
  });

  test("run one job each: no two jobs share a process, or what one leaves in it", async () => {
    const manager = await harness.open();
    manager.define(eager(`seen="\${left:-nothing}"; left=$id; echo '{"success":true,"misc":"'"$seen"'"}'`, { spares: 2 }));
    const ids = manager.enqueue(Array.from({ length: 12 }, (_, job) => ({ class: "a", payload: `${job}\n` })));
    const pids: (number | null)[] = [];
    manager.onEvent((event) => event.type === "jobStarted" && pids.push(event.pid));
    await manager.run({ concurrency: 3 });
    expect(new Set(pids).size).toBe(12);
    expect(ids.map((id) => manager.get(id)!.xeme?.misc)).toEqual(Array(12).fill("nothing"));
  });

  test("are ended at stop", async () => {
    const manager = await harness.open();
    manager.define(eager("true", { spares: 3 }));
    await manager.start();
    await until(() => up().length === 3);
    expect(harness.workers().length).toBeGreaterThanOrEqual(3);
    await manager.stop();
    await harness.noWorkers();
  });

  test("that end by themselves are started again later and later, and take no job with them", async () => {
    const manager = await harness.open();
    manager.define(harness.shell("a", `test "$OBRIEN_SPARE" && exit 0; echo '{"success":true,"misc":"cold"}'`, { spares: 1 }));
    await manager.start();
    const first = await nextEvent(manager, "spareEnded");
    const second = await nextEvent(manager, "spareEnded");
    expect([first.retryMs, second.retryMs]).toEqual([100, 200]);
    expect((await manager.wait(manager.enqueue({ class: "a" }))).xeme?.misc).toBe("cold");
  });

  test("get the job's time limit when they get the job", async () => {
    const manager = await harness.open();
    manager.define(eager("sleep 600", { timeoutMs: 100 }));
    await manager.start();
    await until(() => up().length === 1);
    const upMs = performance.now();
    await until(() => performance.now() - upMs > 150);
    const started = nextEvent(manager, "jobStarted");
    const id = manager.enqueue({ class: "a", payload: "1\n" });
    expect((await started).pid).toBe(up()[0]);
    expect(await manager.wait(id)).toMatchObject({ errorClass: "bryton/runtime/timedout" });
  });

  test("of a class that is defined anew are replaced", async () => {
    const manager = await harness.open();
    manager.define(eager("exit 1"));
    await manager.start();
    await until(() => up().length === 1);
    manager.define(eager("exit 0"));
    await until(() => up().length === 2);
    expect((await manager.wait(manager.enqueue({ class: "a", payload: "1\n" }))).state).toBe("done");
    expect(harness.workers()).not.toContain(up()[0]);
  });
});
