/** A Gearman job server inside this process: the same protocol as gearmand, for first steps, tests and single machines. */
import type { Socket } from "node:net";
import { hostname } from "node:os";
import { DEFAULT_MAX_PACKET_BYTES } from "../codec.ts";
import { GearmanError } from "../errors.ts";
import { Handles } from "./handles.ts";
import { FileJournal, type Journal } from "./journal.ts";
import { Listener, type ServerTlsOptions } from "./listener.ts";
import { JobQueue } from "./queue.ts";
import { type Clock, systemClock } from "./schedule.ts";
import { Session } from "./session.ts";
import type { GearmanServerEvent, ServerState } from "./state.ts";

/** How a server listens and behaves. Everything is optional. */
export interface GearmanServerOptions {
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string;
  /** Port to listen on; 0, the default, is any free one, which `listen` returns. */
  readonly port?: number;
  /** Accepts connections over TLS only. Default: without TLS. */
  readonly tls?: ServerTlsOptions | undefined;
  /** Sends every client WORK_EXCEPTION, as if it had asked for it. Default false. */
  readonly exceptions?: boolean;
  /** Lets a worker's functions take turns, instead of trying the latest announced first. Default false. */
  readonly roundRobin?: boolean;
  /** Runs a job may begin before it is dropped and its clients are told that it failed. Default 0: no limit. */
  readonly jobRetries?: number;
  /** Sleeping workers woken for a job. Default 0: all of them. */
  readonly wakeups?: number;
  /** Largest packet body taken, in bytes; a larger one gets ERROR ARGUMENT_TOO_LARGE and ends the connection. Default 256 MiB. */
  readonly maxPacketBytes?: number;
  /** Unread replies above which a connection, and those that send to it, are not read on, in bytes. Default 16 MiB. */
  readonly maxPendingBytes?: number;
  /** Time a connection with too many unread replies may read nothing before it is closed, in milliseconds. Default 600 000. */
  readonly stallTimeoutMs?: number;
  /** Silence after which the system probes whether the other side still lives, in milliseconds. Default 30 000. */
  readonly keepAliveMs?: number;
  /**
   * SQLite file that background jobs are kept in, so that they outlive this process. Default: none, they live in memory.
   * A background job is accepted once it is on the disk. After a crash those that were not over run, perhaps again.
   */
  readonly queueFile?: string;
  /** Connections beyond this number get the ERROR packet TOO_MANY_CONNECTIONS and are closed. Default: no limit. */
  readonly maxConnections?: number;
  /** Memory that jobs may take, in bytes: their payloads and keys, and 256 for each. More are refused. Default: no limit. */
  readonly maxMemoryBytes?: number;
  /** What handles name, as in `H:myhost:1`. Default: the machine's host name. */
  readonly handleHost?: string;
  /** What the `version` command answers. */
  readonly version?: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Told of connections, refused bytes and dropped jobs. Must not throw. */
  readonly onEvent?: (event: GearmanServerEvent) => void;
}

/** How much a server has at the moment. */
export interface GearmanServerStats {
  readonly connections: number;
  /** Connections that offer to run a function. */
  readonly workers: number;
  readonly functions: number;
  /** Jobs waiting, scheduled ones included. */
  readonly queued: number;
  readonly running: number;
  /** Background jobs in the queue file. */
  readonly stored: number;
  /** What `maxMemoryBytes` counts. */
  readonly memoryBytes: number;
}

/** Where a server listens. */
export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
}

/** The version of gearmand whose behaviour this server has, marked as another build of it. */
const VERSION = "1.1.20+basil";

/** Longest wait for somebody who looks into the queue file, in milliseconds: the server stands still meanwhile. */
const JOURNAL_BUSY_MS = 1000;

/** Longest host name in a handle, in characters: a handle must stay below 64 bytes. */
const MAX_HOST_CHARACTERS = 48;

/** Connections the system keeps for us to accept. */
const BACKLOG = 1024;

/**
 * A job server. It answers as gearmand 1.1.20 does, to the byte, except that it
 * - never loses a job that somebody still wants: a submission that joins an abandoned or cancelled job
 *   revives or replaces it, and a background submission is not undone by a foreground client that leaves;
 * - passes on WORK_FAIL with a clean handle, where gearmand adds a NUL to one made from a WORK_EXCEPTION;
 * - keeps the whole name in `create function`, however the line ends, and unique keys of 64 bytes;
 * - refuses `drop function` while jobs wait, so that none is orphaned;
 * - wakes sleeping workers when a scheduled job is due, and lets low jobs pass scheduled ones;
 * - times each job on its own for CAN_DO_TIMEOUT, and only while it runs, so that counters stay right;
 * - takes a result that lacks the NUL before its empty payload, as Perl's worker sends it (gearmand waits for ever);
 * - closes a connection for packet types from 0x80000000 (they crash gearmand), for packets with missing
 *   arguments at once (gearmand waits), and for packets over `maxPacketBytes`, which it answers with ERROR before.
 *
 * Jobs live in memory only. The HTTP door and persistent queues are gearmand's.
 *
 * Modes: *new* → *starting* (`listen` was called) → *listening* → *closed*. A failed `listen`
 * leads back to new; `close` and `drain` lead to closed from everywhere, and nothing leads away from there.
 */
export class GearmanServer {
  readonly #options: GearmanServerOptions;
  readonly #listener: Listener;
  readonly #state: ServerState;
  readonly #sessions = new Set<Session>();
  #mode: "new" | "starting" | "listening" | "closed" = "new";
  #closing: Promise<void> | null = null;
  #whenEmpty: () => void = () => {};
  #accepted = 0;
  #toFlush: { flush(): void }[] = [];
  #isFlushDue = false;
  #canStore = true;

  constructor(options: GearmanServerOptions = {}) {
    this.#options = options;
    this.#state = this.#createState();
    this.#listener = new Listener(options.tls, {
      accepted: (socket) => this.#accept(socket),
      turnedAway: (host, port, error) => this.#state.onEvent({ type: "refused", id: ++this.#accepted, host, port, error }),
    });
    this.#listener.server.on("error", (error) => {
      if (this.#mode === "listening") this.#state.onEvent({ type: "notAccepted", error });
    });
  }

  /** Starts to accept connections; resolves to the address, with the port that was found when 0 was asked for. */
  async listen(): Promise<ListeningAddress> {
    if (this.#mode !== "new") throw new GearmanError("STATE", `listen() was called on a server that is ${this.#mode}`);
    this.#mode = "starting";
    const { host = "127.0.0.1", port = 0 } = this.#options;
    const journal = await this.#openJournal();
    try {
      await this.#start(host, port, journal);
    } catch (error) {
      journal?.close();
      if ((this.#mode as string) !== "closed") this.#mode = "new";
      throw error;
    }
    this.#mode = "listening";
    const bound = this.#listener.server.address();
    const address = { host, port: typeof bound === "object" && bound !== null ? bound.port : port };
    this.#state.onEvent({ type: "listening", ...address });
    return address;
  }

  /**
   * Stops listening and gives out no more jobs, lets those that run end, and closes. May be called from every mode,
   * and `close` may cut it short.
   */
  async drain(): Promise<void> {
    if (this.#mode === "listening") {
      this.#listener.server.close();
      await new Promise<void>((resolve) => this.#state.queue.drain(resolve));
    }
    // Those who wait for a last result get it in full.
    this.#closing ??= this.#shutDown((session) => session.close("the server was drained"));
    return this.#closing;
  }

  /** Stops listening, ends all connections and forgets all jobs. Resolves when every socket is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown((session) => session.destroy("the server was closed"));
    return this.#closing;
  }

  /** How much there is of what. */
  stats(): GearmanServerStats {
    const { queue } = this.#state;
    let running = 0;
    let workers = 0;
    for (const target of queue.functions.values()) running += target.running;
    for (const { abilities } of this.#sessions) if (abilities.length > 0) workers++;
    return {
      connections: this.#sessions.size,
      workers,
      functions: queue.functions.size,
      queued: queue.jobs.size - running,
      running,
      stored: queue.stored,
      memoryBytes: queue.memoryBytes,
    };
  }

  async #openJournal(): Promise<Journal | null> {
    const { queueFile } = this.#options;
    if (queueFile === undefined) return null;
    try {
      return await FileJournal.open(queueFile, { busyTimeoutMs: JOURNAL_BUSY_MS });
    } catch (error) {
      this.#mode = (this.#mode as string) === "closed" ? "closed" : "new";
      throw new GearmanError("IO", `cannot use the queue file: ${(error as Error).message}`, { cause: error });
    }
  }

  async #start(host: string, port: number, journal: Journal | null): Promise<void> {
    const isClosed = () => (this.#mode as string) === "closed";
    const failure = isClosed() ? null : await this.#bind(host, port);
    if (isClosed()) throw new GearmanError("CLOSED", "the server was closed while it started to listen");
    if (failure !== null)
      throw new GearmanError("IO", `cannot listen on ${host}:${port}: ${failure.message}`, { cause: failure });
    if (journal === null) return;
    try {
      // No connection is accepted before: that takes a turn of the event loop.
      const jobs = this.#state.queue.useJournal(journal);
      if (jobs > 0) this.#state.onEvent({ type: "restored", jobs });
    } catch (error) {
      await new Promise((resolve) => this.#listener.server.close(resolve));
      throw new GearmanError("IO", `cannot read the queue file: ${(error as Error).message}`, { cause: error });
    }
  }

  #bind(host: string, port: number): Promise<Error | null> {
    return new Promise((resolve) => {
      const { server } = this.#listener;
      const settle = (failure: Error | null) => {
        server.off("listening", onListening).off("error", settle).off("close", onClose);
        resolve(failure);
      };
      const onListening = () => settle(null);
      const onClose = () => settle(new Error("closed"));
      server.on("listening", onListening).on("error", settle).on("close", onClose);
      try {
        server.listen({ host, port, backlog: BACKLOG });
      } catch (error) {
        settle(error as Error);
      }
    });
  }

  async #shutDown(end: (session: Session) => void): Promise<void> {
    this.#mode = "closed";
    const closed = new Promise<void>((resolve) => this.#listener.server.close(() => resolve()));
    const isEmpty = new Promise<void>((resolve) => {
      if (this.#sessions.size === 0) resolve();
      else this.#whenEmpty = resolve;
    });
    for (const session of [...this.#sessions]) end(session);
    this.#listener.abandon();
    this.#state.queue.stop();
    await Promise.all([closed, isEmpty]);
  }

  #accept(socket: Socket): void {
    if (this.#mode === "closed") {
      socket.destroy();
      return;
    }
    const { onEvent } = this.#state;
    const { maxConnections = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#sessions.size >= maxConnections) {
      const whose = `${socket.remoteAddress}:${socket.remotePort}`;
      const error = new GearmanError("SERVER", `${whose} was not accepted: there are ${maxConnections} connections already`);
      this.#listener.turnAway(
        socket,
        "TOO_MANY_CONNECTIONS",
        `This server has as many connections as it takes (${maxConnections}): close some, or raise its limit`,
      );
      onEvent({ type: "notAccepted", error });
      return;
    }
    const session: Session = new Session(++this.#accepted, socket, this.#state, (reason) => {
      this.#sessions.delete(session);
      onEvent({ type: "disconnected", id: session.id, host: session.host, port: session.port, reason });
      if (this.#sessions.size === 0) this.#whenEmpty();
    });
    this.#sessions.add(session);
    onEvent({ type: "connected", id: session.id, host: session.host, port: session.port });
  }

  #createState(): ServerState {
    const options = this.#options;
    const onEvent = options.onEvent ?? (() => {});
    const clock = options.clock ?? systemClock();
    const host = (options.handleHost ?? hostname()).replace(/[^!-~]/g, "_").slice(0, MAX_HOST_CHARACTERS);
    const handles = new Handles(`H:${host}:`);
    return {
      queue: this.#createQueue(onEvent, clock, handles),
      handles,
      connections: this.#sessions,
      exceptions: options.exceptions ?? false,
      version: options.version ?? VERSION,
      maxPacketBytes: options.maxPacketBytes ?? DEFAULT_MAX_PACKET_BYTES,
      maxPendingBytes: options.maxPendingBytes ?? 16 * 1024 * 1024,
      stallTimeoutMs: options.stallTimeoutMs ?? 600_000,
      keepAliveMs: options.keepAliveMs ?? 30_000,
      clock,
      onEvent,
      flushSoon: (connection) => this.#flushSoon(connection),
    };
  }

  #createQueue(onEvent: (event: GearmanServerEvent) => void, clock: Clock, handles: Handles): JobQueue {
    return new JobQueue({
      handles,
      isRoundRobin: this.#options.roundRobin ?? false,
      jobRetries: this.#options.jobRetries ?? 0,
      wakeups: this.#options.wakeups ?? 0,
      maxMemoryBytes: this.#options.maxMemoryBytes ?? Number.POSITIVE_INFINITY,
      clock,
      commitSoon: () => this.#scheduleFlush(),
      onCommit: (failure) => this.#noteCommit(failure, onEvent),
      onDrop: ({ handle, target, retries }) => onEvent({ type: "dropped", handle, function: target.key, retries }),
    });
  }

  /** Told once that the file cannot be written, and once that it can again. */
  #noteCommit(failure: Error | null, onEvent: (event: GearmanServerEvent) => void): void {
    const canStore = failure === null;
    if (canStore === this.#canStore) return;
    this.#canStore = canStore;
    onEvent(failure === null ? { type: "stored" } : { type: "notStored", error: failure });
  }

  /** All connections that answer in this turn of the event loop are written to at its end, once each. */
  #flushSoon(connection: { flush(): void }): void {
    this.#scheduleFlush();
    this.#toFlush.push(connection);
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      // Where several connections talk, more of them have mostly said something meanwhile: one look more halves the writes.
      if (this.#toFlush.length > 1) setImmediate(() => this.#flush());
      else this.#flush();
    });
  }

  /** What the replies promise is written to the journal before they go out. */
  #flush(): void {
    this.#state.queue.commit();
    this.#isFlushDue = false;
    const connections = this.#toFlush;
    this.#toFlush = [];
    for (const connection of connections) connection.flush();
  }
}
