/**
 * The manager of a store of jobs: takes them in, runs each once in a process of its own, and knows how they ended.
 *
 * Modes: *open* (jobs come in, are found, waited for and cancelled) ⇄ *at work* (`run` or `start` until the queue is
 * empty or `stop`; one manager per store) → *closed*. Managers of other processes on the same file may stay open
 * meanwhile: they see each other's changes within `POLL_MS`.
 */
import { availableParallelism } from "node:os";
import { bounded } from "../net/deadline.ts";
import { ClassTable, checkConcurrency, checkWait } from "./class-table.ts";
import { ObrienError } from "./errors.ts";
import { type ManagerEventListener, ManagerEvents } from "./events.ts";
import type { JobRecord, NewJob } from "./job.ts";
import type { JobClass } from "./job-class.ts";
import { Outcomes } from "./outcomes.ts";
import type { JobCounts, JobQuery, PruneQuery } from "./query.ts";
import { JobQueue, type JobQueueOptions } from "./queue.ts";
import { Waits } from "./waits.ts";
import { type RunResult, Work } from "./work.ts";

/** The file a manager opens when it is given none. */
export const DEFAULT_STORE = ".basil-obrien.db";

/** How a manager is set up. */
export interface ManagerOptions extends JobQueueOptions {
  /** The store's file, made when it is not there; `:memory:` for none. Default `.basil-obrien.db`. */
  readonly path?: string | undefined;
  /**
   * How long the store may fail in a way that no retry cures before work ends with that error, in milliseconds; full
   * disks and the like are waited for as long as they last. `stop` waits 5 s at most. Default 30 000.
   */
  readonly storePatienceMs?: number | undefined;
}

/** How a manager works. */
export interface StartOptions {
  /** Most jobs at once. Default: the number of processors. */
  readonly concurrency?: number | undefined;
}

/** How a manager works until the queue is empty. */
export interface RunOptions extends StartOptions {
  /** Wait for jobs that are delayed; else they are left pending. Default true. */
  readonly waitsForDelayed?: boolean | undefined;
  /** Ends the running jobs; `run` rejects with `ABORTED` when they have ended. */
  readonly signal?: AbortSignal | undefined;
}

/** How long to wait for a job. */
export interface WaitOptions {
  /** In milliseconds. Default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Time between two looks for what other processes did, in milliseconds. */
const POLL_MS = 100;

/** A manager. Every method throws, or rejects with, an ObrienError when it fails. */
export class Manager {
  readonly #queue: JobQueue;
  readonly #now: () => number;
  readonly #storePatienceMs: number;
  readonly #classes = new ClassTable();
  readonly #events = new ManagerEvents();
  readonly #outcomes: Outcomes;
  readonly #waits = new Waits();
  #concurrency = availableParallelism();
  #work: Work | null = null;
  #pollTimer: ReturnType<typeof setInterval> | null = null;
  #isClosing = false;

  private constructor(queue: JobQueue, now: () => number, storePatienceMs: number) {
    this.#queue = queue;
    this.#now = now;
    this.#storePatienceMs = storePatienceMs;
    this.#outcomes = new Outcomes(queue, (id, error) => this.#events.emit({ type: "notRecorded", id, error }));
  }

  /** Opens a store. It takes no lock: that is what `run` and `start` do. */
  static async open(options: ManagerOptions = {}): Promise<Manager> {
    const { path = DEFAULT_STORE, storePatienceMs = 30_000, ...rest } = options;
    checkWait("storePatienceMs", storePatienceMs);
    return new Manager(await JobQueue.open(path, rest), rest.now ?? Date.now, storePatienceMs);
  }

  /** The store's full path, or `:memory:`. */
  get path(): string {
    return this.#queue.path;
  }

  /** Whether it is at work. */
  get isAlive(): boolean {
    return this.#work !== null;
  }

  /** Most jobs at once. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /** Says how the jobs of a class run, from now on. Only jobs of classes that are defined here are claimed. */
  define(jobClass: JobClass): void {
    this.#classes.define(jobClass);
    this.#work?.defined();
  }

  /** The class of that name, or undefined. */
  classOf(name: string): JobClass | undefined {
    return this.#classes.get(name);
  }

  /** Stores one job, or several in one transaction; they are on the disk when it returns. Returns the id, or the ids. */
  enqueue(job: NewJob): string;
  enqueue(jobs: readonly NewJob[]): string[];
  enqueue(jobs: NewJob | readonly NewJob[]): string | string[] {
    const isMany = Array.isArray(jobs);
    const ids = this.#queue.enqueue(isMany ? jobs : [jobs as NewJob]);
    this.#work?.wake();
    return isMany ? ids : ids[0]!;
  }

  /**
   * Works until no job of a defined class is left, or until `stop`. Jobs of other classes stay pending; the result
   * says how many. Rejects with `LOCKED` when another manager works on the store, and with `STATE` when this one does.
   */
  async run({ concurrency, waitsForDelayed = true, signal }: RunOptions = {}): Promise<RunResult> {
    const aborted = () => new ObrienError("ABORTED", "the run was called off", { cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    const work = this.#begin(concurrency, { waitsForDelayed });
    const abort = () => work.stop(0);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await work.open();
      const result = await work.over;
      if (signal?.aborted) throw aborted();
      return result;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Works in the background until `stop`; resolves when it has begun. Rejects as `run` does. */
  async start({ concurrency }: StartOptions = {}): Promise<void> {
    await this.#begin(concurrency, null).open();
  }

  /**
   * Takes no more jobs, waits for the running ones, ends those that still run after `drainMs`, and resolves when all
   * is recorded. Does nothing when it is not at work. Rejects when the store failed to the end.
   *
   * @param drainMs default 10 000; 0 ends them at once
   */
  async stop({ drainMs }: { readonly drainMs?: number | undefined } = {}): Promise<void> {
    if (drainMs !== undefined) checkWait("drainMs", drainMs);
    const work = this.#work;
    work?.stop(drainMs);
    await work?.over;
  }

  /** Changes how many jobs run at once, at once. */
  setConcurrency(concurrency: number): void {
    checkConcurrency(concurrency);
    this.#concurrency = concurrency;
    this.#work?.setConcurrency(concurrency);
  }

  /** Resolves with a job when it has ended, whoever runs it. Rejects with `TIMEOUT`, `ABORTED` or `NOT_FOUND`. */
  async wait(id: string, { timeoutMs, signal }: WaitOptions = {}): Promise<JobRecord> {
    if (timeoutMs !== undefined) checkWait("timeoutMs", timeoutMs);
    if (this.#isClosing) throw this.#closed();
    const job = this.#existing(id);
    if (job.state === "done" || job.state === "failed") return job;
    const { ended, forget } = this.#waits.add(id);
    this.#poll();
    try {
      return await bounded(ended, {
        timeoutMs,
        signal,
        onTimeout: () => new ObrienError("TIMEOUT", `job ${id} has not ended within ${timeoutMs} ms`),
        onAbort: (cause) => new ObrienError("ABORTED", `the wait for job ${id} was called off`, { cause }),
      });
    } finally {
      forget();
      this.#poll();
    }
  }

  /** The job with this id, or null. */
  get(id: string): JobRecord | null {
    return this.#queue.get(id);
  }

  /** Up to `limit` ids that start like this, the oldest first. */
  idsStartingWith(start: string, limit: number): string[] {
    return this.#queue.idsStartingWith(start, limit);
  }

  /** One page of the jobs that a query asks for, the newest first. */
  find(query: JobQuery = {}): JobRecord[] {
    return this.#queue.find(query);
  }

  /** How many jobs there are, by state and class. */
  counts(): JobCounts {
    return this.#queue.counts();
  }

  /**
   * Ends a job before its time: a pending one fails at once, the worker of a running one is ended by the manager that
   * runs it. Says which; a job that had ended before stays as it is.
   */
  cancel(id: string): "cancelled" | "requested" | "ended" {
    const answer = this.#queue.requestCancel(id);
    if (answer === "requested") this.#work?.cancel(id);
    if (answer === "cancelled") this.#look([id]);
    this.#work?.wake();
    return answer;
  }

  /** Deletes jobs that have ended. Resolves with their number. */
  prune(query: PruneQuery): Promise<number> {
    return this.#queue.prune(query);
  }

  /** Tells a listener what happens; the function it returns ends that. */
  onEvent(listener: ManagerEventListener): () => void {
    return this.#events.add(listener);
  }

  /** Ends running jobs at once, then the use of the store. May be called again, and in every mode. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#work?.stop(0);
    try {
      await this.#work?.over;
    } finally {
      this.#waits.rejectAll(this.#closed());
      this.#poll();
      this.#queue.close();
    }
  }

  #begin(concurrency = this.#concurrency, untilEmpty: { readonly waitsForDelayed: boolean } | null): Work {
    checkConcurrency(concurrency);
    if (this.#isClosing) throw this.#closed();
    if (this.#work !== null) throw new ObrienError("STATE", `the manager of ${this.path} is at work already: stop it first`);
    this.#concurrency = concurrency;
    const work = new Work({
      queue: this.#queue,
      classes: this.#classes,
      outcomes: this.#outcomes,
      concurrency,
      untilEmpty,
      now: this.#now,
      storePatienceMs: this.#storePatienceMs,
      emit: (event) => this.#events.emit(event),
      onRecorded: (ids) => this.#look(ids),
    });
    this.#work = work;
    const ended = () => {
      this.#work = null;
      this.#poll();
    };
    work.over.then(ended, ended);
    this.#poll();
    return work;
  }

  /** Watches other processes while anything depends on them. */
  #poll(): void {
    const isNeeded = this.#work !== null || this.#waits.size > 0;
    if (isNeeded && this.#pollTimer === null) this.#pollTimer = setInterval(() => this.#watch(), POLL_MS);
    if (isNeeded || this.#pollTimer === null) return;
    clearInterval(this.#pollTimer);
    this.#pollTimer = null;
  }

  #watch(): void {
    this.#work?.tick();
    let hasChanged = true;
    try {
      hasChanged = this.#queue.hasChanged();
    } catch {
      // Whoever reads the store next meets the failure, and can tell of it.
    }
    if (!hasChanged) return;
    this.#work?.look();
    this.#look();
  }

  #look(ids?: readonly string[]): void {
    this.#waits.look((id) => this.#existing(id), ids);
  }

  #existing(id: string): JobRecord {
    const job = this.#queue.get(id);
    if (job !== null) return job;
    throw new ObrienError("NOT_FOUND", `${this.path} has no job ${JSON.stringify(id)}: it was pruned, or never there`);
  }

  #closed(): ObrienError {
    return new ObrienError("CLOSED", `the manager of ${this.path} is closed`);
  }
}
