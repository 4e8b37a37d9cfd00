/** Lists of jobs, the newest first: one look-up in an index for each class and state, merged here. */
import type { Store, StoreStatement } from "../store/store.ts";
import { ObrienError } from "./errors.ts";
import { idsFrom } from "./ids.ts";
import { JOB_STATES, type JobState } from "./job.ts";
import type { JobQuery } from "./query.ts";
import { errorClassOf } from "./rows.ts";
import type { ClassState, Totals } from "./totals.ts";

/** The states a job ends in. */
export const END_STATES: readonly JobState[] = ["done", "failed"];

/** Where a job stands in a list. `atMs` is 0 in lists that go by the id alone. */
interface Place {
  readonly id: string;
  readonly atMs: number;
}

/** Later than every job. */
const LAST_MS = Number.MAX_SAFE_INTEGER;
const LAST_ID = "g";

/** Finds the ids of jobs. */
export class JobListing {
  readonly #totals: Totals;
  readonly #byId: StoreStatement;
  readonly #byError: StoreStatement;
  readonly #byEnd: StoreStatement;
  readonly #endOf: StoreStatement;

  constructor(store: Store, totals: Totals) {
    this.#totals = totals;
    this.#byId = store.prepare(
      `SELECT id, 0 FROM jobs INDEXED BY listed
       WHERE class = ? AND state = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?`,
    );
    this.#byError = store.prepare(
      `SELECT id, 0 FROM jobs INDEXED BY errors
       WHERE error_class = ? AND class = ? AND state = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?`,
    );
    this.#byEnd = store.prepare(
      `SELECT id, ended_at FROM jobs INDEXED BY ended
       WHERE class = ? AND state = ? AND ended_at >= ? AND (ended_at, id) < (?, ?) AND error_class IS ifnull(?, error_class)
       ORDER BY ended_at DESC, id DESC LIMIT ?`,
    );
    this.#endOf = store.prepare("SELECT ended_at FROM jobs WHERE id = ?");
  }

  /** The ids of one page of a list. The query was checked. */
  idsOf(asked: JobQuery): string[] {
    const query = { ...asked, errorClass: asked.errorClass === undefined ? undefined : errorClassOf(asked.errorClass) };
    const { by = "created", limit = 100, offset = 0 } = query;
    const look = by === "ended" ? this.#endedLook(query) : this.#createdLook(query);
    const isOfEnded = by === "ended" || query.errorClass !== undefined;
    const states = query.state === undefined ? JOB_STATES : [query.state];
    const possible = isOfEnded ? states.filter((state) => END_STATES.includes(state)) : states;
    const places = this.#totals.present(query.class, possible).flatMap((where) => look(where, offset + limit));
    return places
      .sort((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1))
      .slice(offset, offset + limit)
      .map(({ id }) => id);
  }

  #createdLook({ errorClass, since, until, after = LAST_ID }: JobQuery): (where: ClassState, rows: number) => Place[] {
    const first = since === undefined ? "" : idsFrom(since.getTime());
    const end = until === undefined ? LAST_ID : idsFrom(until.getTime());
    const before = after < end ? after : end;
    return ({ class: name, state }, rows) =>
      placesOf(
        errorClass === undefined
          ? this.#byId.all(name, state, first, before, rows)
          : this.#byError.all(errorClass, name, state, first, before, rows),
      );
  }

  #endedLook({ errorClass, since, until, after }: JobQuery): (where: ClassState, rows: number) => Place[] {
    const sinceMs = since?.getTime() ?? -LAST_MS;
    let end: Place = { atMs: until?.getTime() ?? LAST_MS, id: "" };
    if (after !== undefined) {
      const atMs = this.#endOf.get(after)?.[0];
      if (typeof atMs !== "number") {
        throw new ObrienError("NOT_FOUND", `no job ${after} that has ended, for the list to go on after: start it again`);
      }
      if (atMs < end.atMs) end = { atMs, id: after };
    }
    return ({ class: name, state }, rows) =>
      placesOf(this.#byEnd.all(name, state, sinceMs, end.atMs, end.id, errorClass ?? null, rows));
  }
}

function placesOf(rows: readonly (readonly unknown[])[]): Place[] {
  return rows.map(([id, atMs]) => ({ id: id as string, atMs: atMs as number }));
}
