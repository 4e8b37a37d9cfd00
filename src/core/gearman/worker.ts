/** Takes jobs from Gearman servers and runs them, a bounded number at a time, until it is told to stop. */
import type { ServerAddress } from "./address.ts";
import { checkFunctionName, checkTimeout } from "./checks.ts";
import { DEFAULT_MAX_PACKET_BYTES } from "./codec.ts";
import { DEFAULTS } from "./config.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import { addressesOf } from "./options.ts";
import type { Packet } from "./packets.ts";
import type { Wire } from "./wire.ts";
import { Changes } from "./worker-changes.ts";
import { GearmanJob } from "./worker-job.ts";
import { type LaneKind, WorkerLane } from "./worker-lane.ts";
import { WorkerLink } from "./worker-link.ts";
import type { GearmanWorkerOptions, JobHandler, WorkerEvent } from "./worker-options.ts";
import { finishAndClose } from "./worker-stop.ts";
import { JobTakers } from "./worker-takers.ts";

/** How long a stop waits for running jobs unless told otherwise, in milliseconds. */
const DEFAULT_GRACE_MS = 30_000;

interface Registration {
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
  readonly #busy = new Set<GearmanJob>();
  /** Those of them whose handlers run. */
  readonly #handled = new Set<GearmanJob>();
  readonly #takers = new JobTakers();
  readonly #changes = new Changes();
  #concurrency: number;
  #lanes: readonly WorkerLane[] = [];
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

  /**
   * Makes `handler` do the jobs of a function; without one, `next` hands them out. May be called while running,
   * and again to replace a handler. With `timeoutMs` a job that takes longer fails and its signal fires.
   */
  add(name: string, handler?: JobHandler, options: { timeoutMs?: number } = {}): void {
    const kind = handler === undefined ? "byHand" : "handled";
    const isNew = this.#kindOf(checkFunctionName(name)) !== kind;
    const timeoutMs = checkTimeout(options.timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#registrations.set(name, { handler: handler ?? null, timeoutMs });
    if (handler !== undefined) this.#handOver(name, handler, timeoutMs);
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
    this.#mode = "running";
    this.#stopping = null;
    this.#hurry = new AbortController();
    this.#clientId = options.clientId ?? this.#options.clientId ?? "";
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
      await this.#changes.next(leftMs, signal);
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
  #handOver(name: string, handler: JobHandler, timeoutMs: number): void {
    for (const job of this.#unclaimed.filter((waiting) => waiting.name === name)) {
      this.#unlist(job);
      void this.#run(job, handler, timeoutMs);
    }
  }

  async #waitForJob(timeoutMs: number, signal: AbortSignal | undefined): Promise<GearmanJob | null> {
    const taken = this.#takers.wait(timeoutMs, signal);
    this.#schedule();
    return taken;
  }

  #openLane(kind: LaneKind): void {
    const lane: WorkerLane = new WorkerLane(
      kind,
      this.#addresses.map((address) => this.#link(address, kind, (packet, wire) => this.#assigned(packet, wire, lane))),
    );
    this.#lanes = [...this.#lanes, lane];
    for (const link of lane.links) link.open();
  }

  #link(address: ServerAddress, kind: LaneKind, assigned: (packet: Packet<"JOB_ASSIGN_UNIQ">, wire: Wire) => void): WorkerLink {
    const {
      keepalive = DEFAULTS.keepalive,
      regrabMs = 15_000,
      stallMs = 120_000,
      maxPacketBytes = DEFAULT_MAX_PACKET_BYTES,
    } = this.#options;
    return new WorkerLink(
      {
        host: this.#host,
        address,
        keepalive,
        clientId: this.#clientId,
        regrabMs,
        stallMs,
        maxPacketBytes,
        maxGrabs: this.#concurrency,
      },
      {
        functions: () => [...this.#registrations.keys()].filter((name) => this.#kindOf(name) === kind),
        schedule: () => this.#schedule(),
        assigned: (packet, _link, wire) => assigned(packet, wire),
        connected: ({ server }) => {
          this.#emit({ type: "connected", server });
          this.#changes.notify();
        },
        lost: ({ server }, reason, wasOpen, retryMs) => this.#linkLost(server, reason, wasOpen, retryMs),
        refused: ({ server }, code, text) => this.#emit({ type: "refused", server, code, text }),
        confirmed: () => this.#changes.notify(),
      },
    );
  }

  /** Sends grabs while there are free places. */
  #schedule(): void {
    if (this.#mode !== "running") return;
    for (const lane of this.#lanes) lane.grab(this.#room(lane));
  }

  /** How many more grabs may go out. For jobs by hand, no more than there are callers waiting for one. */
  #room({ kind, unclaimed, grabs }: WorkerLane): number {
    if (kind === "handled") return this.#concurrency - this.#handled.size - unclaimed.length - grabs;
    const places = this.#concurrency - (this.#busy.size - this.#handled.size) - unclaimed.length;
    return Math.min(places, this.#takers.size) - grabs;
  }

  #assigned(packet: Packet<"JOB_ASSIGN_UNIQ">, wire: Wire, lane: WorkerLane): void {
    const job = new GearmanJob(packet, wire, {
      exceptions: this.#options.exceptions ?? false,
      over: (ended) => this.#over(ended),
    });
    const registration = this.#registrations.get(job.name);
    if (registration === undefined) job.fail(`this worker does not know ${job.name}`);
    else if (registration.handler !== null) void this.#run(job, registration.handler, registration.timeoutMs);
    else {
      // Counted before the taker hears of it, which is a moment later.
      this.#busy.add(job);
      if (this.#takers.offer(job)) return;
      this.#busy.delete(job);
      lane.unclaimed.push(job);
    }
  }

  async #run(job: GearmanJob, handler: JobHandler, timeoutMs: number): Promise<void> {
    this.#busy.add(job);
    this.#handled.add(job);
    const timer = timeoutMs === Number.POSITIVE_INFINITY ? null : setTimeout(() => this.#tookTooLong(job, timeoutMs), timeoutMs);
    try {
      const result = await handler(job);
      job.complete(result ?? "");
    } catch (error) {
      this.#failed(job, error);
    } finally {
      if (timer !== null) clearTimeout(timer);
      this.#busy.delete(job);
      this.#handled.delete(job);
      this.#schedule();
      this.#changes.notify();
    }
  }

  #tookTooLong(job: GearmanJob, timeoutMs: number): void {
    const reason = new GearmanError("TIMEOUT", `${job.name} took longer than ${timeoutMs} ms`);
    job.callOff(reason);
    this.#failed(job, reason);
  }

  #failed(job: GearmanJob, reason: unknown): void {
    if (job.fail(messageOf(reason))) this.#emit({ type: "jobFailed", server: job.server, job, reason });
  }

  /** The job is no longer held at the server. A handler keeps its place until it ends; a caller of `next` does not. */
  #over(job: GearmanJob): void {
    this.#lastOverAt = this.#host.now();
    if (this.#handled.has(job)) return;
    this.#busy.delete(job);
    this.#unlist(job);
    this.#schedule();
    this.#changes.notify();
  }

  #linkLost(server: string, reason: GearmanError, wasOpen: boolean, retryMs: number): void {
    if (wasOpen) {
      const gone = new GearmanError("IO", `connection lost, ${server} gives the job to another worker`, { cause: reason });
      for (const job of [...this.#busy, ...this.#unclaimed]) if (job.isStranded) job.lost(gone);
    }
    if (this.#mode === "running") this.#emit({ type: wasOpen ? "lost" : "unreachable", server, reason, retryMs });
    this.#schedule();
  }

  async #stop(): Promise<void> {
    this.#mode = "stopping";
    this.#takers.dismiss();
    this.#changes.notify();
    await finishAndClose({
      links: this.#links,
      busy: this.#busy,
      changes: this.#changes,
      hurry: this.#hurry.signal,
      lastOverAt: () => this.#lastOverAt,
      now: () => this.#host.now(),
    });
    this.#busy.clear();
    this.#handled.clear();
    this.#lanes = [];
    this.#mode = "idle";
    this.#emit({ type: "stopped" });
  }

  #emit(event: WorkerEvent): void {
    this.#options.onEvent?.(event);
  }
}

function checkConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 10_000) return concurrency;
  throw new GearmanError("ARGUMENT", `concurrency ${concurrency} must be a whole number from 1 to 10000`);
}

/** The text of whatever a handler threw. */
function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message || reason.name : String(reason);
}
