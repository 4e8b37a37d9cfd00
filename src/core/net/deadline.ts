/** Bounds waits by time and AbortSignal; many waits share one timer, because most of them never expire. */

/** Something that can run out of time. */
export interface Expiring {
  /** Called once, when the time given to `DeadlineList.add` is over. */
  expire(): void;
}

/** Deadlines are rounded up to this many milliseconds, so that many of them share a bucket. */
const GRAIN_MS = 8;

/** Longest delay setTimeout takes; later deadlines are looked at again then. */
const MAX_TIMER_MS = 0x7fffffff;

/**
 * Any number of deadlines on one timer. Adding and removing cost a set operation each and touch no timer
 * unless the new deadline is the earliest. The timer keeps the process alive only while a deadline is pending.
 */
export class DeadlineList {
  readonly #now: () => number;
  readonly #buckets = new Map<number, Set<Expiring>>();
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerTick = Number.POSITIVE_INFINITY;

  /** @param now a clock that never runs backwards, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Deadlines pending now. */
  get size(): number {
    return this.#count;
  }

  /**
   * Calls `item.expire()` after `timeoutMs`, and returns the ticket that `remove` needs.
   * With `Infinity` it never does.
   */
  add(item: Expiring, timeoutMs: number): number {
    if (timeoutMs === Number.POSITIVE_INFINITY) return timeoutMs;
    const tick = Math.ceil((this.#now() + timeoutMs) / GRAIN_MS);
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) this.#buckets.set(tick, (bucket = new Set()));
    bucket.add(item);
    if (this.#count++ === 0) this.#timer?.ref();
    if (tick < this.#timerTick) this.#arm(tick);
    return tick;
  }

  /** Forgets a deadline; harmless when it is gone already. */
  remove(item: Expiring, ticket: number): void {
    const bucket = this.#buckets.get(ticket);
    if (bucket === undefined || !bucket.delete(item)) return;
    if (bucket.size === 0) this.#buckets.delete(ticket);
    if (--this.#count === 0) this.#timer?.unref();
  }

  /** Forgets all deadlines and stops the timer. */
  close(): void {
    this.#buckets.clear();
    this.#count = 0;
    this.#disarm();
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerTick = Number.POSITIVE_INFINITY;
  }

  #arm(tick: number): void {
    this.#disarm();
    this.#timerTick = tick;
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(1, tick * GRAIN_MS - this.#now()));
    this.#timer = setTimeout(() => this.#fire(), delayMs);
  }

  #fire(): void {
    this.#disarm();
    const nowTick = Math.floor(this.#now() / GRAIN_MS);
    const due = [...this.#buckets].filter(([tick]) => tick <= nowTick).sort(([a], [b]) => a - b);
    for (const [tick, bucket] of due) {
      for (const item of bucket) {
        this.remove(item, tick);
        item.expire();
      }
    }
    let next = Number.POSITIVE_INFINITY;
    for (const tick of this.#buckets.keys()) next = Math.min(next, tick);
    if (next < this.#timerTick) this.#arm(next);
  }
}

/** What ends a wait early, and with which error. */
export interface Bounds {
  /** Longest wait in milliseconds; without it only the signal ends the wait. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The error of a wait that took too long. */
  readonly onTimeout: () => Error;
  /** The error of a wait that was called off. Default: the signal's reason. */
  readonly onAbort?: (reason: unknown) => unknown;
}

/** `promise`, or a rejection when the time is over or the signal fires first. The promise itself runs on. */
export function bounded<T>(promise: Promise<T>, bounds: Bounds): Promise<T> {
  const { signal, timeoutMs } = bounds;
  return new Promise((resolve, reject) => {
    const abort = () => finish(() => reject(bounds.onAbort ? bounds.onAbort(signal?.reason) : signal?.reason));
    const isTimed = timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY;
    const timer = isTimed ? setTimeout(() => finish(() => reject(bounds.onTimeout())), Math.min(timeoutMs, MAX_TIMER_MS)) : null;
    const finish = (settle: () => void) => {
      if (timer !== null) clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle();
    };
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Resolves after `ms` milliseconds, or at once when the signal fires: the caller looks at the signal to tell. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS));
    signal?.addEventListener("abort", done, { once: true });
  });
}
