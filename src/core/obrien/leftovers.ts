/**
 * Processes that a dead manager left behind: which they are, and how they end. They are found where the system has
 * /proc; elsewhere none are, and workers end when they notice that nobody reads what they write.
 */
import { readdirSync, readFileSync } from "node:fs";
import { pause } from "../net/deadline.ts";
import { signalGroup } from "./process-group.ts";
import type { ClaimedJob } from "./queue.ts";

/** The variables that say whose worker a process is. */
export const MARKS = { store: "OBRIEN_STORE", job: "OBRIEN_JOB", spare: "OBRIEN_SPARE" } as const;

/** How long leftover processes have. */
export interface EndingOptions {
  /** From TERM to KILL, in milliseconds. */
  readonly killAfterMs: number;
  /** From KILL until they are given up, in milliseconds: one that hangs in the kernel cannot be ended. */
  readonly giveUpAfterMs: number;
}

/** A process that runs now. */
interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly startTime: number;
}

/** Time between two looks at processes that should end, in milliseconds. */
const LOOK_MS = 10;

/** Ends all processes of the dead manager of a store, with their groups. Resolves with their number. */
export async function endLeftovers(path: string, claimed: readonly ClaimedJob[], options: EndingOptions): Promise<number> {
  const { killAfterMs, giveUpAfterMs } = options;
  const startedMs = performance.now();
  const seen = new Set<number>();
  for (;;) {
    const left = leftoversOf(path, claimed);
    const elapsedMs = performance.now() - startedMs;
    if (left.length === 0 || elapsedMs > killAfterMs + giveUpAfterMs) return seen.size;
    for (const one of left) {
      if (elapsedMs >= killAfterMs) signal(one, "SIGKILL");
      else if (!seen.has(one.pid)) signal(one, "SIGTERM");
      seen.add(one.pid);
    }
    await pause(LOOK_MS);
  }
}

/** A group of its own is ended whole; our own would take us along. */
function signal({ pid, group }: ProcessInfo, name: NodeJS.Signals): void {
  if (group > 1 && group !== infoOf(process.pid)?.group) signalGroup(group, name);
  else signalProcess(pid, name);
}

function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}

/** The processes that run and belong to claimed jobs, or were warm workers of this store. */
function leftoversOf(path: string, claimed: readonly ClaimedJob[]): ProcessInfo[] {
  const processes = runningProcesses();
  const ours = ancestorsOf(process.pid, processes);
  const marks = { path, jobs: new Set(claimed.map(({ record }) => record.id)) };
  const workers = new Map(claimed.map(({ pid, startTime }) => [pid, startTime]));
  return [...processes.values()].filter(
    (one) => !ours.has(one.pid) && (workers.get(one.pid) === one.startTime || isMarked(one.pid, marks)),
  );
}

/** A process in a worker's environment may have started us: it is not ended before we are. */
function ancestorsOf(pid: number, processes: ReadonlyMap<number, ProcessInfo>): Set<number> {
  const found = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && !found.has(at); at = processes.get(at)?.parent) found.add(at);
  return found;
}

/** Looks at the environment a process was started with. */
function isMarked(pid: number, { path, jobs }: { readonly path: string; readonly jobs: ReadonlySet<string> }): boolean {
  const text = read(`/proc/${pid}/environ`);
  if (!text?.includes(MARKS.store)) return false;
  const variables = new Map(
    text.split("\0").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  if (variables.get(MARKS.store) !== path) return false;
  const job = variables.get(MARKS.job);
  return job === undefined ? variables.has(MARKS.spare) : jobs.has(job);
}

/** All processes but those that have ended and wait to be collected. */
function runningProcesses(): Map<number, ProcessInfo> {
  const found = new Map<number, ProcessInfo>();
  for (const name of numbersIn("/proc")) {
    const info = infoOf(name);
    if (info !== null) found.set(info.pid, info);
  }
  return found;
}

/** Null for a process that has ended. */
function infoOf(pid: number): ProcessInfo | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The program's name stands in parentheses and may contain anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return null;
  return { pid, parent: Number(fields[1]), group: Number(fields[2]), startTime: Number(fields[19]) };
}

/** Whether a process that we started still runs; true where that cannot be told. */
export function isRunning(pid: number): boolean {
  return read("/proc/self/stat") === null || infoOf(pid) !== null;
}

function numbersIn(directory: string): number[] {
  try {
    return readdirSync(directory).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
