/** How a handler wrapped by `retrying` is tried again, and when it is not. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { GearmanClient } from "../../../src/core/gearman/client.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import type { JobHandler, WorkerEvent } from "../../../src/core/gearman/worker-options.ts";
import { type RetryOptions, retrying } from "../../../src/core/gearman/worker-retry.ts";
import { until } from "./fake-server.ts";

let server: GearmanServer;
let client: GearmanClient;
let worker: GearmanWorker;
let events: WorkerEvent[];

beforeEach(async () => {
  server = new GearmanServer();
  const { host, port } = await server.listen();
  const servers = [{ host, port }];
  events = [];
  client = new GearmanClient({ servers });
  worker = new GearmanWorker({ servers, onEvent: (event) => void events.push(event) });
});
afterEach(async () => {
  await worker.stop({ graceMs: 0 });
  await client.close();
  await server.close();
});

const QUICK: RetryOptions = { firstMs: 1, maxMs: 2 };

function serve(handler: JobHandler, options: RetryOptions, timeoutMs = 60_000): void {
  worker.add("f", retrying(handler, options), { timeoutMs });
  worker.start();
}

/** A handler that fails so many times before it works. */
function flaky(failures: number): { runs: () => number; handler: JobHandler } {
  let runs = 0;
  const handler = () => {
    if (++runs <= failures) throw new Error(`no luck ${runs}`);
    return "ok";
  };
  return { runs: () => runs, handler };
}

test("a handler that fails is tried again until it works", async () => {
  const { runs, handler } = flaky(2);
  serve(handler, QUICK);
  expect((await client.submit({ name: "f" })).toString()).toBe("ok");
  expect(runs()).toBe(3);
});

test("after the last attempt the job fails with the last error and the number of attempts", async () => {
  const { runs, handler } = flaky(9);
  serve(handler, { ...QUICK, attempts: 4 });
  await expect(client.submit({ name: "f" })).rejects.toThrow("no luck 4 (after 4 attempts)");
  expect(runs()).toBe(4);
  expect(events.at(-1)).toMatchObject({ type: "jobFailed", reason: { cause: { message: "no luck 4" } } });
});

test("an error that `when` refuses is not retried and stays as it is", async () => {
  const { runs, handler } = flaky(9);
  serve(handler, { ...QUICK, when: (error) => !(error instanceof Error && error.message === "no luck 1") });
  await expect(client.submit({ name: "f" })).rejects.toThrow("no luck 1 (job ");
  expect(runs()).toBe(1);
});

test("a job whose time is over is not tried again", async () => {
  const { runs, handler } = flaky(9);
  serve(handler, { firstMs: 1_000_000, maxMs: 1_000_000 }, 20);
  await expect(client.submit({ name: "f" })).rejects.toThrow("f took longer than 20 ms");
  await until(() => worker.held === 0);
  expect(runs()).toBe(1);
});

test("a stop that has no patience ends the pause between attempts", async () => {
  const jobs: GearmanJob[] = [];
  serve(
    (job) => {
      jobs.push(job);
      throw new Error("no luck");
    },
    { firstMs: 1_000_000, maxMs: 1_000_000 },
  );
  await client.submitBackground({ name: "f" });
  await until(() => jobs.length === 1);
  await worker.stop({ graceMs: 0 });
  expect(jobs[0]?.signal.reason).toMatchObject({ kind: "ABORTED" });
  expect(jobs).toHaveLength(1);
});

test.each<[RetryOptions, string]>([
  [{ attempts: 0 }, "attempts 0 must be a whole number of at least 1"],
  [{ attempts: 1.5 }, "attempts 1.5 must be"],
  [{ firstMs: -1 }, "firstMs -1 must be a number of at least 0"],
  [{ maxMs: Number.NaN }, "maxMs NaN must be"],
  [{ jitter: 2 }, "jitter 2 must be a number from 0 to 1"],
])("%j is refused", (options, message) => {
  expect(() => retrying(() => "", options)).toThrow(message);
});
