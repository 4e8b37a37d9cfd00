/** The rows that work on a job: progress, data, warnings, and jobs taken and ended by hand. */
import { decodeBytes } from "../../runtime/bytes.ts";
import { optional, required, type TaskContext } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { GearmanJob } from "../../src/core/gearman/index.ts";
import { settled } from "./outcome.ts";
import { fn, type GearmanState } from "./state.ts";
import { type CurrentJob, gearmanTask } from "./task.ts";

const HANDLE = optional(
  "text",
  "Handle of a job from WORKER_YIELD$. Default: the job the SUB was called for, else the one taken last.",
);
const TAKEN = required("text", "The handle in the envelope that WORKER_YIELD$ gave.");

/** The job meant, which must still be held. */
async function jobFor(state: GearmanState, task: TaskContext, caller: string, handle: string | undefined): Promise<CurrentJob> {
  const current = handle === undefined ? gearmanTask(task).current : (await state.worker()).find(handle, task);
  if (current === null) {
    throw new GearmanError("STATE", `${caller} needs a job: call it in a handler, or after WORKER_YIELD$`);
  }
  const { job } = current;
  if (!job.isOver) return current;
  const reason = job.signal.aborted ? (job.signal.reason as unknown) : undefined;
  throw reason instanceof GearmanError ? reason : new GearmanError("NOT_FOUND", `job ${current.handle} has ended already`);
}

/** A report on a job that goes on. */
const report = (
  state: GearmanState,
  task: TaskContext,
  caller: string,
  handle: string | undefined,
  send: (job: GearmanJob) => Promise<void>,
): Promise<number> =>
  settled(state, task, 0, async () => {
    const { job } = await jobFor(state, task, caller, handle);
    await send(job);
    return 1;
  });

/** The end of a job taken by hand. */
const end = (state: GearmanState, task: TaskContext, caller: string, handle: string, send: (job: GearmanJob) => void) =>
  settled(state, task, 0, async (own) => {
    const { job } = await jobFor(state, task, caller, handle);
    send(job);
    (await state.worker()).forget(handle);
    if (own.yielded?.job === job) own.yielded = null;
    return 1;
  });

const reportRows = [
  fn({
    name: "WORKER_SET_STATUS%",
    doc: "Reports progress of the job to whoever asks: numerator of denominator. Gives 1. Numbers are kept between 0 and 4294967295.",
    params: {
      numerator: required("number", "How much is done."),
      denominator: required("number", "How much there is to do."),
      handle: HANDLE,
    },
    waits: true,
    run: (state, { numerator, denominator, handle }, task) =>
      report(state, task, "WORKER_SET_STATUS%", handle, (job) => job.sendStatus(numerator, denominator)),
  }),
  fn({
    name: "WORKER_DATA%",
    doc: "Sends a piece of the result to whoever waits for the job, at once. Gives 1.",
    params: { data: required("bytes", "The piece, byte for byte."), handle: HANDLE },
    waits: true,
    run: (state, { data, handle }, task) => report(state, task, "WORKER_DATA%", handle, (job) => job.sendData(data)),
  }),
  fn({
    name: "WORKER_WARNING%",
    doc: "Sends a warning to whoever waits for the job. The last one before a failure is taken for its reason. Gives 1.",
    params: { text: required("bytes", "The warning."), handle: HANDLE },
    waits: true,
    run: (state, { text, handle }, task) => report(state, task, "WORKER_WARNING%", handle, (job) => job.sendWarning(text)),
  }),
];

/**
 * A job as JSON. Bytes that are no UTF-8 stand in it as the lone surrogates that strings have for them, not as `\u` escapes,
 * which JSON.PARSE would take for mistakes: so the payload is exact, whatever it holds.
 */
function envelope({ job, handle }: CurrentJob): string {
  const json = JSON.stringify({ handle, function: job.name, unique: job.unique, payload: decodeBytes(job.payload) });
  return json.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (all, unit: string | undefined) =>
    unit === undefined ? all : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}

const handRows = [
  fn({
    name: "WORKER_YIELD$",
    doc:
      'Takes the next job of a function that was added without a handler, as JSON: {"handle":…,"function":…,"unique":…,' +
      '"payload":…}. Gives "" when none came in time. End the job with WORKER_COMPLETE% or WORKER_FAIL%.',
    params: { timeout_ms: optional("integer", "Longest wait in milliseconds. Default: timeout_ms of the configuration.") },
    waits: true,
    run: (state, { timeout_ms: timeoutMs }, task) =>
      settled(state, task, "", async (own) => {
        const waitMs = timeoutMs ?? (await state.config()).timeoutMs;
        if (waitMs < 0) throw new GearmanError("ARGUMENT", `WORKER_YIELD$: ${waitMs} ms cannot be waited, give 0 or more`);
        const taken = await (await state.worker()).next(task, waitMs);
        if (taken === null) return "";
        task.claim(taken.job.payload.length);
        own.yielded = taken;
        return envelope(taken);
      }),
  }),
  fn({
    name: "WORKER_COMPLETE%",
    doc: "Ends a job from WORKER_YIELD$ with its result. Gives 1.",
    params: { handle: TAKEN, result: required("bytes", "The result, byte for byte.") },
    waits: true,
    run: (state, { handle, result }, task) => end(state, task, "WORKER_COMPLETE%", handle, (job) => job.complete(result)),
  }),
  fn({
    name: "WORKER_FAIL%",
    doc: "Ends a job from WORKER_YIELD$ as failed. Gives 1.",
    params: { handle: TAKEN, reason: optional("bytes", "What the client is told.") },
    waits: true,
    run: (state, { handle, reason }, task) => end(state, task, "WORKER_FAIL%", handle, (job) => job.fail(reason)),
  }),
];

/** Reporting on jobs, and doing them by hand. */
export const jobRows = [...reportRows, ...handRows];
