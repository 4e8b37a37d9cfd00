/** A job whose every report matters: its data, warnings and progress as an async iterable that slows the server down to the reader's pace. */
import { EventQueue } from "../net/event-queue.ts";
import { GearmanError } from "./errors.ts";
import { ForegroundSubmit, type JobContent, type JobEvent, type JobReceipt } from "./job.ts";

/** Reading pauses above this many unread events. */
const MAX_UNREAD_EVENTS = 256;

/** Reading pauses above this many unread bytes. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** A running job and what it sends. When the wait ends for want of time, by a signal or by a loss, unread events are dropped. */
export interface JobStream extends AsyncIterable<JobEvent> {
  /** Resolves when the server has accepted the job. */
  readonly created: Promise<JobReceipt>;
  /** The result, after the last event. Events that nobody reads are dropped when they become many. */
  readonly result: Promise<Buffer>;
  [Symbol.asyncIterator](): AsyncIterableIterator<JobEvent>;
}

/** The submit behind a `JobStream`. Needs a connection of its own, because it pauses it. */
export class StreamSubmit extends ForegroundSubmit implements JobStream {
  readonly created: Promise<JobReceipt>;
  readonly #queue: EventQueue<JobEvent>;
  #isRead = false;

  constructor(content: JobContent) {
    let created!: (receipt: JobReceipt) => void;
    const { onCreated } = content;
    super({
      ...content,
      onCreated: (receipt) => {
        created(receipt);
        onCreated?.(receipt);
      },
    });
    this.created = new Promise((resolve, reject) => {
      created = resolve;
      this.promise.catch(reject);
    });
    this.created.catch(() => undefined);
    this.#queue = new EventQueue({
      maxEvents: MAX_UNREAD_EVENTS,
      maxBytes: MAX_UNREAD_BYTES,
      onFull: () => this.#full(),
      onRoom: () => this.#reading(true),
      onLeft: () => this.#left(),
    });
    this.promise.then(
      () => this.#queue.end(),
      (error: unknown) => {
        // Whoever ran out of time must not be kept by what is still queued; what a worker sent before it failed counts.
        if (!(error instanceof GearmanError && error.kind === "WORKER_FAILED")) this.#queue.clear();
        this.#queue.end({ error });
      },
    );
  }

  override get needsOwnConnection(): boolean {
    return true;
  }

  get result(): Promise<Buffer> {
    return this.promise;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<JobEvent> {
    this.#isRead = true;
    return this.#queue;
  }

  /** A connection that is handed back must read, or it would not notice its end. */
  protected override settled(): void {
    this.#reading(true);
    super.settled();
  }

  protected override onStatus(numerator: number, denominator: number): void {
    this.#queue.push({ type: "status", numerator, denominator }, 16);
  }

  protected override onPayload(type: "data" | "warning", payload: Buffer): void {
    this.#queue.push({ type, payload }, payload.length);
  }

  /** Only a closed connection tells the server that nobody waits any more. */
  protected override givenUp(isOverdue: boolean): void {
    const { connection } = this;
    super.givenUp(isOverdue);
    void connection?.close(new GearmanError("ABORTED", `the wait for ${this.subject} was given up`));
  }

  #reading(isOn: boolean): void {
    if (isOn) this.connection?.resume();
    else if (!this.isSettled) this.connection?.pause();
  }

  /** Waits for the reader; without one, the events are dropped, because waiting would keep the result away for ever. */
  #full(): void {
    if (this.#isRead) {
      this.#reading(false);
      return;
    }
    this.#queue.clear();
    const message = `events of ${this.subject} were dropped because nobody read them: start reading before awaiting the result`;
    this.#queue.end({ error: new GearmanError("STATE", message) });
  }

  #left(): void {
    this.fail(new GearmanError("ABORTED", `the stream of ${this.subject} was left before its end`));
    this.givenUp(false);
  }
}
