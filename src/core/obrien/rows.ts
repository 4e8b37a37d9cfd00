/** Jobs as rows of the store, in both directions. */
import type { StoredValue, StoreValue } from "../store/store.ts";
import { ObrienError } from "./errors.ts";
import { timeOfId } from "./ids.ts";
import type { JobRecord, JobState, NewJob, VerificationMode } from "./job.ts";
import { NEW_COLUMNS } from "./schema.ts";
import type { Xeme } from "./xeme.ts";

/** A row as the store gives it. */
type Row = readonly StoredValue[];

/** Larger payloads lie in a table of their own, so that a job that changes its state does not write them again. */
const MAX_INLINE_BYTES = 2048;

/** The statement that inserts so many jobs. */
export function insertOf(rows: number): string {
  const places = NEW_COLUMNS.replace(/\w+/g, "?");
  return `INSERT INTO jobs (${NEW_COLUMNS}) VALUES ${Array(rows).fill(`(${places})`).join(", ")}`;
}

/** What a job's worker reads, as bytes. */
export function payloadOf({ payload = "" }: NewJob): Uint8Array {
  return typeof payload === "string" ? Buffer.from(payload) : payload;
}

/** Whether a payload lies in a table of its own. */
export function isLarge(payload: Uint8Array): boolean {
  return payload.byteLength > MAX_INLINE_BYTES;
}

/** A new job as the values of its row. */
export function valuesOf(job: NewJob, id: string, parent: string | null, nowMs: number): StoreValue[] {
  const payload = payloadOf(job);
  const runAtMs = job.runAt?.getTime() ?? null;
  const isDelayed = runAtMs !== null && runAtMs > nowMs;
  return [
    id,
    job.class,
    "pending",
    job.priority ?? 0,
    isDelayed ? 1 : 0,
    runAtMs,
    job.mode ?? null,
    job.timeoutMs ?? null,
    parent,
    isLarge(payload) ? null : payload,
  ];
}

/** A row of `RECORD_COLUMNS` as a job. `path` is for the message when the row is damaged. */
export function recordOf(row: Row, path: string): JobRecord {
  const [id, name, state, priority, runAt, mode, timeoutMs, claimedAt, endedAt, isCancelRequested] = row;
  const [errorClass, parent, xeme, payload, largePayload] = row.slice(10);
  return {
    id: id as string,
    class: name as string,
    state: state as JobState,
    payload: (payload ?? largePayload ?? Buffer.alloc(0)) as Buffer,
    priority: priority as number,
    runAt: dateOf(runAt),
    mode: mode as VerificationMode | null,
    timeoutMs: timeoutMs as number | null,
    createdAt: new Date(timeOfId(id as string)),
    claimedAt: dateOf(claimedAt),
    endedAt: dateOf(endedAt),
    isCancelRequested: isCancelRequested === 1,
    errorClass: errorClass as string | null,
    xeme: xemeOf(xeme as string | null, id as string, path),
    parent: parent as string | null,
  };
}

/** The class of an error, which a worker may have made up, as text that can be stored and looked up. */
export function errorClassOf(text: string): string {
  return text.slice(0, 1000).toWellFormed().replaceAll("\0", "\ufffd");
}

function dateOf(timeMs: StoredValue | undefined): Date | null {
  return typeof timeMs === "number" ? new Date(timeMs) : null;
}

function xemeOf(text: string | null, id: string, path: string): Xeme | null {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ObrienError(
      "CORRUPT",
      `${path}: the outcome of job ${id} is damaged: prune the job, or restore the file from a copy`,
      {
        cause: error,
      },
    );
  }
}
