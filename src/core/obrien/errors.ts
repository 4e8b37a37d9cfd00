/**
 * Every way an O'Brien call can fail, as one table and one class: programs look at `kind`, scripts
 * at `code`, people at `message`.
 */
import { StoreError, type StoreErrorKind } from "../store/errors.ts";

/**
 * `code` is what a script reads in OBRIEN.ERRCODE% and never changes. `fatal` failures are mistakes in the program or
 * its surroundings that no retry cures. `store` are the store's failures that mean this kind, and `wayOut` is what
 * their messages end with.
 */
export const OBRIEN_ERRORS = {
  ARGUMENT: {
    code: 1,
    fatal: true,
    store: ["VALUE"],
    wayOut: "",
    doc: "A value that cannot be used, such as an empty class name.",
  },
  STATE: {
    code: 2,
    fatal: true,
    store: [],
    wayOut: "",
    doc: "A call that does not fit the moment, such as ending a job that has ended.",
  },
  NOT_FOUND: { code: 3, fatal: false, store: [], wayOut: "", doc: "The store has no job with that id." },
  UNDEFINED_CLASS: { code: 4, fatal: true, store: [], wayOut: "", doc: "A class of jobs that was not defined." },
  TIMEOUT: { code: 5, fatal: false, store: [], wayOut: "", doc: "The job had not ended when the wait was over." },
  ABORTED: { code: 6, fatal: false, store: [], wayOut: "", doc: "The caller's AbortSignal ended the call." },
  CLOSED: { code: 7, fatal: false, store: ["CLOSED"], wayOut: "", doc: "The store was used after it was closed." },
  LOCKED: {
    code: 8,
    fatal: false,
    store: ["LOCKED"],
    wayOut: "try again, or end the process that holds it",
    doc: "Another manager works on the store, or another process has been writing to it for too long.",
  },
  FULL: {
    code: 9,
    fatal: false,
    store: ["FULL"],
    wayOut: "make room on the disk or prune jobs that have ended, then try again",
    doc: "The disk, or the size the store is allowed, is full.",
  },
  READ_ONLY: {
    code: 10,
    fatal: true,
    store: ["READ_ONLY"],
    wayOut: "make the file and its directory writable, or use another file",
    doc: "The store, or its file system, cannot be written.",
  },
  CORRUPT: {
    code: 11,
    fatal: true,
    store: ["CORRUPT"],
    wayOut: "restore the file from a copy, or move it away to start with a new one",
    doc: "The store is damaged, or is no SQLite database.",
  },
  CANNOT_OPEN: {
    code: 12,
    fatal: true,
    store: ["CANNOT_OPEN", "MISSING_DIRECTORY"],
    wayOut: "name a file in a directory that exists and can be written",
    doc: "The store cannot be opened or created.",
  },
  VERSION: {
    code: 13,
    fatal: true,
    store: ["VERSION"],
    wayOut: "",
    doc: "The store was written by a newer version, or by another program.",
  },
  IO: {
    code: 14,
    fatal: false,
    store: ["IO"],
    wayOut: "look at the disk, then try again",
    doc: "The operating system could not read or write the store.",
  },
  UNAVAILABLE: { code: 15, fatal: true, store: ["UNAVAILABLE"], wayOut: "", doc: "SQLite cannot be loaded on this machine." },
  FAILED: { code: 16, fatal: true, store: ["CONSTRAINT", "FAILED"], wayOut: "", doc: "Anything else that the store refuses." },
} as const satisfies Record<
  string,
  { code: number; fatal: boolean; store: readonly StoreErrorKind[]; wayOut: string; doc: string }
>;

/** Name of one kind of failure, such as `FULL`. */
export type ObrienErrorKind = keyof typeof OBRIEN_ERRORS;

/** A failed O'Brien call. */
export class ObrienError extends Error {
  override readonly name = "ObrienError";
  /** What went wrong, for programs. */
  readonly kind: ObrienErrorKind;

  constructor(kind: ObrienErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /** The number a script sees, such as 1 for `ARGUMENT`. */
  get code(): number {
    return OBRIEN_ERRORS[this.kind].code;
  }

  /** True for mistakes that no retry cures. */
  get fatal(): boolean {
    return OBRIEN_ERRORS[this.kind].fatal;
  }
}

/** A failure of the store as one of ours, its message with the way out; other errors stay as they are. */
export function obrienErrorOf(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  // What a transaction's body throws comes out wrapped.
  if (error.cause instanceof ObrienError) return error.cause;
  const kind = kindOf(error.kind);
  const { wayOut } = OBRIEN_ERRORS[kind];
  const message = error.message.replace(/\.$/, "");
  return new ObrienError(kind, wayOut === "" ? message : `${message}: ${wayOut}`, { cause: error });
}

function kindOf(failure: StoreErrorKind): ObrienErrorKind {
  for (const [kind, { store }] of Object.entries(OBRIEN_ERRORS)) {
    if ((store as readonly StoreErrorKind[]).includes(failure)) return kind as ObrienErrorKind;
  }
  return "FAILED";
}
