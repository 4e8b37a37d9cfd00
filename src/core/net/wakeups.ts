/** A bell for waits that look again whenever something has changed. */

/** Waiters and the bell that wakes them all. */
export class Wakeups {
  readonly #waiting = new Set<() => void>();

  /** Wakes everybody who waits now. */
  wake(): void {
    if (this.#waiting.size > 0) for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next `wake`, when the signal fires, or after `timeoutMs`. */
  wait(bounds: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number }): Promise<void> {
    const { signal, timeoutMs = Number.POSITIVE_INFINITY } = bounds;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(done, Math.min(timeoutMs, 0x7fffffff));
      this.#waiting.add(done);
      if (signal?.aborted) done();
      else signal?.addEventListener("abort", done, { once: true });
    });
  }
}
