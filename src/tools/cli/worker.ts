/** `basil worker`: processes of one script under a supervisor, which is a small process that runs no script itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { STACK_KB } from "./big-stack.ts";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";
import { linesOf } from "./gearman/submit-input.ts";
import { type ProcessEnd, type WorkerProcess, WorkerSupervisor } from "./worker-supervisor.ts";

/** What the command line says besides the script and its arguments. */
export interface WorkerOptions {
  readonly processes: number;
  readonly restartLimit: number;
  /** Options for `basil run`, such as `["--servers", "a:4730"]`. */
  readonly runOptions: readonly string[];
}

/** Exit codes that tell a shell which signal ended the worker. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Runs the script in so many processes until all have ended. */
export async function runWorkers(
  file: string,
  args: readonly string[],
  options: WorkerOptions,
  context: CliContext,
): Promise<number> {
  if (file === "-") throw new CliError(EXIT_CODES.usage, "processes cannot share standard input: save the program in a file");
  await access(resolve(context.directory, file)).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "ENOENT" ? "there is no such file" : error.message;
    throw new CliError(EXIT_CODES.unreadable, `cannot read ${file}: ${reason}`, { cause: error });
  });
  const words = ["run", ...options.runOptions, ...(file.startsWith("-") ? ["--"] : []), file, ...args];
  const supervisor = new WorkerSupervisor({
    processes: options.processes,
    restartLimit: options.restartLimit,
    launch: (number) => launch(words, number, options.processes > 1, context),
    tell: (line) => void context.stderr.write(`${line}\n`),
  });
  return supervised(supervisor, context);
}

async function supervised(supervisor: WorkerSupervisor, { stderr, stdin }: CliContext): Promise<number> {
  let received: keyof typeof SIGNAL_CODES | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    if (!received) stderr.write("stopping: running jobs are finished first; once more ends at once\n");
    received ??= signal as keyof typeof SIGNAL_CODES;
    supervisor.stop(signal);
  };
  const isTerminal = "isTTY" in stdin && stdin.isTTY === true;
  // A terminal sends it when it closes, everybody else to ask for a restart.
  const hangUp = (): void => {
    if (isTerminal) stop("SIGTERM");
    else void supervisor.restart();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop).on("SIGHUP", hangUp);
  try {
    const code = await supervisor.run();
    return received ? SIGNAL_CODES[received] : code;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop).off("SIGHUP", hangUp);
  }
}

/** Starts one process, in a group of its own, so that a terminal's Ctrl-C reaches it once: through its supervisor. */
function launch(words: readonly string[], number: number, isOneOfMany: boolean, context: CliContext): WorkerProcess {
  const { stdout, stderr, environment, directory } = context;
  const script = process.argv[1] ?? "";
  const child = spawn(process.execPath, [`--stack-size=${STACK_KB}`, script, ...words], {
    cwd: directory,
    env: { ...environment, BASIL_PROCESS: String(number) },
    stdio: ["ignore", isOneOfMany ? "pipe" : "inherit", isOneOfMany ? "pipe" : "inherit"],
    detached: true,
  });
  const copied = [copyLines(child.stdout, stdout, number), copyLines(child.stderr, stderr, number)];
  return {
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    ended: endOf(child).then(async (end) => {
      await Promise.all(copied);
      return end;
    }),
  };
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: EXIT_CODES.error, signal: null }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** Passes lines on whole, at the reader's pace, with the number of their process in front. */
async function copyLines(from: Readable | null, to: Writable, number: number): Promise<void> {
  if (from === null) return;
  const mark = Buffer.from(`[${number}] `);
  const newline = Buffer.from("\n");
  for await (const line of linesOf(from, "stripped"))
    await new Promise<void>((resolve) => void to.write(Buffer.concat([mark, line, newline]), () => resolve()));
}
