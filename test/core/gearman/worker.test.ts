/** How a worker asks for jobs, runs them and stops, packet by packet, against a scripted server. */
import { afterEach, describe, expect, test } from "vitest";
import { GearmanError } from "../../../src/core/gearman/errors.ts";
import { type GearmanHost, systemHost } from "../../../src/core/gearman/host.ts";
import type { Packet, PacketName } from "../../../src/core/gearman/packets.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import type { GearmanWorkerOptions, WorkerEvent } from "../../../src/core/gearman/worker-options.ts";
import { freePort } from "../../helpers/gearmand.ts";
import { type FakeServer, type Peer, startFakeServer, until } from "./fake-server.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server with a queue of jobs: grabs take from it, and `queue` wakes sleepers. */
interface QueueServer extends FakeServer {
  queue(...jobs: { name?: string; payload?: string }[]): void;
  /** WORK_* packets as text, such as `WORK_COMPLETE H:x:1 done`. */
  readonly reports: string[];
  /** Whether it answers at all, and the most jobs ever assigned and not ended. */
  readonly state: { isSilent: boolean; mostHeld: number };
}

async function serveQueue(port = 0): Promise<QueueServer> {
  const jobs: { name: string; payload: string }[] = [];
  const sleepers = new Set<Peer>();
  const reports: string[] = [];
  const held = new Set<string>();
  const state = { isSilent: false, mostHeld: 0 };
  let handles = 0;
  const answer = (packet: Packet, peer: Peer) => {
    if (state.isSilent) return;
    if (packet.name === "GRAB_JOB_UNIQ") {
      sleepers.delete(peer);
      const job = jobs.shift();
      if (job === undefined) return peer.send("NO_JOB");
      held.add(`H:x:${++handles}`);
      state.mostHeld = Math.max(state.mostHeld, held.size);
      return peer.send("JOB_ASSIGN_UNIQ", `H:x:${handles}`, job.name, `u${handles}`, job.payload);
    }
    if (packet.name === "PRE_SLEEP") {
      if (jobs.length > 0) peer.send("NOOP");
      else sleepers.add(peer);
    } else if (packet.name === "ECHO_REQ") peer.send("ECHO_RES", packet.args.payload);
    else if (packet.name.startsWith("WORK_")) {
      reports.push([packet.name, ...Object.values<Buffer>(packet.args)].join(" ").trim());
      if (["WORK_COMPLETE", "WORK_FAIL", "WORK_EXCEPTION"].includes(packet.name))
        held.delete((packet as Packet<"WORK_FAIL">).args.handle.toString());
    }
  };
  const server = await startFakeServer({ packet: answer }, port);
  cleanups.push(() => server.close());
  const extras = {
    reports,
    state,
    queue(...added: { name?: string; payload?: string }[]) {
      for (const { name = "f", payload = "" } of added) jobs.push({ name, payload });
      for (const sleeper of sleepers) sleeper.send("NOOP");
      sleepers.clear();
    },
  };
  return { ...server, ...extras };
}

function workerOf(servers: readonly string[], options: GearmanWorkerOptions = {}): GearmanWorker & { events: WorkerEvent[] } {
  const events: WorkerEvent[] = [];
  const worker = new GearmanWorker({ servers, onEvent: (event) => void events.push(event), ...options });
  cleanups.push(() => worker.stop({ graceMs: 0 }));
  return Object.assign(worker, { events });
}

/** A server that only echoes. */
function echoing(packet: Packet, peer: Peer): void {
  if (packet.name === "ECHO_REQ") peer.send("ECHO_RES", packet.args.payload);
}

/** A promise and the way to resolve it. */
function gate<T = void>(): { promise: Promise<T>; open: (value: T) => void } {
  let open!: (value: T) => void;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** The real host, and how often a worker looked for signs of life: it asks chance each time. */
function countingBeats(): { host: GearmanHost; beats: () => number } {
  let calls = 0;
  const random = () => {
    calls++;
    return 0.5;
  };
  return { host: { ...systemHost, random }, beats: () => calls };
}

function count(server: FakeServer, name: PacketName): number {
  return server.names.filter((seen) => seen === name).length;
}

describe("asking for jobs", () => {
  test("a new connection says who it is and what it can do, grabs, and sleeps when there is nothing", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { clientId: "w" });
    worker.add("a", () => "");
    worker.add("b", () => "");
    worker.start();
    await until(() => server.names.includes("PRE_SLEEP"));
    expect(server.names).toEqual(["SET_CLIENT_ID", "CAN_DO", "CAN_DO", "GRAB_JOB_UNIQ", "PRE_SLEEP"]);
    expect(worker.connectedServers).toEqual([server.server]);
    expect(worker.events).toEqual([{ type: "connected", server: server.server }]);
  });

  test("NOOP wakes it, and the next grab is in the same write as the result", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f", (job) => `did ${job.payload}`);
    worker.start();
    await until(() => count(server, "PRE_SLEEP") === 1);
    const chunks: string[] = [];
    server.peers[0]!.socket.on("data", (chunk: Buffer) => void chunks.push(chunk.toString("latin1")));
    server.queue({ payload: "1" }, { payload: "2" });
    await until(() => count(server, "PRE_SLEEP") === 2);
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 did 1", "WORK_COMPLETE H:x:2 did 2"]);
    const grab = "\0REQ\0\0\0\x1e\0\0\0\0";
    expect(chunks.filter((chunk) => chunk.includes("did")).every((chunk) => chunk.endsWith(grab))).toBe(true);
  });

  test("never holds more than its concurrency, and reaches it", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { concurrency: 4 });
    const waiting: (() => void)[] = [];
    worker.add("f", () => new Promise<void>((resolve) => waiting.push(resolve)));
    server.queue(...Array.from({ length: 20 }, () => ({})));
    worker.start();
    for (let done = 0; done < 20; done++) {
      await until(() => waiting.length >= Math.min(4, 20 - done) && waiting.length > 0);
      expect(worker.held).toBeLessThanOrEqual(4);
      waiting.shift()!();
    }
    await until(() => count(server, "WORK_COMPLETE") === 20);
    expect(server.state.mostHeld).toBe(4);
  });

  test("shares its places between servers", async () => {
    const [a, b] = [await serveQueue(), await serveQueue()];
    const worker = workerOf([a.server, b.server], { concurrency: 2 });
    const seen: string[] = [];
    worker.add("f", (job) => void seen.push(job.server));
    for (const server of [a, b]) server.queue(...Array.from({ length: 10 }, () => ({})));
    worker.start();
    await until(() => seen.length === 20);
    const firstTen = seen.slice(0, 10);
    expect(firstTen.filter((server) => server === a.server).length).toBeGreaterThanOrEqual(3);
    expect(firstTen.filter((server) => server === b.server).length).toBeGreaterThanOrEqual(3);
  });

  test("goes to sleep only when no grab is outstanding", async () => {
    const server = await startFakeServer({ packet: echoing });
    cleanups.push(() => server.close());
    const worker = workerOf([server.server], { concurrency: 8 });
    worker.add("f", () => "");
    worker.start();
    await until(() => count(server, "GRAB_JOB_UNIQ") === 1);
    const [peer] = server.peers;
    peer!.send("JOB_ASSIGN_UNIQ", "H:x:1", "f", "", "");
    await until(() => count(server, "GRAB_JOB_UNIQ") === 3);
    peer!.send("NO_JOB");
    peer!.send("ECHO_RES", "");
    peer!.send("NO_JOB");
    await until(() => server.names.includes("PRE_SLEEP") && server.names.includes("WORK_COMPLETE"));
    expect(count(server, "PRE_SLEEP")).toBe(1);
    expect(server.names.lastIndexOf("GRAB_JOB_UNIQ")).toBeLessThan(server.names.indexOf("PRE_SLEEP"));
  });

  test("a function added while running is announced, and its waiting jobs are fetched", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f", () => "");
    worker.start();
    await until(() => count(server, "PRE_SLEEP") === 1);
    worker.add("g", () => "g");
    worker.add("g", () => "g2");
    await until(() => count(server, "PRE_SLEEP") === 2);
    expect(server.names.slice(2)).toEqual(["PRE_SLEEP", "CAN_DO", "GRAB_JOB_UNIQ", "PRE_SLEEP"]);
    server.queue({ name: "g" });
    await until(() => server.reports.length === 1);
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 g2"]);
  });

  test("looks again while asleep, for jobs the server did not announce", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { regrabMs: 20 });
    worker.add("f", () => "");
    worker.start();
    await until(() => count(server, "GRAB_JOB_UNIQ") >= 3 && count(server, "ECHO_REQ") >= 2);
  });
});

describe("running a job", () => {
  async function run(
    handler: (job: GearmanJob) => unknown,
    options: GearmanWorkerOptions = {},
    timeoutMs?: number,
  ): Promise<[QueueServer, WorkerEvent[]]> {
    const server = await serveQueue();
    const worker = workerOf([server.server], options);
    worker.add("f", handler as () => Promise<void>, timeoutMs === undefined ? {} : { timeoutMs });
    server.queue({ payload: "p" });
    worker.start();
    await until(() => /WORK_(COMPLETE|FAIL|EXCEPTION)/.test(server.reports.at(-1) ?? ""));
    return [server, worker.events];
  }

  test("the handler gets all there is to know", async () => {
    let job: GearmanJob | undefined;
    const [server] = await run((given) => {
      job = given;
    });
    expect(job).toMatchObject({ handle: "H:x:1", name: "f", unique: "u1", server: server.server, isOver: true });
    expect(job?.payload.toString()).toBe("p");
    expect(job?.signal.aborted).toBe(false);
  });

  test.each([
    ["text", () => "žluť", "WORK_COMPLETE H:x:1 žluť"],
    ["bytes", () => new Uint8Array([65, 66]), "WORK_COMPLETE H:x:1 AB"],
    ["nothing", () => undefined, "WORK_COMPLETE H:x:1"],
    ["a promise", async () => "later", "WORK_COMPLETE H:x:1 later"],
  ])("a handler that returns %s completes the job with it", async (_, handler, report) => {
    expect((await run(handler))[0].reports).toEqual([report]);
  });

  test("a handler that throws fails the job with a warning that carries the message", async () => {
    const [server, events] = await run(() => {
      throw new Error("no luck");
    });
    expect(server.reports).toEqual(["WORK_WARNING H:x:1 no luck", "WORK_FAIL H:x:1"]);
    expect(events.at(-1)).toMatchObject({ type: "jobFailed", reason: new Error("no luck") });
  });

  test("with exceptions enabled the message travels as WORK_EXCEPTION, and nothing else ends the job", async () => {
    const [server] = await run(async () => Promise.reject(new Error("no luck")), { exceptions: true });
    expect(server.reports).toEqual(["WORK_EXCEPTION H:x:1 no luck"]);
  });

  test("data, warnings and progress go out in order; progress is whole and within 32 bits", async () => {
    const [server] = await run(async (job) => {
      await job.sendData("d");
      await job.sendWarning("w");
      for (const number of [1.9, -1, Number.NaN, 1e12]) await job.sendStatus(number, 4);
    });
    expect(server.reports).toEqual([
      "WORK_DATA H:x:1 d",
      "WORK_WARNING H:x:1 w",
      ...["1", "0", "0", "4294967295"].map((number) => `WORK_STATUS H:x:1 ${number} 4`),
      "WORK_COMPLETE H:x:1",
    ]);
  });

  test("what a handler reports after it ended the job itself is dropped", async () => {
    const answers: unknown[] = [];
    const [server] = await run(async (job) => {
      answers.push(job.complete("first"), job.complete("second"), job.fail("third"));
      await job.sendData("late");
      return "returned";
    });
    expect(answers).toEqual([true, false, false]);
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 first"]);
  });

  test("a job over its time fails and its signal fires", async () => {
    const aborted = gate<unknown>();
    const [server] = await run(
      (job) => new Promise((resolve) => job.signal.addEventListener("abort", () => resolve(aborted.open(job.signal.reason)))),
      {},
      20,
    );
    expect(server.reports).toEqual(["WORK_WARNING H:x:1 f took longer than 20 ms", "WORK_FAIL H:x:1"]);
    expect(await aborted.promise).toMatchObject({ kind: "TIMEOUT" });
  });

  test("a late ERROR of the server is told as an event and changes nothing", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f", () => "ok");
    worker.start();
    await until(() => count(server, "PRE_SLEEP") === 1);
    server.peers[0]!.send("ERROR", "JOB_NOT_FOUND", "Job given in work result not found");
    server.queue({});
    await until(() => server.reports.length === 1);
    expect(worker.events).toContainEqual({
      type: "refused",
      server: server.server,
      code: "JOB_NOT_FOUND",
      text: "Job given in work result not found",
    });
  });
});

describe("losing the server", () => {
  test("the job's signal fires, its result is dropped, and the next connection registers again", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { clientId: "w" });
    const running = gate<GearmanJob>();
    const finish = gate();
    worker.add("f", async (job) => {
      running.open(job);
      await finish.promise;
      return "too late";
    });
    server.queue({});
    worker.start();
    const job = await running.promise;
    server.peers[0]!.socket.destroy();
    await until(() => job.signal.aborted);
    expect(job.signal.reason).toMatchObject({
      kind: "IO",
      message: `connection lost, ${server.server} gives the job to another worker`,
    });
    finish.open();
    await until(() => server.peers.length === 2 && server.names.at(-1) === "PRE_SLEEP");
    expect(server.reports).toEqual([]);
    expect(server.names.slice(-4)).toEqual(["SET_CLIENT_ID", "CAN_DO", "GRAB_JOB_UNIQ", "PRE_SLEEP"]);
    expect(worker.events.map(({ type }) => type)).toEqual(["connected", "lost", "connected"]);
  });

  test("it keeps trying while the server is down, and works when it comes up", async () => {
    const port = await freePort();
    const worker = workerOf([`127.0.0.1:${port}`]);
    worker.add("f", () => "ok");
    worker.start();
    await until(() => worker.events.length >= 2);
    expect(worker.events.every(({ type }) => type === "unreachable")).toBe(true);
    expect(worker.isAlive).toBe(true);
    await expect(worker.ready({ timeoutMs: 1 })).rejects.toMatchObject({ kind: "TIMEOUT" });
    const server = await serveQueue(port);
    server.queue({});
    await worker.ready();
    await until(() => server.reports.length === 1);
  });

  test("a server that goes silent is given up and connected to again", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { regrabMs: 20 });
    worker.add("f", () => "");
    worker.start();
    await until(() => count(server, "PRE_SLEEP") === 1);
    server.state.isSilent = true;
    await until(() => server.peers.length === 2);
    server.state.isSilent = false;
    expect(worker.events.find(({ type }) => type === "lost")).toMatchObject({
      reason: { message: expect.stringContaining("no sign of life") },
    });
  });

  test("a server that reads slowly is not dead: the job runs once, and every piece arrives once", async () => {
    const { host, beats } = countingBeats();
    const pieces: number[] = [];
    let runs = 0;
    const server = await startFakeServer({
      packet(packet, peer) {
        if (packet.name === "GRAB_JOB_UNIQ" && runs === 0) {
          peer.send("JOB_ASSIGN_UNIQ", "H:x:1", "f", "", "");
          peer.socket.pause();
        } else if (packet.name === "ECHO_REQ") peer.send("ECHO_RES", packet.args.payload);
        else if (packet.name === "WORK_DATA") pieces.push(packet.args.payload.readUInt32BE());
      },
    });
    cleanups.push(() => server.close());
    const worker = workerOf([server.server], { regrabMs: 20, host });
    worker.add("f", async (job) => {
      runs++;
      for (let number = 0; number < 300; number++) {
        const piece = Buffer.alloc(64 * 1024);
        piece.writeUInt32BE(number);
        await job.sendData(piece);
      }
    });
    worker.start();
    await until(() => runs === 1);
    const before = beats();
    await until(() => beats() >= before + 10);
    server.peers[0]!.socket.resume();
    await until(() => server.names.includes("WORK_COMPLETE"));
    expect(pieces).toEqual(Array.from({ length: 300 }, (_, number) => number));
    expect([runs, server.peers.length, worker.events.map(({ type }) => type)]).toEqual([1, 1, ["connected"]]);
  });

  test("a server that takes nothing at all for stallMs is dead", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { regrabMs: 20, stallMs: 100 });
    worker.add("f", (job) => {
      server.peers[0]!.socket.pause();
      return job.sendData(Buffer.alloc(64 * 1024 * 1024));
    });
    server.queue({});
    worker.start();
    await until(() => worker.events.some(({ type }) => type === "lost"));
    expect(worker.events.find(({ type }) => type === "lost")).toMatchObject({
      reason: { kind: "IO", message: expect.stringContaining("it took nothing of what was being sent") },
    });
  });

  test("bytes that are not Gearman end the connection, not the worker", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f", () => "");
    worker.start();
    await until(() => count(server, "PRE_SLEEP") === 1);
    server.peers[0]!.socket.write("HTTP/1.1 200 OK");
    await until(() => server.peers.length === 2);
    expect(worker.events.find(({ type }) => type === "lost")).toMatchObject({ reason: { kind: "PROTOCOL" } });
  });
});

describe("stopping", () => {
  test("finishes the job it holds, delivers the result, and only then closes; never CANT_DO", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    const running = gate();
    const finish = gate();
    worker.add("f", async () => {
      running.open();
      await finish.promise;
      return "done";
    });
    server.queue({}, {});
    worker.start();
    await running.promise;
    const stopped = worker.stop();
    expect(worker.stop()).toBe(stopped);
    expect(worker.isAlive).toBe(true);
    expect(server.reports).toEqual([]);
    finish.open();
    await stopped;
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 done"]);
    expect(server.names).not.toContain("CANT_DO");
    expect(worker.isAlive).toBe(false);
    expect(worker.events.at(-1)).toEqual({ type: "stopped" });
    await worker.stop();
  });

  test("a job that was under way to it is done as well", async () => {
    const server = await startFakeServer({
      packet(packet, peer) {
        if (packet.name === "ECHO_REQ" && !server.names.includes("WORK_COMPLETE"))
          peer.send("JOB_ASSIGN_UNIQ", "H:x:1", "f", "", "");
        echoing(packet, peer);
      },
    });
    cleanups.push(() => server.close());
    const worker = workerOf([server.server]);
    const done: string[] = [];
    worker.add("f", (job) => void done.push(job.handle));
    worker.start();
    await until(() => server.names.includes("GRAB_JOB_UNIQ"));
    await worker.stop({ graceMs: 5000 });
    expect(done).toEqual(["H:x:1"]);
    expect(server.names).toContain("WORK_COMPLETE");
  });

  test("with nothing to deliver it waits for a server that hangs for a second or so, whatever the grace", async () => {
    const server = await startFakeServer({});
    cleanups.push(() => server.close());
    const worker = workerOf([server.server]);
    worker.add("f", () => "");
    worker.start();
    await until(() => server.names.includes("GRAB_JOB_UNIQ"));
    const stoppedAt = performance.now();
    await worker.stop({ graceMs: Number.POSITIVE_INFINITY });
    expect(performance.now() - stoppedAt).toBeLessThan(8000);
    expect(worker.isAlive).toBe(false);
  });

  test("a large result is delivered before it closes, however slowly the server reads", async () => {
    const server = await startFakeServer({
      packet(packet, peer) {
        if (packet.name === "GRAB_JOB_UNIQ" && !server.names.slice(0, -1).includes("GRAB_JOB_UNIQ")) {
          peer.send("JOB_ASSIGN_UNIQ", "H:x:1", "f", "", "");
          peer.socket.pause();
        } else echoing(packet, peer);
      },
    });
    cleanups.push(() => server.close());
    const worker = workerOf([server.server]);
    const ended = gate();
    worker.add("f", () => {
      setImmediate(ended.open);
      return Buffer.alloc(32 * 1024 * 1024);
    });
    worker.start();
    await ended.promise;
    const stopped = worker.stop();
    const { socket } = server.peers[0]!;
    setImmediate(() => socket.resume());
    await stopped;
    expect(server.names).toContain("WORK_COMPLETE");
  });

  test("after the grace its jobs' signals fire, and a job that does not heed them is left to the server", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server], { concurrency: 2 });
    const running: GearmanJob[] = [];
    worker.add(
      "heeds",
      (job) =>
        new Promise(
          (resolve) => job.signal.addEventListener("abort", () => resolve("cut short"), { once: true }) ?? running.push(job),
        ),
    );
    worker.add("hangs", (job) => new Promise(() => void running.push(job)));
    server.queue({ name: "heeds" }, { name: "hangs" });
    worker.start();
    await until(() => running.length === 2);
    await worker.stop({ graceMs: 10 });
    expect(running[0]!.signal.reason).toMatchObject({ kind: "ABORTED" });
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 cut short"]);
    expect(worker.isAlive).toBe(false);
  });

  test("a later stop can shorten the wait of an earlier one", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    const running = gate();
    worker.add("f", (job) => {
      running.open();
      return new Promise((resolve) => job.signal.addEventListener("abort", () => resolve(undefined)));
    });
    server.queue({});
    worker.start();
    await running.promise;
    const patient = worker.stop({ graceMs: 1_000_000 });
    await worker.stop({ graceMs: 0 });
    await patient;
  });

  test("works from every state: never started, connecting, waiting to connect again, asleep, after the server died", async () => {
    await workerOf(["127.0.0.1:1"]).stop();
    const server = await serveQueue();
    const connecting = workerOf([server.server]);
    connecting.start();
    await connecting.stop();
    const waiting = workerOf([`127.0.0.1:${await freePort()}`]);
    waiting.start();
    await until(() => waiting.events.length > 0);
    await waiting.stop();
    const [asleep, orphan] = [workerOf([server.server]), workerOf([server.server])];
    for (const worker of [asleep, orphan]) {
      worker.add("f", () => "");
      worker.start();
      await worker.ready();
    }
    await asleep.stop();
    await server.close();
    await orphan.stop();
    expect([connecting, waiting, asleep, orphan].map(({ isAlive }) => isAlive)).toEqual([false, false, false, false]);
  });

  test("a stopped worker can be started again; a running one cannot", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f", () => "ok");
    for (let run = 1; run <= 2; run++) {
      worker.start({ concurrency: run, clientId: `run-${run}` });
      expect(() => worker.start()).toThrow(new GearmanError("STATE", "the worker is running already"));
      server.queue({});
      await until(() => server.reports.length === run);
      await worker.stop();
    }
    expect(count(server, "SET_CLIENT_ID")).toBe(2);
  });
});

describe("taking jobs by hand", () => {
  test("next hands out jobs of functions without a handler, and their end frees the place", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f");
    worker.start();
    server.queue({ payload: "1" }, { payload: "2" });
    const first = await worker.next({ timeoutMs: 5000 });
    expect(first?.payload.toString()).toBe("1");
    expect(await worker.next({ timeoutMs: 20 })).toBeNull(); // the only place is taken
    first?.complete("one");
    const second = await worker.next({ timeoutMs: 5000 });
    second?.fail("no");
    await until(() => server.reports.length === 3);
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 one", "WORK_WARNING H:x:2 no", "WORK_FAIL H:x:2"]);
  });

  test("without handlers nothing is grabbed until somebody waits", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f");
    server.queue({});
    worker.start();
    await worker.ready();
    await until(() => server.names.includes("CAN_DO"));
    expect(count(server, "GRAB_JOB_UNIQ")).toBe(0);
    const job = await worker.next({ timeoutMs: 5000 });
    expect(job?.handle).toBe("H:x:1");
    job?.complete();
  });

  test("next is null when the time is over, the signal fires or the worker stops, and a job is not lost by it", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f");
    worker.start();
    expect(await worker.next({ timeoutMs: 10 })).toBeNull();
    const controller = new AbortController();
    const called = worker.next({ signal: controller.signal });
    controller.abort();
    expect(await called).toBeNull();
    expect(await worker.next({ signal: controller.signal })).toBeNull();
    server.queue({ payload: "kept" });
    const job = await worker.next({ timeoutMs: 5000 });
    expect(job?.payload.toString()).toBe("kept");
    job?.complete();
    const waiting = worker.next();
    await worker.stop();
    expect(await waiting).toBeNull();
  });

  test("a handler that comes later takes over what nobody took, and a job taken before still frees its place", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f");
    worker.start();
    server.queue({ payload: "1" });
    const job = await worker.next({ timeoutMs: 5000 });
    worker.add("f", (later) => `handled ${later.payload}`);
    server.queue({ payload: "2" });
    job?.complete("by hand");
    await until(() => server.reports.length === 2);
    expect(server.reports).toEqual(["WORK_COMPLETE H:x:1 by hand", "WORK_COMPLETE H:x:2 handled 2"]);
    worker.add("g");
    server.queue({ name: "g", payload: "3" });
    await until(() => worker.held === 1);
    worker.add("g", (later) => `handled ${later.payload}`);
    await until(() => server.reports.length === 3);
  });

  test("next fails when the worker is not running or has only handlers", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    await expect(worker.next()).rejects.toMatchObject({ kind: "STATE", fatal: true });
    worker.add("f", () => "");
    worker.start();
    await expect(worker.next()).rejects.toMatchObject({ kind: "STATE" });
  });

  test("a job lost with its connection frees the place and says so by its signal", async () => {
    const server = await serveQueue();
    const worker = workerOf([server.server]);
    worker.add("f");
    worker.start();
    server.queue({});
    const job = await worker.next({ timeoutMs: 5000 });
    server.peers[0]!.socket.destroy();
    await until(() => job?.isOver === true);
    expect(job?.signal.aborted).toBe(true);
    expect(job?.complete("late")).toBe(false);
    server.queue({});
    const second = await worker.next({ timeoutMs: 10_000 });
    expect(second?.handle).toBe("H:x:2");
    second?.complete();
  });
});

describe("arguments", () => {
  test.each([0, -1, 1.5, 10_001, Number.NaN])("concurrency %d is refused", (concurrency) => {
    expect(() => new GearmanWorker({ concurrency })).toThrow("must be a whole number from 1 to 10000");
  });

  test("function names, servers and times are checked", () => {
    expect(() => new GearmanWorker({ servers: [] })).toThrow("no servers given");
    expect(() => new GearmanWorker().add("")).toThrow("the function name is empty");
    expect(() => new GearmanWorker().add("f\udcc8", () => "")).toThrow('function name "f\\udcc8" is not text');
    expect(() => new GearmanWorker().add("f", () => "", { timeoutMs: -1 })).toThrow("timeoutMs -1 must be a number above 0");
  });
});
