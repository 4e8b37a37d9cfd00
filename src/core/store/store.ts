/**
 * One SQLite file behind a narrow interface: statements, transactions, a schema that grows by versions, typed errors.
 *
 * Calls are synchronous: a durable transaction blocks for as long as the disk takes, 0.1 to 20 ms. So work is
 * collected and committed in batches.
 *
 * Modes: *open* → *closed*. `close` leads there from everywhere, and nothing leads back.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError, storeErrorOf } from "./errors.ts";
import { realFileOf } from "./place.ts";

/** What a column may hold on its way in. Text must not contain NUL: SQLite would cut it there; store it as bytes. */
export type StoreValue = string | number | null | Uint8Array;

/** What a column holds on its way out. Whole numbers from 2^53 on lose their last digits. */
export type StoredValue = string | number | null | Buffer;

/** How a store is opened. */
export interface StoreOptions {
  /**
   * The statements that lead from each version of the schema to the next, the oldest first; they run once, in one
   * transaction. Entries are added, never changed: the file remembers how many of them it has seen.
   */
  readonly migrations: readonly string[];
  /**
   * When a transaction counts as written: `FULL`, the default, when the disk has it, so that it outlives a power cut;
   * `NORMAL` when the system has it, so that it outlives the process.
   */
  readonly synchronous?: "FULL" | "NORMAL";
  /** Open a file that cannot be written for reading only: changes are refused as `READ_ONLY` then. Default false. */
  readonly mayReadOnly?: boolean | undefined;
  /** Longest wait for another process that writes, in milliseconds. Default 5000. */
  readonly busyTimeoutMs?: number;
  /** Largest size of the file, in bytes; more is refused as `FULL`. Default: no limit. */
  readonly maxBytes?: number;
  /** Bytes free on the disk that holds a directory, for `checkRoom`. Default: what the system says. */
  readonly freeBytes?: (directory: string) => number;
}

/** How one transaction is written. */
export interface TransactionOptions {
  /** Wait for the disk, as `synchronous` says. False: the system's word is enough this time. Default true. */
  readonly isDurable?: boolean;
}

/** The part of the SQLite package that is used here. */
interface Sqlite {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** Values go in as one array always: a single object would be taken for named parameters. */
interface SqliteStatement {
  run(values: readonly StoreValue[]): { readonly changes: number };
  get(values: readonly StoreValue[]): unknown;
  all(values: readonly StoreValue[]): unknown[];
  raw(): SqliteStatement;
}

const PAGE_BYTES = 4096;

/**
 * What `checkRoom` leaves free, in bytes: on a disk that is full to the last byte SQLite can neither move its log
 * into the file nor delete anything, and would never come free again.
 */
const RESERVED_BYTES = 16 * 1024 * 1024;

/** A statement that was prepared once and runs many times. */
export class StoreStatement {
  readonly #store: Store;
  readonly #sql: string;
  readonly #statement: SqliteStatement;
  readonly #parameters: number;
  #reader: SqliteStatement | null = null;

  /** Made by `Store.prepare` only. */
  constructor(store: Store, sql: string, prepare: (sql: string) => SqliteStatement) {
    this.#store = store;
    this.#sql = sql;
    this.#statement = prepare(sql);
    this.#parameters = sql.split("?").length - 1;
  }

  /** Runs it for its effect; returns the number of rows it changed. */
  run(...values: readonly StoreValue[]): number {
    return this.#store.attempt(() => this.#statement.run(this.#checked(values)).changes);
  }

  /** The first row, its columns in order, or undefined. */
  get(...values: readonly StoreValue[]): readonly StoredValue[] | undefined {
    return this.#store.attempt(() => this.#read().get(this.#checked(values)) as readonly StoredValue[] | undefined);
  }

  /** All rows, their columns in order. */
  all(...values: readonly StoreValue[]): (readonly StoredValue[])[] {
    return this.#store.attempt(() => this.#read().all(this.#checked(values)) as (readonly StoredValue[])[]);
  }

  /** Rows come as arrays, in which bytes are Buffers; only statements that return rows may be asked for that. */
  #read(): SqliteStatement {
    this.#reader ??= this.#statement.raw();
    return this.#reader;
  }

  /** The package ends the whole process over values it does not know, and takes missing ones for NULL. */
  #checked(values: readonly StoreValue[]): readonly StoreValue[] {
    if (values.length !== this.#parameters) {
      throw new StoreError("VALUE", `${this.#sql}: ${values.length} values for ${this.#parameters} places`);
    }
    for (const value of values) if (!isStorable(value)) throw new StoreError("VALUE", `${this.#sql}: ${complaint(value)}`);
    return values;
  }
}

function isStorable(value: unknown): boolean {
  if (typeof value === "number") return !Number.isNaN(value);
  if (typeof value === "string") return !value.includes("\0") && isWellFormed(value);
  return value === null || value instanceof Uint8Array;
}

/** Half a surrogate pair has no bytes in UTF-8. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function complaint(value: unknown): string {
  if (typeof value === "string")
    return `text with a NUL or half a character cannot be stored: ${JSON.stringify(value.slice(0, 40))}`;
  return `${typeof value === "number" ? value : typeof value} cannot be stored`;
}

/** An open file. Every method throws a StoreError when it fails. */
export class Store {
  /** The file's full path without symbolic links, or `:memory:`. */
  readonly path: string;
  readonly #synchronous: "FULL" | "NORMAL";
  #database: Sqlite | null;
  readonly #freeBytes: (directory: string) => number;
  #isDurable = true;

  /** Made by `openStore` only. */
  constructor(path: string, database: Sqlite, options: StoreOptions, isReadOnly: boolean) {
    this.path = path;
    this.#database = database;
    this.#synchronous = options.synchronous ?? "FULL";
    this.#freeBytes = options.freeBytes ?? freeBytesOf;
    this.attempt(() => (isReadOnly ? this.#checkVersion(options.migrations) : this.#setUp(options)));
  }

  get isOpen(): boolean {
    return this.#database !== null;
  }

  /** Prepares one statement with a `?` for each value. */
  prepare(sql: string): StoreStatement {
    return this.attempt((database) => new StoreStatement(this, sql, (text) => database.prepare(text)));
  }

  /** Runs statements without values, separated by semicolons. */
  exec(sql: string): void {
    this.attempt((database) => database.exec(sql));
  }

  /** Runs `body` as one transaction: all of it happens, or, when it throws, nothing. Transactions do not nest. */
  transaction<T>(body: () => T, { isDurable = true }: TransactionOptions = {}): T {
    return this.attempt((database) => {
      if (database.inTransaction) throw new StoreError("FAILED", `${this.path}: a transaction was begun within another`);
      this.#setDurable(isDurable);
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.inTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /**
   * Throws `FULL` when the disk has no room for that many bytes more, twice over because they are written to the log
   * first, and 16 MiB besides; where the file has that room inside, left by what was deleted, 4 MiB besides are enough.
   * Call it before adding, so that deleting always stays possible.
   */
  checkRoom(bytes: number): void {
    if (this.path === ":memory:") return;
    const free = this.#freeBytes(dirname(this.path));
    const wanted = 2 * bytes + RESERVED_BYTES;
    if (free >= wanted || (free >= bytes + RESERVED_BYTES / 4 && this.#bytesInside() >= 2 * bytes)) return;
    throw new StoreError("FULL", `${this.path}: the disk has ${free} bytes free, and ${wanted} are needed: make room`);
  }

  /** Ends the use of the file; a transaction under way is undone. May be called again. */
  close(): void {
    const database = this.#database;
    this.#database = null;
    if (database === null) return;
    try {
      if (database.inTransaction) database.exec("ROLLBACK");
      // Statements keep the file open until they are collected, so that SQLite does not tidy up by itself.
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // What is in the log is as safe as in the file; the next opening tidies up.
    }
    database.close();
  }

  /** Runs something on the database and turns what it throws into a StoreError. For this directory only. */
  attempt<T>(body: (database: Sqlite) => T): T {
    const database = this.#database;
    if (database === null) throw new StoreError("CLOSED", `${this.path} is closed`);
    try {
      return body(database);
    } catch (error) {
      throw storeErrorOf(error, this.path);
    }
  }

  #setUp(options: StoreOptions): void {
    this.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${this.#synchronous}; PRAGMA foreign_keys = ON`);
    if (options.maxBytes !== undefined) {
      this.prepare(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / PAGE_BYTES))}`).get();
    }
    this.#migrate(options.migrations);
  }

  /** Tables of an older version are read as little as those of a newer one. */
  #checkVersion(migrations: readonly string[]): void {
    if (this.#versionFor(migrations) === migrations.length) return;
    throw new StoreError("READ_ONLY", `${this.path} cannot be written, and its tables are of an older version`);
  }

  /** The version of the file's tables. Throws `VERSION` for one that is newer than the program. */
  #versionFor(migrations: readonly string[]): number {
    const version = Number(this.prepare("PRAGMA user_version").get()?.[0] ?? 0);
    if (version <= migrations.length) return version;
    throw new StoreError(
      "VERSION",
      `${this.path} has version ${version} of its tables, and this program knows ${migrations.length}: use the program that wrote it, or another file`,
    );
  }

  /** Writes the version even when it is right already: so a file that cannot be written shows now, not later. */
  #migrate(migrations: readonly string[]): void {
    this.transaction(() => {
      for (const sql of migrations.slice(this.#versionFor(migrations))) this.exec(sql);
      this.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  }

  /** Pages of the file that hold nothing. */
  #bytesInside(): number {
    return PAGE_BYTES * Number(this.prepare("PRAGMA freelist_count").get()?.[0] ?? 0);
  }

  #setDurable(isDurable: boolean): void {
    if (isDurable === this.#isDurable) return;
    this.exec(`PRAGMA synchronous = ${isDurable ? this.#synchronous : "NORMAL"}`);
    this.#isDurable = isDurable;
  }
}

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** Opens a file, making it when it is not there, and brings its tables up to date. `:memory:` is a store without a file. */
export async function openStore(path: string, options: StoreOptions): Promise<Store> {
  const file = realFileOf(path);
  try {
    return await openFile(file, options, false);
  } catch (error) {
    if (!options.mayReadOnly || storeErrorOf(error, file).kind !== "READ_ONLY") throw error;
    return await openFile(file, options, true);
  }
}

async function openFile(file: string, options: StoreOptions, isReadOnly: boolean): Promise<Store> {
  const database = await openDatabase(file, options.busyTimeoutMs ?? 5000, isReadOnly);
  try {
    return new Store(file, database, options, isReadOnly);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens a database and nothing more; a full path keeps SQLite from taking `file:…` for an address. For this directory only. */
export async function openDatabase(file: string, busyTimeoutMs: number, isReadOnly = false): Promise<Sqlite> {
  const Database = await loadSqlite();
  try {
    return new Database(file, { timeout: busyTimeoutMs, readonly: isReadOnly });
  } catch (error) {
    throw storeErrorOf(error, file);
  }
}

/** The package is native code: it is loaded when the first store is opened, and not before. */
async function loadSqlite(): Promise<new (path: string, options: { timeout: number; readonly: boolean }) => Sqlite> {
  try {
    const { default: Database } = await import("libsql");
    return Database as unknown as new (
      path: string,
      options: { timeout: number; readonly: boolean },
    ) => Sqlite;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError("UNAVAILABLE", `SQLite cannot be loaded on ${process.platform}-${process.arch}: ${reason}`, {
      cause: error,
    });
  }
}
