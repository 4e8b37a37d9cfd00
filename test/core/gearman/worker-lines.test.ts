/** A worker and the lines to its servers: half-dead ones, jobs nobody announces, servers named twice, and what is counted. */
import { describe, expect, test } from "vitest";
import { checkClientId, expandClientId } from "../../../src/core/gearman/client-id.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import { workerMetricsText } from "../../../src/core/gearman/worker-metrics.ts";
import type { WorkerEvent } from "../../../src/core/gearman/worker-options.ts";
import { until } from "./fake-server.ts";
import { SERVER_KINDS, useRig } from "./faults-rig.ts";

const rig = useRig();

describe.each(SERVER_KINDS)("with $kind", ({ kind, isMissing }) => {
  const testHere = test.skipIf(isMissing);

  testHere(
    "a half-dead line is noticed: the job's signal fires, another worker gets it, and the worker registers anew",
    async () => {
      const port = await rig.server(kind);
      const proxy = await rig.proxy(port);
      const events: WorkerEvent[] = [];
      const stuck: GearmanJob[] = [];
      const worker = await rig.worker(
        proxy.server,
        {
          f: (job) =>
            new Promise((resolve) => job.signal.addEventListener("abort", () => resolve("too late")) ?? stuck.push(job)),
        },
        { regrabMs: 100, clientId: "first", onEvent: (event) => void events.push(event) },
      );
      const answer = rig.client(`127.0.0.1:${port}`, { timeoutMs: 30_000 }).submit({ name: "f" });
      await until(() => stuck.length === 1);
      await rig.worker(`127.0.0.1:${port}`, { f: () => "rescued" });
      const [line] = proxy.open;
      line!.setFlow("swallow");
      await until(() => stuck[0]!.signal.aborted);
      // The server learns of it when something on the way gives up.
      line!.drop();
      expect((await answer).toString()).toBe("rescued");
      expect(stuck[0]?.signal.reason).toMatchObject({ kind: "IO" });
      await until(() => events.filter(({ type }) => type === "connected").length >= 2);
      expect(events.find(({ type }) => type === "lost")).toMatchObject({
        reason: { message: expect.stringContaining("no sign of life") },
      });
      const admin = rig.admin(port);
      await until(async () =>
        (await admin.workers()).some(({ clientId, functions }) => clientId === "first" && functions[0] === "f"),
      );
      expect(worker.metrics()).toMatchObject({ taken: 1, lost: 1, completed: 0 });
    },
  );

  testHere("a job with a time is done when it is due, though the worker sleeps", async () => {
    const server = `127.0.0.1:${await rig.server(kind)}`;
    const done: number[] = [];
    const worker = await rig.worker(server, { f: () => void done.push(Date.now()) }, { regrabMs: 100 });
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    await rig.client(server).submitBackground({ name: "f", at });
    await until(() => done.length === 1);
    expect(done[0]).toBeGreaterThanOrEqual(at.getTime() - 1000);
    expect(worker.metrics().taken).toBe(1);
  });

  testHere("a server named twice, in whatever way, gets one connection", async () => {
    const port = await rig.server(kind);
    const worker = await rig.worker([`127.0.0.1:${port}`, `127.0.0.1:${port}`, ` 127.0.0.1:${port} `], { f: () => "" });
    await rig.client(`127.0.0.1:${port}`).submit({ name: "f" });
    expect(worker.metrics()).toMatchObject({ connects: 1, connections: 1 });
    expect(Object.keys(worker.metrics().servers)).toEqual([`127.0.0.1:${port}`]);
  });

  testHere("every job taken is counted in one way to end, over stops and starts", async () => {
    const server = `127.0.0.1:${await rig.server(kind)}`;
    const client = rig.client(server);
    const worker = await rig.worker(server, {
      good: () => "",
      bad: () => {
        throw new Error("no");
      },
    });
    worker.add("slow", (job) => new Promise((resolve) => job.signal.addEventListener("abort", () => resolve(""))), {
      timeoutMs: 10,
    });
    await client.submit({ name: "good" });
    await expect(client.submit({ name: "bad" })).rejects.toThrow("no");
    await expect(client.submit({ name: "slow" })).rejects.toThrow("longer than 10 ms");
    await worker.stop();
    worker.start();
    await client.submit({ name: "good" });
    await worker.stop();
    const metrics = worker.metrics();
    expect(metrics).toMatchObject({ taken: 4, completed: 2, failed: 1, timedOut: 1, lost: 0, held: 0, running: 0, connects: 2 });
    expect(metrics.grabs).toBeGreaterThanOrEqual(4);
    expect(metrics.handlerSeconds).toBeGreaterThanOrEqual(0.009);
    const text = workerMetricsText(metrics, { app: "test" });
    expect(text).toContain('gearman_worker_jobs_completed_total{app="test"} 2\n');
    expect(text).toContain(`gearman_worker_connects_total{app="test",server="${server}"} 2\n`);
  });
});

describe("client ids", () => {
  test.each([
    ["x".repeat(128), "has 128 bytes, at most 127 are allowed"],
    ["my worker", "has a blank"],
    ["a\nb", "has a control character"],
    ["a\udcff", "is not text"],
  ])("%j is refused, by the constructor and by start", (clientId, problem) => {
    expect(() => checkClientId(clientId)).toThrow(problem);
    expect(() => new GearmanWorker({ clientId })).toThrow(problem);
    const worker = new GearmanWorker();
    expect(() => worker.start({ clientId })).toThrow(problem);
    expect(worker.isAlive).toBe(false);
  });

  test("of 127 bytes are taken", () => {
    expect(checkClientId("é".repeat(63) + "x")).toHaveLength(64);
  });

  test("a long host name is shortened in whole characters, so that the process number stays", () => {
    const host = { hostname: "h".repeat(300), processId: 42 };
    expect(expandClientId("w-%HOSTNAME%-%PID%", host)).toBe(`w-${"h".repeat(122)}-42`);
    expect(expandClientId("%HOSTNAME%%HOSTNAME%", { hostname: "é".repeat(99), processId: 1 })).toBe("é".repeat(62));
    expect(expandClientId("w-%PID%", host)).toBe("w-42");
    expect(expandClientId("%HOSTNAME%", { hostname: "box", processId: 1 })).toBe("box");
  });
});

test("what onEvent throws becomes a process warning and harms no job", async () => {
  const server = `127.0.0.1:${await rig.server("the embedded server")}`;
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on("warning", note);
  rig.onEnd(() => process.off("warning", note));
  const onEvent = () => {
    throw new Error("listener broke");
  };
  await rig.worker(server, { f: () => "ok" }, { onEvent });
  expect((await rig.client(server).submit({ name: "f" })).toString()).toBe("ok");
  await until(() => warnings.some(({ message }) => message.includes("listener broke")));
});
