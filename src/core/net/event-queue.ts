/** Events on their way from a fast producer to a slow `for await` loop, with a say when the producer should pause. */

import { Fifo } from "./fifo.ts";

/** How full a queue gets before it asks for a pause, and whom it asks. */
export interface EventQueueOptions {
  /** Ask for a pause above this many events. */
  readonly maxEvents: number;
  /** Ask for a pause above this many bytes. */
  readonly maxBytes: number;
  /** The queue is full. */
  readonly onFull: () => void;
  /** The queue has been full and is half empty again. */
  readonly onRoom: () => void;
  /** The consumer left its loop before the end. */
  readonly onLeft: () => void;
}

/** A queue for one consumer. Modes: open → ended (what is queued is still delivered) → empty. */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  readonly #options: EventQueueOptions;
  readonly #events = new Fifo<{ value: T; bytes: number }>();
  #bytes = 0;
  #isFull = false;
  #end: { error: unknown } | "done" | null = null;
  #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | null = null;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** Events waiting. */
  get size(): number {
    return this.#events.size;
  }

  /** Adds an event of that size; nothing happens after the end. */
  push(value: T, bytes: number): void {
    if (this.#end !== null) return;
    if (this.#waiting !== null) {
      this.#waiting.resolve({ done: false, value });
      this.#waiting = null;
      return;
    }
    this.#events.push({ value, bytes });
    this.#bytes += bytes;
    if (this.#isFull || (this.#events.size <= this.#options.maxEvents && this.#bytes <= this.#options.maxBytes)) return;
    this.#isFull = true;
    this.#options.onFull();
  }

  /** No more events; with an error the loop throws it after the events that are queued. */
  end(failure?: { error: unknown }): void {
    if (this.#end !== null) return;
    this.#end = failure ?? "done";
    if (this.#waiting === null) return;
    const { resolve, reject } = this.#waiting;
    this.#waiting = null;
    if (failure !== undefined) {
      this.#end = "done";
      reject(failure.error);
    } else resolve({ done: true, value: undefined });
  }

  /** Drops what is queued. */
  clear(): void {
    this.#events.drain();
    this.#bytes = 0;
    this.#noteRoom();
  }

  next(): Promise<IteratorResult<T>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#bytes -= event.bytes;
      this.#noteRoom();
      return Promise.resolve({ done: false, value: event.value });
    }
    if (this.#end === "done") return Promise.resolve({ done: true, value: undefined });
    if (this.#end !== null) {
      const { error } = this.#end;
      this.#end = "done";
      return Promise.reject(error as Error);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  async return(): Promise<IteratorResult<T>> {
    this.clear();
    const isEarly = this.#end === null;
    this.end();
    if (isEarly) this.#options.onLeft();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #noteRoom(): void {
    if (!this.#isFull) return;
    const { maxEvents, maxBytes, onRoom } = this.#options;
    if (this.#events.size > maxEvents / 2 || this.#bytes > maxBytes / 2) return;
    this.#isFull = false;
    onRoom();
  }
}
