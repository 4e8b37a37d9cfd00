/** Numbers for jobs: a handle must not name another job after a restart, so they are set aside in the journal before they are used. */
import type { Journal } from "./journal.ts";

/** How many are set aside at once. */
const NUMBERS_AT_ONCE = 1_000_000;

/** Counts jobs, from 1 or from where an earlier server stopped. */
export class JobNumbers {
  readonly #onFailure: (failure: Error) => void;
  #journal: Journal | null = null;
  #last = 0;
  /** Numbers up to this one are set aside for this server. */
  #reserved = Number.POSITIVE_INFINITY;

  /** @param onFailure told when no more numbers could be set aside; those for jobs in memory go on */
  constructor(onFailure: (failure: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** Sets numbers aside in a journal from now on; throws when it cannot. */
  useJournal(journal: Journal): void {
    this.#journal = journal;
    this.#reserve(journal);
  }

  /** A number that no job had. */
  next(): number {
    const number = ++this.#last;
    if (number > this.#reserved && this.#journal !== null) this.#reserveMore(this.#journal);
    return number;
  }

  /** A job has this number already: later ones get higher numbers, also when none could be set aside for it. */
  pass(number: number): void {
    this.#last = Math.max(this.#last, number);
  }

  #reserve(journal: Journal): void {
    const first = journal.reserveNumbers(NUMBERS_AT_ONCE);
    this.#last = Math.max(this.#last, first - 1);
    this.#reserved = first - 1 + NUMBERS_AT_ONCE;
  }

  #reserveMore(journal: Journal): void {
    try {
      this.#reserve(journal);
    } catch (error) {
      // The next million tries again.
      this.#reserved += NUMBERS_AT_ONCE;
      this.#onFailure(error as Error);
    }
  }
}
