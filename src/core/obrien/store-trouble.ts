/** How long a manager goes on when its store fails: again and again, later and later, and when to give up. */
import { backoffMs } from "../net/backoff.ts";
import { ObrienError } from "./errors.ts";
import type { ManagerEvent } from "./events.ts";

/** Delays between two tries. */
const RETRY = { firstMs: 50, maxMs: 2000, jitter: 0 };

/** How long tries go on when nothing else is left to do, in milliseconds; at most `patienceMs`. */
const LAST_MS = 5_000;

/** What this needs of its manager. */
export interface StoreTroubleOptions {
  readonly emit: (event: ManagerEvent) => void;
  readonly retry: () => void;
  /** How long tries go on for what no retry cures, in milliseconds; for what may pass, such as a full disk, without a limit. */
  readonly patienceMs: number;
}

/** The failures of one manager's store. Modes: *works* ⇄ *waiting* (for the next try). */
export class StoreTrouble {
  readonly #options: StoreTroubleOptions;
  #tries = 0;
  #sinceMs = 0;
  #lastSinceMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: StoreTroubleOptions) {
    this.#options = options;
  }

  /** True until the next try. */
  get isWaiting(): boolean {
    return this.#timer !== null;
  }

  /** The store has done what it was asked. */
  works(): void {
    if (this.#tries === 0) return;
    this.close();
    this.#tries = 0;
    this.#lastSinceMs = null;
    this.#options.emit({ type: "storeWorks" });
  }

  /**
   * The store has failed: it is tried again later. True when it is not, because it has been failing for too long.
   *
   * @param waiting outcomes that could not be recorded
   * @param isLast nothing else is left to do
   */
  failed(error: unknown, waiting: number, isLast: boolean): boolean {
    const nowMs = performance.now();
    if (this.#tries === 0) this.#sinceMs = nowMs;
    if (isLast) this.#lastSinceMs ??= nowMs;
    if (this.#isHopeless(error, nowMs)) return true;
    const retryMs = backoffMs(this.#tries++, RETRY);
    this.close();
    this.#timer = setTimeout(() => this.hurry(), retryMs);
    this.#options.emit({ type: "storeFailed", error, waiting, retryMs });
    return false;
  }

  /** Makes the next try now, if one is waited for. */
  hurry(): void {
    if (this.#timer === null) return;
    this.close();
    this.#options.retry();
  }

  /** Forgets the next try. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #isHopeless(error: unknown, nowMs: number): boolean {
    const { patienceMs } = this.#options;
    if (this.#lastSinceMs !== null && nowMs - this.#lastSinceMs >= Math.min(LAST_MS, patienceMs)) return true;
    const isFatal = !(error instanceof ObrienError) || error.fatal;
    return isFatal && nowMs - this.#sinceMs >= patienceMs;
  }
}
