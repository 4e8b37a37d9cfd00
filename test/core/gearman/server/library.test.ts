/** This library's own client and worker against the embedded server: what `basil run --embedded` stands on. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { GearmanClient } from "../../../../src/core/gearman/client.ts";
import { systemHost } from "../../../../src/core/gearman/host.ts";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../../src/core/gearman/worker.ts";
import { ManualClock } from "./manual-clock.ts";

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

test("a reader much slower than the worker's looks for signs of life: the job runs once, each piece comes once", async () => {
  const clock = new ManualClock();
  const tight = new GearmanServer({ maxPendingBytes: 256 * 1024, clock });
  const { host, port } = await tight.listen();
  const servers = [`${host}:${port}`];
  let beats = 0;
  const random = () => {
    beats++;
    clock.advance(3000); // the server's sign of life to workers it holds up
    return 0.5;
  };
  const events: string[] = [];
  const slow = new GearmanWorker({
    servers,
    regrabMs: 50,
    host: { ...systemHost, random },
    onEvent: ({ type }) => events.push(type),
  });
  const reader = new GearmanClient({ servers, timeoutMs: 30_000 });
  let runs = 0;
  slow.add("pieces", async (job) => {
    runs++;
    for (let number = 0; number < 400; number++) await job.sendData(Buffer.alloc(64 * 1024, number % 251));
  });
  slow.start();
  const pieces: number[] = [];
  try {
    await reader.submit({
      name: "pieces",
      onData: async (piece) => {
        // Longer than several looks, several times, and mostly while the worker is held up.
        const until = pieces.length % 50 === 0 ? beats + 8 : 0;
        while (beats < until) await new Promise((resolve) => setTimeout(resolve, 5));
        pieces.push(piece[0]!);
      },
    });
  } finally {
    await slow.stop();
    await reader.close();
    await tight.close();
  }
  expect(pieces).toEqual(Array.from({ length: 400 }, (_, number) => number % 251));
  expect([runs, events]).toEqual([1, ["connected", "stopped"]]);
});

test("jobs to be taken by hand do not keep handlers from theirs, whether they wait or are held", async () => {
  worker.add("by.hand");
  worker.add("up", (job) => String(job.payload).toUpperCase());
  for (const payload of ["1", "2", "3"]) await client.submitBackground({ name: "by.hand", payload });
  worker.start({ concurrency: 1 });
  expect(String(await client.submit({ name: "up", payload: "a" }))).toBe("A");
  const taken = await worker.next();
  expect(String(taken?.payload)).toBe("1");
  expect(String(await client.submit({ name: "up", payload: "b" }))).toBe("B");
  expect(await worker.next({ timeoutMs: 20 })).toBeNull(); // the one place by hand is taken
  taken?.complete();
  for (const payload of ["2", "3"]) {
    const job = await worker.next();
    expect(String(job?.payload)).toBe(payload);
    job?.complete();
  }
});

test("a function may come to be taken by hand, or get a handler, while the worker runs", async () => {
  worker.add("up", (job) => String(job.payload).toUpperCase());
  worker.start({ concurrency: 1 });
  worker.add("by.hand");
  await client.submitBackground({ name: "by.hand", payload: "1" });
  const job = await worker.next();
  worker.add("by.hand", () => "handled");
  expect(String(await client.submit({ name: "by.hand" }))).toBe("handled");
  job?.complete();
  worker.add("up");
  const answer = client.submit({ name: "up", payload: "a" });
  (await worker.next())?.complete("by hand");
  expect(String(await answer)).toBe("by hand");
});

test("a background job can be asked for and cancelled", async () => {
  const { handle } = await client.submitBackground({ name: "nobody", payload: "x" });
  expect(await client.status(handle)).toEqual({ known: true, running: false, numerator: 0, denominator: 0 });
  expect(await client.cancel(handle)).toBe(true);
});
