/** One worker: a process with a group of its own, from its start over its input to its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { Capture } from "./capture.ts";
import { ObrienError } from "./errors.ts";
import type { WorkerCommand } from "./job-class.ts";
import { signalGroup, startTimeOf } from "./process-group.ts";
import { executableOf, programError, startFailureOf } from "./worker-command.ts";
import type { EndReason, StartFailure, WorkerEnd } from "./worker-end.ts";
import { type EnvironmentOptions, workerEnvironment } from "./worker-environment.ts";

/** What a worker gets when its class says nothing. */
export const WORKER_DEFAULTS = {
  maxOutputBytes: 1024 * 1024,
  killAfterMs: 5000,
  /** How long output may stay open after the worker's exit before the rest of its group is killed. */
  graceMs: 200,
} as const;

/** What to run, and its limits: the fields of a `JobClass` of the same names. */
export interface WorkerOptions extends EnvironmentOptions {
  readonly command: WorkerCommand;
  /** Given, the worker begins at once. Default: it is a spare, that waits for `begin`. */
  readonly input?: readonly Uint8Array[] | undefined;
  /** Longest time from the input to the exit, in milliseconds. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** Time between TERM and KILL, in milliseconds. Default 5000. */
  readonly killAfterMs?: number | undefined;
  /** Most bytes kept of standard output, and of standard error. Default 1 MiB. */
  readonly maxOutputBytes?: number | undefined;
  readonly maxMemoryBytes?: number | undefined;
  readonly directory?: string | undefined;
}

/** A worker that was started. */
export interface RunningWorker {
  /** Also the id of its process group; null when it did not start. */
  readonly pid: number | null;
  /** See `startTimeOf`. */
  readonly startTime: number | null;
  /** True once it has been given its input. */
  readonly hasBegun: boolean;
  /**
   * Gives a spare its input, whole, and starts the clock of its time limit. A worker that does not read it, or has
   * ended, is no error: its end tells. Throws `STATE` when it has begun before.
   *
   * @param timeoutMs instead of the option
   */
  begin(input: readonly Uint8Array[], timeoutMs?: number): void;
  /** Resolves when the process is gone and its output is read; never rejects. */
  readonly ended: Promise<WorkerEnd>;
  /** TERM to the process group, later KILL. Does nothing after the exit, or when it was called before. */
  end(reason: EndReason): void;
}

/** Starts a worker. Never throws for a command that cannot be run: that is one of its ends. */
export function startWorker(options: WorkerOptions): RunningWorker {
  return new WorkerProcess(options);
}

/**
 * Modes: waiting (a spare) → begun → exited → ended. `begin` leaves waiting; the system says when the process exits;
 * it has ended when its output is closed too, which a process it left behind delays by `graceMs` at most: then what
 * is left of its group is killed. `end` may come in any mode; TERM and KILL then make it exit.
 */
class WorkerProcess implements RunningWorker {
  readonly pid: number | null;
  readonly startTime: number | null;
  readonly ended: Promise<WorkerEnd>;
  readonly #options: WorkerOptions;
  readonly #stdout: Capture;
  readonly #stderr: Capture;
  readonly #child: ChildProcess | null;
  readonly #resolve: (end: WorkerEnd) => void;
  #hasBegun = false;
  #beganAtMs = performance.now();
  #reason: EndReason | null = null;
  #exit: { code: number | null; signal: string | null; atMs: number } | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    const { promise, resolve } = withResolvers<WorkerEnd>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#options = options;
    this.#stdout = new Capture(options.maxOutputBytes ?? WORKER_DEFAULTS.maxOutputBytes);
    this.#stderr = new Capture(options.maxOutputBytes ?? WORKER_DEFAULTS.maxOutputBytes);
    this.#child = this.#spawn();
    this.pid = this.#child?.pid ?? null;
    this.startTime = this.pid === null ? null : startTimeOf(this.pid);
    if (options.input) this.begin(options.input);
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  begin(input: readonly Uint8Array[], timeoutMs = this.#options.timeoutMs): void {
    if (this.#hasBegun) throw new ObrienError("STATE", `worker ${this.pid} has begun its job: start another for the next`);
    this.#hasBegun = true;
    if (this.pid === null || this.#exit) return;
    this.#beganAtMs = performance.now();
    // An exit that happened in time may be read late, after the timers of the same turn: the turn's end knows of it.
    const late = (): void => void setImmediate(() => this.end("timeout"));
    if (timeoutMs !== undefined && this.#reason === null) this.#timer = setTimeout(late, timeoutMs);
    const stdin = this.#child?.stdin;
    if (!stdin) return;
    for (const part of input.slice(0, -1)) stdin.write(part);
    stdin.end(input.at(-1));
  }

  end(reason: EndReason): void {
    if (this.pid === null || this.#exit || this.#reason !== null) return;
    const pid = this.pid;
    this.#reason = reason;
    clearTimeout(this.#timer);
    signalGroup(pid, "SIGTERM");
    this.#timer = setTimeout(() => signalGroup(pid, "SIGKILL"), this.#options.killAfterMs ?? WORKER_DEFAULTS.killAfterMs);
  }

  #spawn(): ChildProcess | null {
    const { command, directory, maxMemoryBytes, input } = this.#options;
    try {
      const env = workerEnvironment(this.#options);
      const missing =
        maxMemoryBytes === undefined || command.isShell ? null : programError(command.program, env["PATH"], directory);
      if (missing) throw missing;
      const { file, args } = executableOf(command, maxMemoryBytes);
      const stdin = input?.every((part) => part.length === 0) ? "ignore" : "pipe";
      const child = spawn(file, args, { cwd: directory, env, detached: true, stdio: [stdin, "pipe", "pipe"] });
      this.#listen(child);
      return child;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #listen(child: ChildProcess): void {
    const ignore = (): void => {};
    child.once("error", (error) => this.#fail(error));
    child.once("exit", (code, signal) => this.#exited(code, signal));
    child.once("close", () => this.#settle(null));
    child.stdin?.on("error", ignore);
    child.stdout?.on("data", (chunk: Buffer) => this.#stdout.push(chunk)).on("error", ignore);
    child.stderr?.on("data", (chunk: Buffer) => this.#stderr.push(chunk)).on("error", ignore);
  }

  #exited(code: number | null, signal: string | null): void {
    this.#exit = { code, signal, atMs: performance.now() };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abandon(), WORKER_DEFAULTS.graceMs);
  }

  /** Ends what the worker left behind. Output that is still to be read comes before the turn's end; then it is closed. */
  #abandon(): void {
    signalGroup(this.pid!, "SIGKILL");
    setImmediate(() => {
      this.#child!.stdout!.destroy();
      this.#child!.stderr!.destroy();
    });
  }

  #fail(error: unknown): void {
    this.#settle(startFailureOf(this.#options.command, this.#options.directory, error));
  }

  #settle(failure: StartFailure | null): void {
    clearTimeout(this.#timer);
    if (this.#exit) signalGroup(this.pid!, "SIGKILL");
    this.#resolve({
      exitCode: this.#exit?.code ?? null,
      signal: this.#exit?.signal ?? null,
      reason: this.#reason,
      failure,
      stdout: this.#stdout.captured(),
      stderr: this.#stderr.captured(),
      endedAt: new Date(),
      runMs: this.#exit ? this.#exit.atMs - this.#beganAtMs : 0,
    });
  }
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((taken) => {
    resolve = taken;
  });
  return { promise, resolve };
}
