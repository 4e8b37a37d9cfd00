/** What a class of jobs is: the program that runs for each of its jobs, and the limits it runs under. */
import type { JobRecord, VerificationMode } from "./job.ts";

/** The program of one worker process. */
export interface WorkerCommand {
  /** Path, or name that is looked up in PATH. */
  readonly program: string;
  readonly args: readonly string[];
  /** Run `program` as a shell's command line instead; `args` become $1 and so on. Default false. */
  readonly isShell?: boolean | undefined;
}

/** How the jobs of a class run. */
export interface JobClass {
  readonly name: string;
  readonly command: WorkerCommand;
  /** What a worker reads on standard input for a job. Default: the payload alone. */
  readonly input?: ((job: JobRecord) => readonly Uint8Array[]) | undefined;
  /** Default `implicit`. */
  readonly mode?: VerificationMode | undefined;
  /** Longest time of one job, in milliseconds; then its process group gets TERM, and KILL after `killAfterMs`. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** Time between TERM and KILL, in milliseconds. Default 5000. */
  readonly killAfterMs?: number | undefined;
  /** Most bytes kept of standard output, and of standard error; the tail is always among them. Default 1 MiB. */
  readonly maxOutputBytes?: number | undefined;
  /** Most address space of a worker, in bytes, where the system can limit it. Default: no limit. */
  readonly maxMemoryBytes?: number | undefined;
  /** Most jobs of this class at once. Default: no limit but the manager's. */
  readonly maxConcurrency?: number | undefined;
  /** Environment variables a worker gets besides the allowed ones. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Names of variables a worker inherits. Default: PATH, HOME, LANG, LC_ALL, TZ, TMPDIR. */
  readonly inherit?: readonly string[] | undefined;
  /** Directory a worker starts in. Default: the manager's. */
  readonly directory?: string | undefined;
  /** Workers started ahead of time, that wait for their input; each still runs one job. Default 0. */
  readonly spares?: number | undefined;
}
