/** How a worker process ended, as the facts that a verdict is made from. */
import type { Captured } from "./capture.ts";

/** Why the manager ended a worker that would have run on. */
export type EndReason = "timeout" | "cancel" | "shutdown";

/** A program that did not start. */
export interface StartFailure {
  /** True when the program or its directory is missing or may not be run; false when the system had no room for a process. */
  readonly isNotExecutable: boolean;
  /** The system's word for it, such as `ENOENT`. */
  readonly code: string;
  /** What was wrong, with the names. */
  readonly message: string;
}

/** The end of a worker. */
export interface WorkerEnd {
  /** Null when a signal ended it, or it never started. */
  readonly exitCode: number | null;
  /** Such as `SIGKILL`; null when it exited by itself. */
  readonly signal: string | null;
  /** Why the manager ended it; null when it did not. */
  readonly reason: EndReason | null;
  /** Null when it started. */
  readonly failure: StartFailure | null;
  readonly stdout: Captured;
  readonly stderr: Captured;
  readonly endedAt: Date;
  /** From its input, or its start if it got none, to its exit, in milliseconds. */
  readonly runMs: number;
}
