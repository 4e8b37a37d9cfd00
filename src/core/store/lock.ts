/** One owner for a store: a lock that the operating system takes back when its process dies, however it dies. */
import { StoreError, type StoreErrorKind, storeErrorOf } from "./errors.ts";
import { realFileOf } from "./place.ts";
import { openDatabase } from "./store.ts";

/** A lock that is held. */
export interface StoreLock {
  /** Lets it go. May be called again. */
  release(): void;
}

/**
 * Takes the lock that belongs to a store's file, which may be opened by others all the same: a transaction
 * held open on the small SQLite file `<path>-lock`, beside the file that symbolic links lead to. Throws `LOCKED` at once
 * when it is taken, in this process or another.
 */
export async function lockStore(path: string): Promise<StoreLock> {
  const file = realFileOf(path);
  if (file === ":memory:") return { release() {} };
  const database = await begin(file);
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      database.exec("ROLLBACK");
      database.close();
    },
  };
}

async function begin(file: string): Promise<Awaited<ReturnType<typeof openDatabase>>> {
  const lockFile = `${file}-lock`;
  try {
    const database = await openDatabase(lockFile, 0);
    try {
      database.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    const { kind, message } = storeErrorOf(error, lockFile);
    throw new StoreError(kind, textOf(kind, file, message), { cause: error });
  }
}

function textOf(kind: StoreErrorKind, file: string, message: string): string {
  return kind === "LOCKED"
    ? `${file} is in use by another process: end it, or use another file`
    : `${file} cannot be locked: ${message}`;
}
