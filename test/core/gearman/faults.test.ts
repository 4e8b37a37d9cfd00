/** Client and worker on a bad network, through a proxy of our own: nothing is lost, nothing hangs, and every failure has its right name. */
import { afterEach, describe, expect, test } from "vitest";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import type { GearmanError } from "../../../src/core/gearman/errors.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanWorkerOptions, JobHandler } from "../../../src/core/gearman/worker-options.ts";
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from "../../helpers/fault-proxy.ts";
import { freePort, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The two servers that everything is tried on. */
const SERVERS = {
  "the embedded server": async () => {
    const server = new GearmanServer();
    const { port } = await server.listen();
    cleanups.push(() => server.close());
    return port;
  },
  gearmand: async () => {
    const gearmand = await startGearmand();
    cleanups.push(() => gearmand.stop());
    return gearmand.port;
  },
};

async function proxyTo(port: number, options: Partial<FaultProxyOptions> = {}): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ port, ...options });
  cleanups.push(() => proxy.close());
  return proxy;
}

function clientOf(server: string, options: GearmanClientOptions = {}): GearmanClient {
  const client = new GearmanClient({ servers: [server], timeoutMs: 10_000, ...options });
  cleanups.push(() => client.close());
  return client;
}

async function workerOf(
  server: string,
  handlers: Record<string, JobHandler>,
  options: GearmanWorkerOptions = {},
): Promise<GearmanWorker> {
  const worker = new GearmanWorker({ servers: [server], ...options });
  cleanups.push(() => worker.stop({ graceMs: 0 }));
  for (const [name, handler] of Object.entries(handlers)) worker.add(name, handler);
  worker.start();
  await worker.ready();
  return worker;
}

const failure = (promise: Promise<unknown>): Promise<GearmanError> =>
  promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (reason: GearmanError) => reason,
  );

describe.each(Object.keys(SERVERS) as (keyof typeof SERVERS)[])("with %s", (name) => {
  const start = SERVERS[name];
  const testHere = test.skipIf(name === "gearmand" && !hasGearmand());

  testHere("byte by byte, jobs with data, status and warnings come through unharmed", async () => {
    const proxy = await proxyTo(await start(), { faults: { maxPieceBytes: 1 } });
    await workerOf(proxy.server, {
      talk: async (job) => {
        await job.sendData(job.payload);
        await job.sendStatus(1, 2);
        await job.sendWarning("careful");
        return Buffer.from(job.payload).reverse();
      },
    });
    const payload = Buffer.from(Array.from({ length: 2000 }, (_, index) => index % 256));
    const stream = clientOf(proxy.server).start({ name: "talk", payload });
    const events: string[] = [];
    for await (const event of stream)
      events.push(event.type === "status" ? `${event.numerator}/${event.denominator}` : event.payload.toString("latin1"));
    expect(events).toEqual([payload.toString("latin1"), "1/2", "careful"]);
    expect((await stream.result).equals(Buffer.from(payload).reverse())).toBe(true);
  });

  testHere("late and in odd pieces, two hundred jobs at once each get their own result", async () => {
    const proxy = await proxyTo(await start(), { faults: { latencyMs: 5, jitterMs: 20, maxPieceBytes: 37 }, seed: 4 });
    await workerOf(proxy.server, { twice: (job) => `${job.payload}${job.payload}` }, { concurrency: 10 });
    const client = clientOf(proxy.server);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => client.submit({ name: "twice", payload: `${index}.` })),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 200 }, (_, index) => `${index}.${index}.`));
  });

  testHere("an acceptance that never arrives is UNKNOWN_OUTCOME, and the job was queued once", async () => {
    const proxy = await proxyTo(await start());
    const client = clientOf(proxy.server);
    await client.echo("connected");
    const [connection] = proxy.open;
    connection!.setFlow("swallow", "toClient");
    const submitted = failure(client.submitBackground({ name: "maybe", unique: "one" }));
    const { toClient } = connection!.bytes;
    await until(() => connection!.bytes.toClient > toClient);
    connection!.reset();
    expect(await submitted).toMatchObject({ kind: "UNKNOWN_OUTCOME" });
    await client.submitBackground({ name: "maybe", unique: "one" });
    let runs = 0;
    const worker = await workerOf(proxy.server, { maybe: () => void runs++, after: () => "" });
    await client.submit({ name: "maybe", unique: "two" });
    await worker.stop();
    expect(runs).toBe(2);
  });

  testHere.each(["drop", "reset"] as const)(
    "a foreground job whose connection is cut (%s) fails with IO at once, and the next call works",
    async (cut) => {
      const port = await start();
      const proxy = await proxyTo(port);
      const began: string[] = [];
      await workerOf(`127.0.0.1:${port}`, {
        stuck: (job) => {
          began.push(job.handle);
          return new Promise((_, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason)));
        },
      });
      const client = clientOf(proxy.server);
      const job = failure(client.submit({ name: "stuck" }));
      await until(() => began.length === 1);
      await client.echo("the acceptance is here as well");
      const cutAt = performance.now();
      proxy.open[0]![cut]();
      const error = await job;
      expect(error).toMatchObject({ kind: "IO", message: expect.stringContaining("stuck did not finish") });
      expect(performance.now() - cutAt).toBeLessThan(1000);
      expect(String(await client.echo("again"))).toBe("again");
    },
  );

  testHere("a line that died without a goodbye costs one timeout, then a new connection is used", async () => {
    const proxy = await proxyTo(await start());
    const client = clientOf(proxy.server);
    await client.echo("connected");
    proxy.open[0]!.setFlow("swallow");
    expect(await failure(client.submitBackground({ name: "void", timeoutMs: 200 }))).toMatchObject({ kind: "TIMEOUT" });
    expect(String(await client.echo("through", { timeoutMs: 2000 }))).toBe("through");
    expect(proxy.accepted).toBe(2);
  });

  testHere("a worker leaves a line that died without a goodbye, and takes jobs over a new one", async () => {
    const port = await start();
    const proxy = await proxyTo(port);
    const losses: string[] = [];
    await workerOf(
      proxy.server,
      { up: (job) => String(job.payload).toUpperCase() },
      { regrabMs: 50, onEvent: (event) => event.type === "lost" && losses.push(event.reason.message) },
    );
    const client = clientOf(`127.0.0.1:${port}`);
    expect(String(await client.submit({ name: "up", payload: "a" }))).toBe("A");
    const [dead] = proxy.open;
    dead!.setFlow("swallow");
    await until(() => proxy.accepted === 2);
    expect(losses).toEqual([expect.stringContaining("no sign of life")]);
    expect(dead!.isOpen).toBe(true); // nobody told the server
    expect(String(await client.submit({ name: "up", payload: "b" }))).toBe("B");
  });

  testHere("a job whose worker is cut off runs again on another worker, and its caller gets one result", async () => {
    const port = await start();
    const proxy = await proxyTo(port);
    const signals: string[] = [];
    await workerOf(proxy.server, {
      work: (job) =>
        new Promise((_, reject) => {
          job.signal.addEventListener("abort", () => reject(job.signal.reason));
          signals.push("began");
          job.signal.addEventListener("abort", () => signals.push("called off"));
        }),
    });
    const answer = clientOf(`127.0.0.1:${port}`).submit({ name: "work", payload: "x" });
    await until(() => signals.length === 1);
    await workerOf(`127.0.0.1:${port}`, { work: (job) => `done ${job.payload}` });
    proxy.open[0]!.reset();
    expect(String(await answer)).toBe("done x");
    await until(() => signals.length === 2);
  });

  testHere("a server that reads nothing for a while only delays: all of 40 MB arrives", async () => {
    const port = await start();
    const proxy = await proxyTo(port);
    await workerOf(`127.0.0.1:${port}`, { size: (job) => String(job.payload.length) }, { concurrency: 4 });
    const client = clientOf(proxy.server);
    await client.echo("connected");
    proxy.open[0]!.setFlow("hold", "toServer");
    const sizes = [1, 2, 3, 4].map((part) => client.submit({ name: "size", payload: Buffer.alloc(part * 4_000_000, part) }));
    let answers = 0;
    for (const size of sizes) void size.then(() => answers++);
    await new Promise((resolve) => setTimeout(resolve, 100)); // holds the line for a while, on purpose
    expect(answers).toBe(0);
    proxy.open[0]!.setFlow("forward");
    expect((await Promise.all(sizes)).map(String)).toEqual(["4000000", "8000000", "12000000", "16000000"]);
  });
});

test("nobody listening behind the line: an error that names the server, in bounded time", async () => {
  const proxy = await proxyTo(await freePort());
  const error = await failure(clientOf(proxy.server, { retries: 1, timeoutMs: 3000 }).submitBackground({ name: "f" }));
  expect(["IO", "UNKNOWN_OUTCOME"]).toContain(error.kind);
  expect(error.message).toContain(proxy.server);
});
