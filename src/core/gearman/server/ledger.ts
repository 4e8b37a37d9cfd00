/**
 * What the queue has still to write to its journal. Background jobs that come within one turn of the event
 * loop are written in one transaction at its end, before anybody is told that they were accepted.
 *
 * A job is *staged* when it came (or became a background job) and is not written yet, then *stored*; `none` is
 * every other job: foreground ones, those that are over, and all jobs of a server without a journal.
 */
import type { Job } from "./jobs.ts";
import type { Journal } from "./journal.ts";

/** A job that came with this batch. */
export interface StagedJob {
  readonly job: Job;
  /** It is in no queue yet: it goes there once it is written. */
  readonly isNew: boolean;
}

/** What became of a batch. */
export interface Batch {
  readonly entries: readonly StagedJob[];
  /** Why nothing of it was written, or null when all of it was. */
  readonly failure: Error | null;
}

/** Collects changes for a journal. */
export class Ledger {
  readonly #journal: Journal;
  readonly #onDirty: () => void;
  #staged: StagedJob[] = [];
  #removed: number[] = [];
  #stored = 0;
  #refusals: { readonly job: Job; readonly refuse: (failure: Error) => void }[] = [];

  /** @param onDirty there is something to commit soon, where there was nothing before */
  constructor(journal: Journal, onDirty: () => void) {
    this.#journal = journal;
    this.#onDirty = onDirty;
  }

  /** Jobs in the journal that are not over. */
  get stored(): number {
    return this.#stored;
  }

  /** Whether jobs wait to be written. */
  get hasStaged(): boolean {
    return this.#staged.length > 0;
  }

  /** Takes note of a job that is in the journal already. */
  adopt(job: Job): void {
    job.storage = "stored";
    this.#stored++;
  }

  stage(job: Job, isNew: boolean): void {
    this.#noteDirty();
    job.storage = "staged";
    this.#staged.push({ job, isNew });
  }

  /** A job that is not to be written waits for those before it, so that the order stays. */
  holdBack(job: Job): void {
    this.#staged.push({ job, isNew: true });
  }

  /** Has `refuse` called if the job, which is staged, cannot be written. */
  whenRefused(job: Job, refuse: (failure: Error) => void): void {
    this.#refusals.push({ job, refuse });
  }

  /** The job need not be kept any longer. */
  forget(job: Job): void {
    if (job.storage === "stored") {
      this.#noteDirty();
      this.#removed.push(job.number);
      this.#stored--;
    }
    job.storage = "none";
  }

  /** Writes what was collected; null when there is nothing. Removals that fail are tried again with the next batch; staged jobs are refused. */
  commit(): Batch | null {
    if (this.#staged.length === 0 && this.#removed.length === 0) return null;
    const entries = this.#staged;
    const refusals = this.#refusals;
    this.#staged = [];
    this.#refusals = [];
    // A job that is over, or was cancelled, in the same turn need not be written.
    const added = new Set(entries.map(({ job }) => job).filter(({ storage }) => storage === "staged"));
    const failure = this.#write([...added]);
    if (failure === null) for (const job of added) this.adopt(job);
    else for (const job of added) job.storage = "none";
    if (failure === null || added.size === 0) return { entries, failure };
    for (const { job, refuse } of refusals) if (added.has(job)) refuse(failure);
    this.#write([]);
    return { entries, failure };
  }

  /** Writes what can still be written, and closes the journal. */
  close(): Batch | null {
    const batch = this.commit();
    this.#journal.close();
    return batch;
  }

  #write(added: readonly Job[]): Error | null {
    if (added.length === 0 && this.#removed.length === 0) return null;
    try {
      this.#journal.write(added, this.#removed);
      this.#removed = [];
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  #noteDirty(): void {
    if (this.#staged.length === 0) this.#onDirty();
  }
}
