/** Warm workers: processes started ahead of time, that wait for their input. Each still runs one job, and then ends. */
import { backoffMs } from "../net/backoff.ts";
import type { JobClass } from "./job-class.ts";
import { isRunning } from "./leftovers.ts";
import type { RunningWorker } from "./worker-process.ts";

/** What warm workers need of their manager. */
export interface SparesOptions {
  /** Starts one; null when there is no room. */
  readonly start: (jobClass: JobClass) => RunningWorker | null;
  /** One ended by itself, or did not start; the next of its class is started after `retryMs`. */
  readonly onEnded: (name: string, retryMs: number) => void;
}

/** Delays before a class gets its next warm worker when the last ended without a job. */
const RETRY = { firstMs: 100, maxMs: 30_000, jitter: 0 };

/** The warm workers of one class. */
interface Shelf {
  readonly jobClass: JobClass;
  readonly workers: Set<RunningWorker>;
  /** How many in a row ended by themselves. */
  failures: number;
  timer: ReturnType<typeof setTimeout> | null;
}

/** The warm workers of a manager. Modes: *open* → *closed*, where no more are started. */
export class Spares {
  readonly #options: SparesOptions;
  readonly #shelves = new Map<string, Shelf>();
  readonly #ending = new Set<Promise<unknown>>();
  #isOpen = true;

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  /** Warm workers that wait now. */
  get size(): number {
    let size = 0;
    for (const { workers } of this.#shelves.values()) size += workers.size;
    return size;
  }

  /** Starts what is missing. Those of a class that was defined anew are of no use any more, and are ended. */
  fill(classes: Iterable<JobClass>): void {
    if (!this.#isOpen) return;
    for (const jobClass of classes) {
      const old = this.#shelves.get(jobClass.name);
      if (old !== undefined && old.jobClass !== jobClass) this.#drop(old);
      if ((jobClass.spares ?? 0) > 0) this.#fillShelf(this.#shelfOf(jobClass));
    }
  }

  /** A warm worker for a job of this class, or null. The caller fills up again when it has used it. */
  take(jobClass: JobClass): RunningWorker | null {
    const shelf = this.#shelves.get(jobClass.name);
    if (shelf === undefined || shelf.jobClass !== jobClass) return null;
    for (const worker of shelf.workers) {
      shelf.workers.delete(worker);
      if (worker.pid !== null && isRunning(worker.pid)) {
        shelf.failures = 0;
        return worker;
      }
      // It has ended, and the news is on its way.
      this.#failed(shelf);
    }
    return null;
  }

  /** Ends all of them. Resolves when they are gone. May be called again. */
  async close(): Promise<void> {
    this.#isOpen = false;
    for (const shelf of this.#shelves.values()) this.#drop(shelf);
    await Promise.all(this.#ending);
  }

  #shelfOf(jobClass: JobClass): Shelf {
    let shelf = this.#shelves.get(jobClass.name);
    if (shelf === undefined) {
      shelf = { jobClass, workers: new Set(), failures: 0, timer: null };
      this.#shelves.set(jobClass.name, shelf);
    }
    return shelf;
  }

  #fillShelf(shelf: Shelf): void {
    if (shelf.timer !== null) return;
    while (this.#isOpen && shelf.workers.size < (shelf.jobClass.spares ?? 0)) {
      const worker = this.#options.start(shelf.jobClass);
      if (worker === null) return this.#failed(shelf);
      shelf.workers.add(worker);
      void worker.ended.then(() => {
        if (shelf.workers.delete(worker)) this.#failed(shelf);
      });
    }
  }

  /** One after another that ends at once would keep the machine busy. */
  #failed(shelf: Shelf): void {
    if (!this.#isOpen || shelf.timer !== null || this.#shelves.get(shelf.jobClass.name) !== shelf) return;
    const retryMs = backoffMs(shelf.failures++, RETRY);
    shelf.timer = setTimeout(() => {
      shelf.timer = null;
      this.#fillShelf(shelf);
    }, retryMs);
    shelf.timer.unref();
    this.#options.onEnded(shelf.jobClass.name, retryMs);
  }

  #drop(shelf: Shelf): void {
    this.#shelves.delete(shelf.jobClass.name);
    if (shelf.timer !== null) clearTimeout(shelf.timer);
    for (const worker of shelf.workers) {
      const ended: Promise<unknown> = worker.ended.then(() => this.#ending.delete(ended));
      this.#ending.add(ended);
      worker.end("shutdown");
    }
    shelf.workers.clear();
  }
}
