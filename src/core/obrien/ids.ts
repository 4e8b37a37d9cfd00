/** The ids of jobs: UUIDs of version 7, which sort by the time they were made. */
import { randomUUID } from "node:crypto";

/** Ids that may be made in one millisecond; more borrow from the next. */
const IDS_PER_MS = 0x1000;

/** Counters of a millisecond start below this, at random, so that those of several processes mix. */
const FIRST_COUNTERS = 0x400;

/** Makes ids, each greater than the one before, whatever the clock does. */
export class JobIds {
  #lastMs = 0;
  #counter = 0;

  /** The next id for a time in milliseconds, such as `0199e3a1-5c40-7123-9abc-0123456789ab`. */
  next(nowMs: number): string {
    const uuid = randomUUID();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#counter = Number.parseInt(uuid.slice(0, 8), 16) % FIRST_COUNTERS;
    } else if (++this.#counter === IDS_PER_MS) {
      this.#lastMs++;
      this.#counter = 0;
    }
    return `${timePart(this.#lastMs)}-7${this.#counter.toString(16).padStart(3, "0")}${uuid.slice(18)}`;
  }
}

/** When an id was made, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** A text that sorts before the ids made at or after this time, and after those made earlier. */
export function idsFrom(timeMs: number): string {
  if (timeMs <= 0) return "";
  return timeMs >= 2 ** 48 ? "g" : timePart(timeMs);
}

/** Whether a text has the form of an id. */
export function isJobId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}

function timePart(timeMs: number): string {
  const hex = timeMs.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
