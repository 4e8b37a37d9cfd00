/** The books of a chaos run: which job was accepted, ran, ran again, and whether at-least-once explains that. */

/** How often each job ran, and why it may run again. */
export class ChaosLedger {
  readonly #runs: Uint8Array;
  /** Further runs a job may have: its end may not have reached the server, or it may have been queued twice. */
  readonly #excused: Uint8Array;
  readonly #held = new Set<number>();
  /** The jobs that ended last, oldest first. */
  readonly #ended: number[] = [];
  readonly #maxUnconfirmed: number;
  /** Different jobs that ran. */
  done = 0;
  /** Runs beyond the first of a job. */
  duplicates = 0;
  /** Jobs that ran again though nothing happened that explains it. */
  readonly unexplained: number[] = [];

  /** @param maxUnconfirmed ends the server may not know of when a connection is lost: jobs held, and ends on their way */
  constructor(count: number, maxUnconfirmed: number) {
    this.#runs = new Uint8Array(count);
    this.#excused = new Uint8Array(count);
    this.#maxUnconfirmed = maxUnconfirmed;
  }

  began(index: number): void {
    if (this.#runs[index]! > 0) {
      this.duplicates++;
      if (this.#excused[index] === 0) this.unexplained.push(index);
      else this.#excused[index]!--;
    } else this.done++;
    this.#runs[index] = Math.min(255, this.#runs[index]! + 1);
    this.#held.add(index);
  }

  ended(index: number): void {
    this.#held.delete(index);
    this.#ended.push(index);
    if (this.#ended.length > this.#maxUnconfirmed) this.#ended.shift();
  }

  /** The worker's connection is gone: what it held, and what it ended last, may run again. */
  workerLost(): void {
    for (const index of [...this.#held, ...this.#ended]) this.#excuse(index);
  }

  /** The client did not learn whether the job was queued, and submits it again. */
  submittedAgain(index: number): void {
    this.#excuse(index);
  }

  /** Jobs that never ran, the first hundred. */
  missing(): number[] {
    return [...this.#runs.keys()].filter((index) => this.#runs[index] === 0).slice(0, 100);
  }

  #excuse(index: number): void {
    this.#excused[index] = Math.min(255, this.#excused[index]! + 1);
  }
}
