/** What belongs to one task of the program: the outcome of its last call, its last job, and the job it works on. */

import { type TaskContext, taskKey } from "../../runtime/host.ts";
import type { GearmanJob } from "../../src/core/gearman/index.ts";
import { TaskOutcome } from "../outcome.ts";

/** A job the task works on: its handler was called with it, or it came from WORKER_YIELD$. */
export interface CurrentJob {
  readonly job: GearmanJob;
  /** Its handle as the program sees it. */
  readonly handle: string;
}

/** One task's own part of GEARMAN. Four handlers that run at once have four of these. */
export class GearmanTask extends TaskOutcome {
  /** `LAST_HANDLE$`. */
  handle = "";
  /** `LAST_RESULT$`, as bytes until the program asks. */
  result: Buffer | "" = "";
  /** The job whose handler the task is; a stream's callback inherits that of the task that streams. */
  handled: CurrentJob | null = null;
  /** The task that waits while this one runs for it, as the callback of its stream. */
  caller: TaskContext | null = null;
  /** The job WORKER_YIELD$ gave last. */
  yielded: CurrentJob | null = null;

  /** The job that WORKER_SET_STATUS% and its like speak of. */
  get current(): CurrentJob | null {
    return this.handled ?? this.yielded;
  }

  /** A submit begins: what the last one left is no longer the truth. */
  beginSubmit(): void {
    this.handle = "";
    this.result = "";
  }
}

const KEY = taskKey(() => new GearmanTask());

/** The part of GEARMAN that belongs to a task. */
export const gearmanTask = (task: TaskContext): GearmanTask => task.local(KEY);
