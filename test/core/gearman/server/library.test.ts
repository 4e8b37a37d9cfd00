/** This library's own client and worker against the embedded server: what `basil run --embedded` stands on. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { GearmanClient } from "../../../../src/core/gearman/client.ts";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../../src/core/gearman/worker.ts";

let server: GearmanServer;
let client: GearmanClient;
let worker: GearmanWorker;

beforeEach(async () => {
  server = new GearmanServer();
  const { host, port } = await server.listen();
  const servers = [`${host}:${port}`];
  client = new GearmanClient({ servers, timeoutMs: 20_000 });
  worker = new GearmanWorker({ servers, concurrency: 10 });
});

afterEach(async () => {
  await worker.stop();
  await client.close();
  await server.close();
});

test("500 jobs at once come back to where they were submitted", async () => {
  worker.add("double", async (job) => `${Number(job.payload) * 2}`);
  await worker.start();
  const numbers = Array.from({ length: 500 }, (_, number) => number);
  const answers = await Promise.all(numbers.map((number) => client.submit({ name: "double", payload: `${number}` })));
  expect(answers.map((answer) => Number(answer))).toEqual(numbers.map((number) => number * 2));
});

test("16 MiB come back byte for byte", async () => {
  worker.add("same", async (job) => job.payload);
  await worker.start();
  const payload = Buffer.alloc(16 * 1024 * 1024);
  for (let index = 0; index < payload.length; index += 101) payload[index] = index % 256;
  expect((await client.submit({ name: "same", payload })).equals(payload)).toBe(true);
});

test("a failing handler's reason reaches the client", async () => {
  worker.add("fails", async () => {
    throw new Error("no paper");
  });
  await worker.start();
  await expect(client.submit({ name: "fails", payload: "" })).rejects.toMatchObject({
    kind: "WORKER_FAILED",
    message: expect.stringContaining("no paper"),
  });
});

test("a background job can be asked for and cancelled", async () => {
  const { handle } = await client.submitBackground({ name: "nobody", payload: "x" });
  expect(await client.status(handle)).toEqual({ known: true, running: false, numerator: 0, denominator: 0 });
  expect(await client.cancel(handle)).toBe(true);
});
