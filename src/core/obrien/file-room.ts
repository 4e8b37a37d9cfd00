/**
 * Whether this process may open the files that one more worker takes. Node loses some of them each time it cannot start
 * a process for the lack of others, so after the first such failure it is looked at before each start.
 */
import { closeSync, openSync } from "node:fs";

/** What starting a process takes for a moment: both ends of its three pipes, and what Node needs besides. */
const FILES = 12;

/** The failures that mean that no more files may be opened. */
const TIGHT_CODES: readonly string[] = ["EMFILE", "ENFILE"];

/** The room for files of one manager. */
export class FileRoom {
  #isTight = false;

  /** A process could not be started, for the reason with this code. */
  failed(code: string): void {
    if (TIGHT_CODES.includes(code)) this.#isTight = true;
  }

  /** False when starting a process now would fail. */
  isThere(): boolean {
    return !this.#isTight || canOpen("/dev/null", FILES);
  }
}

function canOpen(path: string, count: number): boolean {
  const files: number[] = [];
  try {
    for (let file = 0; file < count; file++) files.push(openSync(path, "r"));
    return true;
  } catch {
    return false;
  } finally {
    for (const file of files) closeSync(file);
  }
}
