/**
 * The jobs of one store file: enqueued by anybody, claimed and ended by the one manager that holds the store's lock.
 *
 * Modes of a job: *pending* (waiting; *delayed* until `runAt`, then *ready*) → *claimed* → *done* or *failed*. `claim` and
 * `finish` are the only ways on, but for `requestCancel`, which takes a pending job straight to *failed*. Every step
 * names the state it starts from in its SQL, so that no race changes a job that has ended. Calls block until the file
 * is written: a durable one takes as long as the disk does.
 */
import { StoreError } from "../store/errors.ts";
import { openStore, type Store, type StoreOptions, type StoreValue, type TransactionOptions } from "../store/store.ts";
import { ObrienError, obrienErrorOf } from "./errors.ts";
import { JobIds } from "./ids.ts";
import type { JobRecord, JobState, NewJob } from "./job.ts";
import { END_STATES, JobListing } from "./listing.ts";
import { checkNewJobs } from "./new-job.ts";
import { checkPruneQuery, checkQuery, type JobCounts, type JobQuery, type PruneQuery } from "./query.ts";
import { errorClassOf, isLarge, payloadOf, recordOf, valuesOf } from "./rows.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { ROWS_AT_ONCE, statementsOf } from "./statements.ts";
import { TotalChanges, Totals } from "./totals.ts";
import type { Xeme } from "./xeme.ts";

/** How a store of jobs is opened. */
export interface JobQueueOptions extends Pick<StoreOptions, "maxBytes" | "busyTimeoutMs" | "mayReadOnly"> {
  /** The time, in milliseconds since 1970. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

/** How a job that was claimed ended. */
export interface JobOutcome {
  readonly id: string;
  readonly state: "done" | "failed";
  readonly xeme: Xeme;
  /** Class of the first error. */
  readonly errorClass: string | null;
  /** Jobs that the verdict asks for: enqueued together with it, or not at all. */
  readonly followUps: readonly NewJob[];
}

/** How a worker process is told from later ones with its number. */
export interface WorkerMark {
  readonly pid: number;
  /** When it started, as the system counts; null where that cannot be had. */
  readonly startTime: number | null;
}

/** A job that was claimed and has not ended, with its worker as far as it is known. */
export interface ClaimedJob {
  readonly record: JobRecord;
  readonly pid: number | null;
  readonly startTime: number | null;
}

/** What a manager has to say and asks for at once. */
export interface Turn {
  readonly finished: readonly JobOutcome[];
  /** Free places for each class; jobs of other classes are left alone. */
  readonly rooms: ReadonlyMap<string, number>;
  /** Most jobs to claim. */
  readonly limit: number;
}

/** Class of the error of jobs that were cancelled. */
export const CANCELLED = "obrien/cancelled";

/** Delayed jobs that become ready in one turn, the earliest first: it bounds how long the turn takes. */
const PROMOTED_AT_ONCE = 10_000;

/** Jobs that are pruned in one transaction: other processes get their turn in between. */
const PRUNED_AT_ONCE = 500;

/** An open store of jobs. Every method throws an ObrienError when it fails, and has changed nothing then. */
export class JobQueue {
  readonly #store: Store;
  readonly #ids = new JobIds();
  readonly #now: () => number;
  readonly #totals: Totals;
  readonly #listing: JobListing;
  readonly #statements: ReturnType<typeof statementsOf>;
  #version: unknown;

  private constructor(store: Store, now: () => number) {
    checkOwner(store);
    this.#store = store;
    this.#now = now;
    this.#totals = new Totals(store);
    this.#listing = new JobListing(store, this.#totals);
    this.#statements = statementsOf(store);
    this.hasChanged();
  }

  /** Opens a file, making it when it is not there; `:memory:` is a store without a file. Rejects with an ObrienError. */
  static async open(path: string, options: JobQueueOptions = {}): Promise<JobQueue> {
    const { now = Date.now, ...rest } = options;
    try {
      const store = await openStore(path, { migrations: MIGRATIONS, ...rest });
      try {
        return new JobQueue(store, now);
      } catch (error) {
        store.close();
        throw error;
      }
    } catch (error) {
      throw obrienErrorOf(error);
    }
  }

  /** The file's full path, or `:memory:`. */
  get path(): string {
    return this.#store.path;
  }

  get isOpen(): boolean {
    return this.#store.isOpen;
  }

  /** Stores jobs, all or none of them; they are on the disk when it returns. Returns their ids, in the order of the jobs. */
  enqueue(jobs: readonly NewJob[]): string[] {
    checkNewJobs(jobs);
    if (jobs.length === 0) return [];
    return this.#change((totals) => this.#insert(jobs, null, totals));
  }

  /** Claims jobs that may run now: the highest priority first, then the oldest. */
  claim(rooms: ReadonlyMap<string, number>, limit: number): JobRecord[] {
    return this.turn({ finished: [], rooms, limit });
  }

  /** Notes the worker of a job that was claimed. It outlives this process, not a power cut, which ends workers as well. */
  started(id: string, { pid, startTime }: WorkerMark): void {
    this.#change(
      () => {
        if (this.#statements.start.run(pid, startTime, id) === 0) this.#refuse(id, "start");
      },
      { isDurable: false },
    );
  }

  /** Records how jobs ended, with the jobs they ask for. Throws `STATE` when one of them is not claimed, or has ended. */
  finish(outcomes: readonly JobOutcome[]): void {
    if (outcomes.length > 0) this.turn({ finished: outcomes, rooms: new Map(), limit: 0 });
  }

  /** `finish` and `claim` in one transaction: the disk is waited for once. */
  turn({ finished, rooms, limit }: Turn): JobRecord[] {
    for (const { followUps } of finished) checkNewJobs(followUps);
    return this.#change((totals) => {
      for (const outcome of finished) this.#end(outcome, totals);
      return limit > 0 && rooms.size > 0 ? this.#claim(rooms, limit, totals) : [];
    });
  }

  /**
   * Cancels a pending job, which fails with the class `obrien/cancelled`; of one that is claimed, its manager is asked
   * to. Throws `NOT_FOUND` for an id that no job has.
   */
  requestCancel(id: string): "cancelled" | "requested" | "ended" {
    return this.#change((totals) => {
      const { stateOf, cancel, requestCancel } = this.#statements;
      const [state, name] = stateOf.get(id) ?? this.#missing(id);
      if (state === "claimed") requestCancel.run(id);
      if (state !== "pending") return state === "claimed" ? "requested" : "ended";
      const nowMs = this.#now();
      cancel.run(JSON.stringify(cancelledXeme(id, name as string, nowMs)), CANCELLED, nowMs, id);
      totals.move(name as string, "pending", "failed");
      return "cancelled";
    });
  }

  /** The jobs that are claimed and should be cancelled. */
  cancelRequests(): string[] {
    return this.#attempt(() => this.#statements.cancelRequests.all().map(([id]) => id as string));
  }

  /** The job with this id, or null. */
  get(id: string): JobRecord | null {
    return this.#attempt(() => {
      const row = this.#statements.byId.get(id);
      return row === undefined ? null : recordOf(row, this.path);
    });
  }

  /** Up to `limit` ids that start like this, the oldest first. */
  idsStartingWith(start: string, limit: number): string[] {
    if (!/^[0-9a-f-]+$/.test(start)) return [];
    return this.#attempt(() => this.#statements.byStart.all(start, `${start}g`, limit).map(([id]) => id as string));
  }

  /** One page of the jobs that a query asks for, the newest first. */
  find(query: JobQuery = {}): JobRecord[] {
    checkQuery(query);
    return this.#attempt(() => this.#listing.idsOf(query).flatMap((id) => this.get(id) ?? []));
  }

  /** How many jobs there are, by state and class. It reads no jobs. */
  counts(): JobCounts {
    return this.#attempt(() => this.#totals.counts());
  }

  /** Deletes jobs that have ended, a few hundred at a time; others get their turn in between. Resolves with their number. */
  async prune(query: PruneQuery): Promise<number> {
    checkPruneQuery(query);
    let pruned = 0;
    try {
      for (let count = this.#prune(query); count > 0; count = this.#prune(query)) {
        pruned += count;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      throw pruneErrorOf(error);
    }
    return pruned;
  }

  /** The jobs that are claimed, the oldest first. At the start of a manager these are what another one left behind. */
  claimed(): ClaimedJob[] {
    return this.#attempt(() =>
      this.#statements.claimed.all().map((row) => ({
        record: recordOf(row.slice(2), this.path),
        pid: row[0] as number | null,
        startTime: row[1] as number | null,
      })),
    );
  }

  /** Whether anyone else has changed the store since the last call, or since it was opened. Own changes do not count. */
  hasChanged(): boolean {
    return this.#attempt(() => {
      const before = this.#version;
      this.#version = this.#statements.version.get()?.[0];
      return this.#version !== before;
    });
  }

  /** When the next delayed job is due, perhaps in the past; null when none is delayed. */
  nextDue(): Date | null {
    const dueMs = this.#attempt(() => this.#statements.nextDue.get()?.[0]);
    return typeof dueMs === "number" ? new Date(dueMs) : null;
  }

  /** Ends the use of the store. May be called again. */
  close(): void {
    this.#store.close();
  }

  #insert(jobs: readonly NewJob[], parent: string | null, totals: TotalChanges): string[] {
    const { insertOne, insertMany, insertPayload } = this.#statements;
    const nowMs = this.#now();
    const ids = jobs.map(() => this.#ids.next(nowMs));
    for (let start = 0; start < jobs.length; ) {
      const rows = jobs.length - start < ROWS_AT_ONCE ? 1 : ROWS_AT_ONCE;
      const values: StoreValue[] = [];
      for (let index = start; index < start + rows; index++) {
        values.push(...valuesOf(jobs[index]!, ids[index]!, parent, nowMs));
      }
      (rows === 1 ? insertOne : insertMany).run(...values);
      start += rows;
    }
    for (const [at, job] of jobs.entries()) {
      totals.add(job.class, "pending", 1);
      const payload = payloadOf(job);
      if (isLarge(payload)) insertPayload.run(payload, ids[at]!);
    }
    return ids;
  }

  #claim(rooms: ReadonlyMap<string, number>, limit: number, totals: TotalChanges): JobRecord[] {
    const nowMs = this.#now();
    this.#statements.promote.run(nowMs, PROMOTED_AT_ONCE);
    const ready = [...rooms].flatMap(([name, room]) =>
      room > 0 ? this.#statements.ready.all(name, Math.min(room, limit)).map(([seq, priority]) => ({ seq, priority })) : [],
    ) as { seq: number; priority: number }[];
    return ready
      .sort((a, b) => b.priority - a.priority || a.seq - b.seq)
      .slice(0, limit)
      .flatMap(({ seq }) => this.#statements.claim.all(nowMs, seq))
      .map((row) => {
        const record = recordOf(row, this.path);
        totals.move(record.class, "pending", "claimed");
        return record;
      });
  }

  #end({ id, state, xeme, errorClass, followUps }: JobOutcome, totals: TotalChanges): void {
    const reason = errorClass === null ? null : errorClassOf(errorClass);
    const [row] = this.#statements.end.all(state, JSON.stringify(xeme), reason, this.#now(), id);
    if (row === undefined) return this.#refuse(id, "end");
    totals.move(row[0] as string, "claimed", state);
    if (followUps.length > 0) this.#insert(followUps, id, totals);
  }

  #prune({ olderThan, state }: PruneQuery): number {
    return this.#change(
      (totals) => {
        let left = PRUNED_AT_ONCE;
        for (const where of this.#totals.present(undefined, state === undefined ? END_STATES : [state])) {
          const count = this.#statements.prune.run(where.class, where.state, olderThan.getTime(), left);
          totals.add(where.class, where.state, -count);
          if ((left -= count) === 0) break;
        }
        if (left === PRUNED_AT_ONCE) this.#totals.dropEmpty();
        return PRUNED_AT_ONCE - left;
      },
      { isDurable: false },
    );
  }

  /** Says why a job that is not claimed can neither start nor end. */
  #refuse(id: string, step: "start" | "end"): never {
    const [state] = this.#statements.stateOf.get(id) ?? this.#missing(id);
    const reason = END_STATES.includes(state as JobState)
      ? `has ended already (${state}), and what has ended does not change`
      : "is pending: claim it first";
    throw new ObrienError("STATE", `job ${id} cannot ${step}: it ${reason}`);
  }

  #missing(id: string): never {
    throw new ObrienError("NOT_FOUND", `${this.path} has no job ${JSON.stringify(id)}: it was pruned, or never there`);
  }

  /** One transaction, with the totals it changes. */
  #change<T>(body: (totals: TotalChanges) => T, options?: TransactionOptions): T {
    return this.#attempt(() =>
      this.#store.transaction(() => {
        const changes = new TotalChanges();
        const result = body(changes);
        this.#totals.apply(changes);
        return result;
      }, options),
    );
  }

  #attempt<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw obrienErrorOf(error);
    }
  }
}

/** Who has no room to prune is not helped by the advice to prune. */
function pruneErrorOf(error: unknown): unknown {
  if (!(error instanceof ObrienError) || error.kind !== "FULL" || !(error.cause instanceof StoreError)) return error;
  const reason = error.cause.message.replace(/\.$/, "");
  return new ObrienError("FULL", `${reason}: deleting jobs needs room as well: free a few MB by other means, then try again`, {
    cause: error.cause,
  });
}

/** Other programs keep versions of their tables as well. */
function checkOwner(store: Store): void {
  if (store.prepare("PRAGMA application_id").get()?.[0] === APPLICATION_ID) return;
  throw new ObrienError("VERSION", `${store.path} belongs to another program: use another file for jobs`);
}

function cancelledXeme(id: string, name: string, nowMs: number): Xeme {
  return {
    success: false,
    errors: [{ class: CANCELLED, message: "the job was cancelled before it ran" }],
    meta: { uuid: id, name, timestamp: new Date(nowMs).toISOString() },
  };
}
