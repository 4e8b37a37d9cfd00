/** The jobs a worker is busy with. They come and go by the million, so that taking one out must not cost a search or a hash. */
import type { GearmanJob } from "./worker-job.ts";

/** A bag of jobs: each knows its place, and the last one fills the gap that another leaves. */
export class HeldJobs {
  readonly #jobs: GearmanJob[] = [];

  /** Jobs in it. */
  get size(): number {
    return this.#jobs.length;
  }

  /** Puts a job in; harmless when it is in already. */
  add(job: GearmanJob): void {
    if (job.place >= 0) return;
    job.place = this.#jobs.length;
    this.#jobs.push(job);
  }

  /** Takes a job out; false when it was not in. */
  delete(job: GearmanJob): boolean {
    const { place } = job;
    if (place < 0) return false;
    const last = this.#jobs.pop()!;
    if (last !== job) {
      this.#jobs[place] = last;
      last.place = place;
    }
    job.place = -1;
    return true;
  }

  /** All jobs, in a list of their own. */
  all(): GearmanJob[] {
    return [...this.#jobs];
  }

  /** Takes all out. */
  clear(): void {
    for (const job of this.#jobs) job.place = -1;
    this.#jobs.length = 0;
  }
}
