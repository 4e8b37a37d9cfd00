/**
 * A manager at work: claims jobs, runs them and records how they end, one store transaction for all that came together.
 *
 * Modes: *starting* (lock and sweep) → *working* → *draining* (no new jobs; after the drain time the running ones are
 * ended) → *over* (lock released). `open` leads from starting to working, `stop` and an empty queue lead to draining;
 * a drain with nothing left to run or to record leads to over. A store that fails keeps outcomes in memory and is
 * tried again, with growing delays; only a drain, and failures that no retry cures, have a limit to that.
 */
import { lockStore, type StoreLock } from "../store/lock.ts";
import type { ClassTable } from "./class-table.ts";
import { ObrienError, obrienErrorOf } from "./errors.ts";
import type { ManagerEvent } from "./events.ts";
import { FileRoom } from "./file-room.ts";
import type { JobRecord } from "./job.ts";
import { type JobRun, startJob, startSpare } from "./job-run.ts";
import type { JobEnd, Outcomes } from "./outcomes.ts";
import type { JobQueue } from "./queue.ts";
import { Spares } from "./spares.ts";
import { StoreTrouble } from "./store-trouble.ts";
import { sweep } from "./sweep.ts";

/** What work is given by its manager. */
export interface WorkOptions {
  readonly queue: JobQueue;
  readonly classes: ClassTable;
  readonly outcomes: Outcomes;
  readonly concurrency: number;
  /** Work until no job of a defined class is left; delayed ones are waited for, or left. Null: until `stop`. */
  readonly untilEmpty: { readonly waitsForDelayed: boolean } | null;
  /** The time, in milliseconds since 1970. */
  readonly now: () => number;
  /** See `ManagerOptions`. */
  readonly storePatienceMs: number;
  readonly emit: (event: ManagerEvent) => void;
  /** These jobs' ends are in the store. */
  readonly onRecorded: (ids: readonly string[]) => void;
}

/** What came of the jobs while a manager worked. */
export interface RunResult {
  readonly done: number;
  readonly failed: number;
  /** Pending jobs that were left because their classes are not defined. */
  readonly left: ReadonlyMap<string, number>;
}

/** Waits of work, in milliseconds. */
const WAITS = {
  /** For running jobs, when the caller of `stop` names no time. */
  drain: 10_000,
  /** Longest sleep until a delayed job: the clock may be set meanwhile. */
  delayed: 60_000,
  /** For the next warm worker, so that its start takes nothing from the job that has just begun. */
  spares: 25,
  /** Claims that follow sooner need their warm workers more than they need the processor. */
  busy: 100,
  leftovers: { killAfterMs: 1000, giveUpAfterMs: 5000 },
} as const;

/** One stretch of work, from the lock to its release. */
export class Work {
  readonly over: Promise<RunResult>;
  readonly #options: WorkOptions;
  readonly #running = new Map<string, JobRun>();
  readonly #runningByClass = new Map<string, number>();
  readonly #spares: Spares;
  readonly #trouble: StoreTrouble;
  readonly #room = new FileRoom();
  readonly #count = { done: 0, failed: 0 };
  #settle!: { resolve: (result: RunResult) => void; reject: (error: unknown) => void };
  #isReady = false;
  #mode: "starting" | "working" | "draining" | "over" = "starting";
  #concurrency: number;
  #lock: StoreLock | null = null;
  #left: ReadonlyMap<string, number> = new Map();
  #isWoken = false;
  #error: unknown = null;
  #delayedTimer: ReturnType<typeof setTimeout> | null = null;
  #drainTimer: ReturnType<typeof setTimeout> | null = null;
  #sparesTimer: ReturnType<typeof setTimeout> | null = null;
  #claimedAtMs = Number.NEGATIVE_INFINITY;
  #drainEndsMs = Number.POSITIVE_INFINITY;

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
    this.over = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.over.catch(() => {});
    this.#trouble = new StoreTrouble({
      emit: options.emit,
      retry: () => this.#turn(),
      patienceMs: options.storePatienceMs,
    });
    this.#spares = new Spares({
      start: (jobClass) => startSpare(jobClass, { room: this.#room, path: options.queue.path }),
      onEnded: (name, retryMs) => options.emit({ type: "spareEnded", class: name, retryMs }),
    });
  }

  get isOver(): boolean {
    return this.#mode === "over";
  }

  /** Takes the lock, sweeps, and begins. Rejects, and is over, when another manager has the lock or the store fails. */
  async open(): Promise<void> {
    const { queue, outcomes, emit } = this.#options;
    try {
      this.#lock = await lockOf(queue.path);
      if (outcomes.size > 0) this.#recorded(outcomes.turn(new Map(), 0).recorded);
      const swept = await sweep(queue, WAITS.leftovers);
      if (swept.jobs.length + swept.processes > 0) emit({ type: "swept", ...swept });
    } catch (error) {
      await this.#finish(null);
      throw obrienErrorOf(error);
    }
    this.#isReady = true;
    if (this.#mode === "starting") {
      this.#mode = "working";
      emit({ type: "started", concurrency: this.#concurrency });
      this.#fillSpares();
    }
    this.#turn();
  }

  /** Looks for jobs soon: some came, or a class was defined. */
  wake(): void {
    if (this.#isWoken || this.isOver) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#turn();
    });
  }

  /** To be called ten times a second or so: writes down the workers of jobs that take longer. */
  tick(): void {
    if (this.#trouble.isWaiting) return;
    for (const run of this.#running.values()) run.mark();
  }

  /** Another process changed the store: perhaps it wants a job cancelled. */
  look(): void {
    if (this.isOver) return;
    try {
      for (const id of this.#options.queue.cancelRequests()) this.cancel(id);
    } catch {
      // The turn meets the same failure, and deals with it.
    }
    this.wake();
  }

  /** Ends a job's worker; the job fails. False when it does not run here. */
  cancel(id: string): boolean {
    const run = this.#running.get(id);
    run?.end("cancel");
    return run !== undefined;
  }

  /** Changes how many jobs run at once; those that run already go on. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
    this.wake();
  }

  /** A class came or changed. */
  defined(): void {
    if (this.#mode === "working") this.#fillSpares();
    this.wake();
  }

  /** Takes no more jobs; those that still run after `drainMs` are ended. A later call may only shorten the time. */
  stop(drainMs: number = WAITS.drain): void {
    if (this.isOver) return;
    const endsMs = performance.now() + drainMs;
    if (this.#mode !== "draining") this.#options.emit({ type: "stopping", running: this.#running.size, drainMs });
    this.#mode = "draining";
    if (endsMs < this.#drainEndsMs) this.#setDrain(endsMs, drainMs);
    this.#trouble.hurry();
    this.wake();
  }

  #setDrain(endsMs: number, drainMs: number): void {
    this.#drainEndsMs = endsMs;
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    this.#drainTimer = setTimeout(() => this.#endAll(), Math.min(drainMs, 2 ** 31 - 1));
    if (drainMs === 0) this.#endAll();
  }

  #endAll(): void {
    for (const run of this.#running.values()) run.end("shutdown");
  }

  /** One transaction: what has ended goes in, what may run comes out. */
  #turn(): void {
    if (!this.#isReady || this.isOver || this.#trouble.isWaiting) return;
    try {
      const free = this.#mode === "working" ? this.#concurrency - this.#running.size : 0;
      const claimed = this.#exchange(free);
      for (const job of claimed) this.#start(job);
      if (claimed.length > 0) this.#replaceSpares();
      this.#rest(free - claimed.length);
      this.#trouble.works();
    } catch (error) {
      this.#storeFailed(error);
    }
  }

  #exchange(free: number): readonly JobRecord[] {
    const { outcomes, classes } = this.#options;
    const rooms = classes.rooms(free, (name) => this.#runningByClass.get(name) ?? 0);
    if (outcomes.size === 0 && rooms.size === 0) return [];
    const { recorded, claimed } = outcomes.turn(rooms, rooms.size === 0 ? 0 : free);
    this.#recorded(recorded);
    return claimed;
  }

  #recorded(ends: readonly JobEnd[]): void {
    for (const { id, class: name, state, errorClass } of ends) {
      this.#count[state]++;
      this.#options.emit({ type: "jobEnded", id, class: name, state, errorClass });
    }
    if (ends.length > 0) this.#options.onRecorded(ends.map(({ id }) => id));
  }

  #start(job: JobRecord): void {
    const { queue, classes, outcomes, emit } = this.#options;
    // Only jobs of defined classes are claimed, and classes are never taken away.
    const run = startJob(job, classes.get(job.class)!, { queue, spares: this.#spares, room: this.#room });
    this.#running.set(job.id, run);
    this.#runningByClass.set(job.class, (this.#runningByClass.get(job.class) ?? 0) + 1);
    void run.outcome.then((end) => {
      this.#running.delete(job.id);
      this.#runningByClass.set(job.class, this.#runningByClass.get(job.class)! - 1);
      outcomes.add(end);
      this.wake();
    });
    emit({ type: "jobStarted", job, pid: run.pid });
    if (performance.now() >= this.#drainEndsMs) run.end("shutdown");
  }

  /** After a turn: the end of all work, or a sleep until a delayed job is due. */
  #rest(free: number): void {
    const isIdle = this.#running.size === 0 && this.#options.outcomes.size === 0;
    if (isIdle && (this.#mode === "draining" || (!this.#isWoken && this.#isEmpty()))) return void this.#finish(this.#error);
    if (free > 0) this.#sleepUntilDue();
  }

  /** Whether nothing is left to do for work that ends with the queue. */
  #isEmpty(): boolean {
    const { untilEmpty, queue, classes } = this.#options;
    if (untilEmpty === null) return false;
    const pending = [...queue.counts().classes].flatMap(([name, { pending }]) => (pending > 0 ? [[name, pending] as const] : []));
    if (untilEmpty.waitsForDelayed && pending.some(([name]) => classes.get(name) !== undefined)) return false;
    this.#left = new Map(pending.filter(([name]) => classes.get(name) === undefined));
    return true;
  }

  #sleepUntilDue(): void {
    if (this.#delayedTimer !== null) clearTimeout(this.#delayedTimer);
    const { queue, now } = this.#options;
    const due = queue.nextDue();
    const delayMs = due === null ? WAITS.delayed : Math.min(WAITS.delayed, due.getTime() - now());
    this.#delayedTimer = setTimeout(() => this.#turn(), Math.max(1, delayMs));
  }

  #storeFailed(error: unknown): void {
    const isLast = this.#mode === "draining" && this.#running.size === 0;
    if (!this.#trouble.failed(error, this.#options.outcomes.size, isLast)) return;
    this.#error = this.#gaveUp(error);
    if (isLast) void this.#finish(this.#error);
    else this.stop();
  }

  #gaveUp(error: unknown): unknown {
    const { size } = this.#options.outcomes;
    if (!(error instanceof ObrienError) || size === 0) return error;
    const jobs = size === 1 ? "the end of 1 job is" : `the ends of ${size} jobs are`;
    const loss = "they are in memory only, and once this process has ended the next manager counts these jobs as crashed";
    return new ObrienError(error.kind, `${error.message} (${jobs} not recorded: ${loss})`, { cause: error });
  }

  /** After a claim, which may have used some of them. */
  #replaceSpares(): void {
    const nowMs = performance.now();
    const isBusy = nowMs - this.#claimedAtMs < WAITS.busy;
    this.#claimedAtMs = nowMs;
    if (isBusy) return this.#fillSpares();
    if (this.#sparesTimer !== null) clearTimeout(this.#sparesTimer);
    this.#sparesTimer = setTimeout(() => this.#fillSpares(), WAITS.spares);
  }

  #fillSpares(): void {
    if (this.#mode === "working") this.#spares.fill(this.#options.classes.all());
  }

  async #finish(error: unknown): Promise<void> {
    if (this.isOver) return;
    this.#mode = "over";
    if (this.#delayedTimer !== null) clearTimeout(this.#delayedTimer);
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    if (this.#sparesTimer !== null) clearTimeout(this.#sparesTimer);
    this.#trouble.close();
    await this.#spares.close();
    this.#lock?.release();
    if (this.#left.size > 0) this.#options.emit({ type: "left", classes: this.#left });
    if (this.#isReady) this.#options.emit({ type: "stopped", error });
    if (error === null) this.#settle.resolve({ ...this.#count, left: this.#left });
    else this.#settle.reject(error);
  }
}

async function lockOf(path: string): Promise<StoreLock> {
  try {
    return await lockStore(path);
  } catch (error) {
    const failure = obrienErrorOf(error);
    if (!(failure instanceof ObrienError) || failure.kind !== "LOCKED") throw failure;
    throw new ObrienError("LOCKED", `${path} has a manager at work already: end that one, or use another file`, { cause: error });
  }
}
