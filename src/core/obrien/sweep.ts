/** What a manager does before its first job: jobs that a dead manager had claimed end as crashed, after their workers. */
import type { JobRecord } from "./job.ts";
import { type EndingOptions, endLeftovers } from "./leftovers.ts";
import { failedEnd } from "./outcomes.ts";
import type { JobOutcome, JobQueue } from "./queue.ts";
import { runtimeErrorClass } from "./runtime-errors.ts";

/** What a sweep found. */
export interface Swept {
  /** Jobs that were claimed and have failed now. */
  readonly jobs: readonly string[];
  /** Processes that were still there and have been ended. */
  readonly processes: number;
}

/** Sweeps a store whose lock we hold. Rejects with an ObrienError when the store fails. */
export async function sweep(queue: JobQueue, options: EndingOptions): Promise<Swept> {
  if (queue.path === ":memory:") return { jobs: [], processes: 0 };
  const claimed = queue.claimed();
  const processes = await endLeftovers(queue.path, claimed, options);
  queue.finish(claimed.map(({ record }) => crashed(record)));
  return { jobs: claimed.map(({ record }) => record.id), processes };
}

function crashed(job: JobRecord): JobOutcome {
  const asked = job.isCancelRequested ? "; it was asked to be cancelled" : "";
  return failedEnd(job, runtimeErrorClass("crashed"), `the manager died while the job was claimed${asked}`);
}
