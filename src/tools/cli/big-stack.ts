/** Gives programs the stack they were promised, 10,000 nested calls, when node was started without asking for it. */

/**
 * Kilobytes of JavaScript stack: what the first line of the command asks node for. It fits in the 8 MB that systems
 * usually give a process.
 */
export const STACK_KB = 7000;

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether this process has a large stack: the flag only works on node's own command line. */
export const hasBigStack = (execArgv: readonly string[]): boolean => execArgv.some((word) => /^--stack[-_]size\b/.test(word));

/** What the stack flag is in a node that was started without it, in kilobytes. */
const USUAL_STACK_KB = 984;

/**
 * Sets the flag back. The size of the stack was decided when the process started and stays; but node's own modules were
 * compiled in advance for the usual flags, and with others each of them is compiled again, which doubles the time it
 * takes to load them.
 */
export function forgetStackFlag(): void {
  process.getBuiltinModule("node:v8").setFlagsFromString(`--stack-size=${USUAL_STACK_KB}`);
}

/** Tells a process that it was started by `runWithBigStack`; it takes it out of its environment at once. */
const LAUNCHED = "BASIL_LAUNCHED";

/** The descriptor whose other end only the launcher has: the system closes that, however the launcher ends. */
const LAUNCHER_FD = 3;

/**
 * Makes this process end when it was started by `runWithBigStack` and that process is gone: as a terminal that closes
 * ends it, so that running jobs are finished. Programs do not see it, and it keeps no process alive.
 */
export function endWithLauncher(environment: NodeJS.ProcessEnv): void {
  if (environment[LAUNCHED] === undefined) return;
  delete environment[LAUNCHED];
  const { Socket } = process.getBuiltinModule("node:net");
  const line = new Socket({ fd: LAUNCHER_FD });
  line.on("error", () => undefined).once("close", () => process.kill(process.pid, "SIGHUP"));
  line.resume().unref();
}

/**
 * Runs the same command line in a node with a large stack, with the same input and output, and gives its exit code.
 * Signals to this process are passed on; those of a terminal reach both, and the other one counts them once.
 */
export async function runWithBigStack(script: string, args: readonly string[]): Promise<number> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const { constants } = process.getBuiltinModule("node:os");
  const child = spawn(process.execPath, [`--stack-size=${STACK_KB}`, ...process.execArgv, script, ...args], {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, [LAUNCHED]: "1" },
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}
