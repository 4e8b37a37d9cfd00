/** Waiting in the process of a program. */

/** `setTimeout` takes no longer waits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits however long; NaN and negative times are 0. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { setTimeout: delay } = await import("node:timers/promises");
  let left = milliseconds > 0 ? milliseconds : 0;
  for (; left > LONGEST_TIMER_MS; left -= LONGEST_TIMER_MS) await delay(LONGEST_TIMER_MS, undefined, { signal });
  await delay(left, undefined, { signal });
}
