/** Callers that wait for the end of a job. */
import type { JobRecord } from "./job.ts";

/** One caller. */
interface Wait {
  readonly resolve: (job: JobRecord) => void;
  readonly reject: (error: unknown) => void;
}

/** The callers of one manager, by job. */
export class Waits {
  readonly #byId = new Map<string, Set<Wait>>();

  get size(): number {
    return this.#byId.size;
  }

  /** A promise for the end of a job, and a function that forgets it. */
  add(id: string): { readonly ended: Promise<JobRecord>; readonly forget: () => void } {
    let wait!: Wait;
    const ended = new Promise<JobRecord>((resolve, reject) => {
      wait = { resolve, reject };
    });
    const waits = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, waits.add(wait));
    const forget = () => {
      if (waits.delete(wait) && waits.size === 0 && this.#byId.get(id) === waits) this.#byId.delete(id);
    };
    return { ended, forget };
  }

  /**
   * Looks again at jobs, by default at all that are waited for, and lets those go on whose job has ended.
   *
   * @param find the job of an id; what it throws is what the callers get
   */
  look(find: (id: string) => JobRecord, ids: Iterable<string> = [...this.#byId.keys()]): void {
    for (const id of ids) {
      const waits = this.#byId.get(id);
      if (waits === undefined) continue;
      try {
        const job = find(id);
        if (job.state !== "done" && job.state !== "failed") continue;
        for (const { resolve } of waits) resolve(job);
      } catch (error) {
        for (const { reject } of waits) reject(error);
      }
      this.#byId.delete(id);
    }
  }

  /** Ends all waits with an error. */
  rejectAll(error: unknown): void {
    for (const waits of this.#byId.values()) for (const { reject } of waits) reject(error);
    this.#byId.clear();
  }
}
