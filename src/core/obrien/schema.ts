/**
 * The tables of a store of jobs, by version, and the one place that knows their columns.
 *
 * Every question is one look-up in an index: the jobs that may run lie in `ready`, in the order they run in; those that
 * are delayed lie in `delayed` until they are due; lists go by `listed`, `ended` and `errors`, of which only the first
 * costs anything when a job is enqueued. `totals` is kept with every change, so that counting reads no jobs, and tells
 * which classes and states there are to look up.
 */

/** Marks the file as one of O'Brien's: "OBri" as a number. */
export const APPLICATION_ID = 0x4f427269;

/** Entries are added, never changed. */
export const MIGRATIONS: readonly string[] = [
  `PRAGMA application_id = ${APPLICATION_ID};
   CREATE TABLE jobs (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     class TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'done', 'failed')),
     priority INTEGER NOT NULL,
     is_delayed INTEGER NOT NULL,
     is_cancel_requested INTEGER NOT NULL DEFAULT 0,
     run_at INTEGER,
     mode TEXT,
     timeout_ms INTEGER,
     claimed_at INTEGER,
     ended_at INTEGER,
     pid INTEGER,
     start_time INTEGER,
     error_class TEXT,
     parent TEXT,
     payload BLOB,
     xeme TEXT
   );
   CREATE TABLE payloads (
     seq INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
     payload BLOB NOT NULL
   );
   CREATE TABLE totals (
     class TEXT NOT NULL,
     state TEXT NOT NULL,
     jobs INTEGER NOT NULL,
     PRIMARY KEY (class, state)
   ) WITHOUT ROWID;
   CREATE INDEX ready ON jobs (class, priority DESC) WHERE state = 'pending' AND is_delayed = 0;
   CREATE INDEX delayed ON jobs (run_at) WHERE state = 'pending' AND is_delayed = 1;
   CREATE INDEX claimed ON jobs (is_cancel_requested) WHERE state = 'claimed';
   CREATE INDEX listed ON jobs (class, state, id);
   CREATE INDEX ended ON jobs (class, state, ended_at, id) WHERE ended_at IS NOT NULL;
   CREATE INDEX errors ON jobs (error_class, class, state, id) WHERE error_class IS NOT NULL`,
];

/** The columns of a job that `recordOf` reads, in its order. */
export const RECORD_COLUMNS = `id, class, state, priority, run_at, mode, timeout_ms, claimed_at, ended_at, is_cancel_requested,
  error_class, parent, xeme, payload, CASE WHEN payload IS NULL THEN (SELECT payload FROM payloads WHERE seq = jobs.seq) END`;

/** The columns that a new job fills, in the order of `valuesOf`. */
export const NEW_COLUMNS = "id, class, state, priority, is_delayed, run_at, mode, timeout_ms, parent, payload";
