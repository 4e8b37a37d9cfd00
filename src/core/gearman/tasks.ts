/** Many jobs at once: a set takes requests as it has room, keeps a bounded number in flight, and hands out their outcomes as they come. */
import type { Deadline, Expiring } from "../net/deadline.ts";
import { EventQueue } from "../net/event-queue.ts";
import type { Call } from "./call.ts";
import { checkCount, checkTimeout } from "./checks.ts";
import { GearmanError } from "./errors.ts";
import { BackgroundSubmit, ForegroundSubmit, type JobContent, type JobPacket, type JobReceipt, sendJob } from "./job.ts";
import type { ClientCounters } from "./metrics.ts";
import type { PooledServer } from "./pool.ts";
import type { BackgroundRequest, JobRequest, SubmitListeners } from "./requests.ts";
import { Task, TaskBatch, type TaskBounds, type TaskOwner } from "./task-batch.ts";

/** A job of a set; whether it runs in the background is told here or by the set. */
export type TaskRequest =
  | (JobRequest & Pick<SubmitListeners, "onCreated" | "onStatus"> & { readonly background?: false | undefined })
  | (BackgroundRequest & { readonly background?: boolean | undefined });

/** How a set runs. `B` is whether its jobs run in the background, as far as types know. */
export interface TaskSetOptions<B extends boolean = boolean> {
  /** Most jobs submitted whose outcome nobody has read yet. Default 1000. */
  readonly maxInFlight?: number | undefined;
  /** Whether jobs that say nothing of it run in the background. Default false. */
  readonly background?: B | undefined;
  /** Calls the set off. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time for the whole set, in milliseconds. Default: none; each job has its own `timeoutMs`, or the client's. */
  readonly timeoutMs?: number | undefined;
}

/** Whether a request of type `R` runs in the background, as far as types know, in a set where `B` is the rule. */
export type InBackground<R extends TaskRequest, B extends boolean = boolean> = R extends { readonly background?: unknown }
  ? "background" extends keyof R
    ? Exclude<R["background"], undefined> | (undefined extends R["background"] ? B : never)
    : B
  : B;

/** What became of one job of a set; `ok` and `receipt` tell which. */
export type TaskOutcome<R extends TaskRequest = TaskRequest, B extends boolean = InBackground<R>> =
  | (B extends true ? QueuedTask<R> : FinishedTask<R>)
  | FailedTask<R>;

/** A job in the foreground that is done. */
export interface FinishedTask<R extends TaskRequest = TaskRequest> {
  /** Place of the job's request, from 0. */
  readonly index: number;
  readonly request: R;
  readonly ok: true;
  /** What its worker returned. */
  readonly result: Buffer;
  readonly receipt: null;
}

/** A job in the background that a server has accepted. */
export interface QueuedTask<R extends TaskRequest = TaskRequest> {
  /** Place of the job's request, from 0. */
  readonly index: number;
  readonly request: R;
  readonly ok: true;
  readonly result: null;
  /** Where it went. */
  readonly receipt: JobReceipt;
}

/** A job that failed, or that no server has accepted. */
export interface FailedTask<R extends TaskRequest = TaskRequest> {
  /** Place of the job's request, from 0. */
  readonly index: number;
  readonly request: R;
  readonly ok: false;
  readonly error: GearmanError;
}

/** What a set needs of its client. */
export interface TaskPorts {
  /** Checks and counts a job; throws ARGUMENT or CLOSED. */
  check(request: TaskRequest, isBackground: boolean): JobPacket;
  contentOf(request: TaskRequest, packet: JobPacket): JobContent;
  readonly counters: ClientCounters;
  /** The servers for a job, best first. */
  serversFor(request: TaskRequest): readonly PooledServer[];
  dispatch(call: Call<unknown>, servers: readonly PooledServer[]): void;
  /** Takes over a call that is lost already. */
  adopt(call: Call<unknown>, servers: readonly PooledServer[], reason: GearmanError, wasWritten: boolean): void;
  /** Notes where a job went. */
  remember(receipt: JobReceipt): JobReceipt;
  /** Fires when the client is closed. */
  readonly closing: AbortSignal;
  readonly bounds: TaskBounds;
}

/** Default of `maxInFlight`. */
const MAX_IN_FLIGHT = 1000;

/**
 * A set of jobs. Modes: new (nothing happens before someone reads) → running → draining (no more requests) → over.
 * Aborting and leaving the loop lead from everywhere to over; jobs in flight fail with ABORTED then.
 */
export class TaskSet<R extends TaskRequest, B extends boolean = InBackground<R>>
  implements AsyncIterable<TaskOutcome<R, B>>, TaskOwner<R>, Expiring
{
  readonly #source: Iterator<R> | AsyncIterator<R>;
  readonly #isAsync: boolean;
  readonly #ports: TaskPorts;
  readonly #options: TaskSetOptions;
  readonly #maxInFlight: number;
  readonly #outcomes = new EventQueue<TaskOutcome<R, B>>({
    maxEvents: Number.POSITIVE_INFINITY,
    maxBytes: Number.POSITIVE_INFINITY,
    onFull: () => undefined,
    onRoom: () => undefined,
    onLeft: () => this.#stop(new GearmanError("ABORTED", "the loop over the tasks was left before its end")),
  });
  readonly #batches = new Set<TaskBatch>();
  readonly #calls = new Set<Call<unknown>>();
  readonly #pump = () => this.#take();
  readonly #onAbort = () =>
    this.#stop(new GearmanError("ABORTED", "the tasks were called off", { cause: this.#options.signal?.reason as unknown }));
  readonly #onClosing = () => this.#stop(this.#ports.closing.reason as GearmanError);
  #mode: "new" | "running" | "draining" | "over" = "new";
  #failure: { error: unknown } | undefined;
  #deadline: Deadline | null = null;
  #batch: TaskBatch | null = null;
  #collected: TaskOutcome<R, B>[] | null = null;
  #next = 0;
  #inFlight = 0;
  #isPumping = false;
  #isPulling = false;

  constructor(requests: Iterable<R> | AsyncIterable<R>, options: TaskSetOptions, ports: TaskPorts) {
    if (options.timeoutMs !== undefined) checkTimeout(options.timeoutMs);
    this.#maxInFlight = checkCount("maxInFlight", options.maxInFlight ?? MAX_IN_FLIGHT);
    this.#isAsync = Symbol.asyncIterator in requests;
    this.#source = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
    this.#options = options;
    this.#ports = ports;
  }

  /** The outcomes as they come. The loop throws when the set is called off, runs out of time, or its requests throw. */
  [Symbol.asyncIterator](): AsyncIterableIterator<TaskOutcome<R, B>> {
    this.#start();
    const queue = this.#outcomes;
    const iterator: AsyncIterableIterator<TaskOutcome<R, B>> = {
      next: () => {
        this.#schedule();
        return queue.next();
      },
      return: () => queue.return(),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** All outcomes in the order of the requests. Fails where the loop would throw. */
  async all(): Promise<TaskOutcome<R, B>[]> {
    this.#start();
    this.#collected = [];
    await this.#outcomes.next();
    return this.#collected;
  }

  /** The set's time is over. */
  expire(): void {
    this.#stop(new GearmanError("TIMEOUT", `the tasks were not done within ${this.#options.timeoutMs} ms`));
  }

  #start(): void {
    if (this.#mode !== "new") throw new GearmanError("STATE", "the outcomes of these tasks are being read already");
    this.#mode = "running";
    const { signal, timeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const { closing, bounds } = this.#ports;
    this.#deadline = bounds.deadlines.add(this, timeoutMs);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    closing.addEventListener("abort", this.#onClosing, { once: true });
    if (closing.aborted) this.#onClosing();
    else if (signal?.aborted) this.#onAbort();
    else this.#schedule();
  }

  /** Takes requests soon: after all that this read has settled is read by the loop, so that jobs go out in large batches. */
  #schedule(): void {
    if (this.#isPumping || this.#mode !== "running") return;
    this.#isPumping = true;
    process.nextTick(this.#pump);
  }

  get #hasRoom(): boolean {
    return this.#mode === "running" && this.#inFlight + this.#outcomes.size < this.#maxInFlight;
  }

  #take(): void {
    this.#isPumping = false;
    this.#batch = null;
    if (this.#isAsync) void this.#pullAsync();
    else this.#pull();
  }

  #pull(): void {
    const source = this.#source as Iterator<R>;
    try {
      while (this.#hasRoom) {
        const step = source.next();
        if (step.done === true) return this.#drain();
        if (this.#mode !== "running") return this.#leaveSource(); // asking for the request ended the set
        this.#submit(step.value);
      }
    } catch (error) {
      this.#drain({ error });
    }
  }

  async #pullAsync(): Promise<void> {
    if (this.#isPulling) return;
    this.#isPulling = true;
    const source = this.#source as AsyncIterator<R>;
    try {
      while (this.#hasRoom) {
        const step = await source.next();
        if (this.#mode !== "running") return;
        if (step.done === true) return this.#drain();
        this.#batch = null;
        this.#submit(step.value);
      }
    } catch (error) {
      this.#drain({ error });
    } finally {
      this.#isPulling = false;
    }
  }

  #submit(request: R): void {
    const index = this.#next++;
    this.#inFlight++;
    const isBackground = request.background ?? this.#options.background ?? false;
    try {
      const packet = this.#ports.check(request, isBackground);
      const servers = this.#ports.serversFor(request);
      if (!isBackground) this.#follow(index, request, new ForegroundSubmit(this.#ports.contentOf(request, packet)), servers);
      else if (!this.#sendAtOnce(index, request, packet, servers))
        this.#follow(index, request, new BackgroundSubmit(this.#ports.contentOf(request, packet)), servers);
    } catch (error) {
      this.#failed(index, request, error);
    }
  }

  /** The short way for background jobs, which takes nothing but a place in the connection's line of replies. */
  #sendAtOnce(index: number, request: R, packet: JobPacket, servers: readonly PooledServer[]): boolean {
    const connection = servers[0]!.ready;
    if (connection === null || connection.isCongested) return false;
    if (request.signal !== undefined || request.timeoutMs !== undefined) return false;
    if (this.#batch === null) {
      this.#batch = new TaskBatch(this.#ports.bounds, this.#batches);
      this.#batches.add(this.#batch);
    }
    const task = new Task<R>(this, this.#batch, index, request, packet, servers);
    this.#batch.tasks.push(task);
    try {
      sendJob(connection, task, "background", packet);
    } catch (error) {
      task.giveUp(asGearmanError(error));
    }
    return true;
  }

  #follow(index: number, request: R, call: ForegroundSubmit | BackgroundSubmit, servers: readonly PooledServer[]): void {
    this.#watch(index, request, call);
    this.#ports.dispatch(call, servers);
  }

  #watch(index: number, request: R, call: ForegroundSubmit | BackgroundSubmit): void {
    this.#calls.add(call);
    const done = (value: Buffer | JobReceipt) => {
      this.#calls.delete(call);
      if (Buffer.isBuffer(value)) this.#settle({ index, request, ok: true, result: value, receipt: null });
      else this.#queued(index, request, value);
    };
    const failed = (error: unknown) => {
      this.#calls.delete(call);
      this.#failed(index, request, error);
    };
    (call.promise as Promise<Buffer | JobReceipt>).then(done, failed);
  }

  /** A task is done: its server accepted it. */
  succeeded({ index, request }: Task<R>, receipt: JobReceipt): void {
    this.#ports.counters.completed++;
    this.#queued(index, request, receipt);
  }

  /** A task reached its server. */
  accepted(): void {
    this.#ports.counters.accepted++;
  }

  #queued(index: number, request: R, receipt: JobReceipt): void {
    this.#settle({ index, request, ok: true, result: null, receipt: this.#ports.remember(receipt) });
  }

  /** A task ended with an error. */
  failed(task: Task<R>, error: GearmanError): void {
    this.#ports.counters.endedBy(error, task.packet.name);
    this.#failed(task.index, task.request, error);
  }

  /** A task's connection is gone: what is left to do with it goes the long way. */
  lost({ index, request, packet, servers, batch }: Task<R>, reason: GearmanError, wasWritten: boolean): void {
    const call = new BackgroundSubmit({ ...this.#ports.contentOf(request, packet), timeoutMs: batch.timeLeftMs });
    this.#watch(index, request, call);
    this.#ports.adopt(call, servers, reason, wasWritten);
  }

  #failed(index: number, request: R, error: unknown): void {
    this.#settle({ index, request, ok: false, error: asGearmanError(error) });
  }

  #settle(settled: TaskOutcome<R, boolean>): void {
    // Types and requests agree on what runs in the background.
    const outcome = settled as TaskOutcome<R, B>;
    this.#inFlight--;
    if (this.#collected === null) this.#outcomes.push(outcome, 0);
    else this.#collected[outcome.index] = outcome;
    if (this.#mode === "running") this.#schedule();
    else if (this.#mode === "draining" && this.#inFlight === 0) this.#end();
  }

  /** There are no more requests; what is in flight still comes. */
  #drain(failure?: { error: unknown }): void {
    if (this.#mode !== "running") return;
    this.#failure = failure;
    this.#mode = "draining";
    if (this.#inFlight === 0) this.#end();
  }

  #stop(error: GearmanError): void {
    if (this.#mode === "over") return;
    if (this.#mode === "running") this.#leaveSource();
    this.#mode = "draining";
    this.#failure = { error };
    for (const batch of this.#batches) batch.fail(() => error);
    for (const call of this.#calls) call.cancel(error);
    if (this.#inFlight === 0) this.#end();
  }

  /** Lets a generator run its `finally`. What that throws comes too late; one that is at work refuses until it comes back. */
  #leaveSource(): void {
    try {
      const left: unknown = this.#source.return?.();
      if (left instanceof Promise) left.catch(() => undefined);
    } catch {
      return;
    }
  }

  #end(): void {
    if (this.#mode === "over") return;
    this.#mode = "over";
    const { signal } = this.#options;
    this.#ports.bounds.deadlines.remove(this.#deadline);
    signal?.removeEventListener("abort", this.#onAbort);
    this.#ports.closing.removeEventListener("abort", this.#onClosing);
    this.#outcomes.end(this.#failure);
  }
}

/** What a caller's own listener or value threw is told like any other failure. */
function asGearmanError(error: unknown): GearmanError {
  if (error instanceof GearmanError) return error;
  return new GearmanError("STATE", `the task ended with ${String(error)}`, { cause: error });
}
