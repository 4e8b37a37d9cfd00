/** What a job is: as callers ask for one, and as the store keeps it. */
import type { Xeme } from "./xeme.ts";

/** Where a job can be, in the order of its life. */
export const JOB_STATES = ["pending", "claimed", "done", "failed"] as const;

/** Where a job is. `done` and `failed` are the ends, and never change. */
export type JobState = (typeof JOB_STATES)[number];

/** Whether a worker that ends well and says nothing has succeeded (`implicit`), or must say so (`positive`). */
export type VerificationMode = "implicit" | "positive";

/** A job to be enqueued. */
export interface NewJob {
  /** The class that says what runs. */
  readonly class: string;
  /** What the worker reads on standard input, byte for byte; text is UTF-8. Default: nothing. */
  readonly payload?: string | Uint8Array | undefined;
  /** Higher runs first, then older; a whole number from -1000 to 1000. Default 0. */
  readonly priority?: number | undefined;
  /** The job does not run before. Default: at once. */
  readonly runAt?: Date | undefined;
  /** Overrides the class's. */
  readonly mode?: VerificationMode | undefined;
  /** Overrides the class's, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** A job as stored. */
export interface JobRecord {
  readonly id: string;
  readonly class: string;
  readonly state: JobState;
  readonly payload: Buffer;
  readonly priority: number;
  readonly runAt: Date | null;
  readonly mode: VerificationMode | null;
  readonly timeoutMs: number | null;
  readonly createdAt: Date;
  readonly claimedAt: Date | null;
  readonly endedAt: Date | null;
  /** Someone asked to cancel it. */
  readonly isCancelRequested: boolean;
  /** Class of the first error of the verdict, such as `bryton/runtime/crashed`; null without one. */
  readonly errorClass: string | null;
  /** The verdict; null until the job ends. */
  readonly xeme: Xeme | null;
  /** The job whose verdict asked for this one; null for others. */
  readonly parent: string | null;
}
