/** The rows for jobs: enqueue, look, wait, find, cancel, prune. */

import { decodeBytes } from "../../runtime/bytes.ts";
import { optional, required } from "../../runtime/host.ts";
import { Dict, type Value } from "../../runtime/values.ts";
import { ObrienError } from "../../src/core/obrien/errors.ts";
import type { JobRecord } from "../../src/core/obrien/job.ts";
import type { StateCounts } from "../../src/core/obrien/query.ts";
import { KINDS, readOptions } from "./options.ts";
import { settled } from "./outcome.ts";
import { fn, type ObrienState } from "./state.ts";

const ID = required("text", "The job's id, as ENQUEUE$ gave it.");
const DAY_MS = 24 * 60 * 60 * 1000;

const JOB = {
  priority: KINDS.whole,
  run_at: KINDS.date,
  delay_ms: KINDS.whole,
  mode: KINDS.mode,
  timeout_ms: KINDS.whole,
} as const;

const QUERY = {
  class: KINDS.text,
  state: KINDS.text,
  error_class: KINDS.text,
  by: KINDS.text,
  since: KINDS.date,
  until: KINDS.date,
  limit: KINDS.whole,
  offset: KINDS.whole,
  after: KINDS.text,
} as const;

/** A job that is there. */
async function jobOf(state: ObrienState, id: string): Promise<JobRecord> {
  const manager = await state.manager();
  const job = manager.get(id);
  if (job) return job;
  throw new ObrienError("NOT_FOUND", `${manager.path} has no job ${JSON.stringify(id)}: it was pruned, or never there`);
}

const verdictOf = ({ xeme }: JobRecord): string => (xeme === null ? "" : JSON.stringify(xeme));

/** When a job may run: `run_at`, or so long from now. */
function runAtOf({ run_at: runAt, delay_ms: delayMs }: { run_at?: Date | undefined; delay_ms?: number | undefined }) {
  if (delayMs === undefined) return runAt;
  if (runAt !== undefined) throw new ObrienError("ARGUMENT", "ENQUEUE$: give run_at or delay_ms, not both");
  if (delayMs < 0) throw new ObrienError("ARGUMENT", `ENQUEUE$: delay_ms is ${delayMs}: use 0 or more`);
  return new Date(Date.now() + delayMs);
}

/** A job as scripts see it; times are milliseconds since 1970. */
const dictOf = (job: JobRecord): Dict =>
  new Dict([
    ["id", job.id],
    ["class", job.class],
    ["state", job.state],
    ["priority", job.priority],
    ["created", job.createdAt.getTime()],
    ["claimed", job.claimedAt?.getTime() ?? null],
    ["ended", job.endedAt?.getTime() ?? null],
    ["run_at", job.runAt?.getTime() ?? null],
    ["error_class", job.errorClass],
    ["parent", job.parent],
    ["payload", decodeBytes(job.payload)],
  ]);

const countsOf = (counts: StateCounts): [string, Value][] => Object.entries(counts);

const enqueueRows = [
  fn({
    name: "ENQUEUE$",
    doc: "Stores a job and gives its id. It is on the disk when this returns, whoever runs it later.",
    params: {
      class: required("text", "The class that says what runs; it may be defined later, or in another program."),
      payload: required("bytes", "What the body gets, byte for byte. At most 64 MiB."),
      options: optional("dict", `Any of ${Object.keys(JOB).join(", ")}.`),
    },
    waits: true,
    run: (state, { class: name, payload, options }, task) =>
      settled(task, "", async () => {
        const read = readOptions("ENQUEUE$", options, JOB);
        const { priority, mode, timeout_ms: timeoutMs } = read;
        return (await state.manager()).enqueue({ class: name, payload, priority, mode, timeoutMs, runAt: runAtOf(read) });
      }),
  }),
];

const lookRows = [
  fn({
    name: "STATUS$",
    doc: "Where a job is: pending, claimed, done or failed.",
    params: { id: ID },
    waits: true,
    run: (state, { id }, task) => settled(task, "", async () => (await jobOf(state, id)).state),
  }),
  fn({
    name: "RESULT$",
    doc: 'The verdict of a job as JSON; "" while it has not ended.',
    params: { id: ID },
    waits: true,
    run: (state, { id }, task) => settled(task, "", async () => verdictOf(await jobOf(state, id))),
  }),
  fn({
    name: "WAIT$",
    doc:
      'Waits until a job has ended, whoever runs it, and gives its verdict as JSON; "" when it has not ended in time. In a ' +
      "program that runs its jobs itself, call START% before.",
    params: { id: ID, timeout_ms: optional("integer", "Longest wait in milliseconds. Default: as long as it takes.") },
    waits: true,
    run: (state, { id, timeout_ms: timeoutMs }, task) =>
      settled(task, "", async () => verdictOf(await (await state.manager()).wait(id, { timeoutMs, signal: task.signal }))),
  }),
  fn({
    name: "FIND",
    doc:
      "The jobs that a query asks for, the newest first, as a LIST of DICTs: id, class, state, priority, created, claimed, " +
      "ended, run_at, error_class, parent, payload; times in milliseconds since 1970.",
    params: { query: optional("dict", `Any of ${Object.keys(QUERY).join(", ")}. At most 100 jobs unless limit says so.`) },
    waits: true,
    run: (state, { query }, task) =>
      settled<Value>(task, [], async () => {
        const { error_class: errorClass, state: wanted, by, ...rest } = readOptions("FIND", query, QUERY);
        // The core says what is wrong with words that are none of its own.
        const words = { state: wanted as "done" | undefined, by: by as "ended" | undefined };
        return (await state.manager()).find({ ...rest, ...words, errorClass }).map(dictOf);
      }),
  }),
  fn({
    name: "COUNTS",
    doc: "How many jobs are pending, claimed, done and failed, as a DICT; classes holds the same for each class.",
    params: {},
    waits: true,
    run: (state, _, task) =>
      settled<Value>(task, null, async () => {
        const { total, classes } = (await state.manager()).counts();
        const byClass = [...classes].map(([name, counts]): [string, Value] => [name, new Dict(countsOf(counts))]);
        return new Dict([...countsOf(total), ["classes", new Dict(byClass)]]);
      }),
  }),
];

const endRows = [
  fn({
    name: "CANCEL%",
    doc:
      "Cancels a job: a pending one fails at once, of a running one the process is ended. Gives 1, or 0 when it had ended " +
      "before.",
    params: { id: ID },
    waits: true,
    run: (state, { id }, task) => settled(task, 0, async () => ((await state.manager()).cancel(id) === "ended" ? 0 : 1)),
  }),
  fn({
    name: "PRUNE%",
    doc: "Deletes jobs that ended so many days ago, and gives their number. Others are never deleted.",
    params: {
      days: required("number", "Age since the end, in days; 0 for all that have ended."),
      state: optional("text", "done or failed. Default: both."),
    },
    waits: true,
    run: (state, { days, state: wanted }, task) =>
      settled(task, 0, async () => {
        if (!(days >= 0)) throw new ObrienError("ARGUMENT", `PRUNE%: ${days} days are no age: use 0 or more`);
        const olderThan = new Date(Date.now() - days * DAY_MS + (days === 0 ? 1 : 0));
        return (await state.manager()).prune({ olderThan, state: wanted as "done" | undefined });
      }),
  }),
];

/** Jobs. */
export const jobRows = [...enqueueRows, ...lookRows, ...endRows];
