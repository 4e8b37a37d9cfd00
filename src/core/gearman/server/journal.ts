/** The file that background jobs are kept in, so that they outlive the server's process. */
import { StoreError } from "../../store/errors.ts";
import { lockStore, type StoreLock } from "../../store/lock.ts";
import { openStore, type Store, type StoreOptions, type StoreStatement } from "../../store/store.ts";
import { type Job, memoryBytesOf, PRIORITIES, type Priority } from "./jobs.ts";

/** What is kept of a job. */
export interface StoredJob {
  /** The number in its handle. */
  readonly number: number;
  /** Function name, its bytes as Latin-1 text. */
  readonly key: string;
  readonly unique: Buffer;
  readonly reducer: Buffer | null;
  readonly payload: Buffer;
  readonly priority: Priority;
  readonly epochSeconds: number;
}

/** What is written of a job. */
export type JobToStore = Pick<Job, "number" | "target" | "unique" | "reducer" | "payload" | "priority" | "epochSeconds">;

/** Where a queue keeps its background jobs. */
export interface Journal {
  /** All jobs that are kept, in the order of their numbers. */
  readAll(): StoredJob[];
  /** Jobs that came and numbers of jobs that are over, in one step: when it throws, nothing has changed. */
  write(added: readonly JobToStore[], removed: readonly number[]): void;
  /** The first of `count` numbers that no job ever had. */
  reserveNumbers(count: number): number;
  close(): void;
}

/** Tables by version. Names are bytes, because SQLite's text cannot hold what Gearman's names can. */
const MIGRATIONS = [
  `CREATE TABLE jobs (
     number INTEGER PRIMARY KEY,
     function BLOB NOT NULL,
     unique_key BLOB NOT NULL,
     reducer BLOB,
     payload BLOB NOT NULL,
     priority INTEGER NOT NULL,
     epoch_seconds NUMERIC NOT NULL
   );
   CREATE TABLE numbers (next INTEGER NOT NULL);
   INSERT INTO numbers VALUES (1)`,
];

/** Rows per INSERT while many jobs come at once: a third quicker than one by one. */
const ROWS_AT_ONCE = 16;

/** A journal in an SQLite file that belongs to this server alone. */
export class FileJournal implements Journal {
  readonly #store: Store;
  readonly #lock: StoreLock;
  readonly #insertOne: StoreStatement;
  readonly #insertMany: StoreStatement;
  readonly #delete: StoreStatement;

  private constructor(store: Store, lock: StoreLock) {
    this.#store = store;
    this.#lock = lock;
    this.#insertOne = store.prepare(insertOf(1));
    this.#insertMany = store.prepare(insertOf(ROWS_AT_ONCE));
    this.#delete = store.prepare("DELETE FROM jobs WHERE number = ?");
  }

  /** Opens the file, making it when it is not there. Rejects with a StoreError: `LOCKED` when another server uses it. */
  static async open(path: string, options: Omit<StoreOptions, "migrations"> = {}): Promise<FileJournal> {
    const lock = await lockStore(path);
    try {
      return new FileJournal(await openStore(path, { migrations: MIGRATIONS, ...options }), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  readAll(): StoredJob[] {
    return this.#store
      .prepare("SELECT number, function, unique_key, reducer, payload, priority, epoch_seconds FROM jobs ORDER BY number")
      .all()
      .map(([number, key, unique, reducer, payload, priority, epochSeconds]) => ({
        number: number as number,
        key: (key as Buffer).toString("latin1"),
        unique: unique as Buffer,
        reducer: reducer as Buffer | null,
        payload: payload as Buffer,
        priority: PRIORITIES[priority as number] ?? "normal",
        epochSeconds: epochSeconds as number,
      }));
  }

  /** Waits for the disk only when jobs were added: a job that runs twice after a power cut is allowed, a lost one is not. */
  write(added: readonly JobToStore[], removed: readonly number[]): void {
    if (added.length > 0) this.#store.checkRoom(added.reduce((bytes, job) => bytes + memoryBytesOf(job), 0));
    this.#store.transaction(
      () => {
        // First, because they may make the room that the others need.
        for (const number of removed) this.#delete.run(number);
        this.#insert(added);
      },
      { isDurable: added.length > 0 },
    );
  }

  reserveNumbers(count: number): number {
    return this.#store.transaction(() => {
      const next = this.#store.prepare("SELECT next FROM numbers").get()?.[0];
      if (typeof next !== "number") throw new StoreError("CORRUPT", `${this.#store.path}: the table of numbers is empty`);
      this.#store.prepare("UPDATE numbers SET next = ?").run(next + count);
      return next;
    });
  }

  close(): void {
    this.#store.close();
    this.#lock.release();
  }

  #insert(jobs: readonly JobToStore[]): void {
    const inBatches = jobs.length - (jobs.length % ROWS_AT_ONCE);
    for (let start = 0; start < inBatches; start += ROWS_AT_ONCE) {
      this.#insertMany.run(...jobs.slice(start, start + ROWS_AT_ONCE).flatMap(columnsOf));
    }
    for (const job of jobs.slice(inBatches)) this.#insertOne.run(...columnsOf(job));
  }
}

/** A job that was cancelled and wanted again may be there still. */
function insertOf(rows: number): string {
  return `INSERT OR REPLACE INTO jobs VALUES ${Array(rows).fill("(?, ?, ?, ?, ?, ?, ?)").join(", ")}`;
}

function columnsOf(job: JobToStore): (string | number | null | Buffer)[] {
  const { number, target, unique, reducer, payload, priority, epochSeconds } = job;
  return [number, target.name, unique, reducer, payload, PRIORITIES.indexOf(priority), epochSeconds];
}
