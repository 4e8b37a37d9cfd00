/** One job from its claim to its outcome: a worker is started or taken warm, marked in the store, fed and judged. */
import { backoffMs } from "../net/backoff.ts";
import { pause } from "../net/deadline.ts";
import type { FileRoom } from "./file-room.ts";
import type { JobRecord } from "./job.ts";
import type { JobClass } from "./job-class.ts";
import { MARKS } from "./leftovers.ts";
import { failedEnd, type JobEnd } from "./outcomes.ts";
import type { JobQueue } from "./queue.ts";
import { runtimeErrorClass } from "./runtime-errors.ts";
import type { Spares } from "./spares.ts";
import { verdictOf } from "./verdict.ts";
import type { EndReason, WorkerEnd } from "./worker-end.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "./worker-process.ts";

/** A job that runs. */
export interface JobRun {
  readonly job: JobRecord;
  readonly pid: number | null;
  /** Never rejects. */
  readonly outcome: Promise<JobEnd>;
  /**
   * Writes the worker's process into the job's row, if that is not done. Its environment says whose it is as well, but
   * programs can change that; jobs that end before the manager comes to it save a write.
   */
  mark(): void;
  /** Asks the worker to end, and makes it end later. */
  end(reason: EndReason): void;
}

/** What starting a job takes besides the job. */
export interface JobRunContext {
  readonly queue: JobQueue;
  readonly spares: Spares;
  readonly room: FileRoom;
}

/** Delays before a worker is started for which the system had no room: nothing of its job has run. */
const START_RETRY = { firstMs: 50, maxMs: 250, jitter: 0 };

/** Tries before the job fails: about a minute. */
const START_TRIES = 240;

/** Starts the worker of a job, or gives it to a warm one. Never throws: what goes wrong is the job's outcome. */
export function startJob(job: JobRecord, jobClass: JobClass, context: JobRunContext): JobRun {
  const given = inputOf(job, jobClass);
  if (given instanceof Error)
    return { job, pid: null, outcome: Promise.resolve(noInput(job, given)), mark: () => {}, end: () => {} };
  const input = given;
  const over = new AbortController();
  const spare = beginSpare(job, jobClass, input, context);
  let worker = spare ?? beginNew(job, jobClass, input, context);
  let isMarked = spare !== null;

  async function ended(): Promise<WorkerEnd> {
    let end = await worker.ended;
    for (let tries = 0; isCrowded(end) && tries < START_TRIES; tries++) {
      context.room.failed(end.failure!.code);
      await pause(backoffMs(tries, START_RETRY), over.signal);
      if (over.signal.aborted) return { ...end, failure: null, reason: over.signal.reason as EndReason };
      if (!context.room.isThere()) continue;
      worker = beginNew(job, jobClass, input, context);
      isMarked = false;
      end = await worker.ended;
    }
    return end;
  }
  const mark = (): void => {
    if (!isMarked) isMarked = markRow(job, worker, context.queue);
  };
  const end = (reason: EndReason): void => {
    if (!over.signal.aborted) over.abort(reason);
    worker.end(reason);
  };
  return { job, pid: worker.pid, outcome: ended().then((how) => judged(how, job, jobClass)), mark, end };
}

function judged(end: WorkerEnd, job: JobRecord, jobClass: JobClass): JobEnd {
  const mode = job.mode ?? jobClass.mode ?? "implicit";
  return { id: job.id, class: job.class, ...verdictOf(end, { id: job.id, class: job.class, mode }) };
}

/** The system had no room for one more process, and may have it soon. */
function isCrowded({ failure }: WorkerEnd): boolean {
  return failure !== null && !failure.isNotExecutable;
}

function inputOf(job: JobRecord, jobClass: JobClass): readonly Uint8Array[] | Error {
  try {
    return jobClass.input?.(job) ?? [job.payload];
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A worker that waits for its input, marked as one of this store; null when there is no room for it. */
export function startSpare(
  jobClass: JobClass,
  { room, path }: { readonly room: FileRoom; readonly path: string },
): RunningWorker | null {
  if (!room.isThere()) return null;
  const worker = startWorker(optionsOf(jobClass, { [MARKS.store]: path, [MARKS.spare]: "1" }));
  void worker.ended.then(({ failure }) => failure !== null && room.failed(failure.code));
  return worker;
}

/** The process says whose it is in its environment. */
function beginNew(job: JobRecord, jobClass: JobClass, input: readonly Uint8Array[], { queue }: JobRunContext): RunningWorker {
  const options = optionsOf(jobClass, { [MARKS.store]: queue.path, [MARKS.job]: job.id });
  return startWorker({ ...options, input, timeoutMs: job.timeoutMs ?? jobClass.timeoutMs });
}

/** Only the row tells which job a warm worker runs, so it is written first. */
function beginSpare(
  job: JobRecord,
  jobClass: JobClass,
  input: readonly Uint8Array[],
  { queue, spares }: JobRunContext,
): RunningWorker | null {
  const worker = spares.take(jobClass);
  if (worker === null) return null;
  if (!markRow(job, worker, queue)) {
    worker.end("shutdown");
    return null;
  }
  worker.begin(input, job.timeoutMs ?? jobClass.timeoutMs);
  return worker;
}

/** Writes the worker's process into the job's row. False when the store fails. */
function markRow({ id }: JobRecord, { pid, startTime }: RunningWorker, queue: JobQueue): boolean {
  if (pid === null || queue.path === ":memory:") return true;
  try {
    queue.started(id, { pid, startTime });
    return true;
  } catch {
    return false;
  }
}

function optionsOf(jobClass: JobClass, marks: Readonly<Record<string, string>>): WorkerOptions {
  const { command, killAfterMs, maxOutputBytes, maxMemoryBytes, directory, inherit, environment, timeoutMs } = jobClass;
  const limits = { timeoutMs, killAfterMs, maxOutputBytes, maxMemoryBytes };
  return { command, directory, inherit, environment: { ...environment, ...marks }, ...limits };
}

function noInput(job: JobRecord, error: Error): JobEnd {
  return failedEnd(job, runtimeErrorClass("not-started"), `the job's input cannot be made: ${error.message}`);
}
