/** The errors O'Brien itself puts into a verdict, as one table: what happened to jobs whose worker gave none that counts. */
import type { Xeme, XemeMessage } from "./xeme.ts";

/** The last part of each class `bryton/runtime/…`, and when a job fails with it. */
export const RUNTIME_ERRORS = {
  missing: "The worker ended well and printed nothing, though its jobs are to say that they succeeded (mode positive).",
  unparseable: "The worker ended well, but its output does not end in a JSON object with a success of true, false or null.",
  "not-hash": "The worker ended well, but the JSON its output ends with is not an object.",
  null: "The worker ended well and reported a success of null: no verdict was reached.",
  "bad-enqueue": "The worker's verdict asks for follow-up jobs that cannot be enqueued; none was.",
  crashed: "The worker ended with an exit code other than 0 or by a signal, and did not say that it failed.",
  timedout: "The worker ran over its time limit.",
  cancelled: "The job was cancelled while its worker ran.",
  shutdown: "The manager was stopped, and the worker did not finish within the drain time.",
  "not-executable": "The program or its directory is missing, or may not be run.",
  "not-started": "The system had no room for one more process.",
} as const satisfies Record<string, string>;

/** One of those errors. */
export type RuntimeErrorName = keyof typeof RUNTIME_ERRORS;

/** The class of one of those errors, such as `bryton/runtime/crashed`. */
export function runtimeErrorClass(name: RuntimeErrorName): string {
  return `bryton/runtime/${name}`;
}

/** A failure with one of those errors. @param more fields of the error besides */
export function runtimeFailure(name: RuntimeErrorName, message: string, more: Readonly<Record<string, unknown>> = {}): Xeme {
  const error: XemeMessage = { class: runtimeErrorClass(name), message, ...more };
  return { success: false, errors: [error] };
}
