/** What a job's end means: the table of verdicts, from how its worker ended and what it printed last. */
import { type Captured, textOf } from "./capture.ts";
import { followUpsOf } from "./follow-ups.ts";
import type { JobState, NewJob, VerificationMode } from "./job.ts";
import { type RuntimeErrorName, runtimeFailure } from "./runtime-errors.ts";
import { MAX_JSON_DEPTH, type TrailingJson, trailingJson } from "./trailing-json.ts";
import type { EndReason, WorkerEnd } from "./worker-end.ts";
import type { Xeme } from "./xeme.ts";
import { firstErrorClass, isJsonObject, type JsonObject, tidied, withoutEmpty } from "./xeme-rules.ts";

/** The job a verdict is about. */
export interface JudgedJob {
  readonly id: string;
  readonly class: string;
  /** Default `implicit`. */
  readonly mode?: VerificationMode | null | undefined;
}

/** The end of a job, to be recorded. */
export interface Verdict {
  readonly state: Extract<JobState, "done" | "failed">;
  readonly xeme: Xeme;
  /** Class of the first error; null without one. */
  readonly errorClass: string | null;
  /** Jobs to be enqueued with it. */
  readonly followUps: readonly NewJob[];
}

/** A verdict before its output and its circumstances are added. */
interface Judgement {
  readonly xeme: Xeme;
  /** Asked for by a verdict that counts. */
  readonly followUps: readonly NewJob[];
}

/** What the worker reported at the end of its output, as sent and as it counts. */
interface Report {
  readonly sent: JsonObject;
  readonly xeme: Xeme;
}

/** The errors of workers that the manager ended. */
const REASONS: { readonly [Reason in EndReason]: { readonly name: RuntimeErrorName; readonly message: string } } = {
  timeout: { name: "timedout", message: "the worker ran over its time limit" },
  cancel: { name: "cancelled", message: "the job was cancelled while its worker ran" },
  shutdown: { name: "shutdown", message: "the manager was stopped before the worker had finished" },
};

/**
 * The verdict on a job. Takes time in proportion to the output kept, and never throws.
 *
 * A report stands when the worker exited with 0, or says that it failed. A worker that was told to end because of a
 * cancellation or a shutdown, but then exited with 0 and reports success, has succeeded; over its time limit it has not.
 */
export function verdictOf(end: WorkerEnd, job: JudgedJob): Verdict {
  const ending = trailingJson(end.stdout.tail);
  const report = ending.kind === "object" ? { sent: ending.value, xeme: tidied(ending.value) } : null;
  const { xeme, followUps } = judgementOf(end, ending, report, job);
  const printed = textOf(end.stdout, ending.kind === "object" ? ending.start : undefined);
  const whole = completed(xeme, { printed, end, job });
  return { state: whole.success === true ? "done" : "failed", xeme: whole, errorClass: firstErrorClass(whole), followUps };
}

function judgementOf(end: WorkerEnd, ending: TrailingJson, report: Report | null, job: JudgedJob): Judgement {
  if (end.failure) {
    const { isNotExecutable, message, code } = end.failure;
    return failure(isNotExecutable ? "not-executable" : "not-started", message, null, { code });
  }
  const isCleanExit = end.exitCode === 0;
  if (end.reason !== null && !(end.reason !== "timeout" && isCleanExit && report?.xeme.success === true)) {
    return failure(REASONS[end.reason].name, REASONS[end.reason].message, report);
  }
  if (report && (isCleanExit ? report.xeme.success !== null : report.xeme.success === false)) return standing(report, end, job);
  if (!isCleanExit) return crashed(end, report);
  return report ? withoutVerdict(report) : withoutReport(ending, end.stdout, job.mode ?? "implicit");
}

/** A report that counts, if the jobs it asks for can be enqueued. */
function standing(report: Report, { exitCode, signal }: WorkerEnd, job: JudgedJob): Judgement {
  const { enqueue, ...rest } = report.xeme;
  let followUps: NewJob[];
  try {
    followUps = followUpsOf(enqueue, job.class);
  } catch (error) {
    return failure("bad-enqueue", `the verdict asks for jobs that cannot be enqueued: ${(error as Error).message}`, report);
  }
  if (exitCode === 0) return { xeme: rest, followUps };
  return { xeme: { ...rest, meta: { ...objectOf(rest.meta), ...exitOf(exitCode, signal) } }, followUps };
}

function crashed({ exitCode, signal }: WorkerEnd, report: Report | null): Judgement {
  const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
  return failure("crashed", `the worker ${how}`, report, exitOf(exitCode, signal));
}

/** A report whose success is neither true nor false. */
function withoutVerdict(report: Report): Judgement {
  const { success } = report.sent;
  if (success === null) return failure("null", "the worker reached no verdict: its success is null", report);
  if (typeof success === "boolean") return failure("null", "a part of the worker's verdict reached none", report);
  const problem = Object.hasOwn(report.sent, "success") ? "is neither true, false nor null" : "is missing";
  return failure("unparseable", `the output ends in a JSON object that is no verdict: its field success ${problem}`, report);
}

/** Output that does not end in an object. */
function withoutReport(ending: TrailingJson, stdout: Captured, mode: VerificationMode): Judgement {
  if (ending.kind === "nothing" && mode === "implicit") return { xeme: { success: true }, followUps: [] };
  if (ending.kind === "nothing") {
    return failure("missing", "the worker printed no verdict, and in positive mode it must", null);
  }
  if (ending.kind === "other") return failure("not-hash", `the output ends in JSON of type ${ending.type}, not an object`, null);
  if (ending.kind === "text" && ending.isTooDeep) {
    return failure("unparseable", `the JSON at the end of the output is nested deeper than ${MAX_JSON_DEPTH}`, null);
  }
  const hint =
    stdout.droppedBytes > 0
      ? `, as far as the last ${stdout.tail.length} bytes tell, which are all that was kept: ` +
        "for a verdict that is larger raise the class's max_output_bytes (maxOutputBytes in TypeScript)"
      : "";
  return failure("unparseable", `the output does not end in a JSON object${hint}`, null);
}

/** A failure of ours; what the worker reported is kept, as it was sent, under `misc.verdict`. */
function failure(
  name: RuntimeErrorName,
  message: string,
  report: Report | null,
  more: Readonly<Record<string, unknown>> = {},
): Judgement {
  const xeme = runtimeFailure(name, message, more);
  return { xeme: report ? { ...xeme, misc: { verdict: report.sent } } : xeme, followUps: [] };
}

/** The outcome with what was printed, and, where the worker did not say, whose it is, when it was made and what it took. */
function completed(xeme: Xeme, { printed, end, job }: { printed: string; end: WorkerEnd; job: JudgedJob }): Xeme {
  const stderr = textOf(end.stderr);
  const io = { ...objectOf(xeme.io), ...(printed !== "" && { stdout: printed }), ...(stderr !== "" && { stderr }) };
  const meta = {
    uuid: job.id,
    name: job.class,
    timestamp: end.endedAt.toISOString(),
    run_time: Math.round(end.runMs) / 1000,
    ...Object.fromEntries(Object.entries(objectOf(xeme.meta)).filter(([, value]) => value !== null && value !== "")),
  };
  return withoutEmpty({ ...xeme, meta, io }) as unknown as Xeme;
}

function exitOf(exitCode: number | null, signal: string | null): JsonObject {
  return { ...(exitCode !== null && { exit_code: exitCode }), ...(signal !== null && { signal }) };
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
