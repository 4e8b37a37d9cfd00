/** Submits jobs to Gearman servers and asks about them. */
import { backoffMs } from "../net/backoff.ts";
import { DeadlineList, pause } from "../net/deadline.ts";
import { parseServer, type ServerAddress } from "./address.ts";
import { cancelJob } from "./admin.ts";
import { type Call, type CallBounds, type Courier, EchoQuestion, type JobStatus, StatusQuestion } from "./call.ts";
import { checkFunctionName, checkPayload, checkTimeout, checkUnique, parseHandle } from "./checks.ts";
import { DEFAULTS, RETRY_BACKOFF } from "./config.ts";
import type { Connection } from "./connection.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import {
  BackgroundSubmit,
  ForegroundSubmit,
  type JobContent,
  type JobReceipt,
  type Priority,
  type StatusListener,
} from "./job.ts";
import type { ConnectingOptions } from "./options.ts";
import { type PooledServer, ServerPool, type ServerState } from "./pool.ts";
import { type JobStream, StreamSubmit } from "./stream.ts";

/** How a client is set up. `GearmanConfig` fits in here. */
export interface GearmanClientOptions extends ConnectingOptions {
  /** Longest wait for any call, connecting included, in milliseconds. Default 15 000. */
  readonly timeoutMs?: number | undefined;
  /** How often connecting is tried again within one call. Default 2. */
  readonly retries?: number | undefined;
  /** Ask servers to pass on WORK_EXCEPTION, the reason some workers give for a failure. Default false. */
  readonly exceptions?: boolean | undefined;
}

/** A job for a worker. */
export interface JobRequest {
  /** Function a worker registered, such as `img.resize`. */
  readonly name: string;
  /** What the worker receives, byte for byte; text is sent as UTF-8. Default: nothing. */
  readonly payload?: string | Uint8Array | undefined;
  /** Jobs of one function with the same key share one run while one of them waits or runs. At most 63 bytes. */
  readonly unique?: string | undefined;
  /** Default `normal`. */
  readonly priority?: Priority | undefined;
  /** Calls the wait off. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds; `Infinity` for no limit. Default: the client's. */
  readonly timeoutMs?: number | undefined;
}

/** A job whose reports are wanted as they come. */
export interface SubmitRequest extends JobRequest {
  /** Called when the server has accepted the job. */
  readonly onCreated?: ((receipt: JobReceipt) => void) | undefined;
  /** Called with each progress report. */
  readonly onStatus?: StatusListener | undefined;
  /** Called with each piece of data; a promise it returns holds the next one back. */
  readonly onData?: ((payload: Buffer) => unknown) | undefined;
  /** Called with each warning; a promise it returns holds the next report back. */
  readonly onWarning?: ((payload: Buffer) => unknown) | undefined;
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
  readonly #deadlines: DeadlineList;
  readonly #serverOfHandle = new Map<string, string>();
  readonly #addresses: readonly ServerAddress[];
  readonly #open = new AbortController();
  readonly #courier: Courier = { resend: (call) => this.#send(call) };
  #closing: Promise<void> | null = null;

  constructor(options: GearmanClientOptions = {}) {
    const { host = systemHost, timeoutMs = DEFAULTS.timeoutMs, retries = DEFAULTS.retries } = options;
    this.#host = host;
    this.#timeoutMs = checkTimeout(timeoutMs);
    this.#retries = retries;
    this.#deadlines = new DeadlineList(() => host.now());
    this.#addresses = (options.servers ?? DEFAULTS.servers).map((server) =>
      typeof server === "string" ? parseServer(server) : server,
    );
    this.#pool = new ServerPool(this.#addresses, {
      host,
      connectTimeoutMs: Math.min(MAX_CONNECT_MS, timeoutMs / Math.max(1, this.#addresses.length)),
      keepalive: options.keepalive ?? DEFAULTS.keepalive,
      clientId: options.clientId ?? "",
      exceptions: options.exceptions ?? DEFAULTS.exceptions,
      ...(options.maxPacketBytes === undefined ? {} : { maxPacketBytes: options.maxPacketBytes }),
    });
  }

  /** Runs a job and resolves to its result. */
  submit(request: SubmitRequest): Promise<Buffer> {
    if (request.onData !== undefined || request.onWarning !== undefined) return this.#submitAndListen(request);
    try {
      const job = new ForegroundSubmit(this.#prepared(request));
      this.#dispatch(job, job.content.unique);
      return job.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Starts a job and hands out its reports as an async iterable. The job has a connection of its own, which
   * pauses while the reader is busy, so that a fast worker does not fill the memory.
   */
  start(request: JobRequest & Pick<SubmitRequest, "onCreated">): JobStream {
    const job = new StreamSubmit(this.#prepared(request));
    job.promise.catch(() => undefined); // the reader of the events hears of a failure as well
    if (this.#pool.size > 1) job.created.then((receipt) => this.#remember(receipt)).catch(() => undefined);
    this.#dispatch(job, job.content.unique);
    return job;
  }

  /** Queues a job nobody waits for; resolves when a server has accepted it. Without a unique key it gets one that no other job has. */
  submitBackground(request: JobRequest): Promise<JobReceipt> {
    try {
      // Servers that store jobs overwrite one with an empty key by the next.
      const isUnique = request.unique !== undefined && request.unique !== "";
      const job = new BackgroundSubmit(this.#prepared(request, isUnique ? request.unique : this.#host.uniqueKey()));
      this.#dispatch(job, isUnique ? job.content.unique : "");
      return this.#pool.size === 1 ? job.promise : job.promise.then((receipt) => this.#remember(receipt));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What the server that issued the handle knows about its job. Takes `H:vm:12` and `127.0.0.1:4730//H:vm:12`. */
  async status(handle: string, bounds: Pick<JobRequest, "signal" | "timeoutMs"> = {}): Promise<JobStatus> {
    const { servers, bare } = this.#serversOf(handle);
    const questions = servers.map((server) => {
      const question = new StatusQuestion(bare, server.name, this.#bounds(bounds));
      this.#dispatchTo([server], question);
      return question.promise;
    });
    const answers = await Promise.allSettled(questions);
    const known = answers.find((answer) => answer.status === "fulfilled" && answer.value.known);
    const decisive = known ?? answers.find((answer) => answer.status === "rejected") ?? answers[0]!;
    if (decisive.status === "rejected") throw decisive.reason;
    return decisive.value;
  }

  /**
   * Takes a queued job out of the queue; of a running job it only detaches those who wait. True when done,
   * NOT_FOUND when no server knows the job, CANCEL_UNSUPPORTED when a server has no such command.
   */
  async cancel(handle: string, bounds: Pick<JobRequest, "signal" | "timeoutMs"> = {}): Promise<true> {
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
  async echo(data: string | Uint8Array, bounds: Pick<JobRequest, "signal" | "timeoutMs"> = {}): Promise<Buffer> {
    const question = new EchoQuestion(checkPayload(data), this.#bounds(bounds));
    this.#dispatch(question, "");
    return question.promise;
  }

  /** The servers in the order they would be tried now. */
  servers(): ServerState[] {
    return this.#pool.states();
  }

  /** Closes all connections; calls under way fail with CLOSED. May be called at any time and any number of times. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const reason = closedError();
    this.#open.abort(reason);
    await this.#pool.close(reason);
    this.#deadlines.close();
  }

  #prepared(request: SubmitRequest, unique = request.unique ?? ""): JobContent {
    if (this.#closing !== null) throw closedError();
    const { timeoutMs, onCreated } = request;
    return {
      name: checkFunctionName(request.name),
      payload: checkPayload(request.payload ?? ""),
      unique: unique === "" ? "" : checkUnique(unique),
      priority: request.priority ?? "normal",
      deadlines: this.#deadlines,
      timeoutMs: timeoutMs === undefined ? this.#timeoutMs : checkTimeout(timeoutMs),
      signal: request.signal,
      onStatus: request.onStatus,
      onCreated: onCreated === undefined || this.#pool.size === 1 ? onCreated : (receipt) => onCreated(this.#remember(receipt)),
    };
  }

  #bounds({ timeoutMs, signal }: Pick<JobRequest, "signal" | "timeoutMs">): CallBounds {
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

  /** Sends a call to a server, the best one for its key: at once when a connection is ready, else when one is. */
  #dispatch(call: Call<unknown>, key: string): void {
    this.#dispatchTo(this.#pool.order(key), call);
  }

  #dispatchTo(servers: readonly PooledServer[], call: Call<unknown>): void {
    call.courier = this.#courier;
    call.resendsLeft = this.#retries;
    call.servers = servers;
    call.begin();
    this.#send(call);
  }

  #send(call: Call<unknown>): void {
    if (call.isSettled) return;
    const connection = call.needsOwnConnection ? null : call.servers[0]!.ready;
    if (connection !== null && !connection.isCongested) sendOrFail(call, connection);
    else void this.#deliver(call);
  }

  /** Tries the servers in turn until one takes the call; after each round it pauses, for as many rounds as retries allow. */
  async #deliver(call: Call<unknown>): Promise<void> {
    const failures = new Map<string, string>();
    for (let round = 0; round <= this.#retries; round++) {
      if (round > 0) await this.#pauseBefore(call, backoffMs(round - 1, RETRY_BACKOFF, this.#host.random));
      for (const server of call.servers) {
        if (call.isSettled) return;
        const failure = await this.#tryServer(call, server);
        if (failure === null) return;
        if (this.#closing !== null) return call.fail(closedError());
        if (failure.kind !== "IO") return call.fail(failure);
        call.connectFailure = failure;
        failures.set(server.name, failure.message);
      }
    }
    const tries = this.#retries + 1;
    const text = [...failures.values()].join("; ");
    call.fail(
      new GearmanError("IO", `${text} (after ${tries} ${tries === 1 ? "try" : "tries"})`, { cause: call.connectFailure }),
    );
  }

  /** Null when the call is on its way or needs no sending any more, else the reason why this server does not take it. */
  async #tryServer(call: Call<unknown>, server: PooledServer): Promise<GearmanError | null> {
    let connection: Connection;
    try {
      connection = await (call.needsOwnConnection ? server.borrow() : server.shared());
      await connection.drained();
    } catch (error) {
      return error instanceof GearmanError ? error : new GearmanError("IO", String(error), { cause: error });
    }
    if (!connection.isUsable) return new GearmanError("IO", `${server.name} closed the connection`);
    if (call.isSettled) {
      if (call.needsOwnConnection) server.release(connection);
      return null;
    }
    if (call.needsOwnConnection) call.onSettled = () => server.release(connection);
    sendOrFail(call, connection);
    return null;
  }

  #pauseBefore(call: Call<unknown>, ms: number): Promise<void> {
    const wake = new AbortController();
    const present = call.onSettled;
    call.onSettled = () => {
      present?.();
      wake.abort();
    };
    return call.isSettled ? Promise.resolve() : pause(ms, AbortSignal.any([wake.signal, this.#open.signal]));
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

function sendOrFail(call: Call<unknown>, connection: Connection): void {
  try {
    call.sendOver(connection);
  } catch (error) {
    call.fail(error);
  }
}

function closedError(): GearmanError {
  return new GearmanError("CLOSED", "the client is closed");
}
