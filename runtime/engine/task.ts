/**
 * Tasks and their scheduler: one BASIC task runs at a time, and another one starts or goes on only when it waits.
 *
 * Modes of a task: *ready* (in the queue) → *running* → *waiting* (its generator yielded a promise) → ready again …
 * → *ended*. A running task that yields TURN lets the host's event loop turn but keeps its place: no other task runs
 * in between. A waiting task that is aborted becomes ready at once and raises the reason where it waits.
 */
import type { BasilError, LimitError, ProgramEnd } from "../errors.ts";
import type { TaskContext, TaskKey } from "../host.ts";
import type { Value } from "../values.ts";

/** What a running loop yields to let the host's event loop turn. */
export const TURN = Symbol("turn");

/** A promise that was not kept, as the value the task goes on with; `got` raises it at the BASIC place. */
export class Rejection {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** A routine's body at work: yields promises and TURN. */
export type Steps = Generator<unknown, Value, unknown>;

/** What generated code and helpers share: the running task, and the counters of limits. */
export interface ExecutionState {
  task: Task;
  depth: number;
  readonly maxDepth: number;
  /** Loop rounds and calls left until the next look at the limits. */
  fuel: number;
  /** What `fuel` was filled up to: the difference was used. */
  granted: number;
}

/** What tasks need from the engine that runs them. */
export interface TaskServices {
  claim(bytes: number): void;
  /** @param task whose work it is; the running one unless said */
  spend(steps: number, task?: Task): void;
  flush(): void | Promise<void>;
  lineOf(error: BasilError): number;
  /** A task ended with an error. */
  failed(error: unknown, task: Task): void;
}

/** Why a task ends before its code does. */
export type AbortReason = LimitError | ProgramEnd | BasilError;

/** How a task ended. */
export type TaskOutcome = { readonly value: Value } | { readonly error: unknown };

/** Why waits are given up that a task left behind when it ended. */
const TASK_ENDED = "the task has ended";

/** One task: main, or a routine that the host called. */
export class Task implements TaskContext {
  readonly name: string;
  /** Call depth so far; starts at the depth of the task that caused it. */
  depth: number;
  /** What CATCH caught last. */
  caught: BasilError | undefined;
  abortReason: AbortReason | undefined;
  /** How it ended; null until then. */
  outcome: TaskOutcome | null = null;
  /** Called once when it has ended. */
  onEnd: (() => void) | null = null;
  /** Ends it, and nobody listens yet: until its first wait, the looks at the limits look there. */
  unheard: AbortSignal | undefined;
  /** Increases with every wait, so that a late promise cannot wake the task. */
  waits = 0;
  isWaiting = false;
  /** It yielded TURN and goes on when the event loop has turned. */
  isTurning = false;
  #begin: (() => Steps | Value) | undefined;
  steps: Steps | undefined;
  readonly #services: TaskServices;
  /** Made when a row first asks for the signal: most tasks of short handlers never do. */
  #controller: AbortController | undefined;
  /** Most tasks have state of one module, if any. */
  #firstKey: TaskKey<unknown> | undefined;
  #firstLocal: unknown;
  #locals: Map<TaskKey<unknown>, unknown> | undefined;
  #done: Promise<Value> | undefined;
  /** Settles `done`, when somebody waits for that. */
  #settle: ((outcome: TaskOutcome) => void) | undefined;

  constructor(name: string, depth: number, services: TaskServices, begin: () => Steps | Value) {
    this.name = name;
    this.depth = depth;
    this.#services = services;
    this.#begin = begin;
  }

  get isEnded(): boolean {
    return this.outcome !== null;
  }

  /** What its code gives, or the error that ended it. Made when somebody first waits for it: short handlers end at once. */
  get done(): Promise<Value> {
    if (this.#done) return this.#done;
    this.#done = new Promise((resolve, reject) => {
      this.#settle = (outcome) => ("error" in outcome ? reject(outcome.error) : resolve(outcome.value));
    });
    this.#done.catch(() => undefined);
    if (this.outcome) this.#settle!(this.outcome);
    return this.#done;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.abortReason && !this.#controller.signal.aborted) this.#controller.abort(this.abortReason);
    return this.#controller.signal;
  }

  get lastError(): { code: number; line: number; name: string } {
    const error = this.caught;
    return error
      ? { code: error.code, line: this.#services.lineOf(error), name: error.errorName }
      : { code: 0, line: 0, name: "" };
  }

  local<T>(key: TaskKey<T>): T {
    if (this.#firstKey === key) return this.#firstLocal as T;
    if (this.#firstKey === undefined) {
      this.#firstKey = key;
      this.#firstLocal = key.create();
      return this.#firstLocal as T;
    }
    this.#locals ??= new Map();
    if (!this.#locals.has(key)) this.#locals.set(key, key.create());
    return this.#locals.get(key) as T;
  }

  claim(bytes: number): void {
    this.#services.claim(bytes);
  }

  spend(steps: number): void {
    this.#services.spend(steps, this);
  }

  flush(): void | Promise<void> {
    return this.#services.flush();
  }

  /** Tells rows that wait for this task to give up. */
  cancelWaits(reason: AbortReason): void {
    this.#controller?.abort(reason);
  }

  /** Runs until the next yield or the end. A plain routine runs to its end at once. */
  advance(value: unknown): IteratorResult<unknown, Value> {
    if (this.steps) {
      // A loop does not look at what it gets back from TURN, so an error is raised there by force.
      const isRaised = this.isTurning && value instanceof Rejection;
      this.isTurning = false;
      return isRaised ? this.steps.throw(value.error) : this.steps.next(value);
    }
    if (value instanceof Rejection) throw value.error;
    const begin = this.#begin!;
    this.#begin = undefined;
    const started = begin();
    if (!isSteps(started)) return { done: true, value: started };
    this.steps = started;
    return started.next();
  }

  end(outcome: TaskOutcome): void {
    this.outcome = outcome;
    this.steps = undefined;
    this.onEnd?.();
    if ("error" in outcome) this.#services.failed(outcome.error, this);
    this.#settle?.(outcome);
    this.#controller?.abort(TASK_ENDED);
  }
}

export const isSteps = (value: unknown): value is Steps =>
  typeof value === "object" && value !== null && "next" in value && "throw" in value;

/** BASIC frames that a stack keeps while BASIC runs. */
const STACK_FRAMES = 40;

/** Runs tasks, one at a time. */
export class Scheduler {
  readonly #state: ExecutionState;
  readonly #flush: () => void | Promise<void>;
  readonly #tasks = new Set<Task>();
  readonly #ready: { task: Task; value: unknown }[] = [];
  #isBusy = false;

  constructor(state: ExecutionState, flush: () => void | Promise<void>) {
    this.#state = state;
    this.#flush = flush;
  }

  /** All tasks that have not ended. */
  get tasks(): ReadonlySet<Task> {
    return this.#tasks;
  }

  start(task: Task): void {
    this.#tasks.add(task);
    this.#ready.push({ task, value: undefined });
    this.#pump();
  }

  /** Ends a task early: where it waits, or at the next look at the limits. */
  abort(task: Task, reason: AbortReason): void {
    if (task.isEnded || task.abortReason) return;
    task.abortReason = reason;
    task.cancelWaits(reason);
    if (task.isWaiting) this.#wake(task, new Rejection(reason));
    this.#lookSoon();
  }

  /** Makes running code look at the limits at its next loop round or call; what it did not use is not charged. */
  #lookSoon(): void {
    const state = this.#state;
    if (state.fuel <= 0) return;
    state.granted -= state.fuel;
    state.fuel = 0;
  }

  #wake(task: Task, value: unknown): void {
    task.waits += 1;
    task.isWaiting = false;
    this.#ready.push({ task, value });
    this.#pump();
  }

  #pump(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#ready.shift(); next; next = this.#ready.shift()) {
      if (next.task.isEnded) continue;
      if (this.#step(next.task, next.task.abortReason ? new Rejection(next.task.abortReason) : next.value)) return;
    }
    this.#isBusy = false;
    this.#state.depth = 0;
  }

  /** Runs one task up to its next yield; true when it keeps its place while the event loop turns. */
  #step(task: Task, value: unknown): boolean {
    const state = this.#state;
    state.task = task;
    state.depth = task.depth;
    const frames = Error.stackTraceLimit;
    Error.stackTraceLimit = STACK_FRAMES;
    try {
      const result = task.advance(value);
      task.depth = state.depth;
      if (result.done) this.#end(task, { value: result.value });
      else if (result.value === TURN) return this.#turn(task);
      else this.#wait(task, result.value as PromiseLike<unknown>);
    } catch (error) {
      this.#end(task, { error });
    } finally {
      Error.stackTraceLimit = frames;
    }
    return false;
  }

  #end(task: Task, outcome: { value: Value } | { error: unknown }): void {
    this.#tasks.delete(task);
    task.end(outcome);
  }

  #turn(task: Task): true {
    task.isTurning = true;
    const goOn = (failure?: Rejection): void => {
      const isKept = this.#step(task, task.abortReason ? new Rejection(task.abortReason) : failure);
      if (isKept) return;
      this.#isBusy = false;
      this.#pump();
    };
    this.#flushed().then(
      () => setImmediate(goOn),
      (error) => setImmediate(goOn, new Rejection(error)),
    );
    return true;
  }

  /** Writes what was printed: nothing to wait for is the usual case. */
  #flushNow(): void | Promise<void> {
    try {
      return this.#flush();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Writes what was printed; an output that fails is an error of the task that waits for it. */
  async #flushed(): Promise<void> {
    await this.#flush();
  }

  #wait(task: Task, promise: PromiseLike<unknown>): void {
    task.isWaiting = true;
    const wait = task.waits;
    const flushed = this.#flushNow();
    const wakeWith = (value: unknown): void => {
      if (task.waits === wait && !task.isEnded) this.#wake(task, value);
    };
    const settled = flushed ? Promise.all([promise, flushed]).then(([value]) => value) : promise;
    settled.then(wakeWith, (error) => wakeWith(new Rejection(error)));
  }
}
