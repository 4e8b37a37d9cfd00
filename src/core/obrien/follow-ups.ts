/** The jobs that a verdict asks for in its field `enqueue`, as jobs that can be enqueued. */
import { ObrienError } from "./errors.ts";
import type { NewJob } from "./job.ts";
import { checkNewJobs } from "./new-job.ts";
import { isJsonObject, type JsonObject } from "./xeme-rules.ts";

/** What an entry with a `class` or a `payload` may say, and the field of a job it becomes. */
const FIELDS = {
  class: "class",
  payload: "payload",
  priority: "priority",
  run_at: "runAt",
  mode: "mode",
  timeout_ms: "timeoutMs",
} as const satisfies Record<string, keyof NewJob>;

/**
 * The jobs of a list such as `["payload", { "class": "other", "payload": { "id": 7 }, "run_at": "2030-01-01T00:00:00Z" }]`.
 * An object with the key `class` or `payload` describes a job; any other entry is a payload for a job of the same class.
 * Payloads that are no texts become JSON. Throws `ARGUMENT` when one of them cannot be enqueued, and says which.
 *
 * @param ownClass the class of the job whose verdict it is
 */
export function followUpsOf(enqueue: unknown, ownClass: string): NewJob[] {
  if (enqueue === undefined || enqueue === null) return [];
  if (!Array.isArray(enqueue)) throw new ObrienError("ARGUMENT", "enqueue is not a list: use [ payload, … ]");
  const jobs = enqueue.map((entry, index) => {
    if (entry === null) throw new ObrienError("ARGUMENT", `job ${index + 1} of ${enqueue.length} is null: use a payload`);
    return isJsonObject(entry) && (Object.hasOwn(entry, "class") || Object.hasOwn(entry, "payload"))
      ? described(entry, ownClass, `job ${index + 1} of ${enqueue.length}`)
      : { class: ownClass, payload: payloadOf(entry) };
  });
  checkNewJobs(jobs);
  return jobs;
}

function described(entry: JsonObject, ownClass: string, which: string): NewJob {
  const job: Record<string, unknown> = { class: ownClass };
  for (const [key, value] of Object.entries(entry)) {
    if (!Object.hasOwn(FIELDS, key)) {
      throw new ObrienError("ARGUMENT", `${which} has ${JSON.stringify(key)}: use ${Object.keys(FIELDS).join(", ")}`);
    }
    if (value === null) continue;
    job[FIELDS[key as keyof typeof FIELDS]] =
      key === "payload" ? payloadOf(value) : key === "run_at" ? dateOf(value, which) : value;
  }
  return job as unknown as NewJob;
}

function payloadOf(value: unknown): string {
  return typeof value === "string" ? value.toWellFormed() : JSON.stringify(value);
}

/** @param value ISO 8601 text, or milliseconds since 1970 */
function dateOf(value: unknown, which: string): Date {
  const date = typeof value === "string" || typeof value === "number" ? new Date(value) : new Date(Number.NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new ObrienError("ARGUMENT", `${which} has the run_at ${JSON.stringify(value)}: use a time such as 2030-01-31T12:00:00Z`);
}
