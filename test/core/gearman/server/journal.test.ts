/** The queue with a journal: what is kept, when it counts as kept, and what happens when it cannot be. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Handles } from "../../../../src/core/gearman/server/handles.ts";
import type { Job, Peer } from "../../../../src/core/gearman/server/jobs.ts";
import { FileJournal, type JobToStore, type Journal, type StoredJob } from "../../../../src/core/gearman/server/journal.ts";
import { JobQueue } from "../../../../src/core/gearman/server/queue.ts";
import type { Submission } from "../../../../src/core/gearman/server/queue-options.ts";
import { ManualClock } from "./manual-clock.ts";
import { TestPeer } from "./test-peer.ts";

/** A journal in memory that fails when told to. */
class TestJournal implements Journal {
  readonly rows = new Map<number, JobToStore>();
  readonly writes: { readonly added: number; readonly removed: number }[] = [];
  failure: Error | null = null;
  /** Fails only when jobs are added. */
  isFull = false;

  readAll(): StoredJob[] {
    return [];
  }

  write(added: readonly JobToStore[], removed: readonly number[]): void {
    if (this.failure !== null || (this.isFull && added.length > 0)) throw this.failure ?? new Error("full");
    for (const number of removed) this.rows.delete(number);
    for (const job of added) this.rows.set(job.number, job);
    this.writes.push({ added: added.length, removed: removed.length });
  }

  reserveNumbers(): number {
    return 1;
  }

  close(): void {}
}

class Bench {
  readonly clock = new ManualClock();
  readonly commits: (string | null)[] = [];
  readonly queue: JobQueue;
  readonly restored: number;
  due = 0;

  constructor(journal: Journal, options: { maxMemoryBytes?: number } = {}) {
    this.queue = new JobQueue({
      handles: new Handles("H:test:"),
      isRoundRobin: false,
      jobRetries: 0,
      wakeups: 0,
      maxMemoryBytes: Number.POSITIVE_INFINITY,
      clock: this.clock,
      onDrop: () => undefined,
      commitSoon: () => this.due++,
      onCommit: (failure) => this.commits.push(failure === null ? null : failure.message),
      ...options,
    });
    this.restored = this.queue.useJournal(journal);
  }

  submit(payload: string, { key = "f", ...rest }: Partial<Submission> & { key?: string } = {}): Job {
    const defaults = {
      target: this.queue.functionOf(key),
      unique: Buffer.alloc(0),
      priority: "normal",
      reducer: null,
      epochSeconds: 0,
      client: null,
    } as const;
    const job = this.queue.submit({ ...defaults, payload: Buffer.from(payload), ...rest });
    if (typeof job === "string") throw new Error(job);
    return job;
  }

  worker(): TestPeer {
    const peer = new TestPeer();
    this.queue.offer(peer, "f", 0);
    return peer;
  }

  drain(peer: Peer = this.worker()): string[] {
    const payloads: string[] = [];
    for (let job = this.queue.take(peer); job !== null; job = this.queue.take(peer)) payloads.push(job.payload.toString());
    return payloads;
  }
}

const unique = Buffer.from("u");

describe("group commit", () => {
  test("all jobs of a turn are written at once, and wake workers only then", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    const worker = bench.worker();
    bench.queue.sleep(worker);
    for (const payload of ["1", "2", "3"]) expect(bench.submit(payload).storage).toBe("staged");
    expect([journal.writes, worker.wakeUps, bench.due > 0]).toEqual([[], 0, true]);
    bench.queue.commit();
    expect([journal.writes, worker.wakeUps]).toEqual([[{ added: 3, removed: 0 }], 1]);
    expect([bench.queue.stored, bench.drain(worker)]).toEqual([3, ["1", "2", "3"]]);
  });

  test("a job is never given out before it is written", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    bench.submit("1");
    expect(bench.drain()).toEqual(["1"]);
    expect(journal.rows.size).toBe(1);
  });

  test("a worker that has other work does not hurry the commit", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    bench.submit("1");
    bench.queue.commit();
    bench.submit("2");
    expect(bench.queue.take(bench.worker())?.payload.toString()).toBe("1");
    expect(journal.writes).toHaveLength(1);
  });

  test("a restored job keeps its number for itself, even when the journal gives out lower ones", () => {
    const stored = { key: "f", unique: Buffer.alloc(0), reducer: null, priority: "normal", epochSeconds: 0 } as const;
    const journal = new TestJournal();
    journal.readAll = () => [3, 2000].map((number) => ({ ...stored, number, payload: Buffer.from(`${number}`) }));
    const bench = new Bench(journal);
    expect(bench.submit("new").number).toBe(2001);
    expect(bench.drain()).toEqual(["3", "2000", "new"]);
    expect([...bench.queue.jobs.values()].map(({ number }) => number)).toEqual([3, 2000, 2001]);
  });

  test("nothing is written while nothing changes, nor for foreground jobs", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    bench.submit("1", { client: new TestPeer() });
    bench.queue.commit();
    expect([journal.writes, bench.commits, bench.queue.stored]).toEqual([[], [], 0]);
  });
});

describe("a job is kept", () => {
  test("until it is finished", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    bench.submit("1");
    const job = bench.queue.take(bench.worker())!;
    bench.queue.commit();
    expect(journal.rows.size).toBe(1);
    bench.queue.finish(job);
    bench.queue.commit();
    expect([journal.rows.size, bench.queue.stored]).toEqual([0, 0]);
  });

  test("until it is cancelled, waiting or running", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    const [waiting, running] = [bench.submit("1", { epochSeconds: 4e9 }), bench.submit("2")];
    bench.queue.take(bench.worker());
    for (const job of [waiting, running]) bench.queue.cancel(job.handle);
    bench.queue.commit();
    expect(journal.rows.size).toBe(0);
  });

  test("again when it is wanted again after it was cancelled, in the same turn or later", () => {
    for (const commits of [false, true]) {
      const journal = new TestJournal();
      const bench = new Bench(journal);
      const job = bench.submit("1", { unique });
      bench.queue.take(bench.worker());
      bench.queue.cancel(job.handle);
      if (commits) bench.queue.commit();
      expect(bench.submit("2", { unique })).toBe(job);
      bench.queue.commit();
      expect([...journal.rows.keys()]).toEqual([1]);
    }
  });

  test("from the moment a background submission joins a foreground job, even when its client leaves", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    const client = new TestPeer();
    bench.submit("1", { unique, client });
    bench.submit("2", { unique });
    bench.queue.leave(client);
    bench.queue.commit();
    expect([journal.rows.size, bench.drain()]).toEqual([1, ["1"]]);
  });

  test("not at all when it is over before it could be written", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    bench.submit("1", { unique, client: new TestPeer() });
    const job = bench.queue.take(bench.worker())!;
    bench.submit("2", { unique });
    bench.queue.finish(job);
    bench.queue.commit();
    expect([journal.rows.size, bench.queue.stored]).toEqual([0, 0]);
  });
});

describe("when the journal cannot be written", () => {
  test("new jobs are refused and leave nothing behind", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    journal.failure = new Error("disk on fire");
    const refusals: string[] = [];
    const worker = bench.worker();
    bench.queue.sleep(worker);
    bench.queue.whenRefused(bench.submit("1", { unique }), ({ message }) => refusals.push(message));
    bench.queue.commit();
    expect([refusals, bench.commits, worker.wakeUps]).toEqual([["disk on fire"], ["disk on fire"], 0]);
    expect([bench.queue.jobs.size, bench.queue.memoryBytes, bench.queue.findUnique("u")]).toEqual([0, 0, null]);
    journal.failure = null;
    bench.submit("2", { unique });
    expect(bench.drain(worker)).toEqual(["2"]);
  });

  test("a refused job runs all the same for those who wait for it", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    journal.failure = new Error("disk on fire");
    const client = new TestPeer();
    const refusals: string[] = [];
    bench.queue.whenRefused(bench.submit("1", { unique }), ({ message }) => refusals.push(message));
    bench.submit("1", { unique, client });
    bench.queue.commit();
    expect([refusals, bench.drain()]).toEqual([["disk on fire"], ["1"]]);
  });

  test("a foreground job that could not become a background one ends with its client", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    const client = new TestPeer();
    bench.submit("1", { unique, client });
    journal.failure = new Error("disk on fire");
    bench.submit("2", { unique });
    bench.queue.commit();
    bench.queue.leave(client);
    expect(bench.drain()).toEqual([]);
  });

  test("jobs that are over are struck out later, and make room even while no job can be added", () => {
    const journal = new TestJournal();
    const bench = new Bench(journal);
    bench.submit("1");
    const job = bench.queue.take(bench.worker())!;
    journal.failure = new Error("disk on fire");
    bench.queue.finish(job);
    bench.queue.commit();
    expect(journal.rows.size).toBe(1);
    journal.failure = null;
    journal.isFull = true;
    bench.submit("2");
    bench.queue.commit();
    expect([journal.rows.size, bench.commits.at(-1)]).toEqual([0, "full"]);
  });
});

test("jobs beyond `maxMemoryBytes` are refused until others are over", () => {
  const bench = new Bench(new TestJournal(), { maxMemoryBytes: 700 });
  const first = bench.submit("x".repeat(300));
  expect(() => bench.submit("x".repeat(300))).toThrow("Job queue is out of memory: jobs take 556 of 700 bytes");
  expect(bench.queue.take(bench.worker())).toBe(first);
  bench.queue.finish(first);
  bench.submit("x".repeat(300));
});

describe("a file", () => {
  let directory = "";
  let path = "";
  const journals: Journal[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "journal-"));
    path = join(directory, "queue.db");
  });

  afterEach(() => {
    for (const journal of journals.splice(0)) journal.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const open = async (options = {}): Promise<FileJournal> => {
    const journal = await FileJournal.open(path, options);
    journals.push(journal);
    return journal;
  };

  test("gives back every part of a job", async () => {
    const first = new Bench(await open());
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    first.submit("", {
      payload: bytes,
      unique: Buffer.from("\xff\0\xe9", "latin1"),
      reducer: Buffer.from("r\xfe", "latin1"),
      priority: "low",
      key: "\xff\tf",
    });
    first.submit("", { epochSeconds: 4_000_000_000, priority: "high" });
    first.submit("", { epochSeconds: Number(2n ** 63n - 1n) });
    const fields = (queue: JobQueue) =>
      [...queue.jobs.values()].map(({ handle, target, unique: key, reducer, payload, priority, epochSeconds }) => ({
        handle,
        key: target.key,
        unique: key,
        reducer,
        payload,
        priority,
        epochSeconds,
      }));
    const before = fields(first.queue);
    first.queue.stop();
    const second = new Bench(await open());
    expect(second.restored).toBe(3);
    expect(fields(second.queue)).toEqual(before);
    expect(second.queue.stored).toBe(3);
  });

  test("keeps the order within each priority, over many jobs and batches", async () => {
    const first = new Bench(await open());
    for (let number = 0; number < 500; number++) {
      first.submit(`${number}`, { priority: number % 3 === 0 ? "high" : "normal" });
      if (number % 37 === 0) first.queue.commit();
    }
    first.queue.stop();
    const numbers = Array.from({ length: 500 }, (_, number) => number);
    const expected = [...numbers.filter((number) => number % 3 === 0), ...numbers.filter((number) => number % 3 !== 0)];
    expect(new Bench(await open()).drain().map(Number)).toEqual(expected);
  });

  test("makes equal uniques join restored jobs", async () => {
    const first = new Bench(await open());
    first.submit("1", { unique });
    first.queue.stop();
    const second = new Bench(await open());
    second.submit("2", { unique });
    expect(second.drain()).toEqual(["1"]);
  });

  test("wakes workers when a restored job's second comes", async () => {
    const first = new Bench(await open());
    first.submit("later", { epochSeconds: Math.floor(first.clock.now() / 1000) + 10 });
    first.queue.stop();
    const second = new Bench(await open());
    const worker = second.worker();
    second.queue.sleep(worker);
    second.clock.advance(10_000);
    expect([worker.wakeUps, second.drain(worker)]).toEqual([1, ["later"]]);
  });

  test("no handle ever names another job, though all are over, stored or not", async () => {
    const handles: string[] = [];
    for (let start = 0; start < 3; start++) {
      const bench = new Bench(await open());
      handles.push(bench.submit("foreground", { client: new TestPeer() }).handle, bench.submit("background").handle);
      const worker = bench.worker();
      for (let job = bench.queue.take(worker); job !== null; job = bench.queue.take(worker)) bench.queue.finish(job);
      bench.queue.stop();
    }
    expect(new Set(handles).size).toBe(6);
    expect(handles[0]).toBe("H:test:1");
  });

  test("has one owner", async () => {
    await open();
    await expect(FileJournal.open(path)).rejects.toMatchObject({ kind: "LOCKED" });
  });

  test("on a full disk refuses jobs, but not to strike out those that are over", async () => {
    let freeBytes = Number.POSITIVE_INFINITY;
    const bench = new Bench(await open({ freeBytes: () => freeBytes }));
    bench.submit("1");
    const job = bench.queue.take(bench.worker())!;
    freeBytes = 1000;
    bench.submit("2");
    bench.queue.finish(job);
    bench.queue.commit();
    expect([bench.commits.at(-1), bench.queue.stored]).toEqual([expect.stringContaining("has 1000 bytes free"), 0]);
    bench.queue.stop();
    expect(new Bench(await open()).restored).toBe(0);
  });

  test("that is full refuses jobs, and takes them again once others are over", async () => {
    const bench = new Bench(await open({ maxBytes: 200_000 }));
    const kept = bench.submit("", { payload: Buffer.alloc(100_000) });
    bench.queue.commit();
    bench.submit("", { payload: Buffer.alloc(100_000) });
    bench.queue.commit();
    expect(bench.commits).toEqual([null, expect.stringContaining("full")]);
    const job = bench.queue.take(bench.worker())!;
    expect(job).toBe(kept);
    bench.queue.finish(job);
    bench.submit("", { payload: Buffer.alloc(100_000) });
    bench.queue.commit();
    expect([bench.commits.at(-1), bench.queue.stored]).toEqual([null, 1]);
  });
});
