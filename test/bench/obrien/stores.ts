/** The stores of O'Brien's benchmark: ours, and next to each a bare table of the same shape on the same file system. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { JobIds } from "../../../src/core/obrien/ids.ts";
import type { NewJob } from "../../../src/core/obrien/job.ts";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { type Measured, timed } from "../measure.ts";

/** The part of the SQLite package that the bare side uses. */
interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): { run(values: readonly unknown[]): unknown };
  close(): unknown;
}

/** The columns of a job, and no index but the one that keeps ids apart. */
const BARE_TABLE = `CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, class TEXT NOT NULL, state TEXT NOT NULL, priority INTEGER NOT NULL,
  is_delayed INTEGER NOT NULL, is_cancel_requested INTEGER NOT NULL DEFAULT 0, run_at INTEGER, mode TEXT, timeout_ms INTEGER,
  claimed_at INTEGER, ended_at INTEGER, pid INTEGER, start_time INTEGER, error_class TEXT, parent TEXT, payload BLOB, xeme TEXT)`;

const BARE_INSERT = `INSERT INTO jobs (id, class, state, priority, is_delayed, payload) VALUES (?, ?, 'pending', 0, 0, ?)`;

const payload = Buffer.from('{"to":"somebody@example.org","about":"an order that was shipped today","order":123456789}');

/** The job of every measurement. */
export const job: NewJob = { class: "bench", payload };

/** Lends a new directory below `place`. */
export async function inDirectory<T>(place: string, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(place, "obrien-bench-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Our queue: so many transactions of so many jobs, each on the disk before the next. */
export const ourEnqueues = (place: string, transactions: number, jobs: number): Promise<Measured> =>
  inDirectory(place, async (directory) => {
    const queue = await JobQueue.open(join(directory, "jobs.db"));
    const batch = Array.from({ length: jobs }, () => job);
    queue.enqueue(batch);
    const measured = await timed(transactions * jobs, async () => {
      for (let at = 0; at < transactions; at++) queue.enqueue(batch);
    });
    queue.close();
    return measured;
  });

/** The same with prepared statements alone. Ids sort by time, as ours do, and are made before. */
export const bareInserts = (place: string, transactions: number, jobs: number): Promise<Measured> =>
  inDirectory(place, async (directory) => {
    const Sqlite = createRequire(import.meta.url)("libsql") as new (path: string) => Database;
    const database = new Sqlite(join(directory, "bare.db"));
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec(BARE_TABLE);
    const [begin, insert, commit] = ["BEGIN IMMEDIATE", BARE_INSERT, "COMMIT"].map((sql) => database.prepare(sql));
    const ids = new JobIds();
    const made = Array.from({ length: (transactions + 1) * jobs }, (_, at) => ids.next(Date.now() + Math.floor(at / jobs)));
    const transaction = (): void => {
      if (jobs > 1) begin!.run([]);
      for (let at = 0; at < jobs; at++) insert!.run([made.pop(), "bench", payload]);
      if (jobs > 1) commit!.run([]);
    };
    made.reverse();
    transaction();
    const measured = await timed(transactions * jobs, async () => {
      for (let at = 0; at < transactions; at++) transaction();
    });
    database.close();
    return measured;
  });

/** A queue with so many pending jobs. */
export async function filledQueue(path: string, jobs: number): Promise<JobQueue> {
  const queue = await JobQueue.open(path);
  for (let left = jobs; left > 0; left -= 10_000) queue.enqueue(Array.from({ length: Math.min(left, 10_000) }, () => job));
  return queue;
}

/** Claims so many jobs at a time, and records the ends of those before in the same transaction, as a manager does. */
export function claims(queue: JobQueue, turns: number, jobs: number): Promise<Measured> {
  const rooms = new Map([["bench", jobs]]);
  let ids: readonly string[] = [];
  const finished = () =>
    ids.map((id) => ({ id, state: "done" as const, xeme: { success: true }, errorClass: null, followUps: [] }));
  return timed(turns * jobs, async () => {
    for (let at = 0; at < turns; at++) ids = queue.turn({ finished: finished(), rooms, limit: jobs }).map(({ id }) => id);
    queue.finish(finished());
    // What was taken comes again, so that every round finds the same.
    queue.enqueue(Array.from({ length: turns * jobs }, () => job));
  });
}
