/** Client and worker against the real job server: what the protocol's text leaves open is decided here. */
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GearmanAdmin } from "../../../src/core/gearman/admin.ts";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import { GearmanError } from "../../../src/core/gearman/errors.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import type { GearmanWorkerOptions, WorkerEvent } from "../../../src/core/gearman/worker-options.ts";
import { type Gearmand, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";

describe.skipIf(!hasGearmand())("against gearmand", () => {
  let gearmand: Gearmand;
  const cleanups: (() => Promise<void>)[] = [];
  let names = 0;

  beforeAll(async () => {
    gearmand = await startGearmand();
  });
  afterAll(() => gearmand.stop());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** A function name no other test uses. */
  const fresh = () => `test.f${++names}`;

  function client(options: GearmanClientOptions = {}): GearmanClient {
    const made = new GearmanClient({ servers: [gearmand.server], timeoutMs: 10_000, ...options });
    cleanups.push(() => made.close());
    return made;
  }

  async function worker(
    name: string,
    handler?: (job: GearmanJob) => unknown,
    options: GearmanWorkerOptions = {},
  ): Promise<GearmanWorker> {
    const made = new GearmanWorker({ servers: [gearmand.server], ...options });
    cleanups.push(() => made.stop({ graceMs: 0 }));
    made.add(name, handler as (() => Promise<string>) | undefined);
    made.start();
    await made.ready();
    return made;
  }

  const admin = () => new GearmanAdmin({ server: gearmand.server, timeoutMs: 5000 });

  async function failure(promise: Promise<unknown>): Promise<GearmanError> {
    const error: unknown = await promise.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GearmanError);
    return error as GearmanError;
  }

  describe("foreground jobs", () => {
    test("come back with their result, and every byte value survives both ways", async () => {
      const name = fresh();
      const seen: Buffer[] = [];
      await worker(name, (job) => {
        seen.push(job.payload);
        return Buffer.from(job.payload).reverse();
      });
      const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
      const result = await client().submit({ name, payload: all });
      expect(seen[0]?.equals(all)).toBe(true);
      expect(result.equals(Buffer.from(all).reverse())).toBe(true);
    });

    test("may have empty payloads and results", async () => {
      const name = fresh();
      await worker(name, (job) => Buffer.alloc(job.payload.length));
      expect(await client().submit({ name })).toHaveLength(0);
    });

    test("carry 64 MiB there and back unharmed", async () => {
      const name = fresh();
      await worker(name, (job) => job.payload);
      const payload = Buffer.alloc(64 * 1024 * 1024);
      for (let at = 0; at < payload.length; at += 4096) payload.writeUInt32BE(at, at);
      const result = await client({ timeoutMs: 60_000 }).submit({ name, payload });
      expect(result.equals(payload)).toBe(true);
    });

    test("a thousand at once each get their own result", async () => {
      const name = fresh();
      await worker(name, async (job) => `r${job.payload}`, { concurrency: 16 });
      const caller = client();
      const results = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => caller.submit({ name, payload: String(index) })),
      );
      expect(results.map(String)).toEqual(Array.from({ length: 1000 }, (_, index) => `r${index}`));
    });

    test("a failing handler's message reaches the caller, with and without exceptions", async () => {
      const boom = () => {
        throw new Error("no luck today");
      };
      for (const exceptions of [false, true]) {
        const name = fresh();
        await worker(name, boom, { exceptions });
        const error = await failure(client({ exceptions }).submit({ name }));
        expect(error).toMatchObject({ kind: "WORKER_FAILED" });
        expect(error.message).toMatch(new RegExp(`^${name} failed: no luck today \\(job H:`));
      }
    });

    test("an exception fails the job for a client without exceptions too", async () => {
      const name = fresh();
      await worker(name, () => Promise.reject(new Error("hidden")), { exceptions: true });
      expect((await failure(client().submit({ name }))).message).toMatch(/failed without giving a reason/);
    });

    test("nobody does it: TIMEOUT, and the connection goes on", async () => {
      const caller = client();
      const name = fresh();
      expect(await failure(caller.submit({ name, timeoutMs: 100 }))).toMatchObject({
        kind: "TIMEOUT",
        message: `no answer from ${name} within 100 ms`,
      });
      expect((await caller.echo("fine")).toString()).toBe("fine");
    });

    test("equal keys share one run, and both callers get the result", async () => {
      const name = fresh();
      const caller = client();
      let runs = 0;
      const both = [caller.submit({ name, unique: "same", payload: "1" }), caller.submit({ name, unique: "same", payload: "2" })];
      await caller.echo("");
      await worker(name, (job) => `${++runs}:${job.unique}:${job.payload}`);
      expect((await Promise.all(both)).map(String)).toEqual(["1:same:1", "1:same:1"]);
    });

    test("a higher priority goes first", async () => {
      const name = fresh();
      const caller = client();
      const order: string[] = [];
      for (const priority of ["low", "normal", "high"] as const)
        await caller.submitBackground({ name, priority, payload: priority });
      await worker(name, (job) => void order.push(String(job.payload)));
      await until(() => order.length === 3);
      expect(order).toEqual(["high", "normal", "low"]);
    });
  });

  describe("streams", () => {
    test("bring data, warnings and progress in order while the job runs", async () => {
      const name = fresh();
      await worker(name, async (job) => {
        for (let step = 1; step <= 3; step++) {
          await job.sendData(`d${step}`);
          await job.sendStatus(step, 3);
        }
        await job.sendWarning("almost");
        return "end";
      });
      const stream = client().start({ name });
      const events: string[] = [];
      for await (const event of stream)
        events.push(event.type === "status" ? `${event.numerator}/${event.denominator}` : `${event.payload}`);
      expect(events).toEqual(["d1", "1/3", "d2", "2/3", "d3", "3/3", "almost"]);
      expect((await stream.result).toString()).toBe("end");
    });

    test("a fast worker, a slow reader: everything arrives, other jobs go on", async () => {
      const [name, quick] = [fresh(), fresh()];
      const chunk = Buffer.alloc(256 * 1024, 9);
      const made = await worker(
        name,
        async (job) => {
          for (let index = 0; index < 100; index++) await job.sendData(chunk);
        },
        { concurrency: 2 },
      );
      made.add(quick, () => "quick");
      const caller = client();
      let bytes = 0;
      for await (const event of caller.start({ name, timeoutMs: 60_000 })) {
        if (event.type === "data") bytes += event.payload.length;
        if (bytes % (20 * chunk.length) === 0) expect((await caller.submit({ name: quick })).toString()).toBe("quick");
      }
      expect(bytes).toBe(100 * chunk.length);
    });
  });

  describe("background jobs", () => {
    test("are known while queued and running with their progress, and unknown when done", async () => {
      const name = fresh();
      const caller = client();
      const { handle, server } = await caller.submitBackground({ name });
      expect(server).toBe(gearmand.server);
      expect(await caller.status(handle)).toEqual({ known: true, running: false, numerator: 0, denominator: 0 });
      let finish!: () => void;
      await worker(name, async (job) => {
        await job.sendStatus(2, 5);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      await until(async () => (await caller.status(handle)).numerator === 2);
      expect(await caller.status(`${server}//${handle}`)).toEqual({ known: true, running: true, numerator: 2, denominator: 5 });
      finish();
      await until(async () => !(await caller.status(handle)).known);
      expect(await caller.status(handle)).toEqual({ known: false, running: false, numerator: 0, denominator: 0 });
    });

    test("two hundred without a key are two hundred jobs", async () => {
      const name = fresh();
      const caller = client();
      const receipts = await Promise.all(Array.from({ length: 200 }, () => caller.submitBackground({ name })));
      expect(new Set(receipts.map(({ handle }) => handle)).size).toBe(200);
    });

    test("a full queue refuses with the server's words", async () => {
      const name = fresh();
      const caller = client();
      await caller.submitBackground({ name });
      const { connect } = await import("node:net");
      const socket = connect(gearmand.port, "127.0.0.1");
      socket.write(`maxqueue ${name} 1\r\n`);
      await once(socket, "data");
      socket.destroy();
      const error = await failure(caller.submitBackground({ name }));
      expect(error).toMatchObject({
        kind: "SERVER",
        message: `${gearmand.server} refused ${name}: QUEUE_ERROR (Job queue is full)`,
      });
    });
  });

  describe("cancelling", () => {
    test("a queued job works; its caller learns of it", async () => {
      const name = fresh();
      const caller = client();
      const { handle } = await caller.submitBackground({ name });
      expect(await caller.cancel(handle)).toBe(true);
      const handles: string[] = [];
      const waiting = failure(caller.submit({ name, onCreated: (receipt) => void handles.push(receipt.handle) }));
      await until(() => handles.length === 1);
      expect(await caller.cancel(handles[0]!)).toBe(true);
      expect((await waiting).kind).toBe("WORKER_FAILED");
    });

    test("a running job only detaches its caller, and the late result harms nobody", async () => {
      const name = fresh();
      const caller = client();
      const handles: string[] = [];
      let finish!: () => void;
      const done: string[] = [];
      await worker(name, async (job) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        done.push(job.handle);
        return "late";
      });
      const waiting = failure(
        caller.submit({ name, onStatus: () => undefined, onCreated: ({ handle }) => void handles.push(handle) }),
      );
      await until(() => handles.length === 1 && finish !== undefined);
      expect(await caller.cancel(handles[0]!)).toBe(true);
      expect((await waiting).kind).toBe("WORKER_FAILED");
      finish();
      await until(() => done.length === 1);
      expect((await caller.echo("still fine")).toString()).toBe("still fine");
    });

    test("an unknown job is NOT_FOUND", async () => {
      expect(await failure(client().cancel("H:nowhere:1"))).toMatchObject({ kind: "NOT_FOUND", code: 4 });
    });
  });

  describe("echo, status and names", () => {
    test("echo brings every byte back", async () => {
      const data = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
      expect((await client().echo(data)).equals(data)).toBe(true);
      expect((await client().echo("")).length).toBe(0);
    });

    test("a handle no server issued is simply not known", async () => {
      expect((await client().status("H:nowhere:1")).known).toBe(false);
    });

    test("client ids of client and worker are listed", async () => {
      const name = fresh();
      await worker(name, () => "", { clientId: "the-worker" });
      const caller = client({ clientId: "the-client" });
      await caller.echo("");
      await until(async () =>
        (await admin().workers()).some(({ clientId, functions }) => clientId === "the-worker" && functions[0] === name),
      );
      expect((await admin().workers()).some(({ clientId }) => clientId === "the-client")).toBe(true);
    });

    test("the function list tells queued, running and workers", async () => {
      const name = fresh();
      await client().submitBackground({ name });
      expect((await admin().status()).find((row) => row.name === name)).toEqual({
        name,
        total: 1,
        running: 0,
        workers: 0,
      });
      expect(await admin().version()).toMatch(/^\d/);
    });
  });

  describe("workers", () => {
    test("four handlers run at once on one connection", async () => {
      const name = fresh();
      let running = 0;
      let most = 0;
      const release: (() => void)[] = [];
      await worker(
        name,
        async () => {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => release.push(resolve));
          running--;
        },
        { concurrency: 4 },
      );
      const caller = client();
      const jobs = Array.from({ length: 8 }, () => caller.submit({ name }));
      for (let done = 0; done < 8; done++) {
        await until(() => release.length > 0 && running >= Math.min(4, 8 - done));
        release.shift()!();
        await until(() => running < 4 || release.length > 0);
      }
      await Promise.all(jobs);
      expect(most).toBe(4);
    });

    test("a graceful stop finishes the running job and leaves the queued ones to others", async () => {
      const name = fresh();
      let finish!: () => void;
      const first = await worker(name, async (job) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return `first ${job.payload}`;
      });
      const caller = client();
      const [one, two] = [caller.submit({ name, payload: "1" }), caller.submit({ name, payload: "2" })];
      await until(() => finish !== undefined);
      const stopped = first.stop();
      finish();
      await stopped;
      expect((await one).toString()).toBe("first 1");
      await worker(name, (job) => `second ${job.payload}`);
      expect((await two).toString()).toBe("second 2");
    });

    test("a job left behind by a hurried stop is done by another worker", async () => {
      const name = fresh();
      const started: string[] = [];
      const first = await worker(name, (job) => {
        started.push(job.handle);
        return new Promise(() => undefined);
      });
      const waiting = client().submit({ name });
      await until(() => started.length === 1);
      await first.stop({ graceMs: 0 });
      await worker(name, () => "rescued");
      expect((await waiting).toString()).toBe("rescued");
    });

    test("next hands out a job to be ended by hand", async () => {
      const name = fresh();
      const made = await worker(name);
      const waiting = client().submit({ name, payload: "by hand" });
      const job = await made.next({ timeoutMs: 5000 });
      expect(job?.payload.toString()).toBe("by hand");
      job?.complete("done");
      expect((await waiting).toString()).toBe("done");
    });

    test("a function added later gets the jobs that wait for it", async () => {
      const [name, later] = [fresh(), fresh()];
      const made = await worker(name, () => "");
      const caller = client();
      await caller.submit({ name });
      const waiting = caller.submit({ name: later });
      await caller.echo("");
      made.add(later, () => "late but here");
      expect((await waiting).toString()).toBe("late but here");
    });

    test("a handler may submit jobs itself, to its own worker", async () => {
      const [outer, inner] = [fresh(), fresh()];
      const caller = client();
      const made = await worker(inner, (job) => String(job.payload).toUpperCase(), { concurrency: 2 });
      made.add(outer, async (job) => `<${await caller.submit({ name: inner, payload: job.payload })}>`);
      expect((await caller.submit({ name: outer, payload: "ab" })).toString()).toBe("<AB>");
    });
  });

  describe("a server that is restarted", () => {
    test("the worker registers again and works on, the client connects again", async () => {
      const own = await startGearmand();
      const events: WorkerEvent[] = [];
      const made = new GearmanWorker({ servers: [own.server], clientId: "phoenix", onEvent: (event) => void events.push(event) });
      cleanups.push(() => made.stop({ graceMs: 0 }));
      made.add("f", (job) => `did ${job.payload}`);
      made.start();
      const caller = client({ servers: [own.server], retries: 5 });
      expect((await caller.submit({ name: "f", payload: "1" })).toString()).toBe("did 1");
      await own.kill();
      await until(() => events.some(({ type }) => type === "lost"));
      const again = await startGearmand({ port: own.port });
      cleanups.unshift(() => again.stop());
      expect((await caller.submit({ name: "f", payload: "2" })).toString()).toBe("did 2");
      const connections = await new GearmanAdmin({ server: own.server }).workers();
      expect(connections.find(({ clientId }) => clientId === "phoenix")?.functions).toEqual(["f"]);
    });

    test("a job that ran when the server died is an IO error for its caller", async () => {
      const own = await startGearmand();
      cleanups.unshift(() => own.stop());
      const caller = client({ servers: [own.server] });
      const created: string[] = [];
      const waiting = failure(caller.submit({ name: "nobody", onCreated: ({ handle }) => void created.push(handle) }));
      await until(() => created.length === 1);
      await own.kill();
      expect(await waiting).toMatchObject({
        kind: "IO",
        message: expect.stringContaining(`nobody did not finish: ${own.server} closed the connection`),
      });
    });
  });

  describe("two servers", () => {
    test("share the load, and one takes over when the other dies", async () => {
      const other = await startGearmand();
      cleanups.unshift(() => other.stop());
      const name = fresh();
      const servers = [gearmand.server, other.server];
      const made = await worker(name, (job) => job.server, { servers, concurrency: 2 });
      await until(() => made.connectedServers.length === 2);
      const caller = client({ servers });
      const answers = new Set<string>();
      for (let index = 0; index < 10; index++) answers.add((await caller.submit({ name })).toString());
      expect([...answers].sort()).toEqual([...servers].sort());
      await other.kill();
      await until(() => caller.servers().every(({ server, isConnected }) => server !== other.server || !isConnected));
      for (let index = 0; index < 4; index++) expect((await caller.submit({ name })).toString()).toBe(gearmand.server);
    });
  });
});
