/** Jobs as a client sees them: submitted, perhaps followed while they run, and settled exactly once. */
import { Call, type CallBounds, counted } from "./call.ts";
import type { Connection, JobFollower, JobReport, RequestReply } from "./connection.ts";
import { GearmanError } from "./errors.ts";
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

/** A job ready to be sent: what goes into its packet, what bounds the wait, and who wants to hear of it. */
export interface JobContent extends CallBounds, JobListeners {
  readonly name: string;
  readonly unique: string;
  readonly priority: Priority;
  readonly payload: PacketArg;
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

  constructor(content: JobContent) {
    super(content.name, content);
    this.content = content;
  }

  protected override lostAfterSending(reason: GearmanError): void {
    const message = `${this.subject} may or may not have been queued: ${reason.message}`;
    this.fail(reason.kind === "IO" ? new GearmanError("UNKNOWN_OUTCOME", message, { cause: reason }) : reason);
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
    const { name, unique, priority, payload } = this.content;
    connection.send(this, SUBMIT_PACKETS.background[priority], name, unique, payload);
  }

  override accepted(handle: string, connection: Connection): void {
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
    const { name, unique, priority, payload } = this.content;
    connection.send(this, SUBMIT_PACKETS.foreground[priority], name, unique, payload);
  }

  override accepted(handle: string, connection: Connection): void {
    this.#handle = handle;
    // With a unique key the server may merge a later submit into this job, and both must take turns then.
    if (!this.isSettled || this.content.unique !== "") connection.follow(handle, this);
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

  protected override givenUp(): void {
    super.givenUp();
    if (this.#handle !== null && this.content.unique === "") this.connection?.unfollow(this.#handle, this);
  }

  /** Runs a caller's function; when it throws, that ends the wait for the job. */
  protected guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.fail(error);
      this.givenUp();
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
