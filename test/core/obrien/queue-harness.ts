/** What the tests of the queue share: a directory with a store file, a clock of their own, and short ways to say things. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type JobOutcome, JobQueue, type JobQueueOptions } from "../../../src/core/obrien/queue.ts";

/** A store file for each test, gone after it. To be called at the top of a test file. */
export class QueueHarness {
  directory = "";
  path = "";
  /** What queues opened here take for the time, in milliseconds since 1970. */
  nowMs = 0;
  readonly #queues: JobQueue[] = [];

  constructor() {
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), "obrien-queue-"));
      this.path = join(this.directory, "jobs.db");
      this.nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
    });
    afterEach(() => {
      for (const queue of this.#queues.splice(0)) queue.close();
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  /** Opens the test's file, or another. */
  async open(options: JobQueueOptions = {}, path = this.path): Promise<JobQueue> {
    const queue = await JobQueue.open(path, { now: () => this.nowMs, ...options });
    this.#queues.push(queue);
    return queue;
  }
}

/** Room for any number of jobs of these classes. */
export const roomFor = (...names: string[]): ReadonlyMap<string, number> => new Map(names.map((name) => [name, 1000]));

/** A job that went well. */
export const doneOutcome = (id: string, more: Partial<JobOutcome> = {}): JobOutcome => ({
  id,
  state: "done",
  xeme: { success: true },
  errorClass: null,
  followUps: [],
  ...more,
});

/** A job that failed with this class. */
export const failedOutcome = (id: string, errorClass = "bryton/runtime/crashed"): JobOutcome =>
  doneOutcome(id, { state: "failed", xeme: { success: false, errors: [{ class: errorClass }] }, errorClass });
