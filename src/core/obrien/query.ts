/** What may be asked of a store: which jobs to list, which to prune, and how many there are. */
import { ObrienError } from "./errors.ts";
import { isJobId } from "./ids.ts";
import { JOB_STATES, type JobState } from "./job.ts";

/** Which jobs to list; what is left out does not matter. The newest come first. */
export interface JobQuery {
  readonly class?: string | undefined;
  readonly state?: JobState | undefined;
  /** Class of the first error, such as `bryton/runtime/crashed`. */
  readonly errorClass?: string | undefined;
  /** Which time `since`, `until` and the order go by; jobs that have not ended have no time of `ended`. Default `created`. */
  readonly by?: "created" | "ended" | undefined;
  /** This time or later. */
  readonly since?: Date | undefined;
  /** Earlier than this time. */
  readonly until?: Date | undefined;
  /** Most jobs to list, from 1 to 10,000. Default 100. */
  readonly limit?: number | undefined;
  /** Jobs to leave out at the start of the list. Default 0. */
  readonly offset?: number | undefined;
  /** Goes on after the job with this id, the last of the page before. */
  readonly after?: string | undefined;
}

/** Which jobs to prune: those that have ended, and no others. */
export interface PruneQuery {
  /** They ended before this time. */
  readonly olderThan: Date;
  /** Default: both. */
  readonly state?: "done" | "failed" | undefined;
}

/** A number of jobs for each state. */
export type StateCounts = Readonly<Record<JobState, number>>;

/** How many jobs there are. */
export interface JobCounts {
  readonly total: StateCounts;
  /** Classes that have jobs, in the order of their names. */
  readonly classes: ReadonlyMap<string, StateCounts>;
}

/** Most jobs of one list. */
export const MAX_LISTED = 10_000;

/** Throws `ARGUMENT` for a query that cannot be answered. */
export function checkQuery(query: JobQuery): void {
  const { state, by = "created", since, until, limit = 1, offset = 0, after } = query;
  if (state !== undefined && !JOB_STATES.includes(state)) {
    throw new ObrienError("ARGUMENT", `there is no state ${JSON.stringify(state)}: use one of ${JOB_STATES.join(", ")}`);
  }
  if (by !== "created" && by !== "ended") {
    throw new ObrienError("ARGUMENT", `there is no order ${JSON.stringify(by)}: use created or ended`);
  }
  if (since !== undefined) checkDate("since", since);
  if (until !== undefined) checkDate("until", until);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED) {
    throw new ObrienError("ARGUMENT", `limit is ${limit}: use a whole number from 1 to ${MAX_LISTED}`);
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new ObrienError("ARGUMENT", `offset is ${offset}: use a whole number from 0`);
  }
  if (after !== undefined && !isJobId(after)) {
    throw new ObrienError("ARGUMENT", `after is ${JSON.stringify(after)}, which is not the id of a job`);
  }
}

/** Throws `ARGUMENT` for jobs that cannot be pruned. */
export function checkPruneQuery({ olderThan, state }: PruneQuery): void {
  checkDate("olderThan", olderThan);
  if (state !== undefined && state !== "done" && state !== "failed") {
    throw new ObrienError("ARGUMENT", `jobs in state ${JSON.stringify(state)} cannot be pruned: use done or failed`);
  }
}

/** Throws `ARGUMENT` for what is not a date. */
export function checkDate(name: string, date: Date): void {
  if (date instanceof Date && !Number.isNaN(date.getTime())) return;
  throw new ObrienError(
    "ARGUMENT",
    `${name} is ${date instanceof Date ? "not a valid date" : `${JSON.stringify(date)}, not a Date`}`,
  );
}
