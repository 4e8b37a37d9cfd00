/** `basil worker`: processes of one script under a supervisor, which is a small process that runs no script itself. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";
import { launchWorker } from "./worker-process.ts";
import { WorkerSupervisor } from "./worker-supervisor.ts";

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
    launch: (number) => launchWorker(words, number, options.processes > 1, context),
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
