/** One job as one process: its payload on standard input, its standard output as the result, its errors as warnings. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { GearmanJob } from "../../../core/gearman/worker-job.ts";
import { signalGroup } from "../../../core/obrien/process-group.ts";
import { linesOf } from "./submit-input.ts";

/** How processes of one worker run. */
export interface ProcessOptions {
  /** Path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** What stands before the function's name at servers; the process does not see it. */
  readonly namespace: string;
  /** `whole`: the output is the result. Else it goes out as data while the process runs, in pieces or in lines. */
  readonly output: "whole" | "chunks" | "lines" | "stripped";
  /** Largest result, in bytes, for `whole`. */
  readonly maxBytes: number;
}

/** Time a process has to end after SIGTERM, in milliseconds. */
const TERM_MS = 2_000;

/** Longest end of the last line of errors that goes into the reason of a failure, in characters. */
const MAX_REASON_CHARACTERS = 500;

/** Kills what a process started along with it: it has a process group of its own. */
export class ProcessGroups {
  readonly #pids = new Set<number>();

  add(pid: number): void {
    this.#pids.add(pid);
  }

  delete(pid: number): void {
    this.#pids.delete(pid);
  }

  /** Kills all processes that still run. */
  killAll(): void {
    for (const pid of this.#pids) signalGroup(pid, "SIGKILL");
  }
}

/**
 * Runs the process of one job to its end and gives the result. Throws the reason when it ended with another code than
 * 0, by a signal, or wrote too much. When the job's signal fires, the process group gets SIGTERM, then SIGKILL.
 */
export async function runProcess(job: GearmanJob, options: ProcessOptions, groups: ProcessGroups): Promise<Buffer> {
  const child = await started(job, options);
  const pid = child.pid!;
  groups.add(pid);
  const stop = stopper(pid);
  job.signal.addEventListener("abort", stop.begin, { once: true });
  if (job.signal.aborted) stop.begin();
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  child.stdin.on("error", () => undefined); // a program need not read all of it
  child.stdin.end(job.payload);
  try {
    const [result, lastError] = await Promise.all([collected(child.stdout, job, options, stop.begin), warned(child.stderr, job)]);
    const [code, signal] = await closed;
    if (result === null)
      throw new Error(`the output is over ${options.maxBytes} bytes: raise --max-bytes or send it with --chunks`);
    if (code !== 0) throw new Error(failureText(options.program, code, signal, lastError));
    return result;
  } catch (error) {
    stop.begin();
    await closed;
    throw error;
  } finally {
    job.signal.removeEventListener("abort", stop.begin);
    stop.end();
    groups.delete(pid);
  }
}

async function started(job: GearmanJob, options: ProcessOptions): Promise<ChildProcessWithoutNullStreams> {
  const { program, args, directory, environment, namespace } = options;
  const child = spawn(program, args, {
    cwd: directory,
    env: {
      ...environment,
      GEARMAN_FUNCTION: job.name.slice(namespace.length),
      GEARMAN_HANDLE: job.handle,
      GEARMAN_UNIQUE: job.unique,
    },
    stdio: "pipe",
    detached: true,
  });
  if (child.pid === undefined) {
    const [error] = (await once(child, "error")) as [Error];
    throw new Error(`cannot run ${program}: ${error.message}`);
  }
  return child;
}

/** The result, null when it is too large. Data goes out at the server's pace. */
async function collected(stdout: Readable, job: GearmanJob, options: ProcessOptions, tooMuch: () => void) {
  const { output, maxBytes } = options;
  if (output !== "whole") {
    const pieces = output === "chunks" ? stdout : linesOf(stdout, output === "lines" ? "whole" : "stripped");
    for await (const piece of pieces) await job.sendData(piece as Buffer);
    return Buffer.alloc(0);
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stdout) {
    bytes += (piece as Buffer).length;
    if (bytes <= maxBytes) parts.push(piece as Buffer);
    else {
      parts.length = 0;
      tooMuch();
    }
  }
  return bytes <= maxBytes ? Buffer.concat(parts) : null;
}

/** Sends each line of errors as a warning, and gives the last one that is not empty. */
async function warned(stderr: Readable, job: GearmanJob): Promise<string> {
  let last = "";
  for await (const line of linesOf(stderr, "whole")) {
    await job.sendWarning(line);
    last = line.toString().trim() || last;
  }
  return last;
}

function failureText(program: string, code: number | null, signal: NodeJS.Signals | null, lastError: string): string {
  const how = signal === null ? `exit code ${code}` : signal;
  const why = lastError === "" ? "" : `: ${lastError.slice(-MAX_REASON_CHARACTERS)}`;
  return `${basename(program)} ended with ${how}${why}`;
}

/** Ends a process group: politely first. */
function stopper(pid: number): { readonly begin: () => void; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    begin() {
      if (timer !== undefined) return;
      signalGroup(pid, "SIGTERM");
      timer = setTimeout(() => signalGroup(pid, "SIGKILL"), TERM_MS);
    },
    end: () => clearTimeout(timer),
  };
}
