/** Lets the parts of a worker wait until something changed that they may depend on: a job over, a connection made or lost. */

/** Longest delay setTimeout takes, in milliseconds. */
const MAX_TIMER_MS = 0x7fffffff;

/** Waits that all end with the next change; whoever waited looks again whether it was the one it needs. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Ends all waits. */
  notify(): void {
    if (this.#waiting.size > 0) for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next change, when the time is over or the signal fires. */
  next(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(wake, Math.min(timeoutMs, MAX_TIMER_MS));
      signal?.addEventListener("abort", wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
