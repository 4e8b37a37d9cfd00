/** One call of a client: a promise that a reply, a deadline, an AbortSignal or a lost connection settles, whichever comes first. */
import type { Deadline, DeadlineList, Expiring } from "../net/deadline.ts";
import { shown } from "./checks.ts";
import type { Connection, Request, RequestReply } from "./connection.ts";
import { GearmanError } from "./errors.ts";
import type { Packet, PacketArg } from "./packets.ts";
import type { PooledServer } from "./pool.ts";

/** What bounds a call. */
export interface CallBounds {
  readonly deadlines: DeadlineList;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Brings calls to connections. */
export interface Courier {
  /** A connection was lost before the call's bytes were written, or asking again does no harm. */
  resend(call: Call<unknown>, reason: GearmanError): void;
}

/** A method, so that a call for bytes may stand where any call may. */
interface Settle<T> {
  with(value: T): void;
}

/** The part all calls share: settling once, and why. */
export abstract class Call<T> implements Request, Expiring {
  abstract readonly expects: RequestReply;
  /** What is waited for, for messages: `img.resize`, `127.0.0.1:4730`. */
  readonly subject: string;
  readonly promise: Promise<T>;
  readonly timeoutMs: number;
  sentInBatch = 0;
  readsWhenSent = 0;
  /** The reason the last try to connect failed, so that a deadline can name it. */
  connectFailure: GearmanError | null = null;
  /** Servers to try, best first. */
  servers: readonly PooledServer[] = [];
  /** Who sends the call again when a connection is lost and that is safe, and how often it still may. */
  courier: Courier | null = null;
  resendsLeft = 0;
  /** Called once when the call is settled. */
  onSettled: (() => void) | null = null;
  protected connection: Connection | null = null;
  readonly #bounds: CallBounds;
  #deadline: Deadline | null = null;
  #resolve!: Settle<T>["with"];
  #reject!: (error: unknown) => void;
  #isSettled = false;
  #onAbort: (() => void) | null = null;

  constructor(subject: string, bounds: CallBounds) {
    this.subject = subject;
    this.timeoutMs = bounds.timeoutMs;
    this.#bounds = bounds;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Starts the clock and listens to the signal; the call may be settled right after. */
  begin(): void {
    this.#deadline = this.#bounds.deadlines.add(this, this.timeoutMs);
    if (this.#bounds.signal !== undefined) this.#listen(this.#bounds.signal);
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** True when the call must have a connection to itself. */
  get needsOwnConnection(): boolean {
    return false;
  }

  /** Queues the request on `connection`. Throws ARGUMENT when it cannot be encoded. */
  abstract sendOver(connection: Connection): void;

  /** The reply came. */
  answered(_packet: Packet, _connection: Connection): void {}

  accepted(_handle: string, _connection: Connection): void {}

  /** The connection was lost after the bytes were written. */
  protected abstract lostAfterSending(reason: GearmanError): void;

  /** The request is on its way over this connection. */
  sent(connection: Connection): void {
    this.connection = connection;
  }

  /** An ERROR packet came in place of the reply. */
  refused(code: string, text: string): void {
    this.fail(refusal(this.connection, this.subject, code, text));
  }

  lost(reason: GearmanError, wasWritten: boolean): void {
    if (this.#isSettled) return;
    this.connection = null;
    if (wasWritten) this.lostAfterSending(reason);
    else this.resend(reason);
  }

  expire(): void {
    this.cancel(this.#timeoutError(), true);
  }

  /** Ends the wait from outside. */
  cancel(error: GearmanError, isOverdue = false): void {
    if (this.#isSettled) return;
    this.fail(error);
    this.givenUp(isOverdue);
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#reject(error);
  }

  /** Sends the call again, unless it was too often or the reason forbids it. */
  protected resend(reason: GearmanError): void {
    if (this.courier === null || reason.kind !== "IO" || this.resendsLeft-- <= 0) this.fail(reason);
    else this.courier.resend(this, reason);
  }

  protected succeed(value: T): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#resolve(value);
  }

  /** The call has its outcome. */
  protected settled(): void {
    this.onSettled?.();
  }

  /** Nobody waits any more, though the reply may still come. */
  protected givenUp(isOverdue: boolean): void {
    this.connection?.abandoned(this, isOverdue);
  }

  #timeoutError(): GearmanError {
    const { connectFailure, timeoutMs, subject } = this;
    if (this.connection !== null) return tooLate(subject, timeoutMs);
    if (connectFailure === null) return new GearmanError("TIMEOUT", `no server reached for ${subject} within ${timeoutMs} ms`);
    return new GearmanError(connectFailure.kind, `${connectFailure.message} (given up after ${timeoutMs} ms)`, {
      cause: connectFailure,
    });
  }

  #settle(): void {
    this.#isSettled = true;
    this.#bounds.deadlines.remove(this.#deadline);
    if (this.#onAbort !== null) this.#bounds.signal?.removeEventListener("abort", this.#onAbort);
    this.settled();
  }

  #listen(signal: AbortSignal): void {
    this.#onAbort = () => this.#abort(signal);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  #abort(signal: AbortSignal): void {
    this.cancel(new GearmanError("ABORTED", `the wait for ${this.subject} was called off`, { cause: signal.reason as unknown }));
  }
}

/** The error of a request that a server answered with ERROR. */
export function refusal(connection: Connection | null, subject: string, code: string, text: string): GearmanError {
  return new GearmanError("SERVER", `${connection?.server ?? "the server"} refused ${subject}: ${code}${text && ` (${text})`}`);
}

/** The error of a request that was sent and not answered in time. */
export function tooLate(subject: string, timeoutMs: number): GearmanError {
  return new GearmanError("TIMEOUT", `no answer from ${subject} within ${timeoutMs} ms`);
}

/** A request whose reply is one packet and nothing after it. Asking twice does no harm. */
abstract class Question<T> extends Call<T> {
  protected override lostAfterSending(reason: GearmanError): void {
    this.resend(reason);
  }
}

/** What a server knows about a job. A job that is over is as unknown as one that never was. */
export interface JobStatus {
  /** Queued or running. */
  readonly known: boolean;
  readonly running: boolean;
  readonly numerator: number;
  readonly denominator: number;
}

/** Asks for a job's status. */
export class StatusQuestion extends Question<JobStatus> {
  readonly expects: RequestReply = "STATUS_RES";
  readonly #handle: string;

  constructor(handle: string, server: string, bounds: CallBounds) {
    super(server, bounds);
    this.#handle = handle;
  }

  override sendOver(connection: Connection): void {
    connection.send(this, "GET_STATUS", this.#handle);
  }

  override answered({ args }: Packet<"STATUS_RES">): void {
    this.succeed(statusOf(args));
  }
}

function statusOf(args: Packet<"STATUS_RES" | "STATUS_RES_UNIQUE">["args"]): JobStatus {
  return {
    known: counted(args.known) === 1,
    running: counted(args.running) === 1,
    numerator: counted(args.numerator),
    denominator: counted(args.denominator),
  };
}

/** What a server knows about the job with a unique key. */
export interface UniqueJobStatus extends JobStatus {
  /** Clients waiting for the job. */
  readonly clients: number;
}

/** Asks for the status of a job by its unique key. */
export class UniqueStatusQuestion extends Question<UniqueJobStatus> {
  readonly expects: RequestReply = "STATUS_RES_UNIQUE";
  readonly #unique: string;

  constructor(unique: string, server: string, bounds: CallBounds) {
    super(server, bounds);
    this.#unique = unique;
  }

  override sendOver(connection: Connection): void {
    connection.send(this, "GET_STATUS_UNIQUE", this.#unique);
  }

  override answered({ args }: Packet<"STATUS_RES_UNIQUE">): void {
    this.succeed({ ...statusOf(args), clients: counted(args.clientCount) });
  }
}

/** Asks a server to treat this connection in a certain way. */
export class OptionQuestion extends Question<true> {
  readonly expects: RequestReply = "OPTION_RES";
  readonly #option: string;

  constructor(option: string, bounds: CallBounds) {
    super(`the option ${shown(option)}`, bounds);
    this.#option = option;
  }

  override sendOver(connection: Connection): void {
    connection.send(this, "OPTION_REQ", this.#option);
  }

  override answered(): void {
    this.succeed(true);
  }
}

/** Asks for its payload back. */
export class EchoQuestion extends Question<Buffer> {
  readonly expects: RequestReply = "ECHO_RES";
  readonly #payload: PacketArg;

  constructor(payload: PacketArg, bounds: CallBounds) {
    super("the server", bounds);
    this.#payload = payload;
  }

  override sendOver(connection: Connection): void {
    connection.send(this, "ECHO_REQ", this.#payload);
  }

  override answered({ args }: Packet<"ECHO_RES">): void {
    this.succeed(args.payload);
  }
}

/** A number off the wire: servers read digits as an unsigned 32-bit number, and anything else as 0. */
export function counted(bytes: Buffer): number {
  const value = Number.parseInt(bytes.toString("latin1"), 10);
  return value > 0 ? Math.min(value, 0xffffffff) : 0;
}
