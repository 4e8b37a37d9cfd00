/** The queue against a simple model: whatever is done in whatever order, both give the same answers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { JOB_STATES, type JobState, type NewJob } from "../../../src/core/obrien/job.ts";
import type { JobQuery } from "../../../src/core/obrien/query.ts";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { doneOutcome, failedOutcome } from "./queue-harness.ts";

/** A job as the model keeps it. */
interface ModelJob {
  readonly id: string;
  readonly class: string;
  readonly priority: number;
  readonly runAtMs: number;
  readonly createdMs: number;
  readonly parent: string | null;
  state: JobState;
  isDelayed: boolean;
  isCancelRequested: boolean;
  errorClass: string | null;
  endedMs: number | null;
}

const CLASSES = ["a", "b", "c"] as const;
const ERRORS = ["E1", "E2"] as const;

const isEnded = ({ state }: ModelJob) => state === "done" || state === "failed";

/** All jobs as a list in the order they came in, and no index anywhere. */
class Model {
  jobs: ModelJob[] = [];
  nowMs = 1_000_000;

  add(ids: readonly string[], jobs: readonly NewJob[], parent: string | null): void {
    for (const [index, job] of jobs.entries()) {
      const runAtMs = job.runAt?.getTime() ?? 0;
      this.jobs.push({
        id: ids[index]!,
        class: job.class,
        priority: job.priority ?? 0,
        runAtMs,
        createdMs: this.nowMs,
        parent,
        state: "pending",
        isDelayed: runAtMs > this.nowMs,
        isCancelRequested: false,
        errorClass: null,
        endedMs: null,
      });
    }
  }

  claim(rooms: ReadonlyMap<string, number>, limit: number): string[] {
    if (limit === 0) return [];
    for (const job of this.jobs) if (job.runAtMs <= this.nowMs) job.isDelayed = false;
    const left = new Map(rooms);
    const claimed: ModelJob[] = [];
    const ready = this.jobs.filter(({ state, isDelayed }) => state === "pending" && !isDelayed);
    for (const job of ready.sort((a, b) => b.priority - a.priority)) {
      const room = left.get(job.class) ?? 0;
      if (room === 0 || claimed.length === limit) continue;
      left.set(job.class, room - 1);
      job.state = "claimed";
      claimed.push(job);
    }
    return claimed.map(({ id }) => id);
  }

  find({ class: name, state, errorClass, by = "created", since, until, limit = 100, offset = 0, after }: JobQuery): string[] {
    const timeOf = (job: ModelJob) => (by === "ended" ? job.endedMs : job.createdMs);
    const listed = [...this.jobs]
      .reverse()
      .filter((job) => timeOf(job) !== null)
      .sort((a, b) => timeOf(b)! - timeOf(a)!);
    const start = after === undefined ? 0 : listed.findIndex(({ id }) => id === after) + 1;
    return listed
      .slice(start)
      .filter((job) => name === undefined || job.class === name)
      .filter((job) => state === undefined || job.state === state)
      .filter((job) => errorClass === undefined || job.errorClass === errorClass)
      .filter((job) => since === undefined || timeOf(job)! >= since.getTime())
      .filter((job) => until === undefined || timeOf(job)! < until.getTime())
      .slice(offset, offset + limit)
      .map(({ id }) => id);
  }
}

/** One thing to do; numbers are reduced to what there is when it happens. */
type Step =
  | { readonly do: "enqueue"; readonly jobs: readonly { class: string; priority: number; delayMs: number }[] }
  | { readonly do: "turn"; readonly picks: readonly number[]; readonly rooms: readonly number[]; readonly limit: number }
  | { readonly do: "finishAgain" | "cancel" | "start"; readonly pick: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "prune"; readonly agoMs: number; readonly state: "done" | "failed" | undefined }
  | {
      readonly do: "find";
      readonly query: Omit<JobQuery, "since" | "until" | "after">;
      readonly agoMs: readonly number[];
      readonly pick: number;
    };

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const small = fc.nat(20);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("enqueue" as const),
      jobs: fc.array(
        fc.record({
          class: fc.constantFrom(...CLASSES),
          priority: fc.integer({ min: -1, max: 1 }),
          delayMs: fc.constantFrom(0, 0, 5, 30),
        }),
        { maxLength: 20 },
      ),
    }),
    fc.record({
      do: fc.constant("turn" as const),
      picks: fc.array(small, { maxLength: 4 }),
      rooms: fc.array(fc.nat(4), { maxLength: 3 }),
      limit: fc.nat(6),
    }),
    fc.record({ do: fc.constantFrom("finishAgain" as const, "cancel" as const, "start" as const), pick: small }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 20 }) }),
    fc.record({
      do: fc.constant("prune" as const),
      agoMs: fc.nat(30),
      state: maybe(fc.constantFrom("done" as const, "failed" as const)),
    }),
    fc.record({
      do: fc.constant("find" as const),
      query: fc.record({
        class: maybe(fc.constantFrom(...CLASSES)),
        state: maybe(fc.constantFrom(...JOB_STATES)),
        errorClass: maybe(fc.constantFrom(...ERRORS)),
        by: maybe(fc.constantFrom("created" as const, "ended" as const)),
        limit: maybe(fc.integer({ min: 1, max: 9 })),
        offset: maybe(fc.nat(9)),
      }),
      agoMs: fc.array(fc.nat(60), { maxLength: 2 }),
      pick: fc.nat(40),
    }),
  ),
  { minLength: 10, maxLength: 60 },
);

/** Does a step to both and compares what they say. */
async function take(step: Step, model: Model, queue: JobQueue): Promise<void> {
  switch (step.do) {
    case "enqueue": {
      const jobs = step.jobs.map(({ delayMs, ...job }) => ({
        ...job,
        ...(delayMs > 0 ? { runAt: new Date(model.nowMs + delayMs) } : {}),
      }));
      return model.add(queue.enqueue(jobs), jobs, null);
    }
    case "turn":
      return takeTurn(step, model, queue);
    case "finishAgain": {
      const job = picked(
        model.jobs.filter(({ state }) => state !== "claimed"),
        step.pick,
      );
      if (job) expect(() => queue.finish([failedOutcome(job.id)])).toThrow(expect.objectContaining({ kind: "STATE" }));
      return;
    }
    case "start": {
      const job = picked(
        model.jobs.filter(({ state }) => state === "claimed"),
        step.pick,
      );
      if (!job) return;
      queue.started(job.id, { pid: step.pick + 1, startTime: null });
      expect(queue.claimed().find(({ record }) => record.id === job.id)?.pid).toBe(step.pick + 1);
      return;
    }
    case "cancel":
      return cancel(picked(model.jobs, step.pick), model, queue);
    case "wait":
      model.nowMs += step.ms;
      return;
    case "prune": {
      const before = model.nowMs - step.agoMs;
      const isKept = (job: ModelJob) =>
        !isEnded(job) || job.endedMs! >= before || (step.state !== undefined && job.state !== step.state);
      const kept = model.jobs.filter(isKept);
      expect(await queue.prune({ olderThan: new Date(before), state: step.state })).toBe(model.jobs.length - kept.length);
      model.jobs = kept;
      return;
    }
    case "find": {
      const [first, second] = step.agoMs.map((agoMs) => new Date(model.nowMs - agoMs));
      const after = picked(step.query.by === "ended" ? model.jobs.filter(isEnded) : model.jobs, step.pick)?.id;
      const query = { ...step.query, since: first, until: second, after: step.pick % 2 === 0 ? after : undefined };
      expect(queue.find(query).map(({ id }) => id)).toEqual(model.find(query));
    }
  }
}

function takeTurn(step: Extract<Step, { do: "turn" }>, model: Model, queue: JobQueue): void {
  const claimed = model.jobs.filter(({ state }) => state === "claimed");
  const ended = [...new Set(step.picks.flatMap((pick) => picked(claimed, pick) ?? []))];
  const finished = ended.map((job, index) => {
    const error = step.picks[index]! % 3;
    const followUps = error === 2 ? [{ class: "c", priority: 1 }] : [];
    return error < 2 ? { ...failedOutcome(job.id, ERRORS[error]), followUps } : doneOutcome(job.id, { followUps });
  });
  const rooms = new Map(step.rooms.map((room, index) => [CLASSES[index]!, room]));
  const known = new Set(model.jobs.map(({ id }) => id));
  const records = queue.turn({ finished, rooms, limit: step.limit });
  for (const [index, { state, errorClass }] of finished.entries())
    Object.assign(ended[index]!, { state, errorClass, endedMs: model.nowMs });
  const children = queue
    .find({ limit: 10_000 })
    .filter(({ id }) => !known.has(id))
    .reverse();
  const wanted = finished.flatMap(({ id, followUps }) => followUps.map((job) => ({ id, job })));
  expect(children.map(({ parent }) => parent)).toEqual(wanted.map(({ id }) => id));
  for (const [index, { id, job }] of wanted.entries()) model.add([children[index]!.id], [job], id);
  expect(records.map(({ id }) => id)).toEqual(model.claim(rooms, rooms.size > 0 ? step.limit : 0));
}

function cancel(job: ModelJob | undefined, model: Model, queue: JobQueue): void {
  if (!job) return;
  const answer = { pending: "cancelled", claimed: "requested", done: "ended", failed: "ended" }[job.state];
  expect(queue.requestCancel(job.id)).toBe(answer);
  if (!isEnded(job)) job.isCancelRequested = true;
  if (job.state === "pending") Object.assign(job, { state: "failed", errorClass: "obrien/cancelled", endedMs: model.nowMs });
}

const picked = <T>(from: readonly T[], pick: number): T | undefined => from[pick % Math.max(1, from.length)];

/** Everything there is to see. */
function compare(model: Model, queue: JobQueue): void {
  const ids = (jobs: readonly ModelJob[]) => jobs.map(({ id }) => id);
  expect(
    queue
      .find({ limit: 10_000 })
      .reverse()
      .map(({ id, class: name, state, priority, isCancelRequested, errorClass, endedAt, parent }) => [
        id,
        name,
        state,
        priority,
        isCancelRequested,
        errorClass,
        endedAt?.getTime() ?? null,
        parent,
      ]),
  ).toEqual(
    model.jobs.map(({ id, class: name, state, priority, isCancelRequested, errorClass, endedMs, parent }) => [
      id,
      name,
      state,
      priority,
      isCancelRequested,
      errorClass,
      endedMs,
      parent,
    ]),
  );
  const { total, classes } = queue.counts();
  for (const state of JOB_STATES) {
    expect(total[state]).toBe(model.jobs.filter((job) => job.state === state).length);
    for (const name of CLASSES) {
      expect(classes.get(name)?.[state] ?? 0).toBe(model.jobs.filter((job) => job.state === state && job.class === name).length);
    }
  }
  const claimed = model.jobs.filter(({ state }) => state === "claimed");
  expect(queue.claimed().map(({ record }) => record.id)).toEqual(ids(claimed));
  expect(queue.cancelRequests().sort()).toEqual(ids(claimed.filter(({ isCancelRequested }) => isCancelRequested)).sort());
  const due = model.jobs.filter(({ state, isDelayed }) => state === "pending" && isDelayed).map(({ runAtMs }) => runAtMs);
  expect(queue.nextDue()?.getTime() ?? null).toBe(due.length === 0 ? null : Math.min(...due));
  expect(queue.hasChanged()).toBe(false);
}

test("answers as a list without any index would, whatever happens to it", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const model = new Model();
      const queue = await JobQueue.open(":memory:", { now: () => model.nowMs });
      try {
        for (const step of list) {
          await take(step, model, queue);
          compare(model, queue);
        }
      } finally {
        queue.close();
      }
    }),
    { numRuns: 150 },
  );
});
