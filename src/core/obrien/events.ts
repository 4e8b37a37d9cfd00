/** What a manager tells about its jobs and its store, for logs and progress lines. */
import { harmless } from "../net/harmless.ts";
import type { JobRecord } from "./job.ts";

/** Something worth knowing about a manager. */
export type ManagerEvent =
  | { readonly type: "started"; readonly concurrency: number }
  /** Another manager on this store died: its claimed jobs have failed now, and its workers were ended. */
  | { readonly type: "swept"; readonly jobs: readonly string[]; readonly processes: number }
  | { readonly type: "jobStarted"; readonly job: JobRecord; readonly pid: number | null }
  /** A job's end was recorded. */
  | {
      readonly type: "jobEnded";
      readonly id: string;
      readonly class: string;
      readonly state: "done" | "failed";
      readonly errorClass: string | null;
    }
  /** The store refused; it is tried again after `retryMs`, and the ends of `waiting` jobs are kept until then. */
  | { readonly type: "storeFailed"; readonly error: unknown; readonly waiting: number; readonly retryMs: number }
  | { readonly type: "storeWorks" }
  /** A verdict could not be stored as it is; the job failed instead. */
  | { readonly type: "notRecorded"; readonly id: string; readonly error: unknown }
  /** A warm worker did not start, or ended before it got a job; the next one is started after `retryMs`. */
  | { readonly type: "spareEnded"; readonly class: string; readonly retryMs: number }
  /** `run` ends, and leaves these many pending jobs of classes that were not defined. */
  | { readonly type: "left"; readonly classes: ReadonlyMap<string, number> }
  | { readonly type: "stopping"; readonly running: number; readonly drainMs: number }
  /** The error is null but for a store that failed for good. */
  | { readonly type: "stopped"; readonly error: unknown };

/** Takes a manager's events. What it throws becomes a process warning. */
export type ManagerEventListener = (event: ManagerEvent) => void;

/** The listeners of one manager. */
export class ManagerEvents {
  readonly #listeners = new Set<ManagerEventListener>();

  /** Adds a listener; the function it returns takes it away again. */
  add(listener: ManagerEventListener): () => void {
    const own = harmless(listener, "OBRIEN_ON_EVENT");
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Tells all of them; never throws. */
  emit(event: ManagerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
