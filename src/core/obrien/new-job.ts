/** What a job must be like before it is stored; everything else is refused with the value and the limit. */
import { ObrienError } from "./errors.ts";
import type { NewJob } from "./job.ts";
import { checkDate } from "./query.ts";

/** The limits of a job. */
export const JOB_LIMITS = {
  classBytes: 200,
  payloadBytes: 64 * 1024 * 1024,
  lowestPriority: -1000,
  highestPriority: 1000,
  /** What Node's timers can wait. */
  timeoutMs: 2 ** 31 - 1,
} as const;

/** One check for each key of a job: there are no other keys. */
const CHECKS: { readonly [Key in keyof Required<NewJob>]: (value: Exclude<NewJob[Key], undefined>) => void } = {
  class: checkClassName,
  payload: checkPayload,
  priority: checkPriority,
  runAt: (value) => checkDate("runAt", value),
  mode(value) {
    if (value !== "implicit" && value !== "positive") {
      throw new ObrienError("ARGUMENT", `mode is ${JSON.stringify(value)}: use implicit or positive`);
    }
  },
  timeoutMs: checkTimeout,
};

/** Throws `ARGUMENT` for a job that cannot be enqueued. */
export function checkNewJob(job: NewJob): void {
  if (typeof job !== "object" || job === null)
    throw new ObrienError("ARGUMENT", `a job is an object, not ${JSON.stringify(job)}`);
  checkClassName(job.class);
  for (const [key, value] of Object.entries(job)) {
    if (!Object.hasOwn(CHECKS, key)) {
      throw new ObrienError("ARGUMENT", `a job has no ${JSON.stringify(key)}: it has ${Object.keys(CHECKS).join(", ")}`);
    }
    if (value !== undefined) CHECKS[key as "class"](value as never);
  }
}

/** Throws `ARGUMENT` when one of the jobs cannot be enqueued, and says which. */
export function checkNewJobs(jobs: readonly NewJob[]): void {
  for (const [index, job] of jobs.entries()) {
    try {
      checkNewJob(job);
    } catch (error) {
      if (jobs.length === 1 || !(error instanceof ObrienError)) throw error;
      throw new ObrienError(error.kind, `job ${index + 1} of ${jobs.length}: ${error.message}`, { cause: error });
    }
  }
}

/** Throws `ARGUMENT` for what cannot be the name of a class. */
export function checkClassName(name: string): void {
  if (typeof name !== "string") throw new ObrienError("ARGUMENT", `the class of a job is ${JSON.stringify(name)}, not a text`);
  if (name === "") throw new ObrienError("ARGUMENT", "the class of a job is empty: name one, such as img.resize");
  const bytes = Buffer.byteLength(name);
  if (bytes > JOB_LIMITS.classBytes) {
    throw new ObrienError(
      "ARGUMENT",
      `the class ${JSON.stringify(`${name.slice(0, 40)}…`)} has ${bytes} bytes, and ${JOB_LIMITS.classBytes} are allowed`,
    );
  }
  if (/[\p{Cc}\p{Surrogate}]/u.test(name)) {
    throw new ObrienError("ARGUMENT", `the class ${JSON.stringify(name)} has control characters or half a character`);
  }
}

function checkPayload(payload: string | Uint8Array): void {
  if (typeof payload !== "string" && !(payload instanceof Uint8Array)) {
    throw new ObrienError("ARGUMENT", `payload is of type ${typeof payload}: use text or bytes`);
  }
  const bytes = typeof payload === "string" ? Buffer.byteLength(payload) : payload.byteLength;
  if (bytes > JOB_LIMITS.payloadBytes) {
    throw new ObrienError(
      "ARGUMENT",
      `payload has ${bytes} bytes, and ${JOB_LIMITS.payloadBytes} are allowed: store it in a file and pass its name`,
    );
  }
  if (typeof payload === "string" && !payload.isWellFormed()) {
    throw new ObrienError("ARGUMENT", "payload is text with half a character, which has no UTF-8: pass bytes");
  }
}

function checkPriority(priority: number): void {
  const { lowestPriority, highestPriority } = JOB_LIMITS;
  if (Number.isInteger(priority) && priority >= lowestPriority && priority <= highestPriority) return;
  throw new ObrienError(
    "ARGUMENT",
    `priority is ${shown(priority)}: use a whole number from ${lowestPriority} to ${highestPriority}`,
  );
}

function checkTimeout(timeoutMs: number): void {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= JOB_LIMITS.timeoutMs) return;
  throw new ObrienError(
    "ARGUMENT",
    `timeoutMs is ${shown(timeoutMs)}: use a whole number of milliseconds from 1 to ${JOB_LIMITS.timeoutMs}`,
  );
}

/** JSON has no word for numbers such as NaN. */
function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
