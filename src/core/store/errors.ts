/** Every way the store can fail, as one table and one class: programs look at `kind`, people at `message`. */

/** `sqlite` are the result codes, longer ones that start like them included, that mean this kind. */
export const STORE_ERRORS = {
  MISSING_DIRECTORY: { sqlite: [], doc: "The directory the file belongs in does not exist." },
  CANNOT_OPEN: { sqlite: ["SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH"], doc: "The file cannot be opened or created." },
  READ_ONLY: { sqlite: ["SQLITE_READONLY"], doc: "The file, or its file system, cannot be written." },
  CORRUPT: { sqlite: ["SQLITE_CORRUPT", "SQLITE_NOTADB"], doc: "The file is damaged, or is no SQLite database." },
  FULL: { sqlite: ["SQLITE_FULL"], doc: "The disk, or the size the file is allowed, is full." },
  LOCKED: { sqlite: ["SQLITE_BUSY", "SQLITE_LOCKED"], doc: "Another process, or another part of this one, uses the file." },
  IO: { sqlite: ["SQLITE_IOERR", "SQLITE_PROTOCOL"], doc: "The operating system could not read or write the file." },
  CONSTRAINT: { sqlite: ["SQLITE_CONSTRAINT"], doc: "A row breaks a rule of its table, such as a key that is there already." },
  VERSION: { sqlite: [], doc: "The file was written by a newer version, or by another program." },
  VALUE: { sqlite: ["SQLITE_TOOBIG", "SQLITE_MISMATCH", "SQLITE_RANGE"], doc: "A value that cannot be stored." },
  CLOSED: { sqlite: [], doc: "The store was used after it was closed." },
  UNAVAILABLE: { sqlite: [], doc: "SQLite cannot be loaded on this machine." },
  FAILED: { sqlite: [], doc: "Anything else: a mistake in a statement, for example." },
} as const satisfies Record<string, { sqlite: readonly string[]; doc: string }>;

/** Name of one kind of failure, such as `FULL`. */
export type StoreErrorKind = keyof typeof STORE_ERRORS;

/** A failed call of the store. The message names the file. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  /** What went wrong, for programs. */
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What SQLite threw, as one of our kinds; an error that is one already stays as it is. */
export function storeErrorOf(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const { message, code } = error as { message?: unknown; code?: unknown };
  const kind = kindOf(typeof code === "string" ? code : "", String(message));
  return new StoreError(kind, `${path}: ${textOf(kind, String(message ?? error))}`, { cause: error });
}

/** SQLite's number for a file or directory that cannot be written. */
const READONLY = 8;

/**
 * Failures to open carry no code of their own, but end in SQLite's number for one. Codes that the package has no name
 * for have the kind in their lowest byte; those of directories that cannot be written are such.
 */
function kindOf(code: string, message: string): StoreErrorKind {
  if (/^ConnectionFailed\(/.test(message)) return "CANNOT_OPEN";
  const [, number] = /^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(code) ?? [];
  if (number !== undefined && (Number(number) & 0xff) === READONLY) return "READ_ONLY";
  for (const [kind, { sqlite }] of Object.entries(STORE_ERRORS)) {
    if (sqlite.some((start) => code.startsWith(start))) return kind as StoreErrorKind;
  }
  return "FAILED";
}

function textOf(kind: StoreErrorKind, message: string): string {
  return kind === "CANNOT_OPEN" || kind === "FAILED"
    ? message
    : `${message}. ${STORE_ERRORS[kind].doc}`.replace(/^./, (c) => c.toLowerCase());
}
