/** Bounds waits by time and AbortSignal; many waits share one timer, because most of them never expire. */

/** Something that can run out of time. */
export interface Expiring {
  /** Called once, when the time given to `DeadlineList.add` is over. */
  expire(): void;
}

/** The timer wakes up at most this many milliseconds after a deadline, so that neighbouring ones share a wake-up. */
const GRAIN_MS = 8;

/** Longest delay setTimeout takes; later deadlines are looked at again then. */
const MAX_TIMER_MS = 0x7fffffff;

/** A pending deadline, which `remove` takes back. */
export interface Deadline {
  readonly item: Expiring;
  readonly dueAtMs: number;
  readonly list: Chain;
  previous: Deadline | null;
  next: Deadline | null;
  isPending: boolean;
}

/** Deadlines with the same timeout, which therefore expire in the order they were added. */
interface Chain {
  readonly timeoutMs: number;
  first: Deadline | null;
  last: Deadline | null;
}

/**
 * Any number of deadlines on one timer. Most calls share a timeout, so those with the same one form a chain in
 * order of expiry: adding and removing relink a few neighbours and touch no timer unless the new deadline is the
 * earliest of all. The timer keeps the process alive only while a deadline is pending.
 */
export class DeadlineList {
  readonly #now: () => number;
  readonly #chains = new Map<number, Chain>();
  #recent: Chain | null = null;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  /** @param now a clock that never runs backwards, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Deadlines pending now. */
  get size(): number {
    return this.#count;
  }

  /** Calls `item.expire()` after `timeoutMs` and returns what `remove` needs; with `Infinity`, null and never. */
  add(item: Expiring, timeoutMs: number): Deadline | null {
    if (timeoutMs === Number.POSITIVE_INFINITY) return null;
    const list = this.#recent?.timeoutMs === timeoutMs ? this.#recent : this.#chain(timeoutMs);
    const dueAtMs = this.#now() + timeoutMs;
    const deadline: Deadline = { item, dueAtMs, list, previous: list.last, next: null, isPending: true };
    if (list.last === null) list.first = deadline;
    else list.last.next = deadline;
    list.last = deadline;
    if (this.#count++ === 0) this.#timer?.ref();
    if (dueAtMs < this.#timerAtMs) this.#arm(dueAtMs);
    return deadline;
  }

  /** Milliseconds until a deadline; below 0 when it is over. */
  leftMs(deadline: Deadline): number {
    return deadline.dueAtMs - this.#now();
  }

  /** Forgets a deadline; harmless when it is gone already. */
  remove(deadline: Deadline | null): void {
    if (deadline === null || !deadline.isPending) return;
    deadline.isPending = false;
    const { list, previous, next } = deadline;
    if (previous === null) list.first = next;
    else previous.next = next;
    if (next === null) list.last = previous;
    else next.previous = previous;
    // A removed link that still pointed on would keep all later ones from being collected young.
    deadline.previous = null;
    deadline.next = null;
    if (--this.#count === 0) this.#timer?.unref();
  }

  /** Forgets all deadlines and stops the timer. */
  close(): void {
    for (const chain of this.#chains.values()) while (chain.first !== null) this.remove(chain.first);
    this.#chains.clear();
    this.#recent = null;
    this.#disarm();
  }

  #chain(timeoutMs: number): Chain {
    let chain = this.#chains.get(timeoutMs);
    if (chain === undefined) this.#chains.set(timeoutMs, (chain = { timeoutMs, first: null, last: null }));
    this.#recent = chain;
    return chain;
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #arm(dueAtMs: number): void {
    this.#disarm();
    this.#timerAtMs = dueAtMs;
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(dueAtMs - this.#now()) + GRAIN_MS));
    this.#timer = setTimeout(() => this.#fire(), delayMs);
  }

  #fire(): void {
    this.#disarm();
    const nowMs = this.#now();
    const due: Deadline[] = [];
    for (const chain of this.#chains.values()) {
      for (let at = chain.first; at !== null && at.dueAtMs <= nowMs; at = at.next) due.push(at);
    }
    for (const deadline of due.sort((a, b) => a.dueAtMs - b.dueAtMs)) {
      if (!deadline.isPending) continue;
      this.remove(deadline);
      deadline.item.expire();
    }
    let nextMs = Number.POSITIVE_INFINITY;
    for (const chain of this.#chains.values()) {
      if (chain.first !== null) nextMs = Math.min(nextMs, chain.first.dueAtMs);
      else if (chain !== this.#recent) this.#chains.delete(chain.timeoutMs);
    }
    if (nextMs < this.#timerAtMs) this.#arm(nextMs);
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
