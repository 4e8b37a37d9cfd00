/** The queue: what it keeps of a job, in which order it gives jobs out, and how they end. */
import { describe, expect, test } from "vitest";
import { MAX_LISTED } from "../../../src/core/obrien/query.ts";
import type { JobQueue } from "../../../src/core/obrien/queue.ts";
import { doneOutcome, failedOutcome, QueueHarness, roomFor } from "./queue-harness.ts";

const harness = new QueueHarness();

const classesOf = (jobs: readonly { class: string }[]) => jobs.map((job) => job.class);
const payloadsOf = (jobs: readonly { payload: Buffer }[]) => jobs.map(({ payload }) => payload.toString());

describe("enqueuing", () => {
  test("keeps all that was asked for, over a restart", async () => {
    const runAt = new Date("2030-01-01T00:00:00.123Z");
    const first = await harness.open();
    const [id] = first.enqueue([{ class: "größe", payload: "né", priority: -3, runAt, mode: "positive", timeoutMs: 1500 }]);
    first.close();
    expect((await harness.open()).get(id!)).toEqual({
      id,
      class: "größe",
      state: "pending",
      payload: Buffer.from("né"),
      priority: -3,
      runAt,
      mode: "positive",
      timeoutMs: 1500,
      createdAt: new Date(harness.nowMs),
      claimedAt: null,
      endedAt: null,
      isCancelRequested: false,
      errorClass: null,
      xeme: null,
      parent: null,
    });
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["every byte", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ["2048 bytes, the most that lie in the row", Buffer.alloc(2048, 7)],
    ["2049 bytes, which lie beside it", Buffer.alloc(2049, 8)],
    ["8 MiB", Buffer.alloc(8 << 20, 9)],
  ])("a payload of %s comes back as it was, claimed and read", async (_name, payload) => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a", payload: new Uint8Array(payload) }]);
    expect(queue.get(id!)?.payload.equals(payload)).toBe(true);
    expect(queue.claim(roomFor("a"), 1)[0]?.payload.equals(payload)).toBe(true);
    expect(queue.claimed()[0]?.record.payload.equals(payload)).toBe(true);
  });

  test("a batch keeps its order, across the sizes that are inserted at once", async () => {
    const queue = await harness.open();
    const jobs = Array.from({ length: 37 }, (_, index) => ({ class: "a", payload: `${index}` }));
    const ids = queue.enqueue(jobs);
    expect(new Set(ids).size).toBe(37);
    expect(ids.map((id) => queue.get(id)?.payload.toString())).toEqual(jobs.map(({ payload }) => payload));
    expect(payloadsOf(queue.claim(roomFor("a"), 100))).toEqual(jobs.map(({ payload }) => payload));
  });

  test("no jobs is no error", async () => {
    expect((await harness.open()).enqueue([])).toEqual([]);
  });

  test("one bad job refuses the batch, and is named", async () => {
    const queue = await harness.open();
    expect(() => queue.enqueue([{ class: "a" }, { class: "" }])).toThrow("job 2 of 2: the class of a job is empty");
    expect(queue.counts().total.pending).toBe(0);
  });
});

describe("claiming", () => {
  test("takes the highest priority first, over all classes, then the oldest", async () => {
    const queue = await harness.open();
    queue.enqueue([
      { class: "a", payload: "1" },
      { class: "b", payload: "2", priority: 5 },
      { class: "a", payload: "3", priority: 5 },
      { class: "b", payload: "4" },
      { class: "a", payload: "5", priority: -1 },
    ]);
    expect(payloadsOf(queue.claim(roomFor("a", "b"), 4))).toEqual(["2", "3", "1", "4"]);
    expect(payloadsOf(queue.claim(roomFor("a", "b"), 4))).toEqual(["5"]);
  });

  test("keeps to the room of each class, and leaves classes without room alone", async () => {
    const queue = await harness.open();
    queue.enqueue(["a", "a", "a", "b", "c"].map((name) => ({ class: name })));
    const rooms = new Map([
      ["a", 2],
      ["b", 0],
      ["unknown", 7],
    ]);
    expect(classesOf(queue.claim(rooms, 10))).toEqual(["a", "a"]);
    expect(queue.claim(rooms, 0)).toEqual([]);
    expect(queue.claim(new Map(), 10)).toEqual([]);
    expect(classesOf(queue.claim(roomFor("c", "b"), 10))).toEqual(["b", "c"]);
  });

  test("says when, and gives no job out twice", async () => {
    const queue = await harness.open();
    queue.enqueue([{ class: "a" }]);
    harness.nowMs += 50;
    expect(queue.claim(roomFor("a"), 10)).toMatchObject([{ state: "claimed", claimedAt: new Date(harness.nowMs) }]);
    expect(queue.claim(roomFor("a"), 10)).toEqual([]);
  });

  test("a delayed job waits for its time, and then stands where its priority and age put it", async () => {
    const queue = await harness.open();
    const at = (afterMs: number) => new Date(harness.nowMs + afterMs);
    queue.enqueue([
      { class: "a", payload: "later", runAt: at(2000) },
      { class: "a", payload: "soon", runAt: at(1000) },
      { class: "a", payload: "past", runAt: at(-1000) },
    ]);
    expect(queue.nextDue()).toEqual(at(1000));
    expect(payloadsOf(queue.claim(roomFor("a"), 10))).toEqual(["past"]);
    queue.enqueue([{ class: "a", payload: "now" }]);
    harness.nowMs += 1000;
    expect(payloadsOf(queue.claim(roomFor("a"), 10))).toEqual(["soon", "now"]);
    expect(queue.nextDue()).toEqual(at(1000));
    harness.nowMs += 1000;
    expect(payloadsOf(queue.claim(roomFor("a"), 10))).toEqual(["later"]);
    expect(queue.nextDue()).toBeNull();
  });

  test("knows the workers of what is claimed, as far as they were noted", async () => {
    const queue = await harness.open();
    const [first, second, third] = queue.enqueue([{ class: "a" }, { class: "a" }, { class: "a" }]);
    queue.claim(roomFor("a"), 2);
    queue.started(second!, { pid: 4711, startTime: 123_456_789 });
    expect(queue.claimed()).toMatchObject([
      { record: { id: first }, pid: null, startTime: null },
      { record: { id: second }, pid: 4711, startTime: 123_456_789 },
    ]);
    expect(() => queue.started(third!, { pid: 1, startTime: null })).toThrow(
      expect.objectContaining({ kind: "STATE", message: `job ${third} cannot start: it is pending: claim it first` }),
    );
  });

  test.each([
    ["waiting jobs", 0],
    ["delayed jobs", 3_600_000],
  ])("costs no more with 100,000 %s than with 1,000", { timeout: 60_000 }, async (_name, delayMs) => {
    const medianMs = async (jobs: number) => {
      const queue = await harness.open({}, ":memory:");
      const runAt = new Date(harness.nowMs + delayMs);
      const batch = Array.from({ length: 1000 }, (_, index) => ({ class: `c${index % 2}`, priority: index % 3, runAt }));
      for (let count = 0; count < jobs; count += 1000) queue.enqueue(batch);
      queue.enqueue(Array.from({ length: 300 }, () => ({ class: "c0" })));
      const times = Array.from({ length: 300 }, () => {
        const start = performance.now();
        queue.claim(roomFor("c0", "c1"), 1);
        return performance.now() - start;
      });
      queue.close();
      return times.sort((a, b) => a - b)[150]!;
    };
    const few = await medianMs(1000);
    expect((await medianMs(100_000)) / few).toBeLessThan(5);
  });
});

describe("ending", () => {
  test("records the verdict, whatever text is in it", async () => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a" }]);
    queue.claim(roomFor("a"), 1);
    harness.nowMs += 70;
    const xeme = { success: false, errors: [{ class: "a\0b" }], io: { stdout: "nul \0, half \udc80, 🙂" } };
    queue.finish([{ id: id!, state: "failed", xeme, errorClass: "a\0b", followUps: [] }]);
    expect(queue.get(id!)).toMatchObject({ state: "failed", xeme, errorClass: "a\ufffdb", endedAt: new Date(harness.nowMs) });
    expect(queue.claimed()).toEqual([]);
    for (const by of ["created", "ended"] as const) expect(queue.find({ errorClass: "a\0b", by }).length).toBe(1);
  });

  test("happens once: an outcome that is there stays, and nothing else of the call happens", async () => {
    const queue = await harness.open();
    const [ended, open] = queue.enqueue([{ class: "a" }, { class: "a" }]) as [string, string];
    queue.claim(roomFor("a"), 2);
    queue.finish([doneOutcome(ended)]);
    expect(() => queue.finish([doneOutcome(open), failedOutcome(ended)])).toThrow(
      expect.objectContaining({
        kind: "STATE",
        message: expect.stringContaining(`job ${ended} cannot end: it has ended already (done)`),
      }),
    );
    expect([queue.get(ended)?.state, queue.get(open)?.state]).toEqual(["done", "claimed"]);
    expect(queue.counts().total).toEqual({ pending: 0, claimed: 1, done: 1, failed: 0 });
  });

  test("is for jobs that were claimed, and that there are", async () => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a" }]);
    expect(() => queue.finish([doneOutcome(id!)])).toThrow("is pending: claim it first");
    expect(() => queue.finish([doneOutcome("no-such-id")])).toThrow(expect.objectContaining({ kind: "NOT_FOUND" }));
    expect(queue.get("no-such-id")).toBeNull();
  });

  test("brings the jobs that the verdict asks for, with their parent, in the same step", async () => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a" }]) as [string];
    queue.claim(roomFor("a"), 1);
    const followUps = [{ class: "a", payload: "child" }, { class: "b" }];
    expect(() => queue.finish([doneOutcome(id, { followUps: [...followUps, { class: "" }] })])).toThrow("job 3 of 3");
    expect(queue.counts().total).toEqual({ pending: 0, claimed: 1, done: 0, failed: 0 });
    const claimed = queue.turn({ finished: [doneOutcome(id, { followUps })], rooms: roomFor("a"), limit: 5 });
    expect(claimed).toMatchObject([{ class: "a", parent: id, payload: Buffer.from("child") }]);
    expect(queue.find({ class: "b" })).toMatchObject([{ parent: id, state: "pending" }]);
  });

  test("a full turn ends jobs and claims the next", async () => {
    const queue = await harness.open();
    const ids = queue.enqueue([{ class: "a" }, { class: "a" }, { class: "a" }]);
    const [first] = queue.claim(roomFor("a"), 1);
    const next = queue.turn({ finished: [doneOutcome(first!.id)], rooms: roomFor("a"), limit: 1 });
    expect(next.map(({ id }) => id)).toEqual([ids[1]]);
    expect(queue.counts().total).toEqual({ pending: 1, claimed: 1, done: 1, failed: 0 });
  });
});

describe("cancelling", () => {
  test("ends a pending job, delayed or not", async () => {
    const queue = await harness.open();
    const ids = queue.enqueue([{ class: "a" }, { class: "a", runAt: new Date(harness.nowMs + 1000) }]);
    for (const id of ids) expect(queue.requestCancel(id)).toBe("cancelled");
    expect(queue.get(ids[0]!)).toMatchObject({
      state: "failed",
      errorClass: "obrien/cancelled",
      xeme: { success: false, errors: [{ class: "obrien/cancelled" }], meta: { uuid: ids[0], name: "a" } },
    });
    expect(queue.nextDue()).toBeNull();
    expect(queue.claim(roomFor("a"), 5)).toEqual([]);
  });

  test("asks the manager of a claimed job", async () => {
    const queue = await harness.open();
    const [id, other] = queue.enqueue([{ class: "a" }, { class: "a" }]) as [string, string];
    queue.claim(roomFor("a"), 2);
    expect(queue.cancelRequests()).toEqual([]);
    expect([queue.requestCancel(id), queue.requestCancel(id)]).toEqual(["requested", "requested"]);
    expect(queue.cancelRequests()).toEqual([id]);
    expect([queue.get(id)?.isCancelRequested, queue.get(other)?.isCancelRequested]).toEqual([true, false]);
    queue.finish([failedOutcome(id)]);
    expect(queue.cancelRequests()).toEqual([]);
  });

  test("comes too late for a job that has ended, and finds no other", async () => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a" }]) as [string];
    queue.claim(roomFor("a"), 1);
    queue.finish([doneOutcome(id)]);
    expect(queue.requestCancel(id)).toBe("ended");
    expect(queue.get(id)).toMatchObject({ state: "done", isCancelRequested: false });
    expect(() => queue.requestCancel("x")).toThrow(expect.objectContaining({ kind: "NOT_FOUND" }));
  });
});

describe("finding", () => {
  /** Twenty jobs a second apart: a done, a failed with E1, a claimed, a pending one, and again. */
  async function filled(): Promise<{ queue: JobQueue; ids: string[] }> {
    const queue = await harness.open();
    const ids: string[] = [];
    for (let index = 0; index < 20; index++) {
      harness.nowMs += 1000;
      const [id] = queue.enqueue([{ class: index < 10 ? "a" : "b" }]) as [string];
      ids.push(id);
      if (index % 4 < 3) queue.claim(roomFor("a", "b"), 1);
      if (index % 4 === 3) continue;
      const { record } = queue.claimed().at(-1)!;
      if (index % 4 === 0) queue.finish([doneOutcome(record.id)]);
      if (index % 4 === 1) queue.finish([failedOutcome(record.id, "E1")]);
    }
    return { queue, ids };
  }

  test("lists the newest first, a page at a time, by offset or after an id", async () => {
    const { queue, ids } = await filled();
    const newest = [...ids].reverse();
    const found = (query: object) => queue.find(query).map(({ id }) => id);
    expect(found({})).toEqual(newest);
    expect(found({ limit: 3 })).toEqual(newest.slice(0, 3));
    expect(found({ limit: 3, offset: 18 })).toEqual(newest.slice(18));
    expect(found({ limit: 4, after: newest[7] })).toEqual(newest.slice(8, 12));
    expect(found({ after: newest[19] })).toEqual([]);
    expect(found({ limit: 4, offset: 2, after: newest[7] })).toEqual(newest.slice(10, 14));
  });

  test("by class, state and class of error, alone and together", async () => {
    const { queue } = await filled();
    const total = queue.counts().total;
    for (const state of ["pending", "claimed", "done", "failed"] as const) {
      const found = queue.find({ state });
      expect(found.length).toBe(total[state]);
      expect(new Set(found.map((job) => job.state))).toEqual(new Set([state]));
    }
    expect(new Set(classesOf(queue.find({ class: "b" })))).toEqual(new Set(["b"]));
    expect(queue.find({ class: "a" }).length + queue.find({ class: "b" }).length).toBe(20);
    expect(queue.find({ errorClass: "E1" }).length).toBe(total.failed);
    expect(queue.find({ errorClass: "E1", by: "ended" }).length).toBe(total.failed);
    expect(queue.find({ errorClass: "E1", class: "a", state: "failed" }).every((job) => job.class === "a")).toBe(true);
    for (const query of [
      { errorClass: "E1", state: "pending" },
      { errorClass: "E2" },
      { class: "none" },
      { state: "claimed", by: "ended" },
    ] as const) {
      expect(queue.find(query)).toEqual([]);
    }
  });

  test("since a time and until before another, by creation or by end", async () => {
    const { queue, ids } = await filled();
    const created = (index: number) => queue.get(ids[index]!)!.createdAt;
    expect(queue.find({ since: created(5), until: created(8) }).map(({ id }) => id)).toEqual([ids[7], ids[6], ids[5]]);
    const ended = queue.find({ by: "ended" });
    expect(ended.length).toBe(10);
    const times = ended.map(({ endedAt }) => endedAt!.getTime());
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(queue.find({ by: "ended", since: ended[4]!.endedAt!, until: ended[1]!.endedAt! })).toEqual(ended.slice(2, 5));
    expect(queue.find({ by: "ended", after: ended[3]!.id, limit: 2 })).toEqual(ended.slice(4, 6));
    expect(() => queue.find({ by: "ended", after: queue.find({ state: "pending" })[0]!.id })).toThrow(
      expect.objectContaining({ kind: "NOT_FOUND" }),
    );
  });

  test("counts by state and class, without those that have none", async () => {
    const { queue } = await filled();
    const { total, classes } = queue.counts();
    expect(total.pending + total.claimed + total.done + total.failed).toBe(20);
    expect([...classes.keys()]).toEqual(["a", "b"]);
    expect((await harness.open({}, ":memory:")).counts()).toEqual({
      total: { pending: 0, claimed: 0, done: 0, failed: 0 },
      classes: new Map(),
    });
  });

  test("the ids that start alike", async () => {
    const { queue, ids } = await filled();
    expect(queue.idsStartingWith(ids[4]!, 2)).toEqual([ids[4]]);
    expect(queue.idsStartingWith(ids[0]!.slice(0, 6), 3)).toEqual(ids.slice(0, 3));
    expect(queue.idsStartingWith("zz", 3)).toEqual([]);
  });

  test.each([
    [{ state: "gone" }, 'there is no state "gone": use one of pending, claimed, done, failed'],
    [{ by: "size" }, 'there is no order "size": use created or ended'],
    [{ limit: 0 }, `limit is 0: use a whole number from 1 to ${MAX_LISTED}`],
    [{ limit: MAX_LISTED + 1 }, `limit is ${MAX_LISTED + 1}: use`],
    [{ offset: -1 }, "offset is -1: use a whole number from 0"],
    [{ after: "abc" }, 'after is "abc", which is not the id of a job'],
    [{ since: new Date(Number.NaN) }, "since is not a valid date"],
    [{ until: "1h" }, 'until is "1h", not a Date'],
  ])("refuses %j", async (query, message) => {
    const queue = await harness.open({}, ":memory:");
    expect(() => queue.find(query as never)).toThrow(
      expect.objectContaining({ kind: "ARGUMENT", message: expect.stringContaining(message) }),
    );
  });
});

describe("pruning", () => {
  test("deletes what has ended before a time, and nothing that has not", async () => {
    const queue = await harness.open();
    queue.enqueue(Array.from({ length: 5 }, () => ({ class: "a", payload: Buffer.alloc(5000) })));
    const [first, second, third] = queue.claim(roomFor("a"), 4).map(({ id }) => id) as [string, string, string];
    queue.finish([doneOutcome(first), failedOutcome(second)]);
    harness.nowMs += 1000;
    queue.finish([doneOutcome(third)]);
    expect(await queue.prune({ olderThan: new Date(harness.nowMs), state: "failed" })).toBe(1);
    expect(await queue.prune({ olderThan: new Date(harness.nowMs) })).toBe(1);
    expect(queue.get(third)?.state).toBe("done");
    expect(await queue.prune({ olderThan: new Date(harness.nowMs + 1) })).toBe(1);
    expect(queue.counts().total).toEqual({ pending: 1, claimed: 1, done: 0, failed: 0 });
    expect(queue.find().map(({ payload }) => payload.length)).toEqual([5000, 5000]);
  });

  test("goes on over many batches and classes", async () => {
    const queue = await harness.open({}, ":memory:");
    queue.enqueue(Array.from({ length: 1300 }, (_, index) => ({ class: `c${index % 3}` })));
    queue.finish(
      queue
        .claim(
          new Map([
            ["c0", 900],
            ["c1", 900],
            ["c2", 400],
          ]),
          1250,
        )
        .map(({ id }) => doneOutcome(id)),
    );
    expect(await queue.prune({ olderThan: new Date(harness.nowMs + 1) })).toBe(1250);
    expect(queue.counts().total).toEqual({ pending: 50, claimed: 0, done: 0, failed: 0 });
  });

  test("refuses states that are not ends, and dates that are none", async () => {
    const queue = await harness.open({}, ":memory:");
    const olderThan = new Date(0);
    await expect(queue.prune({ olderThan, state: "pending" as never })).rejects.toThrow(
      'jobs in state "pending" cannot be pruned',
    );
    await expect(queue.prune({ olderThan: new Date(Number.NaN) })).rejects.toThrow("olderThan is not a valid date");
  });
});
