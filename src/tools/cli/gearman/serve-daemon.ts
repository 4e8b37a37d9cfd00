/** `basil gearman serve --daemon`: the same server in a process of its own, once it is known to listen. */
import { spawn } from "node:child_process";
import type { CliContext } from "../context.ts";

/** Wins over `--daemon`: the server stays in the process it was started in. */
export const STAY_OPTION = "--foreground";

/**
 * Starts the same command line detached from this terminal. Resolves when the server listens, to 0, or when it could
 * not start, to its exit code; what it says until then is passed on.
 * @param words the command line without node and script
 */
export function startDaemon(
  script: string,
  words: readonly string[],
  { stdout, stderr, directory }: CliContext,
): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, script, ...words, STAY_OPTION], {
    cwd: directory,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr.on("data", (chunk: Buffer) => stderr.write(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
    child.stdout.once("data", (chunk: Buffer) => {
      stdout.write(chunk);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve(0);
    });
  });
}
