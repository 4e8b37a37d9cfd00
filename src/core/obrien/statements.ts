/** The statements that change and read jobs, but for those of lists and totals. */
import type { Store, StoreStatement } from "../store/store.ts";
import { insertOf } from "./rows.ts";
import { RECORD_COLUMNS } from "./schema.ts";

/** Rows per INSERT while many jobs come at once: quicker than one by one. */
export const ROWS_AT_ONCE = 16;

/** Prepares them; each is one look-up in an index, which it names where there is a choice. */
export function statementsOf(store: Store) {
  const prepare = (sql: string): StoreStatement => store.prepare(sql);
  return {
    insertOne: prepare(insertOf(1)),
    insertMany: prepare(insertOf(ROWS_AT_ONCE)),
    insertPayload: prepare("INSERT INTO payloads (payload, seq) SELECT ?, seq FROM jobs WHERE id = ?"),
    promote: prepare(
      `UPDATE jobs SET is_delayed = 0 WHERE seq IN (SELECT seq FROM jobs INDEXED BY delayed
       WHERE state = 'pending' AND is_delayed = 1 AND run_at <= ? ORDER BY run_at LIMIT ?)`,
    ),
    ready: prepare(
      `SELECT seq, priority FROM jobs INDEXED BY ready
       WHERE state = 'pending' AND is_delayed = 0 AND class = ? ORDER BY priority DESC, seq LIMIT ?`,
    ),
    claim: prepare(
      `UPDATE jobs SET state = 'claimed', claimed_at = ? WHERE seq = ? AND state = 'pending' RETURNING ${RECORD_COLUMNS}`,
    ),
    start: prepare("UPDATE jobs SET pid = ?, start_time = ? WHERE id = ? AND state = 'claimed'"),
    end: prepare(
      `UPDATE jobs SET state = ?, xeme = ?, error_class = ?, ended_at = ? WHERE id = ? AND state = 'claimed' RETURNING class`,
    ),
    stateOf: prepare("SELECT state, class FROM jobs WHERE id = ?"),
    cancel: prepare(
      `UPDATE jobs SET state = 'failed', xeme = ?, error_class = ?, ended_at = ?, is_cancel_requested = 1
       WHERE id = ? AND state = 'pending'`,
    ),
    requestCancel: prepare("UPDATE jobs SET is_cancel_requested = 1 WHERE id = ? AND state = 'claimed'"),
    cancelRequests: prepare("SELECT id FROM jobs INDEXED BY claimed WHERE state = 'claimed' AND is_cancel_requested = 1"),
    byId: prepare(`SELECT ${RECORD_COLUMNS} FROM jobs WHERE id = ?`),
    byStart: prepare("SELECT id FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"),
    claimed: prepare(
      `SELECT pid, start_time, ${RECORD_COLUMNS} FROM jobs INDEXED BY claimed WHERE state = 'claimed' ORDER BY seq`,
    ),
    version: prepare("PRAGMA data_version"),
    nextDue: prepare("SELECT min(run_at) FROM jobs INDEXED BY delayed WHERE state = 'pending' AND is_delayed = 1"),
    prune: prepare(
      `DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs INDEXED BY ended
       WHERE class = ? AND state = ? AND ended_at < ? ORDER BY ended_at LIMIT ?)`,
    ),
  };
}
