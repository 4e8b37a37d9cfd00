/** Jobs as a client sees them: submitted, perhaps followed while they run, and settled exactly once. */
import { Call, type CallBounds, counted } from "./call.ts";
import type { Connection, JobFollower, JobReport, Request, RequestReply } from "./connection.ts";
import { GearmanError } from "./errors.ts";
import type { ClientCounters } from "./metrics.ts";
import type { PacketArg } from "./packets.ts";

/** The packet that submits a job, by where it runs and how urgent it is. */
export const SUBMIT_PACKETS = {
  foreground: { high: "SUBMIT_JOB_HIGH", normal: "SUBMIT_JOB", low: "SUBMIT_JOB_LOW" },
  background: { high: "SUBMIT_JOB_HIGH_BG", normal: "SUBMIT_JOB_BG", low: "SUBMIT_JOB_LOW_BG" },
} as const;

/** How urgent a job is among the queued jobs of its function. */
export type Priority = keyof (typeof SUBMIT_PACKETS)["foreground"];

/** What a caller may want to hear while a foreground job runs. */
export interface JobListeners {
  readonly onCreated?: ((receipt: JobReceipt) => void) | undefined;
  readonly onStatus?: StatusListener | undefined;
}

/** What goes into a submit packet. */
export interface JobPacket {
  /** The function as programs call it. */
  readonly name: string;
  /** Stands before it, and before the reducer, at the server; empty for nothing. */
  readonly namespace: string;
  readonly unique: string;
  readonly payload: PacketArg;
  readonly priority: Priority;
  /** Function that reduces the results, or null for a plain job. */
  readonly reducer: string | null;
  /** Seconds since 1970 in digits, for a job that waits for its time; else null. */
  readonly epoch: string | null;
  /** Send again when the connection is lost before the answer. */
  readonly replay: boolean;
}

/** A job ready to be sent: what goes into its packet, what bounds the wait, and who wants to hear of it. */
export interface JobContent extends CallBounds, JobListeners {
  readonly packet: JobPacket;
  readonly counters: ClientCounters;
}

/** Sends the one packet that submits such a job. */
export function sendJob(connection: Connection, request: Request, mode: keyof typeof SUBMIT_PACKETS, job: JobPacket): void {
  const { namespace, unique, payload, priority, reducer, epoch } = job;
  const name = namespace + job.name;
  if (reducer !== null) {
    const packet = mode === "foreground" ? "SUBMIT_REDUCE_JOB" : "SUBMIT_REDUCE_JOB_BACKGROUND";
    connection.send(request, packet, name, unique, namespace + reducer, "", payload);
  } else if (epoch !== null) connection.send(request, "SUBMIT_JOB_EPOCH", name, unique, epoch, payload);
  else connection.send(request, SUBMIT_PACKETS[mode][priority], name, unique, payload);
}

/** The error of a submit whose connection broke before the answer. */
export function unknownOutcome(name: string, reason: GearmanError): GearmanError {
  if (reason.kind !== "IO") return reason;
  return new GearmanError("UNKNOWN_OUTCOME", `${name} may or may not have been queued: ${reason.message}`, { cause: reason });
}

/** Progress as the worker reports it; both are whole numbers from 0 to 4294967295. */
export type StatusListener = (numerator: number, denominator: number) => void;

/** Something a worker sent while its job runs. */
export type JobEvent =
  | { readonly type: "data"; readonly payload: Buffer }
  | { readonly type: "warning"; readonly payload: Buffer }
  | { readonly type: "status"; readonly numerator: number; readonly denominator: number };

/** Longest piece of a worker's warning that goes into an error message, in characters. */
const MAX_REASON_CHARACTERS = 1000;

/** A submit of any kind. */
export abstract class Submit<T> extends Call<T> {
  readonly expects: RequestReply = "JOB_CREATED";
  readonly content: JobContent;
  /** A submit was written and never answered; from then on no failure says that the job does not run. */
  #mayBeQueued = false;

  constructor(content: JobContent) {
    super(content.packet.name, content);
    this.content = content;
  }

  override accepted(_handle: string, _connection: Connection): void {
    this.content.counters.accepted++;
    this.#mayBeQueued = false;
  }

  override fail(error: unknown): void {
    if (this.isSettled) return;
    const isHidden = this.#mayBeQueued && error instanceof GearmanError && error.kind === "IO";
    const reason = isHidden ? unknownOutcome(this.subject, error) : error;
    this.content.counters.endedBy(reason, this.subject);
    super.fail(reason);
  }

  protected override succeed(value: T): void {
    if (!this.isSettled) this.content.counters.completed++;
    super.succeed(value);
  }

  protected override lostAfterSending(reason: GearmanError): void {
    this.#mayBeQueued = true;
    if (this.content.packet.replay) this.resend(reason);
    else this.fail(reason);
  }
}

/** Where a background job went. */
export interface JobReceipt {
  /** The handle by which its server knows the job, such as `H:vm:12`. */
  readonly handle: string;
  /** The server, such as `127.0.0.1:4730`. */
  readonly server: string;
}

/** A job nobody waits for: done when the server has accepted it. */
export class BackgroundSubmit extends Submit<JobReceipt> {
  override sendOver(connection: Connection): void {
    sendJob(connection, this, "background", this.content.packet);
  }

  override accepted(handle: string, connection: Connection): void {
    super.accepted(handle, connection);
    this.succeed({ handle, server: connection.server });
  }
}

/** A job whose result is waited for. Its modes: sending → created (followed by handle) → settled. */
export class ForegroundSubmit extends Submit<Buffer> implements JobFollower {
  #handle: string | null = null;
  #lastWarning: Buffer | null = null;

  /** The server's name for the job, once it is known. */
  get handle(): string | null {
    return this.#handle;
  }

  override sendOver(connection: Connection): void {
    sendJob(connection, this, "foreground", this.content.packet);
  }

  override accepted(handle: string, connection: Connection): void {
    super.accepted(handle, connection);
    this.#handle = handle;
    // With a unique key the server may merge a later submit into this job, and both must take turns then.
    if (!this.isSettled || this.content.packet.unique !== "") connection.follow(handle, this.isSettled ? null : this);
    if (!this.isSettled) this.guard(() => this.content.onCreated?.({ handle, server: connection.server }));
  }

  completed(result: Buffer): void {
    this.succeed(result);
  }

  reported(report: JobReport): void {
    if (this.isSettled) return;
    switch (report.name) {
      case "WORK_FAIL":
        this.fail(this.#failure(this.#lastWarning));
        break;
      case "WORK_EXCEPTION":
        this.fail(this.#failure(report.args.payload));
        break;
      case "WORK_STATUS":
        this.guard(() => this.onStatus(counted(report.args.numerator), counted(report.args.denominator)));
        break;
      case "WORK_WARNING":
        this.#lastWarning = report.args.payload;
        this.onPayload("warning", report.args.payload);
        break;
      case "WORK_DATA":
        this.onPayload("data", report.args.payload);
        break;
    }
  }

  protected onStatus(numerator: number, denominator: number): void {
    this.content.onStatus?.(numerator, denominator);
  }

  protected onPayload(_type: "data" | "warning", _payload: Buffer): void {}

  protected override lostAfterSending(reason: GearmanError): void {
    if (this.#handle === null) {
      super.lostAfterSending(reason);
      return;
    }
    const message = `${this.subject} did not finish: ${reason.message} (job ${this.#handle})`;
    this.fail(reason.kind === "IO" ? new GearmanError("IO", message, { cause: reason }) : reason);
  }

  protected override givenUp(isOverdue: boolean): void {
    super.givenUp(isOverdue);
    if (this.#handle !== null) this.connection?.unfollow(this.#handle, this, this.content.packet.unique !== "");
  }

  /** Runs a caller's function; when it throws, that ends the wait for the job. */
  protected guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.fail(error);
      this.givenUp(false);
    }
  }

  #failure(reason: Buffer | null): GearmanError {
    const text = reason === null ? "" : reason.toString().slice(0, MAX_REASON_CHARACTERS).trim();
    return new GearmanError(
      "WORKER_FAILED",
      `${this.subject} failed${text === "" ? " without giving a reason" : `: ${text}`} (job ${this.#handle})`,
    );
  }
}
