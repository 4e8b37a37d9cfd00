/** The worker of one program: SUBs as its handlers, jobs taken by hand, and its start and stop as the program sees them. */
import { setMaxListeners } from "node:events";
import { encodeText } from "../../runtime/bytes.ts";
import { LimitError, ProgramEnd } from "../../runtime/errors.ts";
import type { ModuleContext, SubHandle, TaskContext } from "../../runtime/host.ts";
import { display, type Value } from "../../runtime/values.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { GearmanConfig, GearmanJob, WorkerEvent, WorkerMetrics } from "../../src/core/gearman/index.ts";
import { GearmanWorker } from "../../src/core/gearman/worker.ts";
import { retrying } from "../../src/core/gearman/worker-retry.ts";
import { pause } from "../../src/core/net/deadline.ts";
import { Wakeups } from "../../src/core/net/wakeups.ts";
import type { ProgramEvents } from "./events.ts";
import { shownHandle } from "./handle.ts";
import { raised } from "./outcome.ts";
import { type CurrentJob, gearmanTask } from "./task.ts";

/** What bounds a handler. */
export interface HandlerLimits {
  /** Longest time of one job, in milliseconds. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** How often the SUB runs for a job before that fails. Default 1. */
  readonly attempts?: number | undefined;
}

/** A job from WORKER_YIELD$, and the task that took it, or for which it was taken. */
interface TakenJob extends CurrentJob {
  readonly task: TaskContext;
}

/** A job at its handler, and the task that runs it. */
class HandlerRun implements CurrentJob {
  readonly job: GearmanJob;
  readonly handle: string;
  #task: TaskContext | null = null;

  constructor(job: GearmanJob, handle: string) {
    this.job = job;
    this.handle = handle;
  }

  begin(task: TaskContext): void {
    this.#task = task;
    gearmanTask(task).handled = this;
  }

  /** What the SUB printed last must not wait until some other task waits. Failures show where somebody prints next. */
  flush(): void {
    try {
      this.#task?.flush()?.catch(() => undefined);
    } catch {
      // As above.
    }
  }
}

const ownerOf = (task: TaskContext): TaskContext => gearmanTask(task).caller ?? task;

/**
 * Modes: idle → running (WORKER_START%) → stopping (WORKER_STOP%, or the program's end) → idle. Handlers may be added
 * in every mode. While running it connects and reconnects by itself; each outage is reported once.
 */
export class ScriptWorker {
  readonly #context: ModuleContext;
  readonly #config: GearmanConfig;
  readonly #events: ProgramEvents;
  readonly #worker: GearmanWorker;
  /** Jobs from WORKER_YIELD$ that wait for WORKER_COMPLETE% or WORKER_FAIL%, by handle. */
  readonly #taken = new Map<string, TakenJob>();
  /** Servers that are down, as far as was noticed. */
  readonly #outages = new Set<string>();
  readonly #changes = new Wakeups();
  /** Ends handlers that a stop does not wait for any longer. A lost connection does not: half a handler helps nobody. */
  #hurry = newHurry();
  #wasStarted = false;
  #stopping: Promise<void> | null = null;
  /** The program ends: WORKER_YIELD$ gives nothing any more, and takes its time over it. */
  #isEnding = false;

  constructor(context: ModuleContext, config: GearmanConfig, events: ProgramEvents) {
    this.#context = context;
    this.#config = config;
    this.#events = events;
    this.#worker = new GearmanWorker({ ...config, onEvent: (event) => this.#noted(event) });
  }

  /** Figures since the program began. */
  metrics(): WorkerMetrics {
    return this.#worker.metrics();
  }

  get isAlive(): boolean {
    return this.#worker.isAlive;
  }

  /** Makes a SUB the handler for a function; without one its jobs are for `next`. */
  add(name: string, handler: SubHandle | undefined, limits: HandlerLimits = {}): void {
    const { timeoutMs, attempts = 1 } = limits;
    const once = handler && ((job: GearmanJob) => this.#handle(job, handler, timeoutMs !== undefined));
    const tried = once && attempts !== 1 ? retrying(once, { attempts }) : once;
    this.#worker.add(name, tried, timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Starts, and resolves when a server is connected, or when none could be reached at the first try or within timeout_ms. */
  async start(id: string, concurrency: number, signal: AbortSignal): Promise<void> {
    this.#outages.clear();
    this.#worker.start({ concurrency, ...(id !== "" && { clientId: id }) });
    this.#wasStarted = true;
    this.#stopping = null;
    this.#isEnding = false;
    this.#hurry = newHurry();
    this.#context.holdsWork(true);
    const isTried = (): boolean =>
      this.#worker.connectedServers.length > 0 || this.#outages.size >= this.#config.servers.length || !this.isAlive;
    const { now } = this.#context.host;
    const endsAt = now() + this.#config.timeoutMs;
    for (let leftMs = this.#config.timeoutMs; leftMs > 0 && !isTried() && !signal.aborted; leftMs = endsAt - now())
      await this.#changes.wait({ signal, timeoutMs: leftMs });
  }

  /**
   * Stops gracefully and resolves when all jobs are done. From within a handler or a stream's callback it only asks for
   * the stop, because the handler's own job, or the stream, must end first.
   */
  async stop(task: TaskContext, graceMs: number): Promise<void> {
    if (!this.#wasStarted) throw new GearmanError("STATE", "there is no worker to stop: start one with WORKER_START% first");
    const { handled, caller } = gearmanTask(task);
    this.#giveBack((taken) => taken.task === ownerOf(task) || taken.task.signal.aborted);
    const stopped = this.#stop(graceMs);
    if (handled === null && caller === null) await stopped;
  }

  /** The program has ended, or is to end: finishes running jobs, unless `signal` fires. */
  async drain(signal: AbortSignal, graceMs: number): Promise<void> {
    this.#isEnding = true;
    this.#giveBack((taken) => taken.task.isEnded || taken.task.signal.aborted);
    const hurry = (): void => void this.#stop(0);
    signal.addEventListener("abort", hurry, { once: true });
    await this.#stop(signal.aborted ? 0 : graceMs);
    signal.removeEventListener("abort", hurry);
  }

  /** Stops at once; the server gives unfinished jobs to other workers. */
  async close(): Promise<void> {
    this.#isEnding = true;
    this.#giveBack(() => true);
    await this.#stop(0);
  }

  /** The next job of a function without handler, or null when none came in time. */
  async next(task: TaskContext, timeoutMs: number): Promise<TakenJob | null> {
    if (this.#isEnding) {
      await pause(timeoutMs, task.signal);
      return null;
    }
    if (this.#stopping) {
      await this.#changes.wait({ signal: task.signal, timeoutMs });
      return null;
    }
    const job = await this.#worker.next({ timeoutMs, signal: task.signal });
    if (job === null) return null;
    for (const [handle, taken] of this.#taken) if (taken.job.isOver) this.#taken.delete(handle);
    const taken = { job, handle: this.#handleOf(job), task: ownerOf(task) };
    this.#taken.set(taken.handle, taken);
    return taken;
  }

  /** A job the task may report on or end: one taken with `next`, or the task's own. */
  find(handle: string, task: TaskContext): CurrentJob {
    const own = gearmanTask(task).handled;
    const found = this.#taken.get(handle) ?? (own?.handle === handle ? own : undefined);
    if (found) return found;
    throw new GearmanError("NOT_FOUND", `this worker holds no job ${JSON.stringify(handle)}: it has ended, or was never taken`);
  }

  /** Forgets a job that was ended by hand. */
  forget(handle: string): void {
    this.#taken.delete(handle);
  }

  /** Handlers get `graceMs`, jobs taken by hand no more than timeout_ms: nobody may ever end them. */
  #stop(graceMs: number): Promise<void> {
    const stopped = this.#worker.stop({ graceMs });
    if (!this.isAlive) return stopped;
    this.#stopping ??= stopped;
    const hurry = this.#hurry;
    if (graceMs <= 0) hurry.abort();
    else if (graceMs < Number.POSITIVE_INFINITY) after(graceMs, stopped, () => hurry.abort());
    after(Math.min(graceMs, this.#config.timeoutMs), stopped, () => this.#giveBack(() => true));
    return stopped;
  }

  /** Leaves jobs that nobody will end to other workers. */
  #giveBack(isLeft: (taken: TakenJob) => boolean): void {
    for (const [handle, taken] of this.#taken) {
      if (!isLeft(taken)) continue;
      taken.job.lost(new GearmanError("ABORTED", `the worker stopped before job ${handle} was ended`));
      this.#taken.delete(handle);
    }
  }

  #handleOf(job: GearmanJob): string {
    return shownHandle(this.#config.servers.length > 1, job.server, job.handle);
  }

  /** Runs a SUB for a job. What it returns is the result; what it raises, the reason of the failure. */
  #handle(job: GearmanJob, handler: SubHandle, isTimed: boolean): Buffer | string | Promise<Buffer | string> {
    const run = new HandlerRun(job, this.#handleOf(job));
    try {
      const value = handler.start([job.payload], {
        signal: isTimed ? AbortSignal.any([this.#hurry.signal, whenTimeIsUp(job)]) : this.#hurry.signal,
        prepare: (task) => run.begin(task),
      });
      if (value instanceof Promise) return this.#awaited(value, run);
      return this.#done(value, run);
    } catch (error) {
      return this.#failed(error, run);
    }
  }

  /** The rest for a SUB that waits. */
  async #awaited(ending: Promise<Value>, run: HandlerRun): Promise<Buffer | string> {
    try {
      return this.#done(await ending, run);
    } catch (error) {
      return this.#failed(error, run);
    }
  }

  #done(value: Value, run: HandlerRun): Buffer | string {
    run.flush();
    const { job, handle } = run;
    if (job.isOver && job.signal.aborted) this.#report(asError(job.signal.reason), `result of ${job.name} (job ${handle})`);
    return resultOf(value);
  }

  #failed(error: unknown, run: HandlerRun): "" {
    run.flush();
    const { job, handle } = run;
    // The program ends: the job is not to blame, so another worker gets it.
    if (isProgramsEnd(error)) {
      job.lost(new GearmanError("ABORTED", "the program ended before its job was done"));
      return "";
    }
    this.#report(error, `${job.name} (job ${handle})`);
    throw new Error(this.#reason(error), { cause: error });
  }

  /** `message (worker.basil:12)`: what the client is told. */
  #reason(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    const place = this.#context.placeOf(error);
    if (place === undefined) return message;
    const [fileAndLine = place] = place.split(/:\d+$/);
    return `${message} (${fileAndLine.split(/[/\\]/).at(-1)})`;
  }

  #noted(event: WorkerEvent): void {
    this.#tell(event);
    switch (event.type) {
      case "connected":
        this.#outages.delete(event.server);
        break;
      case "unreachable":
      case "lost":
        if (!this.#outages.has(event.server)) this.#report(event.reason, "the worker keeps trying", "warning");
        this.#outages.add(event.server);
        break;
      case "refused":
        this.#report(
          new GearmanError("SERVER", `${event.server}: ${event.code} ${event.text}`),
          "the worker was refused something",
          "warning",
        );
        break;
      case "stopped":
        this.#stopping = null;
        this.#context.holdsWork(false);
        break;
      case "jobFailed":
        if (isTimeout(event.reason)) this.#report(event.reason, `job ${this.#handleOf(event.job)}`);
        break;
    }
    this.#changes.wake();
  }

  /** What the program's own SUBs hear of. */
  #tell(event: WorkerEvent): void {
    const side = "worker";
    switch (event.type) {
      case "connected":
        this.#events.emit(this.#outages.has(event.server) ? "reconnected" : "connected", { side, server: event.server });
        break;
      case "lost":
      case "unreachable": {
        const { server, reason, retryMs } = event;
        this.#events.emit(event.type, { side, server, message: reason.message, retry_ms: retryMs });
        break;
      }
      case "refused":
        this.#events.emit("refused", { side, server: event.server, message: `${event.code} ${event.text}` });
        break;
      case "jobFailed": {
        const { job, reason } = event;
        const message = reason instanceof Error ? reason.message : String(reason);
        this.#events.emit("job_failed", { side, function: job.name, handle: this.#handleOf(job), message });
        break;
      }
      case "stopped":
        this.#events.emit("stopped", { side });
        break;
    }
  }

  #report(error: unknown, about: string, severity: "error" | "warning" = "error"): void {
    this.#context.report(error instanceof GearmanError ? raised(error) : error, about, severity);
  }
}

/** Acts when the time is over, unless `over` is fulfilled before. */
function after(timeoutMs: number, over: Promise<void>, act: () => void): void {
  const timer = setTimeout(act, Math.min(timeoutMs, 0x7fffffff));
  void over.then(() => clearTimeout(timer));
}

/** Every running handler listens to it. */
function newHurry(): AbortController {
  const hurry = new AbortController();
  setMaxListeners(0, hurry.signal);
  return hurry;
}

const isTimeout = (reason: unknown): boolean => reason instanceof GearmanError && reason.kind === "TIMEOUT";

/** Fires when the job took too long; not when its connection is lost. */
function whenTimeIsUp(job: GearmanJob): AbortSignal {
  const timeIsUp = new AbortController();
  const end = (): void => {
    if (isTimeout(job.signal.reason)) timeIsUp.abort(job.signal.reason);
  };
  job.signal.addEventListener("abort", end, { once: true });
  return timeIsUp.signal;
}

const isProgramsEnd = (error: unknown): boolean =>
  error instanceof ProgramEnd || (error instanceof LimitError && error.kind === "abort");

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/** A SUB's value as a result: strings as they are, nothing for NULL, the display form of the rest. */
function resultOf(value: Value): Buffer | string {
  if (value === null) return "";
  const text = typeof value === "string" ? value : display(value);
  // Sent as UTF-8 without a copy, unless some of it stands for bytes that are none.
  return text.isWellFormed() ? text : encodeText(text);
}
