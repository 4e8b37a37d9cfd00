/** Retries inside a worker, for handlers that depend on something which fails now and then, such as another service. */
import { backoffMs } from "../net/backoff.ts";
import { pause } from "../net/deadline.ts";
import { GearmanError, messageOf } from "./errors.ts";
import type { GearmanJob } from "./worker-job.ts";
import type { HandlerResult, JobHandler } from "./worker-options.ts";

/** How often a handler is tried, and how long it rests between. */
export interface RetryOptions {
  /** Most times the handler runs, the first one included: a whole number of at least 1. Default 3. */
  readonly attempts?: number | undefined;
  /** Pause before the second attempt, in milliseconds; each further one is twice as long. Default 200. */
  readonly firstMs?: number | undefined;
  /** Longest pause, in milliseconds. Default 10 000. */
  readonly maxMs?: number | undefined;
  /** Share of each pause that chance may take away, from 0 (none) to 1. Default 0.5. */
  readonly jitter?: number | undefined;
  /** Whether an error is worth another attempt. Default: every error is. */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /** Chance; tests pass a constant. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * `handler` as one that is tried again when it throws: `worker.add("mail", retrying(send, { attempts: 5 }))`. The job
 * stays held meanwhile, and its time limit covers all attempts. No attempt follows once the job's signal has fired or
 * the job is over. The job fails with the last error's message and the number of attempts; the error itself is the
 * `cause`. Pieces that an attempt has sent with `sendData` are not taken back.
 */
export function retrying(handler: JobHandler, options: RetryOptions = {}): JobHandler {
  const { attempts = 3, firstMs = 200, maxMs = 10_000, jitter = 0.5, when = () => true, random = Math.random } = options;
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new GearmanError("ARGUMENT", `attempts ${attempts} must be a whole number of at least 1`);
  for (const [name, value] of Object.entries({ firstMs, maxMs }))
    if (!(value >= 0)) throw new GearmanError("ARGUMENT", `${name} ${value} must be a number of at least 0`);
  if (!(jitter >= 0 && jitter <= 1)) throw new GearmanError("ARGUMENT", `jitter ${jitter} must be a number from 0 to 1`);
  return async (job: GearmanJob): Promise<HandlerResult> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await handler(job);
      } catch (error) {
        const isLast = attempt >= attempts || !when(error);
        if (!isLast) await pause(backoffMs(attempt - 1, { firstMs, maxMs, jitter }, random), job.signal);
        if (isLast || job.isOver || job.signal.aborted) throw afterAttempts(error, attempt);
      }
    }
  };
}

function afterAttempts(error: unknown, attempts: number): unknown {
  if (attempts === 1) return error;
  return new Error(`${messageOf(error)} (after ${attempts} attempts)`, { cause: error });
}
