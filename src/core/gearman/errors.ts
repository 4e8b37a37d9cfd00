/**
 * Every way a Gearman call can fail, as one table and one class: programs look at `kind`, scripts
 * at `code`, people at `message`.
 */

/**
 * `code` is what a script reads in GEARMAN.ERRCODE% and never changes. `fatal` failures are mistakes
 * in the program or its surroundings that no retry cures; the others are part of normal life.
 */
export const GEARMAN_ERRORS = {
  TIMEOUT: { code: 1, fatal: false, doc: "No answer within timeout_ms." },
  IO: { code: 2, fatal: false, doc: "A socket failed, or no server could be reached." },
  PROTOCOL: { code: 3, fatal: true, doc: "The other side sent bytes that are not a Gearman packet." },
  NOT_FOUND: { code: 4, fatal: false, doc: "The server does not know that job, or it is over." },
  WORKER_FAILED: { code: 5, fatal: false, doc: "The worker reported that the job failed." },
  CANCEL_UNSUPPORTED: { code: 6, fatal: false, doc: "The server has no command to cancel a job." },
  UNKNOWN_OUTCOME: { code: 7, fatal: false, doc: "The connection was lost after the job was sent: it may or may not run." },
  SERVER: { code: 8, fatal: false, doc: "The server refused the request, for example because its queue is full." },
  ARGUMENT: { code: 9, fatal: true, doc: "A value that cannot be sent, such as an empty function name." },
  CONFIG: { code: 10, fatal: true, doc: "A setting is unknown, has the wrong type or is out of range." },
  ABORTED: { code: 11, fatal: false, doc: "The caller's AbortSignal ended the wait." },
  CLOSED: { code: 12, fatal: false, doc: "The client or worker was closed while the call was under way, or before." },
  STATE: { code: 13, fatal: true, doc: "A call that does not fit the moment, such as starting a worker twice." },
} as const satisfies Record<string, { code: number; fatal: boolean; doc: string }>;

/** Name of one kind of failure, such as `TIMEOUT`. */
export type GearmanErrorKind = keyof typeof GEARMAN_ERRORS;

/** A failed Gearman call. */
export class GearmanError extends Error {
  override readonly name = "GearmanError";
  /** What went wrong, for programs. */
  readonly kind: GearmanErrorKind;

  constructor(kind: GearmanErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /** The number a script sees, such as 1 for `TIMEOUT`. */
  get code(): number {
    return GEARMAN_ERRORS[this.kind].code;
  }

  /** True for mistakes that no retry cures. */
  get fatal(): boolean {
    return GEARMAN_ERRORS[this.kind].fatal;
  }
}

/** The text of whatever a handler threw; an error without one has its name. */
export function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message || reason.name : String(reason);
}
