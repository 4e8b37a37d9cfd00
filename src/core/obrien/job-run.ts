/** One job from its claim to its outcome: a worker is started or taken warm, marked in the store, fed and judged. */
import type { JobRecord } from "./job.ts";
import type { JobClass } from "./job-class.ts";
import { MARKS } from "./leftovers.ts";
import { failedEnd, type JobEnd, notRecordable } from "./outcomes.ts";
import type { JobQueue } from "./queue.ts";
import { runtimeErrorClass } from "./runtime-errors.ts";
import type { Spares } from "./spares.ts";
import { verdictOf } from "./verdict.ts";
import type { EndReason } from "./worker-end.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "./worker-process.ts";

/** A job that runs. */
export interface JobRun {
  readonly job: JobRecord;
  readonly pid: number | null;
  /** Never rejects. */
  readonly outcome: Promise<JobEnd>;
  /** Asks the worker to end, and makes it end later. */
  end(reason: EndReason): void;
}

/** Starts the worker of a job, or gives it to a warm one. Never throws: what goes wrong is the job's outcome. */
export function startJob(job: JobRecord, jobClass: JobClass, queue: JobQueue, spares: Spares): JobRun {
  let worker: RunningWorker;
  try {
    const input = jobClass.input?.(job) ?? [job.payload];
    worker = beginSpare(job, jobClass, input, queue, spares) ?? beginNew(job, jobClass, input, queue);
  } catch (error) {
    return { job, pid: null, outcome: Promise.resolve(noInput(job, asError(error))), end: () => {} };
  }
  const mode = job.mode ?? jobClass.mode ?? "implicit";
  const outcome = worker.ended.then((end): JobEnd => {
    try {
      return { id: job.id, class: job.class, ...verdictOf(end, { id: job.id, class: job.class, mode }) };
    } catch (error) {
      return notRecordable(job, asError(error));
    }
  });
  return { job, pid: worker.pid, outcome, end: (reason) => worker.end(reason) };
}

/** A worker that waits for its input, marked as one of this store. */
export function startSpare(jobClass: JobClass, path: string): RunningWorker {
  return startWorker(optionsOf(jobClass, { [MARKS.store]: path, [MARKS.spare]: "1" }));
}

/** The process says whose it is in its environment, so the row may name it later, or, on a full disk, not at all. */
function beginNew(job: JobRecord, jobClass: JobClass, input: readonly Uint8Array[], queue: JobQueue): RunningWorker {
  const options = optionsOf(jobClass, { [MARKS.store]: queue.path, [MARKS.job]: job.id });
  const worker = startWorker({ ...options, input, timeoutMs: job.timeoutMs ?? jobClass.timeoutMs });
  mark(job, worker, queue);
  return worker;
}

/** Only the row tells which job a warm worker runs, so it is written first. */
function beginSpare(
  job: JobRecord,
  jobClass: JobClass,
  input: readonly Uint8Array[],
  queue: JobQueue,
  spares: Spares,
): RunningWorker | null {
  const worker = spares.take(jobClass);
  if (worker === null) return null;
  if (!mark(job, worker, queue)) {
    worker.end("shutdown");
    return null;
  }
  worker.begin(input, job.timeoutMs ?? jobClass.timeoutMs);
  return worker;
}

/** Writes the worker's process into the job's row. False when the store fails. */
function mark({ id }: JobRecord, { pid, startTime }: RunningWorker, queue: JobQueue): boolean {
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

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
