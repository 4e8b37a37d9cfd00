/** Takes jobs from Gearman servers and runs them, a bounded number at a time, until it is told to stop. */
import { parseServer, type ServerAddress } from "./address.ts";
import { checkFunctionName, checkTimeout } from "./checks.ts";
import { DEFAULT_MAX_PACKET_BYTES } from "./codec.ts";
import { DEFAULTS } from "./config.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import type { Packet } from "./packets.ts";
import type { Wire } from "./wire.ts";
import { GearmanJob } from "./worker-job.ts";
import { WorkerLink } from "./worker-link.ts";

/** What a handler may return: the result's bytes, text to be sent as UTF-8, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is the usual case
export type HandlerResult = string | Uint8Array | void | null | undefined;

/** Does one job. What it returns is the result; when it throws, the job fails with the error's message. */
export type JobHandler = (job: GearmanJob) => HandlerResult | Promise<HandlerResult>;

/** Something worth knowing about a worker. */
export type WorkerEvent =
  | { readonly type: "connected"; readonly server: string }
  | { readonly type: "lost"; readonly server: string; readonly reason: GearmanError; readonly retryMs: number }
  | { readonly type: "unreachable"; readonly server: string; readonly reason: GearmanError; readonly retryMs: number }
  | { readonly type: "refused"; readonly server: string; readonly code: string; readonly text: string }
  | { readonly type: "jobFailed"; readonly server: string; readonly job: GearmanJob; readonly reason: unknown }
  | { readonly type: "stopped" };

/** How a worker is set up. `GearmanConfig` fits in here. */
export interface GearmanWorkerOptions {
  /** Servers to work for, as text or taken apart. Default: `127.0.0.1:4730`. */
  readonly servers?: readonly (string | ServerAddress)[] | undefined;
  /** Name shown by the server's `workers` command. Default: none. */
  readonly clientId?: string | undefined;
  /** Most jobs held at once, over all servers. Default 1. */
  readonly concurrency?: number | undefined;
  /** Let the system probe idle connections every 30 s. Default true. */
  readonly keepalive?: boolean | undefined;
  /** Report failures as WORK_EXCEPTION instead of WORK_WARNING and WORK_FAIL: only when all clients understand it. Default false. */
  readonly exceptions?: boolean | undefined;
  /** Mean time between looks for jobs a server did not announce, in milliseconds; also finds dead connections. Default 15 000. */
  readonly regrabMs?: number | undefined;
  /** Longest time a server may take nothing of what is being sent to it before it counts as dead, in milliseconds. Default 120 000. */
  readonly stallMs?: number | undefined;
  /** Largest packet taken from a server, in bytes. Default 256 MiB. */
  readonly maxPacketBytes?: number | undefined;
  /** Told what happens. Must not throw. */
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined;
  /** Sockets, clock and chance. Default: the real ones. */
  readonly host?: GearmanHost | undefined;
}

/** How long a stop waits for running jobs unless told otherwise, in milliseconds. */
const DEFAULT_GRACE_MS = 30_000;

/** How long a stop waits for servers to confirm that they have all results, in milliseconds. */
const LAST_WORD_MS = 5_000;

/** How long handlers get to end after their signal fired, in milliseconds. */
const ABORT_GRACE_MS = 1_000;

interface Registration {
  readonly handler: JobHandler | null;
  readonly timeoutMs: number;
}

interface Taker {
  take(job: GearmanJob | null): void;
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
  /** Jobs for `next` that nobody has taken yet. */
  readonly #unclaimed: GearmanJob[] = [];
  readonly #takers = new Set<Taker>();
  readonly #onQuiet = new Set<() => void>();
  #concurrency: number;
  #links: WorkerLink[] = [];
  #firstLink = 0;
  #mode: "idle" | "running" | "stopping" = "idle";
  #stopping: Promise<void> | null = null;
  #hurry = new AbortController();

  constructor(options: GearmanWorkerOptions = {}) {
    this.#options = options;
    this.#host = options.host ?? systemHost;
    this.#concurrency = checkConcurrency(options.concurrency ?? 1);
    this.#addresses = (options.servers ?? DEFAULTS.servers).map((server) =>
      typeof server === "string" ? parseServer(server) : server,
    );
    if (this.#addresses.length === 0)
      throw new GearmanError("CONFIG", "no servers given: name at least one, such as 127.0.0.1:4730");
    for (const timeMs of [options.regrabMs, options.stallMs]) if (timeMs !== undefined) checkTimeout(timeMs);
  }

  /** True from `start` until a stop is complete. */
  get isAlive(): boolean {
    return this.#mode !== "idle";
  }

  /** Servers with an open connection. */
  get connectedServers(): string[] {
    return this.#links.filter((link) => link.isOpen).map((link) => link.server);
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
    const isNew = !this.#registrations.has(checkFunctionName(name));
    const timeoutMs = checkTimeout(options.timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#registrations.set(name, { handler: handler ?? null, timeoutMs });
    if (handler !== undefined) this.#handOver(name, handler, timeoutMs);
    if (!isNew || this.#mode !== "running") return;
    for (const link of this.#links) link.canDo(name);
    this.#schedule();
  }

  /** Starts to work, and keeps connecting to servers that are down. `concurrency` and `clientId` may be given here as well. */
  start(options: { concurrency?: number; clientId?: string } = {}): void {
    if (this.#mode !== "idle") throw new GearmanError("STATE", `the worker is ${this.#mode} already`);
    if (options.concurrency !== undefined) this.#concurrency = checkConcurrency(options.concurrency);
    this.#mode = "running";
    this.#stopping = null;
    this.#hurry = new AbortController();
    this.#links = this.#addresses.map((address) => this.#link(address, options.clientId ?? this.#options.clientId ?? ""));
    for (const link of this.#links) link.open();
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
    const ready = this.#unclaimed.shift();
    if (ready !== undefined) {
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
      await this.#quiet(leftMs, signal);
    }
  }

  /** Jobs that nobody took by hand go to the handler that came later. */
  #handOver(name: string, handler: JobHandler, timeoutMs: number): void {
    for (const job of this.#unclaimed.filter((waiting) => waiting.name === name)) {
      this.#unclaimed.splice(this.#unclaimed.indexOf(job), 1);
      void this.#run(job, handler, timeoutMs);
    }
  }

  #waitForJob(timeoutMs: number, signal: AbortSignal | undefined): Promise<GearmanJob | null> {
    return new Promise((resolve) => {
      const taker: Taker = {
        take: (job) => {
          this.#takers.delete(taker);
          clearTimeout(timer);
          signal?.removeEventListener("abort", giveUp);
          if (job !== null) this.#busy.add(job);
          resolve(job);
        },
      };
      const giveUp = () => taker.take(null);
      const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(giveUp, Math.min(timeoutMs, 0x7fffffff));
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#takers.add(taker);
      this.#schedule();
    });
  }

  #link(address: ServerAddress, clientId: string): WorkerLink {
    const {
      keepalive = DEFAULTS.keepalive,
      regrabMs = 15_000,
      stallMs = 120_000,
      maxPacketBytes = DEFAULT_MAX_PACKET_BYTES,
    } = this.#options;
    return new WorkerLink(
      { host: this.#host, address, keepalive, clientId, regrabMs, stallMs, maxPacketBytes, maxGrabs: this.#concurrency },
      {
        functions: () => this.#registrations.keys(),
        schedule: () => this.#schedule(),
        assigned: (packet, _link, wire) => this.#assigned(packet, wire),
        connected: ({ server }) => {
          this.#emit({ type: "connected", server });
          this.#wake();
        },
        lost: ({ server }, reason, wasOpen, retryMs) => this.#linkLost(server, reason, wasOpen, retryMs),
        refused: ({ server }, code, text) => this.#emit({ type: "refused", server, code, text }),
        quiet: () => this.#wake(),
      },
    );
  }

  /** Sends grabs while there are free places, one server after the other. */
  #schedule(): void {
    if (this.#mode !== "running") return;
    let room = this.#room();
    const count = this.#links.length;
    for (let misses = 0; room > 0 && misses < count; ) {
      const link = this.#links[this.#firstLink++ % count]!;
      if (link.wantsGrab) {
        link.grab();
        room--;
        misses = 0;
      } else misses++;
    }
  }

  /** How many more grabs may go out. Without handlers, no more than there are callers waiting for a job. */
  #room(): number {
    let grabs = 0;
    for (const link of this.#links) grabs += link.grabs;
    const places = this.#concurrency - this.#busy.size - this.#unclaimed.length - grabs;
    for (const { handler } of this.#registrations.values()) if (handler !== null) return places;
    return Math.min(places, this.#takers.size - grabs);
  }

  #assigned(packet: Packet<"JOB_ASSIGN_UNIQ">, wire: Wire): void {
    const job = new GearmanJob(packet, wire, {
      exceptions: this.#options.exceptions ?? false,
      over: (ended) => this.#over(ended),
    });
    const registration = this.#registrations.get(job.name);
    if (registration === undefined) job.fail(`this worker does not know ${job.name}`);
    else if (registration.handler !== null) void this.#run(job, registration.handler, registration.timeoutMs);
    else {
      const [taker] = this.#takers;
      if (taker !== undefined) taker.take(job);
      else this.#unclaimed.push(job);
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
      this.#wake();
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
    if (this.#handled.has(job)) return;
    this.#busy.delete(job);
    const index = this.#unclaimed.indexOf(job);
    if (index >= 0) this.#unclaimed.splice(index, 1);
    this.#schedule();
    this.#wake();
  }

  #linkLost(server: string, reason: GearmanError, wasOpen: boolean, retryMs: number): void {
    if (wasOpen) {
      const gone = new GearmanError("IO", `connection lost, ${server} gives the job to another worker`, { cause: reason });
      for (const job of [...this.#busy, ...this.#unclaimed]) if (job.server === server) job.lost(gone);
    }
    if (this.#mode === "running") this.#emit({ type: wasOpen ? "lost" : "unreachable", server, reason, retryMs });
    this.#schedule();
  }

  async #stop(): Promise<void> {
    this.#mode = "stopping";
    for (const taker of [...this.#takers]) taker.take(null);
    const links = this.#links;
    for (const link of links) link.retire();
    this.#wake();
    const connecting = links.filter((link) => !link.isOpen).map((link) => link.close(0));
    while (!this.#isDrained() && !this.#hurry.signal.aborted) await this.#quiet(Number.POSITIVE_INFINITY, this.#hurry.signal);
    if (this.#busy.size > 0) await this.#callOff();
    const lastWordMs = this.#hurry.signal.aborted ? ABORT_GRACE_MS : LAST_WORD_MS;
    await Promise.all([...connecting, ...links.map((link) => link.close(lastWordMs))]);
    this.#unclaimed.length = 0;
    this.#busy.clear();
    this.#handled.clear();
    this.#links = [];
    this.#mode = "idle";
    this.#emit({ type: "stopped" });
  }

  async #callOff(): Promise<void> {
    const reason = new GearmanError("ABORTED", "the worker stops, the server gives the job to another worker");
    for (const job of this.#busy) job.callOff(reason);
    const endsAt = this.#host.now() + ABORT_GRACE_MS;
    for (let leftMs = ABORT_GRACE_MS; this.#busy.size > 0 && leftMs > 0; leftMs = endsAt - this.#host.now())
      await this.#quiet(leftMs);
  }

  #isDrained(): boolean {
    return this.#busy.size === 0 && this.#links.every((link) => link.grabs === 0);
  }

  /** Resolves when something changed that a wait may depend on, when the time is over or the signal fires. */
  #quiet(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#onQuiet.delete(wake);
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(wake, Math.min(timeoutMs, 0x7fffffff));
      signal?.addEventListener("abort", wake, { once: true });
      this.#onQuiet.add(wake);
    });
  }

  #wake(): void {
    if (this.#onQuiet.size > 0) for (const wake of [...this.#onQuiet]) wake();
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
