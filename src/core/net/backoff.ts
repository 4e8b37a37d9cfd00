/** How long to wait before trying again, so that a dead server is neither hammered nor forgotten. */

/** The shape of a series of delays. */
export interface BackoffOptions {
  /** Delay before the first retry, in milliseconds. */
  readonly firstMs: number;
  /** No delay is longer, in milliseconds. */
  readonly maxMs: number;
  /** Share of each delay that chance may take away, from 0 (none) to 1. */
  readonly jitter: number;
}

/**
 * Delay before retry number `attempt`, in milliseconds: doubles each time, then stays at `maxMs`.
 *
 * With `firstMs` 100, `maxMs` 5 000 and `jitter` 0 the delays are 100, 200, 400, … 3 200, 5 000, 5 000.
 *
 * @param attempt retries already made, from 0
 * @param random a number in [0, 1); tests pass a constant
 */
export function backoffMs(attempt: number, options: BackoffOptions, random: () => number = Math.random): number {
  const full = Math.min(options.maxMs, options.firstMs * 2 ** attempt);
  return Math.round(full * (1 - options.jitter * random()));
}
