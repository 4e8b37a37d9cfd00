/** Submits jobs to Gearman servers and asks about them. */

import { DeadlineList } from "../net/deadline.ts";
import { harmless } from "../net/harmless.ts";
import { cancelJob } from "./admin.ts";
import {
  type CallBounds,
  EchoQuestion,
  type JobStatus,
  OptionQuestion,
  StatusQuestion,
  type UniqueJobStatus,
  UniqueStatusQuestion,
} from "./call.ts";
import { checkPayload, checkTimeout, checkUnique, parseHandle } from "./checks.ts";
import { checkClientId } from "./client-id.ts";
import { DEFAULTS } from "./config.ts";
import { closedError, Delivery } from "./delivery.ts";
import { GearmanError } from "./errors.ts";
import { type ClientEventListener, ON_EVENT_WARNING } from "./events.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import { BackgroundSubmit, ForegroundSubmit, type JobContent, type JobPacket, type JobReceipt } from "./job.ts";
import { ClientCounters, type ClientMetrics } from "./metrics.ts";
import { addressesOf, type ConnectingOptions, namespaceOf } from "./options.ts";
import type { Placement } from "./placement.ts";
import { type PooledServer, ServerPool, type ServerState } from "./pool.ts";
import {
  type BackgroundRequest,
  type CallOptions,
  checkJob,
  type JobDefaults,
  type JobRequest,
  type SubmitListeners,
  type SubmitRequest,
} from "./requests.ts";
import { type JobStream, StreamSubmit } from "./stream.ts";
import { type InBackground, type TaskRequest, TaskSet, type TaskSetOptions } from "./tasks.ts";

/** How a client is set up. `GearmanConfig` fits in here. */
export interface GearmanClientOptions extends ConnectingOptions {
  /** Longest wait for any call, connecting included, in milliseconds. Default 15 000. */
  readonly timeoutMs?: number | undefined;
  /** How often connecting is tried again within one call. Default 2. */
  readonly retries?: number | undefined;
  /** Ask servers to pass on WORK_EXCEPTION, the reason some workers give for a failure. Default false. */
  readonly exceptions?: boolean | undefined;
  /** How servers are chosen for jobs with a unique key. Default `rendezvous`. */
  readonly placement?: Placement | undefined;
  /** Told what happens to servers and jobs. What it throws becomes a process warning. */
  readonly onEvent?: ClientEventListener | undefined;
}

/** Longest try to connect to one server, in milliseconds. */
const MAX_CONNECT_MS = 5_000;

/** Handles whose server is remembered; the oldest are forgotten first. */
const MAX_REMEMBERED_HANDLES = 10_000;

/** A client of one or more job servers. It connects when first needed and keeps the connections until `close`. */
export class GearmanClient {
  readonly #host: GearmanHost;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #pool: ServerPool;
  readonly #delivery: Delivery;
  readonly #deadlines: DeadlineList;
  readonly #counters: ClientCounters;
  readonly #serverOptions = new Set<string>();
  readonly #serverOfHandle = new Map<string, string>();
  readonly #open = new AbortController();
  readonly #jobDefaults: JobDefaults;
  #closing: Promise<void> | null = null;

  constructor(options: GearmanClientOptions = {}) {
    const { host = systemHost, timeoutMs = DEFAULTS.timeoutMs, retries = DEFAULTS.retries } = options;
    this.#host = host;
    this.#jobDefaults = { newKey: () => host.uniqueKey(), namespace: namespaceOf(options) };
    this.#timeoutMs = checkTimeout(timeoutMs);
    this.#retries = retries;
    this.#deadlines = new DeadlineList(() => host.now());
    const onEvent = harmless(options.onEvent, ON_EVENT_WARNING);
    this.#counters = new ClientCounters((name, reason) => onEvent({ type: "jobFailed", name, reason }));
    this.#delivery = new Delivery({ host, retries, counters: this.#counters });
    if (options.exceptions ?? DEFAULTS.exceptions) this.#serverOptions.add("exceptions");
    const addresses = addressesOf(options);
    this.#pool = new ServerPool(addresses, {
      host,
      connectTimeoutMs: Math.min(MAX_CONNECT_MS, timeoutMs / Math.max(1, addresses.length)),
      keepalive: options.keepalive ?? DEFAULTS.keepalive,
      clientId: checkClientId(options.clientId ?? ""),
      serverOptions: this.#serverOptions,
      placement: options.placement ?? "rendezvous",
      onEvent,
      ...(options.maxPacketBytes === undefined ? {} : { maxPacketBytes: options.maxPacketBytes }),
    });
  }

  /** Runs a job and resolves to its result. */
  submit(request: SubmitRequest): Promise<Buffer> {
    if (request.onData !== undefined || request.onWarning !== undefined) return this.#submitAndListen(request);
    try {
      const job = new ForegroundSubmit(this.#prepared(request, false));
      this.#delivery.dispatch(job, this.#serversFor(request));
      return job.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Starts a job and hands out its reports as an async iterable. The job has a connection of its own, which
   * pauses while the reader is busy, so that a fast worker does not fill the memory.
   */
  start(request: JobRequest & Pick<SubmitListeners, "onCreated">): JobStream {
    const job = new StreamSubmit(this.#prepared(request, false));
    job.promise.catch(() => undefined); // the reader of the events hears of a failure as well
    if (this.#pool.size > 1) job.created.then((receipt) => this.#remember(receipt)).catch(() => undefined);
    this.#delivery.dispatch(job, this.#serversFor(request));
    return job;
  }

  /**
   * Queues a job nobody waits for; resolves when a server has accepted it. Without a unique key it gets one that no
   * other job has. With `at` it waits in the queue until that time.
   */
  submitBackground(request: BackgroundRequest): Promise<JobReceipt> {
    try {
      const job = new BackgroundSubmit(this.#prepared(request, true));
      this.#delivery.dispatch(job, this.#serversFor(request));
      return this.#pool.size === 1 ? job.promise : job.promise.then((receipt) => this.#remember(receipt));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Submits many jobs, a bounded number of them at once, and gives their outcomes: with `for await` as they come, with
   * `all()` in the order of the requests. Requests may be a generator; it is asked for more as outcomes are read.
   * Nothing happens before someone reads. Leaving the loop calls off what is left. What succeeded has a `result`, or in
   * the background a `receipt`.
   */
  tasks<R extends TaskRequest, B extends boolean = false>(
    requests: Iterable<R> | AsyncIterable<R>,
    options: TaskSetOptions<B> = {},
  ): TaskSet<R, InBackground<R, B>> {
    return new TaskSet(requests, options, {
      check: (request, isBackground) => this.#checked(request, isBackground),
      contentOf: (request, packet) => this.#contentOf(request, packet),
      counters: this.#counters,
      serversFor: (request) => this.#serversFor(request),
      dispatch: (call, servers) => this.#delivery.dispatch(call, servers),
      adopt: (call, servers, reason, wasWritten) => this.#delivery.adopt(call, servers, reason, wasWritten),
      remember: (receipt) => (this.#pool.size === 1 ? receipt : this.#remember(receipt)),
      closing: this.#open.signal,
      bounds: { deadlines: this.#deadlines, timeoutMs: this.#timeoutMs },
    });
  }

  /** What the server that issued the handle knows about its job. Takes `H:vm:12` and `127.0.0.1:4730//H:vm:12`. */
  async status(handle: string, bounds: CallOptions = {}): Promise<JobStatus> {
    const { servers, bare } = this.#serversOf(handle);
    const questions = servers.map((server) => {
      const question = new StatusQuestion(bare, server.name, this.#bounds(bounds));
      this.#delivery.dispatch(question, [server]);
      return question.promise;
    });
    const answers = await Promise.allSettled(questions);
    const known = answers.find((answer) => answer.status === "fulfilled" && answer.value.known);
    const decisive = known ?? answers.find((answer) => answer.status === "rejected") ?? answers[0]!;
    if (decisive.status === "rejected") throw decisive.reason;
    return decisive.value;
  }

  /**
   * What is known about the job with this unique key, of whatever function. The server that the key belongs to is asked
   * first, then the others, until one knows it. Fails only when none knows it and not all could be asked.
   */
  async statusOfUnique(unique: string, bounds: CallOptions = {}): Promise<UniqueJobStatus> {
    if (checkUnique(unique) === "") throw new GearmanError("ARGUMENT", "the unique key is empty: give the key of a job");
    const limits = this.#bounds(bounds);
    const endsAtMs = this.#host.now() + limits.timeoutMs;
    const first = this.#pool.order(unique)[0]!;
    const others = this.#pool.all().filter((server) => server !== first);
    let answer: UniqueJobStatus | null = null;
    let failure: unknown = null;
    for (const server of [first, ...others]) {
      const timeoutMs = Math.max(1, Math.ceil(endsAtMs - this.#host.now()));
      const question = new UniqueStatusQuestion(unique, server.name, { ...limits, timeoutMs });
      this.#delivery.dispatch(question, [server]);
      try {
        answer = await question.promise;
        if (answer.known) return answer;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw failure;
    return answer!;
  }

  /**
   * Asks every server to treat this client in a certain way, now and after each reconnect. Servers know `exceptions`.
   * A SERVER error names an option that one of them refuses; a server that cannot be reached is asked when it is.
   */
  async option(name: string, bounds: CallOptions = {}): Promise<true> {
    const limits = this.#bounds(bounds);
    const answers = await Promise.allSettled(
      this.#pool.all().map((server) => {
        const question = new OptionQuestion(name, limits);
        this.#delivery.dispatch(question, [server]);
        return question.promise;
      }),
    );
    const reasons = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
    const decisive = reasons.find((reason) => !(reason instanceof GearmanError && reason.kind === "IO"));
    if (decisive !== undefined) throw decisive;
    if (reasons.length === answers.length) throw reasons[0];
    this.#serverOptions.add(name);
    return true;
  }

  /** The options that servers are asked for on every connection. */
  get options(): readonly string[] {
    return [...this.#serverOptions];
  }

  /**
   * Takes a queued job out of the queue; of a running job it only detaches those who wait. True when done,
   * NOT_FOUND when no server knows the job, CANCEL_UNSUPPORTED when a server has no such command.
   */
  async cancel(handle: string, bounds: CallOptions = {}): Promise<true> {
    const { servers, bare } = this.#serversOf(handle);
    const { timeoutMs, signal } = this.#bounds(bounds);
    const both = signal === undefined ? this.#open.signal : AbortSignal.any([signal, this.#open.signal]);
    const how = { timeoutMs, signal: both, retries: this.#retries, host: this.#host };
    const answers = await Promise.allSettled(servers.map(({ address }) => cancelJob(bare, { ...how, address })));
    if (this.#closing !== null) throw closedError();
    if (answers.some((answer) => answer.status === "fulfilled")) return true;
    const reasons = answers.map((answer) => (answer.status === "rejected" ? (answer.reason as unknown) : null));
    throw reasons.find((reason) => !(reason instanceof GearmanError && reason.kind === "NOT_FOUND")) ?? reasons[0];
  }

  /** Sends data to a server and resolves to what comes back: the same bytes, when all is well. */
  async echo(data: string | Uint8Array, bounds: CallOptions = {}): Promise<Buffer> {
    const question = new EchoQuestion(checkPayload(data), this.#bounds(bounds));
    this.#delivery.dispatch(question, this.#pool.order(""));
    return question.promise;
  }

  /** The servers in the order they would be tried now. */
  servers(): ServerState[] {
    return this.#pool.states();
  }

  /** Counts since the client was made, and how things stand now. `clientMetricsText` makes Prometheus text of them. */
  metrics(): ClientMetrics {
    const { submitted, accepted, completed, failed, timedOut, aborted, unknownOutcome, resent, inFlight } = this.#counters;
    const jobs = { submitted, accepted, completed, failed, timedOut, aborted, unknownOutcome, resent, inFlight };
    return { ...jobs, ...this.#pool.metrics() };
  }

  /** Closes all connections; calls under way fail with CLOSED. May be called at any time and any number of times. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const reason = closedError();
    this.#open.abort(reason);
    this.#delivery.close();
    await this.#pool.close(reason);
    this.#deadlines.close();
  }

  #prepared(request: BackgroundRequest & SubmitListeners, isBackground: boolean): JobContent {
    return this.#contentOf(request, this.#checked(request, isBackground));
  }

  /** Checks a job and counts it. */
  #checked(request: BackgroundRequest, isBackground: boolean): JobPacket {
    if (this.#closing !== null) throw closedError();
    if (request.timeoutMs !== undefined) checkTimeout(request.timeoutMs);
    const packet = checkJob(request, isBackground, this.#jobDefaults);
    this.#counters.submitted++;
    return packet;
  }

  #contentOf(request: BackgroundRequest & SubmitListeners, packet: JobPacket): JobContent {
    const { timeoutMs = this.#timeoutMs, onCreated } = request;
    return {
      packet,
      counters: this.#counters,
      deadlines: this.#deadlines,
      timeoutMs,
      signal: request.signal,
      onStatus: request.onStatus,
      onCreated: onCreated === undefined || this.#pool.size === 1 ? onCreated : (receipt) => onCreated(this.#remember(receipt)),
    };
  }

  /** The servers for a job. Only a key of the caller's decides: one that no other job has meets nothing anywhere. */
  #serversFor({ unique = "", payload }: BackgroundRequest): readonly PooledServer[] {
    return this.#pool.order(unique, payload);
  }

  #bounds({ timeoutMs, signal }: CallOptions): CallBounds {
    if (this.#closing !== null) throw closedError();
    return { deadlines: this.#deadlines, timeoutMs: timeoutMs === undefined ? this.#timeoutMs : checkTimeout(timeoutMs), signal };
  }

  async #submitAndListen(request: SubmitRequest): Promise<Buffer> {
    const job = this.start(request);
    for await (const event of job) {
      if (event.type === "data") await request.onData?.(event.payload);
      else if (event.type === "warning") await request.onWarning?.(event.payload);
      else request.onStatus?.(event.numerator, event.denominator);
    }
    return job.result;
  }

  #remember(receipt: JobReceipt): JobReceipt {
    this.#serverOfHandle.delete(receipt.handle);
    this.#serverOfHandle.set(receipt.handle, receipt.server);
    if (this.#serverOfHandle.size > MAX_REMEMBERED_HANDLES) {
      for (const oldest of this.#serverOfHandle.keys()) {
        this.#serverOfHandle.delete(oldest);
        break;
      }
    }
    return receipt;
  }

  /** The servers that may know a handle: the one named or remembered, else all. */
  #serversOf(text: string): { servers: readonly PooledServer[]; bare: string } {
    const { server, handle } = parseHandle(text);
    const name = server ?? this.#serverOfHandle.get(handle);
    if (name === undefined) return { servers: this.#pool.order(""), bare: handle };
    const found = this.#pool.find(name);
    if (found === undefined)
      throw new GearmanError("ARGUMENT", `${name} in the handle ${text} is not one of this client's servers`);
    return { servers: [found], bare: handle };
  }
}
