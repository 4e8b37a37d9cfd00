/** Takes jobs from Gearman servers and runs them, a bounded number at a time, until it is told to stop. */
import { harmless } from "../net/harmless.ts";
import { Wakeups } from "../net/wakeups.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { checkFunctionName, checkTimeout } from "./checks.ts";
import { checkClientId } from "./client-id.ts";
import { DEFAULT_MAX_PACKET_BYTES } from "./codec.ts";
import { DEFAULTS } from "./config.ts";
import { GearmanError, messageOf } from "./errors.ts";
import { ON_EVENT_WARNING } from "./events.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import { addressesOf, namespaceOf } from "./options.ts";
import { HeldJobs } from "./worker-held.ts";
import type { GearmanJob } from "./worker-job.ts";
import { type LaneKind, WorkerLane } from "./worker-lane.ts";
import { type LinkOwner, WorkerLink } from "./worker-link.ts";
import { LinkCounters, serverMetrics, WorkerCounters, type WorkerMetrics } from "./worker-metrics.ts";
import {
  checkConcurrency,
  checkHeldBytes,
  type GearmanWorkerOptions,
  type HandlerResult,
  type JobHandler,
  type WorkerEvent,
} from "./worker-options.ts";
import { finishAndClose } from "./worker-stop.ts";
import { JobTakers } from "./worker-takers.ts";

/** How long a stop waits for running jobs unless told otherwise, in milliseconds. */
const DEFAULT_GRACE_MS = 30_000;

interface Registration {
  readonly name: string;
  readonly handler: JobHandler | null;
  readonly timeoutMs: number;
}

/**
 * Modes: idle → running → stopping → idle. Running grabs jobs; stopping grabs no more, finishes those it holds,
 * and only then closes, because a server gives a held job to another worker when its worker leaves.
 */
export class GearmanWorker {
  readonly #options: GearmanWorkerOptions;
  readonly #host: GearmanHost;
  readonly #addresses: readonly ServerAddress[];
  readonly #registrations = new Map<string, Registration>();
  /** Jobs whose handlers run, or that a caller of `next` holds. */
  readonly #busy = new HeldJobs();
  /** How many of them have handlers that run. */
  #running = 0;
  readonly #takers = new JobTakers();
  readonly #changes = new Wakeups();
  readonly #counters = new WorkerCounters();
  readonly #linkCounters: ReadonlyMap<string, LinkCounters>;
  readonly #onEvent: (event: WorkerEvent) => void;
  readonly #maxHeldBytes: number;
  #concurrency: number;
  #lanes: readonly WorkerLane[] = [];
  readonly #namespace: string;
  #clientId = "";
  /** When the last job was over, on the host's clock. */
  #lastOverAt = Number.NEGATIVE_INFINITY;
  #mode: "idle" | "running" | "stopping" = "idle";
  #stopping: Promise<void> | null = null;
  #hurry = new AbortController();

  constructor(options: GearmanWorkerOptions = {}) {
    this.#options = options;
    this.#host = options.host ?? systemHost;
    this.#concurrency = checkConcurrency(options.concurrency ?? 1);
    this.#addresses = addressesOf(options);
    this.#linkCounters = new Map(this.#addresses.map((address) => [formatServer(address), new LinkCounters()]));
    this.#maxHeldBytes = checkHeldBytes(options.maxHeldBytes);
    this.#onEvent = harmless(options.onEvent, ON_EVENT_WARNING);
    this.#namespace = namespaceOf(options);
    checkClientId(options.clientId ?? "");
    for (const timeMs of [options.regrabMs, options.stallMs]) if (timeMs !== undefined) checkTimeout(timeMs);
  }

  /** True from `start` until a stop is complete. */
  get isAlive(): boolean {
    return this.#mode !== "idle";
  }

  /** Servers with an open connection. */
  get connectedServers(): string[] {
    return [...new Set(this.#links.filter((link) => link.isOpen).map((link) => link.server))];
  }

  /** Jobs held now. */
  get held(): number {
    return this.#busy.size + this.#unclaimed.length;
  }

  /** What was counted since the worker was made, and how things stand. `workerMetricsText` makes Prometheus text of it. */
  metrics(): WorkerMetrics {
    const { handlerMs, ...counts } = this.#counters;
    const open = (server: string) => this.#links.filter((link) => link.isOpen && link.server === server).length;
    return {
      ...counts,
      held: this.held,
      heldBytes: this.#lanes.reduce((bytes, lane) => bytes + lane.heldBytes, 0),
      running: this.#running,
      handlerSeconds: handlerMs / 1000,
      pauses: this.#lanes.reduce((pauses, lane) => pauses + lane.pauses, counts.pauses),
      ...serverMetrics(this.#linkCounters, open),
    };
  }

  /**
   * Makes `handler` do the jobs of a function; without one, `next` hands them out. May be called while running,
   * and again to replace a handler. With `timeoutMs` a job that takes longer fails and its signal fires.
   */
  add(name: string, handler?: JobHandler, options: { timeoutMs?: number } = {}): void {
    const kind = handler === undefined ? "byHand" : "handled";
    const isNew = this.#kindOf(checkFunctionName(name)) !== kind;
    if (this.#namespace !== "") checkFunctionName(this.#namespace + name);
    const timeoutMs = checkTimeout(options.timeoutMs ?? Number.POSITIVE_INFINITY);
    const registration: Registration = { name, handler: handler ?? null, timeoutMs };
    this.#registrations.set(name, registration);
    if (handler !== undefined) this.#handOver(registration);
    if (!isNew || this.#mode !== "running") return;
    const lane = this.#lanes.find((present) => present.kind === kind);
    if (lane === undefined) return this.#openLane(kind);
    for (const link of lane.links) link.canDo(name);
    this.#schedule();
  }

  /** Starts to work, and keeps connecting to servers that are down. `concurrency` and `clientId` may be given here as well. */
  start(options: { concurrency?: number; clientId?: string } = {}): void {
    if (this.#mode !== "idle") throw new GearmanError("STATE", `the worker is ${this.#mode} already`);
    if (options.concurrency !== undefined) this.#concurrency = checkConcurrency(options.concurrency);
    this.#clientId = checkClientId(options.clientId ?? this.#options.clientId ?? "");
    this.#mode = "running";
    this.#stopping = null;
    this.#hurry = new AbortController();
    const kinds = new Set([...this.#registrations.keys()].map((name) => this.#kindOf(name)!));
    for (const kind of kinds.size > 0 ? kinds : (["handled"] as const)) this.#openLane(kind);
  }

  /**
   * Stops: takes no more jobs, lets running ones finish for up to `graceMs` (default 30 000), then fires their
   * signals, and closes when all results are with the servers. Jobs still unfinished go to other workers.
   * May be called at any time and any number of times; a later call can shorten the wait.
   */
  stop(options: { graceMs?: number } = {}): Promise<void> {
    if (this.#mode === "idle") return Promise.resolve();
    this.#stopping ??= this.#stop();
    const hurry = this.#hurry;
    const { graceMs = DEFAULT_GRACE_MS } = options;
    if (graceMs <= 0) hurry.abort();
    else if (graceMs < Number.POSITIVE_INFINITY) {
      const timer = setTimeout(() => hurry.abort(), Math.min(graceMs, 0x7fffffff));
      void this.#stopping.then(() => clearTimeout(timer));
    }
    return this.#stopping;
  }

  /**
   * The next job of a function that was added without a handler, to be ended with `complete` or `fail`.
   * Null when the time is over, the signal fires or the worker stops.
   */
  next(options: { signal?: AbortSignal; timeoutMs?: number } = {}): Promise<GearmanJob | null> {
    const { signal, timeoutMs = DEFAULTS.timeoutMs } = options;
    if (this.#mode === "idle") return Promise.reject(new GearmanError("STATE", "the worker is not running: start it first"));
    if (![...this.#registrations.values()].some(({ handler }) => handler === null)) {
      return Promise.reject(
        new GearmanError("STATE", "every function has a handler: add one without a handler to take its jobs yourself"),
      );
    }
    if (this.#mode === "stopping" || signal?.aborted) return Promise.resolve(null);
    const ready = this.#unclaimed[0];
    if (ready !== undefined) {
      this.#unlist(ready);
      this.#busy.add(ready);
      return Promise.resolve(ready);
    }
    return this.#waitForJob(timeoutMs, signal);
  }

  /** Resolves when a server is connected; TIMEOUT when none is within `timeoutMs` (default 15 000). */
  async ready(options: { signal?: AbortSignal; timeoutMs?: number } = {}): Promise<void> {
    const { signal, timeoutMs = DEFAULTS.timeoutMs } = options;
    const endsAt = this.#host.now() + timeoutMs;
    while (this.connectedServers.length === 0) {
      if (this.#mode !== "running") throw new GearmanError("STATE", "the worker is not running");
      if (signal?.aborted) throw new GearmanError("ABORTED", "the wait for a server was called off", { cause: signal.reason });
      const leftMs = endsAt - this.#host.now();
      if (leftMs <= 0) throw new GearmanError("TIMEOUT", `no server reached within ${timeoutMs} ms`);
      await this.#changes.wait({ timeoutMs: leftMs, signal });
    }
  }

  get #links(): readonly WorkerLink[] {
    return this.#lanes.flatMap((lane) => lane.links);
  }

  /** Jobs for `next` that nobody has taken yet. */
  get #unclaimed(): readonly GearmanJob[] {
    return this.#lanes.flatMap((lane) => lane.unclaimed);
  }

  #unlist(job: GearmanJob): void {
    for (const lane of this.#lanes) if (lane.remove(job)) return;
  }

  #kindOf(name: string): LaneKind | null {
    const registration = this.#registrations.get(name);
    if (registration === undefined) return null;
    return registration.handler === null ? "byHand" : "handled";
  }

  /** Jobs that nobody took by hand go to the handler that came later. */
  #handOver(registration: Registration): void {
    for (const lane of this.#lanes) {
      for (const job of lane.unclaimed.filter((waiting) => waiting.name === registration.name)) {
        lane.remove(job);
        this.#run(job, registration, lane);
      }
    }
  }

  async #waitForJob(timeoutMs: number, signal: AbortSignal | undefined): Promise<GearmanJob | null> {
    const taken = this.#takers.wait(timeoutMs, signal);
    this.#schedule();
    return taken;
  }

  #openLane(kind: LaneKind): void {
    const owner: LinkOwner = {
      jobs: { exceptions: this.#options.exceptions ?? false, over: (job, ending) => this.#over(job, ending, lane) },
      functions: () => [...this.#registrations.keys()].filter((name) => this.#kindOf(name) === kind),
      schedule: () => this.#schedule(),
      assigned: (job) => this.#assigned(job, lane),
      connected: ({ server }) => {
        this.#onEvent({ type: "connected", server });
        this.#changes.wake();
      },
      lost: ({ server }, reason, wasOpen, retryMs) => this.#linkLost(server, reason, wasOpen, retryMs),
      refused: ({ server }, code, text) => this.#onEvent({ type: "refused", server, code, text }),
      confirmed: () => this.#changes.wake(),
    };
    const lane: WorkerLane = new WorkerLane(
      kind,
      this.#addresses.map((address) => this.#link(address, owner)),
      this.#maxHeldBytes,
    );
    this.#lanes = [...this.#lanes, lane];
    for (const link of lane.links) link.open();
  }

  #link(address: ServerAddress, owner: LinkOwner): WorkerLink {
    const {
      keepalive = DEFAULTS.keepalive,
      regrabMs = 15_000,
      stallMs = 120_000,
      maxPacketBytes = DEFAULT_MAX_PACKET_BYTES,
    } = this.#options;
    const options = {
      host: this.#host,
      address,
      keepalive,
      clientId: this.#clientId,
      namespace: this.#namespace,
      regrabMs,
      stallMs,
      maxPacketBytes,
    };
    const counters = this.#linkCounters.get(formatServer(address))!;
    return new WorkerLink({ ...options, maxGrabs: this.#concurrency, counters }, owner);
  }

  /** Sends grabs while there are free places. */
  #schedule(): void {
    if (this.#mode !== "running") return;
    for (const lane of this.#lanes) lane.grab(this.#room(lane));
  }

  /** How many more grabs may go out. For jobs by hand, no more than there are callers waiting for one. */
  #room(lane: WorkerLane): number {
    const { kind, unclaimed, grabs } = lane;
    if (lane.isFull) return 0;
    if (kind === "handled") return this.#concurrency - this.#running - unclaimed.length - grabs;
    const places = this.#concurrency - (this.#busy.size - this.#running) - unclaimed.length;
    return Math.min(places, this.#takers.size) - grabs;
  }

  #assigned(job: GearmanJob, lane: WorkerLane): void {
    this.#counters.taken++;
    lane.hold(job);
    const registration = this.#registrations.get(job.name);
    if (registration === undefined) job.fail(`this worker does not know ${job.name}`);
    else if (registration.handler !== null) this.#run(job, registration, lane);
    else {
      // Counted before the taker hears of it, which is a moment later.
      this.#busy.add(job);
      if (this.#takers.offer(job)) return;
      this.#busy.delete(job);
      lane.unclaimed.push(job);
    }
  }

  /** A handler that returns no promise ends its job at once: then the result and the next grab are one write. */
  #run(job: GearmanJob, { handler, timeoutMs }: Registration, lane: WorkerLane): void {
    this.#busy.add(job);
    this.#running++;
    job.isHandled = true;
    const startedAt = this.#host.now();
    const timer =
      timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => this.#tookTooLong(job, timeoutMs), timeoutMs);
    const end = (result: HandlerResult) => {
      try {
        job.complete(result ?? "");
      } catch (error) {
        this.#failed(job, error);
      }
      this.#ran(job, lane, startedAt, timer);
    };
    const fail = (error: unknown) => {
      this.#failed(job, error);
      this.#ran(job, lane, startedAt, timer);
    };
    try {
      const result = handler!(job);
      if (isPromiseLike(result)) result.then(end, fail);
      else end(result);
    } catch (error) {
      fail(error);
    }
  }

  #ran(job: GearmanJob, lane: WorkerLane, startedAt: number, timer: ReturnType<typeof setTimeout> | undefined): void {
    if (timer !== undefined) clearTimeout(timer);
    // A stop that did not wait for this handler has counted it out already.
    if (!this.#busy.delete(job)) return;
    this.#running--;
    this.#counters.handlerMs += this.#host.now() - startedAt;
    lane.release(job);
    this.#schedule();
    this.#changes.wake();
  }

  #tookTooLong(job: GearmanJob, timeoutMs: number): void {
    const reason = new GearmanError("TIMEOUT", `${job.name} took longer than ${timeoutMs} ms`);
    job.callOff(reason);
    this.#failed(job, reason);
  }

  #failed(job: GearmanJob, reason: unknown): void {
    if (job.fail(messageOf(reason))) this.#onEvent({ type: "jobFailed", server: job.server, job, reason });
  }

  /** The job is no longer held at the server. A handler keeps its place until it ends; a caller of `next` does not. */
  #over(job: GearmanJob, ending: "completed" | "failed" | "lost", lane: WorkerLane): void {
    this.#counters[ending === "failed" && job.isOverdue ? "timedOut" : ending]++;
    this.#lastOverAt = this.#host.now();
    if (job.isHandled) return;
    this.#busy.delete(job);
    lane.remove(job);
    lane.release(job);
    this.#schedule();
    this.#changes.wake();
  }

  #linkLost(server: string, reason: GearmanError, wasOpen: boolean, retryMs: number): void {
    if (wasOpen) {
      const gone = new GearmanError("IO", `connection lost, ${server} gives the job to another worker`, { cause: reason });
      for (const job of [...this.#busy.all(), ...this.#unclaimed]) if (job.isStranded) job.lost(gone);
    }
    if (this.#mode === "running") this.#onEvent({ type: wasOpen ? "lost" : "unreachable", server, reason, retryMs });
    this.#schedule();
  }

  async #stop(): Promise<void> {
    this.#mode = "stopping";
    this.#takers.dismiss();
    const back = new GearmanError("ABORTED", "the worker stops, the server gives the job to another worker");
    for (const job of this.#unclaimed) job.lost(back);
    this.#changes.wake();
    await finishAndClose({
      links: this.#links,
      busy: this.#busy,
      changes: this.#changes,
      hurry: this.#hurry.signal,
      lastOverAt: () => this.#lastOverAt,
      now: () => this.#host.now(),
    });
    this.#busy.clear();
    this.#running = 0;
    this.#counters.pauses += this.#lanes.reduce((pauses, lane) => pauses + lane.pauses, 0);
    this.#lanes = [];
    this.#mode = "idle";
    this.#onEvent({ type: "stopped" });
  }
}

function isPromiseLike(value: HandlerResult | PromiseLike<HandlerResult>): value is PromiseLike<HandlerResult> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
