/** What a job queue is told: how to treat its jobs, and what a client asks for. */
import type { Handles } from "./handles.ts";
import type { Job, JobDetails, JobFunction, Peer } from "./jobs.ts";
import type { Clock } from "./schedule.ts";

/** How a queue treats its jobs. */
export interface JobQueueOptions {
  readonly handles: Handles;
  /** Lets a worker's functions take turns, instead of trying the latest announced first. */
  readonly isRoundRobin: boolean;
  /** Runs a job may begin before it is dropped; 0 is no limit. */
  readonly jobRetries: number;
  /** Sleeping workers woken per job; 0 is all of them. */
  readonly wakeups: number;
  /** Most bytes that jobs may take, as `memoryBytesOf` counts them. */
  readonly maxMemoryBytes: number;
  readonly clock: Clock;
  /** Told of jobs dropped because of `jobRetries`. */
  readonly onDrop: (job: Job) => void;
  /** Has `commit` called at the end of this turn of the event loop. */
  readonly commitSoon: () => void;
  /** Told how each batch of changes went into the journal. */
  readonly onCommit: (failure: Error | null) => void;
}

/** What a client asks for. */
export interface Submission extends JobDetails {
  readonly target: JobFunction;
  /** The connection that waits for the job, or null for a background job. */
  readonly client: Peer | null;
}
