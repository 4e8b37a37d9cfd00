/** One owner for a store: a lock that the operating system takes back when its process dies, however it dies. */
import { StoreError, storeErrorOf } from "./errors.ts";
import { fullPathOf, openDatabase } from "./store.ts";

/** A lock that is held. */
export interface StoreLock {
  /** Lets it go. May be called again. */
  release(): void;
}

/**
 * Takes the lock that belongs to a store's file, which may be opened by others all the same: a transaction
 * held open on the small SQLite file `<path>-lock`. Throws `LOCKED` at once when it is taken, in this process or another.
 */
export async function lockStore(path: string): Promise<StoreLock> {
  const file = fullPathOf(path);
  if (file === ":memory:") return { release() {} };
  const database = await openDatabase(`${file}-lock`, 0);
  try {
    database.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const failure = storeErrorOf(error, `${file}-lock`);
    if (failure.kind !== "LOCKED") throw failure;
    throw new StoreError("LOCKED", `${file} is in use by another process: end it, or use another file`, { cause: error });
  }
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
