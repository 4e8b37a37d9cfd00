/** What callers ask of a client, and what is refused before anything is sent. */
import { checkDate, checkFunctionName, checkPayload, checkUnique, MAX_UNIQUE_BYTES, shown } from "./checks.ts";
import { GearmanError } from "./errors.ts";
import type { JobPacket, JobReceipt, Priority, StatusListener } from "./job.ts";

/** What bounds a call. */
export interface CallOptions {
  /** Calls the wait off. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds; `Infinity` for no limit. Default: the client's. */
  readonly timeoutMs?: number | undefined;
}

/** What all jobs have. */
export interface JobBase extends CallOptions {
  /** Function a worker registered, such as `img.resize`. */
  readonly name: string;
  /** What the worker receives, byte for byte; text is sent as UTF-8. Default: nothing. */
  readonly payload?: string | Uint8Array | undefined;
  /** Jobs of one function with the same key share one run while one of them waits or runs. At most 63 bytes. */
  readonly unique?: string | undefined;
  /**
   * Submit again when the connection is lost before the server's answer, instead of failing with UNKNOWN_OUTCOME.
   * Needs `unique`, which keeps the job from running twice while the first submit waits or runs on the same server;
   * when that one is done already, or another server takes over, the job does run twice. Default false.
   */
  readonly replay?: boolean | undefined;
}

/** A job that runs as soon as a worker takes it. */
export interface PlainJob {
  /** Default `normal`. */
  readonly priority?: Priority | undefined;
  readonly reducer?: undefined;
  readonly at?: undefined;
}

/** A job whose worker is told to collect partial results with another function. Servers know no priority for these. */
export interface ReduceJob {
  /** Function that reduces, such as `img.join`. */
  readonly reducer: string;
  readonly priority?: undefined;
  readonly at?: undefined;
}

/** A background job that waits for its time. Servers know no priority for these. */
export interface TimedJob {
  /** When the job may run, rounded up to a whole second; a time that is past means now. */
  readonly at: Date;
  readonly priority?: undefined;
  readonly reducer?: undefined;
}

/** A job for a worker. */
export type JobRequest = JobBase & (PlainJob | ReduceJob);

/** A job nobody waits for. */
export type BackgroundRequest = JobBase & (PlainJob | ReduceJob | TimedJob);

/** What a caller may want to hear while a job runs. */
export interface SubmitListeners {
  /** Called when the server has accepted the job. */
  readonly onCreated?: ((receipt: JobReceipt) => void) | undefined;
  /** Called with each progress report. */
  readonly onStatus?: StatusListener | undefined;
  /** Called with each piece of data; a promise it returns holds the next one back. */
  readonly onData?: ((payload: Buffer) => unknown) | undefined;
  /** Called with each warning; a promise it returns holds the next report back. */
  readonly onWarning?: ((payload: Buffer) => unknown) | undefined;
}

/** A job whose reports are wanted as they come. */
export type SubmitRequest = JobRequest & SubmitListeners;

/** Latest time a server can keep, in seconds since 1970: some count in 32 bits. */
const MAX_EPOCH_SECONDS = 0xffffffff;

/** What the jobs of one client have in common. */
export interface JobDefaults {
  /** Makes the unique key of a background job that has none. */
  readonly newKey: () => string;
  /** Put before the names of functions for the server; empty for nothing. */
  readonly namespace: string;
}

/** What goes into a submit packet, checked. */
export function checkJob(request: BackgroundRequest, isBackground: boolean, { newKey, namespace }: JobDefaults): JobPacket {
  const { unique = "", at, reducer, replay = false } = request;
  if (replay && unique === "")
    throw new GearmanError(
      "ARGUMENT",
      "replay needs a unique key, or the server cannot tell the job from its repetition: give `unique`",
    );
  return {
    name: checkServedName(request.name, namespace),
    namespace,
    unique: unique === "" ? (isBackground ? newKey() : "") : checkUnique(unique),
    payload: checkPayload(request.payload ?? ""),
    priority: checkPriority(request),
    reducer: reducer === undefined ? null : checkReducer(reducer, namespace),
    epoch: at === undefined ? null : epochOf(at, isBackground),
    replay,
  };
}

/** `name`, when it is one and servers take it with the namespace before it as well. */
function checkServedName(name: string, namespace: string): string {
  checkFunctionName(name);
  if (namespace !== "") checkFunctionName(namespace + name);
  return name;
}

/** Servers give a reducer no more room than a unique key. */
function checkReducer(reducer: string, namespace: string): string {
  const bytes = Buffer.byteLength(namespace + checkFunctionName(reducer));
  if (bytes <= MAX_UNIQUE_BYTES) return reducer;
  throw new GearmanError("ARGUMENT", `reducer ${shown(reducer)} has ${bytes} bytes, at most ${MAX_UNIQUE_BYTES} are allowed`);
}

function checkPriority({ priority, at, reducer }: BackgroundRequest): Priority {
  const present: string | undefined = priority;
  if (present === undefined) return "normal";
  if (at !== undefined || reducer !== undefined) {
    const what = at === undefined ? "a reduce job" : "a job with a time";
    throw new GearmanError(
      "ARGUMENT",
      `priority ${shown(present)} is not available for ${what}: servers run it as normal, leave priority out`,
    );
  }
  if (present === "high" || present === "normal" || present === "low") return present;
  throw new GearmanError("ARGUMENT", `priority ${shown(present)} is none of high, normal and low`);
}

/** A time as servers take it: whole seconds since 1970, in digits. */
function epochOf(at: Date, isBackground: boolean): string {
  if (!isBackground)
    throw new GearmanError(
      "ARGUMENT",
      "a job with a time always runs in the background: use submitBackground, or leave `at` out",
    );
  const seconds = Math.ceil(checkDate(at).getTime() / 1000);
  if (Number.isNaN(seconds)) throw new GearmanError("ARGUMENT", "`at` is an invalid date");
  if (seconds > MAX_EPOCH_SECONDS)
    throw new GearmanError("ARGUMENT", `at ${at.toISOString()} is too late: servers keep times up to 2106-02-07`);
  return String(Math.max(0, seconds));
}
