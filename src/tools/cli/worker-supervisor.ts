/** Keeps a number of processes of one script running: restarts those that crash, and ends them together. */
import { type BackoffOptions, backoffMs } from "../../core/net/backoff.ts";

/** A started process. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<ProcessEnd>;
}

/** How a process ended: one of the two is null. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a supervisor does its work with. */
export interface SupervisorOptions {
  /** Processes to keep running. */
  readonly processes: number;
  /** Crashes in a row, each soon after a start, that a process may have; when all have more, everything ends. */
  readonly restartLimit: number;
  /** Starts the process of that number, from 1. */
  readonly launch: (number: number) => WorkerProcess;
  /** Told what happens, a line at a time. */
  readonly tell: (line: string) => void;
  /** Runs an action later; what it returns calls that off. Default: the machine's timers. */
  readonly after?: (delayMs: number, action: () => void) => () => void;
  /** A clock that never runs backwards, in milliseconds. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** A process that lived this long before it crashed did not crash at its start, in milliseconds. */
const STABLE_MS = 10_000;

/** In a rolling restart, a process that lived this long works: then the next one is replaced, in milliseconds. */
const PROOF_MS = 2_000;

/** Pauses before restarts. */
const RESTART_BACKOFF: BackoffOptions = { firstMs: 500, maxMs: 30_000, jitter: 0.5 };

/** One place for a process. Modes: running → waiting for its restart → running …; done when its script ended normally. */
interface Slot {
  readonly number: number;
  process: WorkerProcess | null;
  startedAt: number;
  /** Crashes in a row, each soon after a start. */
  crashes: number;
  isDone: boolean;
  /** Its process was asked to end so that another takes its place. */
  isBeingReplaced: boolean;
  callOff: (() => void) | null;
}

/** Modes: *running* → *stopping* (a signal came, or all have crashed too often: nothing is restarted) → *over*. */
export class WorkerSupervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #after: (delayMs: number, action: () => void) => () => void;
  readonly #now: () => number;
  #isStopping = false;
  /** The rolling restart under way. */
  #restarting: Promise<void> | null = null;
  #isRestartWanted = false;
  #exitCode = 0;
  #over!: () => void;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#after =
      options.after ??
      ((delayMs, action) => {
        const timer = setTimeout(action, delayMs);
        return () => clearTimeout(timer);
      });
    this.#now = options.now ?? (() => performance.now());
    this.#slots = Array.from({ length: options.processes }, (_, index) => ({
      number: index + 1,
      process: null,
      startedAt: 0,
      crashes: 0,
      isDone: false,
      isBeingReplaced: false,
      callOff: null,
    }));
  }

  /** Starts all processes. Resolves when none is left: to 0 when all scripts ended normally, else to a crash's code. */
  run(): Promise<number> {
    return new Promise((resolve) => {
      this.#over = () => resolve(this.#exitCode);
      for (const slot of this.#slots) this.#start(slot);
    });
  }

  /** Passes a signal on, and starts nothing any more. */
  stop(signal: NodeJS.Signals): void {
    const isFirst = !this.#isStopping;
    this.#isStopping = true;
    for (const slot of this.#slots) {
      slot.callOff?.();
      slot.callOff = null;
      // One that is being replaced finishes its jobs already: a second signal would cut them.
      if (!(isFirst && slot.isBeingReplaced)) slot.process?.kill(signal);
    }
    this.#endWhenEmpty();
  }

  /**
   * Replaces the processes one by one: each ends its jobs first, and the next waits until its successor has lived for
   * two seconds. Breaks off when a successor crashes. Called meanwhile, it makes one more round afterwards.
   */
  restart(): Promise<void> {
    this.#isRestartWanted = true;
    if (this.#restarting) this.#options.tell("a restart is under way: one more follows it");
    this.#restarting ??= this.#restartWhileWanted();
    return this.#restarting;
  }

  async #restartWhileWanted(): Promise<void> {
    while (this.#isRestartWanted && !this.#isStopping) {
      this.#isRestartWanted = false;
      await this.#replaceAll();
    }
    this.#restarting = null;
  }

  async #replaceAll(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#isStopping) return;
      if (slot.isDone || (await this.#replace(slot))) continue;
      const isLast = !this.#slots.slice(slot.number).some(({ process }) => process !== null);
      if (!this.#isStopping && !isLast)
        this.#options.tell(
          `the restart is broken off, because worker ${slot.number} crashed: those after it are left as they are`,
        );
      return;
    }
  }

  /** Gives a place a new process; false when that crashed soon, or all is stopping. */
  async #replace(slot: Slot): Promise<boolean> {
    const { process } = slot;
    slot.crashes = 0;
    if (process === null) {
      // It crashed and waits for its restart: that need not wait any longer.
      slot.callOff?.();
      this.#start(slot);
    } else {
      this.#options.tell(`${this.#name(slot)} is restarted`);
      slot.isBeingReplaced = true;
      process.kill("SIGTERM");
      await process.ended;
    }
    return slot.process !== null && this.#provesItself(slot.process);
  }

  /** Whether a process lives for a while, or ends normally. */
  #provesItself(process: WorkerProcess): Promise<boolean> {
    return new Promise((resolve) => {
      const callOff = this.#after(PROOF_MS, () => resolve(true));
      void process.ended.then(({ code }) => {
        callOff();
        resolve(code === 0);
      });
    });
  }

  #start(slot: Slot): void {
    slot.callOff = null;
    slot.isBeingReplaced = false;
    slot.startedAt = this.#now();
    const process = this.#options.launch(slot.number);
    slot.process = process;
    void process.ended.then((end) => this.#ended(slot, end));
  }

  #ended(slot: Slot, end: ProcessEnd): void {
    const text = `${this.#name(slot)} ${howText(end)}`;
    slot.process = null;
    if (this.#isStopping) return this.#endWhenEmpty();
    if (slot.isBeingReplaced) return this.#start(slot);
    if (end.code === 0) {
      slot.isDone = true;
      if (this.#slots.length > 1) this.#options.tell(`${text} and is not restarted`);
      return this.#endWhenEmpty();
    }
    this.#exitCode = end.code ?? 1;
    slot.crashes = this.#now() - slot.startedAt < STABLE_MS ? slot.crashes + 1 : 1;
    if (this.#isHopeless) return this.#giveUp(text);
    const delayMs = backoffMs(slot.crashes - 1, RESTART_BACKOFF, this.#options.random);
    this.#options.tell(`${text}; it is restarted in ${(delayMs / 1000).toFixed(1)} s`);
    slot.callOff = this.#after(delayMs, () => this.#start(slot));
  }

  /** One process that lives shows that the script can work: then the others are tried for ever. */
  get #isHopeless(): boolean {
    const left = this.#slots.filter((slot) => !slot.isDone);
    return left.every((slot) => slot.crashes > this.#options.restartLimit);
  }

  #giveUp(text: string): void {
    const times = this.#options.restartLimit + 1;
    this.#options.tell(
      `${text}, as each time: giving up after ${times} ${times === 1 ? "start" : "starts"} in a row that failed`,
    );
    this.stop("SIGTERM");
  }

  #endWhenEmpty(): void {
    if (this.#slots.some((slot) => slot.process !== null || slot.callOff !== null)) return;
    if (!this.#isStopping && this.#slots.every((slot) => slot.isDone)) this.#exitCode = 0;
    this.#over();
  }

  #name({ number, process }: Slot): string {
    const which = this.#options.processes === 1 ? "the worker" : `worker ${number}`;
    return process?.pid === undefined ? which : `${which} (pid ${process.pid})`;
  }
}

function howText({ code, signal }: ProcessEnd): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === 0 ? "ended" : `ended with exit code ${code}`;
}
