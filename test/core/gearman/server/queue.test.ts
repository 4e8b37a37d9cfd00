/** The job queue's rules, without sockets and with a clock that stands still. */
import { describe, expect, test } from "vitest";
import { Handles } from "../../../../src/core/gearman/server/handles.ts";
import type { Job, Peer, Priority } from "../../../../src/core/gearman/server/jobs.ts";
import { JobQueue } from "../../../../src/core/gearman/server/queue.ts";
import type { JobQueueOptions } from "../../../../src/core/gearman/server/queue-options.ts";
import { ManualClock } from "./manual-clock.ts";
import { TestPeer } from "./test-peer.ts";

interface Request {
  readonly payload?: string;
  readonly unique?: string;
  readonly priority?: Priority;
  readonly inSeconds?: number;
  readonly client?: Peer;
}

class Bench {
  readonly clock = new ManualClock();
  readonly dropped: string[] = [];
  readonly queue: JobQueue;

  constructor(options: Partial<JobQueueOptions> = {}) {
    this.queue = new JobQueue({
      handles: new Handles("H:test:"),
      isRoundRobin: false,
      jobRetries: 0,
      wakeups: 0,
      maxMemoryBytes: Number.POSITIVE_INFINITY,
      commitSoon: () => undefined,
      onCommit: () => undefined,
      clock: this.clock,
      onDrop: (job) => this.dropped.push(job.handle),
      ...options,
    });
  }

  submit(key: string, request: Request = {}): Job | null {
    const { payload = "", unique = "", priority = "normal", inSeconds, client = null } = request;
    const epochSeconds = inSeconds === undefined ? 0 : Math.floor(this.clock.now() / 1000) + inSeconds;
    const job = this.queue.submit({
      target: this.queue.functionOf(key),
      unique: Buffer.from(unique),
      payload: Buffer.from(payload),
      priority,
      reducer: null,
      epochSeconds,
      client,
    });
    return typeof job === "string" ? null : job;
  }

  worker(...functions: string[]): TestPeer {
    const peer = new TestPeer();
    for (const key of functions) this.queue.offer(peer, key, 0);
    return peer;
  }

  /** Payloads of the jobs a worker gets until there are no more. */
  drain(peer: Peer): string[] {
    const payloads: string[] = [];
    for (let job = this.queue.take(peer); job !== null; job = this.queue.take(peer)) payloads.push(job.payload.toString());
    return payloads;
  }

  /** Total, running and workers, as `status` shows them. */
  status(key: string): [number, number, number] {
    const { total, running, workers } = this.queue.functions.get(key)!;
    return [total, running, workers];
  }
}

describe("order", () => {
  test("high before normal before low, first come first served within each", () => {
    const bench = new Bench();
    for (const priority of ["low", "normal", "high"] as const) {
      for (const number of [1, 2]) bench.submit("f", { priority, payload: `${priority} ${number}` });
    }
    expect(bench.drain(bench.worker("f"))).toEqual(["high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"]);
  });

  test("a worker's latest announced function comes first, whatever the priorities", () => {
    const bench = new Bench();
    bench.submit("a", { priority: "high", payload: "a" });
    bench.submit("b", { priority: "low", payload: "b" });
    expect(bench.drain(bench.worker("a", "b"))).toEqual(["b", "a"]);
  });

  test("round robin lets the functions take turns", () => {
    const bench = new Bench({ isRoundRobin: true });
    for (const key of ["a", "b", "c"]) for (const number of [0, 1]) bench.submit(key, { payload: `${key}${number}` });
    expect(bench.drain(bench.worker("a", "b", "c"))).toEqual(["c0", "b0", "a0", "c1", "b1", "a1"]);
  });

  test("handles count up from 1", () => {
    const bench = new Bench();
    expect([bench.submit("f")?.handle, bench.submit("g")?.handle]).toEqual(["H:test:1", "H:test:2"]);
  });
});

describe("nobody's job is lost silently", () => {
  test("a new submission revives a job whose clients all left", () => {
    const bench = new Bench();
    const first = new TestPeer();
    const second = new TestPeer();
    const job = bench.submit("f", { unique: "u", client: first, payload: "p" });
    bench.queue.leave(first);
    expect(bench.submit("f", { unique: "u", client: second, payload: "q" })).toBe(job);
    const worker = bench.worker("f");
    expect(bench.queue.take(worker)).toBe(job);
    expect(job?.clients).toEqual([second]);
  });

  test("a background job outlives a foreground client that joined it", () => {
    const bench = new Bench();
    const client = new TestPeer();
    bench.submit("f", { unique: "u", payload: "kept" });
    bench.submit("f", { unique: "u", client });
    bench.queue.leave(client);
    expect(bench.drain(bench.worker("f"))).toEqual(["kept"]);
  });

  test("a background submission keeps a foreground job alive", () => {
    const bench = new Bench();
    const client = new TestPeer();
    bench.submit("f", { unique: "u", client, payload: "kept" });
    bench.submit("f", { unique: "u" });
    bench.queue.leave(client);
    expect(bench.drain(bench.worker("f"))).toEqual(["kept"]);
  });

  test("a submission equal to a cancelled waiting job is a job of its own", () => {
    const bench = new Bench();
    const job = bench.submit("f", { unique: "u", payload: "cancelled" });
    expect(bench.queue.cancel(job!.handle)).toBe(true);
    const next = bench.submit("f", { unique: "u", payload: "new" });
    expect(next?.handle).toBe("H:test:2");
    expect(bench.submit("f", { unique: "u" })).toBe(next);
    expect(bench.drain(bench.worker("f"))).toEqual(["new"]);
  });

  test("a submission equal to a cancelled running job wants it to run to its end, even with another worker", () => {
    const bench = new Bench();
    const job = bench.submit("f", { unique: "u" });
    const worker = bench.worker("f");
    bench.queue.take(worker);
    bench.queue.cancel(job!.handle);
    const client = new TestPeer();
    expect(bench.submit("f", { unique: "u", client })).toBe(job);
    bench.queue.leave(worker);
    expect(bench.queue.take(bench.worker("f"))).toBe(job);
  });

  test("a running job nobody joined after its cancelling is not run again", () => {
    const bench = new Bench();
    const job = bench.submit("f", { unique: "u" });
    const worker = bench.worker("f");
    bench.queue.take(worker);
    bench.queue.cancel(job!.handle);
    bench.queue.leave(worker);
    expect(bench.submit("f", { unique: "u", payload: "new" })).not.toBe(job);
    expect(bench.drain(bench.worker("f"))).toEqual(["new"]);
    expect(bench.status("f")).toEqual([1, 1, 1]);
  });

  test("reviving a job wakes workers that went to sleep over it", () => {
    const bench = new Bench();
    const client = new TestPeer();
    bench.submit("f", { unique: "u", client });
    bench.queue.leave(client);
    const worker = new TestPeer();
    bench.queue.sleep(worker);
    bench.queue.offer(worker, "f", 0);
    bench.submit("f", { unique: "u", client: new TestPeer() });
    expect(worker.wakeUps).toBe(1);
  });
});

describe("husks", () => {
  test("are counted until a worker would have been given them", () => {
    const bench = new Bench();
    const client = new TestPeer();
    const job = bench.submit("f", { client });
    bench.queue.leave(client);
    expect(bench.status("f")).toEqual([1, 0, 0]);
    expect(bench.queue.jobs.has(job!.number)).toBe(true);
    expect(bench.queue.sleep(bench.worker("f"))).toBe(true);
    expect(bench.status("f")).toEqual([0, 0, 1]);
    expect(bench.queue.jobs.has(job!.number)).toBe(false);
  });

  test("do not hide jobs behind them", () => {
    const bench = new Bench();
    const client = new TestPeer();
    for (let number = 0; number < 100; number++) bench.submit("f", { client });
    bench.submit("f", { payload: "behind" });
    bench.queue.leave(client);
    expect(bench.drain(bench.worker("f"))).toEqual(["behind"]);
  });
});

describe("giving up a run", () => {
  test("a job is dropped, and its clients told, when it was lost as often as allowed", () => {
    const bench = new Bench({ jobRetries: 2 });
    const client = new TestPeer();
    const job = bench.submit("f", { client });
    for (const failures of [0, 1]) {
      const worker = bench.worker("f");
      expect(bench.queue.take(worker)).toBe(job);
      bench.queue.leave(worker);
      expect(client.failures).toHaveLength(failures);
    }
    expect(bench.dropped).toEqual(["H:test:1"]);
    expect(bench.status("f")).toEqual([0, 0, 0]);
    expect(client.watched.size).toBe(0);
  });

  test("a run over its time limit goes to somebody else, and its counters stay right", () => {
    const bench = new Bench();
    const slow = new TestPeer();
    bench.queue.offer(slow, "f", 2000);
    const job = bench.submit("f");
    bench.queue.take(slow);
    bench.clock.advance(1999);
    expect(bench.status("f")).toEqual([1, 1, 1]);
    bench.clock.advance(1);
    expect(bench.status("f")).toEqual([1, 0, 1]);
    expect(bench.queue.heldJob(slow, Buffer.from(job!.handle))).toBeNull();
    expect(job?.retries).toBe(1);
    expect(bench.queue.take(slow)).toBe(job);
    bench.queue.finish(job!);
    bench.clock.advance(10_000);
    expect(bench.status("f")).toEqual([0, 0, 1]);
    expect(bench.clock.pending).toBe(0);
  });

  test("each job has a time limit of its own", () => {
    const bench = new Bench();
    const worker = new TestPeer();
    bench.queue.offer(worker, "f", 3000);
    bench.submit("f", { payload: "1" });
    bench.submit("f", { payload: "2" });
    const first = bench.queue.take(worker)!;
    bench.clock.advance(2000);
    const second = bench.queue.take(worker)!;
    bench.clock.advance(1500);
    expect([first.holder, second.holder?.peer]).toEqual([null, worker]);
  });

  test("time limits below a second are raised to one", () => {
    const bench = new Bench();
    const worker = new TestPeer();
    bench.queue.offer(worker, "f", 5);
    const job = bench.submit("f");
    bench.queue.take(worker);
    bench.clock.advance(999);
    expect(job?.holder).not.toBeNull();
    bench.clock.advance(1);
    expect(job?.holder).toBeNull();
  });
});

describe("waking workers", () => {
  test("wakes as many sleepers per job as asked for, the longest asleep first", () => {
    const bench = new Bench({ wakeups: 1 });
    const sleepers = [bench.worker("f"), bench.worker("f"), bench.worker("f")];
    for (const sleeper of sleepers) bench.queue.sleep(sleeper);
    bench.submit("f");
    expect(sleepers.map(({ wakeUps }) => wakeUps)).toEqual([1, 0, 0]);
    bench.submit("f");
    expect(sleepers.map(({ wakeUps }) => wakeUps)).toEqual([1, 1, 0]);
  });

  test("a worker that left is not woken", () => {
    const bench = new Bench();
    const worker = bench.worker("f", "f", "g");
    bench.queue.sleep(worker);
    bench.queue.leave(worker);
    bench.submit("f");
    bench.submit("g");
    expect(worker.wakeUps).toBe(0);
  });

  test("taking back one of two announcements keeps the worker awake to the other", () => {
    const bench = new Bench();
    const worker = bench.worker("f", "g");
    bench.queue.sleep(worker);
    bench.queue.withdraw(worker, "f");
    bench.submit("f");
    expect(worker.wakeUps).toBe(0);
    bench.submit("g");
    expect(worker.wakeUps).toBe(1);
  });
});

describe("scheduled jobs", () => {
  test("wake a sleeping worker in the second they are due, and not before", () => {
    const bench = new Bench();
    bench.submit("f", { inSeconds: 30, payload: "later" });
    const worker = bench.worker("f");
    expect(bench.queue.sleep(worker)).toBe(true);
    bench.clock.advance(29_999);
    expect(worker.wakeUps).toBe(0);
    expect(bench.queue.take(worker)).toBeNull();
    bench.queue.sleep(worker);
    bench.clock.advance(1);
    expect(worker.wakeUps).toBe(1);
    expect(bench.drain(worker)).toEqual(["later"]);
  });

  test("use one timer for all of them", () => {
    const bench = new Bench();
    for (const inSeconds of [50, 20, 90, 20, 70]) bench.submit("f", { inSeconds });
    expect(bench.clock.pending).toBe(1);
    bench.clock.advance(60_000);
    expect(bench.clock.pending).toBe(1);
    bench.clock.advance(60_000);
    expect(bench.clock.pending).toBe(0);
    expect(bench.drain(bench.worker("f"))).toHaveLength(5);
  });

  test("have the place they were submitted in once they are due", () => {
    const bench = new Bench();
    bench.submit("f", { payload: "1" });
    bench.submit("f", { payload: "2", inSeconds: 20 });
    bench.submit("f", { payload: "3", inSeconds: 10 });
    bench.submit("f", { payload: "4" });
    bench.clock.advance(20_000);
    expect(bench.drain(bench.worker("f"))).toEqual(["1", "2", "3", "4"]);
  });

  test("do not stand in the way of jobs of lower priority", () => {
    const bench = new Bench();
    bench.submit("f", { payload: "later", inSeconds: 10 });
    bench.submit("f", { payload: "low", priority: "low" });
    expect(bench.drain(bench.worker("f"))).toEqual(["low"]);
  });

  test("are not run when they were cancelled", () => {
    const bench = new Bench();
    const job = bench.submit("f", { inSeconds: 10 });
    bench.queue.cancel(job!.handle);
    bench.clock.advance(10_000);
    expect(bench.drain(bench.worker("f"))).toEqual([]);
    expect(bench.status("f")).toEqual([0, 0, 1]);
  });
});

test("a queue of 200 000 jobs is worked off in linear time", () => {
  const bench = new Bench();
  for (let number = 0; number < 200_000; number++) bench.submit("f", { unique: `u${number}` });
  const worker = bench.worker("f");
  let taken = 0;
  for (let job = bench.queue.take(worker); job !== null; job = bench.queue.take(worker)) {
    bench.queue.finish(job);
    taken++;
  }
  expect(taken).toBe(200_000);
  expect(bench.status("f")).toEqual([0, 0, 1]);
  expect(bench.queue.jobs.size).toBe(0);
}, 20_000);
