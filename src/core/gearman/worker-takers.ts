/** Callers that wait for a job to do by hand: the first one gets the next job. */
import type { GearmanJob } from "./worker-job.ts";

/** Longest delay setTimeout takes, in milliseconds. */
const MAX_TIMER_MS = 0x7fffffff;

/** Who waits, in the order they came. */
export class JobTakers {
  readonly #waiting = new Set<(job: GearmanJob | null) => void>();

  /** Callers that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The next job that is offered; null when the time is over, the signal fires or all are dismissed. */
  wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<GearmanJob | null> {
    return new Promise((resolve) => {
      const take = (job: GearmanJob | null) => {
        this.#waiting.delete(take);
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        resolve(job);
      };
      const giveUp = () => take(null);
      const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(giveUp, Math.min(timeoutMs, MAX_TIMER_MS));
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(take);
    });
  }

  /** Gives the job to whoever waits longest. False when nobody waits. */
  offer(job: GearmanJob): boolean {
    const [take] = this.#waiting;
    take?.(job);
    return take !== undefined;
  }

  /** All that wait get null. */
  dismiss(): void {
    for (const take of [...this.#waiting]) take(null);
  }
}
