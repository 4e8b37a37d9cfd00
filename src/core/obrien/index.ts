/** O'Brien as a library, `basil-gearman/obrien`: a queue of jobs on one machine, each run once in a process of its own. */
export { OBRIEN_ERRORS, ObrienError, type ObrienErrorKind } from "./errors.ts";
export type { ManagerEvent, ManagerEventListener } from "./events.ts";
export { JOB_STATES, type JobRecord, type JobState, type NewJob, type VerificationMode } from "./job.ts";
export type { JobClass, WorkerCommand } from "./job-class.ts";
export { DEFAULT_STORE, Manager, type ManagerOptions, type RunOptions, type StartOptions, type WaitOptions } from "./manager.ts";
export { JOB_LIMITS } from "./new-job.ts";
export type { JobCounts, JobQuery, PruneQuery, StateCounts } from "./query.ts";
export type { RunResult } from "./work.ts";
export type { Xeme, XemeMessage } from "./xeme.ts";
