/** Failures of the operating system in the words scripts see: `READFILE$ nope.txt: No such file or directory (os error 2)`. */
import { BasilError, LimitError } from "../../runtime/errors.ts";

/** What Linux says, by Node's code. The numbers are Linux's, so that messages are the same everywhere. */
const SYSTEM_ERRORS: Readonly<Record<string, readonly [number: number, text: string]>> = {
  EPERM: [1, "Operation not permitted"],
  ENOENT: [2, "No such file or directory"],
  EIO: [5, "Input/output error"],
  EBADF: [9, "Bad file descriptor"],
  EACCES: [13, "Permission denied"],
  EBUSY: [16, "Device or resource busy"],
  EEXIST: [17, "File exists"],
  EXDEV: [18, "Invalid cross-device link"],
  ENOTDIR: [20, "Not a directory"],
  EISDIR: [21, "Is a directory"],
  EINVAL: [22, "Invalid argument"],
  ENFILE: [23, "Too many open files in system"],
  EMFILE: [24, "Too many open files"],
  EFBIG: [27, "File too large"],
  ENOSPC: [28, "No space left on device"],
  ESPIPE: [29, "Illegal seek"],
  EROFS: [30, "Read-only file system"],
  EPIPE: [32, "Broken pipe"],
  ENAMETOOLONG: [36, "File name too long"],
  ENOTEMPTY: [39, "Directory not empty"],
  ELOOP: [40, "Too many levels of symbolic links"],
  ENOTSUP: [95, "Operation not supported"],
  // Node's own, for a path with a zero byte.
  ERR_INVALID_ARG_VALUE: [22, "Invalid argument"],
};

/** The IO_ERROR for a failed operation on a path; errors that are BASIC's already stay themselves. */
export function systemError(builtin: string, path: string, cause: unknown): Error {
  if (cause instanceof BasilError || cause instanceof LimitError) return cause;
  return new BasilError("IO_ERROR", `${builtin} ${path}: ${systemMessage(cause)}`, { cause });
}

function systemMessage(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const known = SYSTEM_ERRORS[code];
  if (known) return `${known[1]} (os error ${known[0]})`;
  return cause instanceof Error ? cause.message : String(cause);
}
