/** The processes of the Gearman benchmark: C programs compiled on the spot, and children of our own. */
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A C program of this benchmark, compiled. */
export type CProgram = "client" | "worker" | "drain";

/** Longest time of any child's round, in milliseconds. */
const ROUND_MS = 120_000;

/** Compiles the C yardsticks into `directory`; null where there is no compiler or no libgearman to compile with. */
export function compileYardsticks(sources: string, directory: string): ((program: CProgram) => string) | null {
  try {
    for (const name of ["client", "worker", "drain"] as const) {
      const libraries = name === "drain" ? [] : ["-lgearman"];
      execFileSync("cc", ["-O2", "-o", join(directory, name), join(sources, `${name}.c`), ...libraries], { stdio: "pipe" });
    }
    return (program) => join(directory, program);
  } catch {
    return null;
  }
}

/** Runs a program to its end and reads the seconds it printed last. */
export async function secondsOf(program: string, args: readonly (string | number)[], environment = {}): Promise<number> {
  const child = spawn(program, args.map(String), {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
    timeout: ROUND_MS,
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  const [code] = (await once(child, "close")) as [number | null];
  const seconds = Number(text.trim().split("\n").at(-1));
  if (code !== 0 || !(seconds > 0)) throw new Error(`${program} ended with ${code} and printed ${JSON.stringify(text)}`);
  return seconds;
}

/** A C worker that is ready; ended by `stopped`. */
export async function startCWorker(program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ready = once(child.stdout!, "data");
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`${program} ${args.join(" ")} ended with ${code} before it was ready`);
  });
  await Promise.race([ready, gone]);
  gone.catch(() => undefined);
  return child;
}

/** A child of ours that says when it is ready; the message is what it said. */
export async function startChild<T>(script: string, args: readonly string[]): Promise<{ child: ChildProcess; message: T }> {
  const child = fork(script, args, { execArgv: [] });
  const [message] = (await once(child, "message")) as [T];
  return { child, message };
}

/** Ends a child and waits until it is gone. */
export async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  if (child.connected) child.send("stop");
  else child.kill();
  await exit;
}
