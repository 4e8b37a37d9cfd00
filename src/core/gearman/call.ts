/** One call of a client: a promise that a reply, a deadline, an AbortSignal or a lost connection settles, whichever comes first. */
import type { DeadlineList, Expiring } from "../net/deadline.ts";
import type { Connection, Request, RequestReply } from "./connection.ts";
import { GearmanError } from "./errors.ts";
import type { Packet } from "./packets.ts";

/** What bounds a call. */
export interface CallBounds {
  readonly deadlines: DeadlineList;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
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
  /** Called when a connection was lost before this call's bytes were written, so that it is safe to send it again. */
  onUnsent: ((reason: GearmanError) => void) | null = null;
  /** Called once when the call is settled. */
  onSettled: (() => void) | null = null;
  protected connection: Connection | null = null;
  readonly #bounds: CallBounds;
  readonly #ticket: number;
  #resolve!: Settle<T>["with"];
  #reject!: (error: unknown) => void;
  #isSettled = false;

  constructor(subject: string, bounds: CallBounds) {
    this.subject = subject;
    this.timeoutMs = bounds.timeoutMs;
    this.#bounds = bounds;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ticket = bounds.deadlines.add(this, bounds.timeoutMs);
    if (bounds.signal !== undefined) this.#listen(bounds.signal);
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** The reply came. */
  abstract answered(packet: Packet, connection: Connection): void;

  /** The connection was lost after the bytes were written. */
  protected abstract lostAfterSending(reason: GearmanError): void;

  /** The request is on its way over this connection. */
  sent(connection: Connection): void {
    this.connection = connection;
  }

  /** An ERROR packet came in place of the reply. */
  refused(code: string, text: string): void {
    this.fail(
      new GearmanError(
        "SERVER",
        `${this.connection?.server ?? "the server"} refused ${this.subject}: ${code}${text && ` (${text})`}`,
      ),
    );
  }

  lost(reason: GearmanError, wasWritten: boolean): void {
    if (this.#isSettled) return;
    this.connection = null;
    if (wasWritten) this.lostAfterSending(reason);
    else if (this.onUnsent !== null) this.onUnsent(reason);
    else this.fail(reason);
  }

  expire(): void {
    if (this.#isSettled) return;
    this.fail(this.#timeoutError());
    this.givenUp();
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#reject(error);
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
  protected givenUp(): void {
    this.connection?.abandoned(this);
  }

  #timeoutError(): GearmanError {
    const { connectFailure, timeoutMs, subject } = this;
    if (this.connection !== null) return new GearmanError("TIMEOUT", `no answer from ${subject} within ${timeoutMs} ms`);
    if (connectFailure === null) return new GearmanError("TIMEOUT", `no server reached for ${subject} within ${timeoutMs} ms`);
    return new GearmanError(connectFailure.kind, `${connectFailure.message} (given up after ${timeoutMs} ms)`, {
      cause: connectFailure,
    });
  }

  #settle(): void {
    this.#isSettled = true;
    this.#bounds.deadlines.remove(this, this.#ticket);
    if (this.#bounds.signal !== undefined) this.#bounds.signal.removeEventListener("abort", this.#abort);
    this.settled();
  }

  #listen(signal: AbortSignal): void {
    if (signal.aborted) this.#abort();
    else signal.addEventListener("abort", this.#abort, { once: true });
  }

  readonly #abort = (): void => {
    if (this.#isSettled) return;
    const cause: unknown = this.#bounds.signal?.reason;
    this.fail(new GearmanError("ABORTED", `the wait for ${this.subject} was called off`, { cause }));
    this.givenUp();
  };
}

/** A request whose reply is one packet and nothing after it, such as ECHO_REQ and GET_STATUS. */
export class Question<T> extends Call<T> {
  readonly expects: RequestReply;
  readonly #read: (packet: Packet) => T;

  constructor(expects: RequestReply, subject: string, read: (packet: Packet) => T, bounds: CallBounds) {
    super(subject, bounds);
    this.expects = expects;
    this.#read = read;
  }

  override answered(packet: Packet): void {
    this.succeed(this.#read(packet));
  }

  protected override lostAfterSending(reason: GearmanError): void {
    // Asking twice does no harm, so a question may be sent again as if it never was.
    if (this.onUnsent !== null) this.onUnsent(reason);
    else this.fail(reason);
  }
}
