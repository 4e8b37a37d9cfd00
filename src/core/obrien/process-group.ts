/** What the operating system knows of a worker's process group: its start, and how to end it. */
import { readFileSync } from "node:fs";

/** Place of the start time behind the program's name in /proc/<pid>/stat. */
const START_TIME_FIELD = 19;

/**
 * When a process started, in the kernel's ticks since the machine did: with its id, this tells it from later processes.
 * Null for a process that is gone, and on systems without /proc.
 */
export function startTimeOf(pid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  const time = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ", START_TIME_FIELD + 1)[START_TIME_FIELD]);
  return Number.isSafeInteger(time) ? time : null;
}

/**
 * Sends a signal to all processes of the group that a worker leads. False when there is none left, none that may be
 * sent to, or `pid` cannot be a worker's: to the system, 0 and 1 mean groups of others.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
