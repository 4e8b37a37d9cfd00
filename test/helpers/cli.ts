/** Runs the built `basil` command as a user does: a process of its own, with everything it wrote and how it ended. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { inject } from "vitest";
import { projectDirectory } from "../../src/tools/build.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Why there is no fresh dist; "" when there is one. Only tests that run `basil` fail for it. */
    buildError: string;
  }
}

/** How a `basil` process ended; `code` is null when a signal ended it. */
export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CliOptions {
  readonly directory?: string;
  /** What the process reads; nothing by default. */
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
  /** The process is killed after this. */
  readonly timeoutMs?: number;
  /** Called when the process has been started; may send signals. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** Sees what has been written to stdout so far, after each piece; may send signals. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** The same for stderr. */
  readonly onError?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Path of the built command. Throws when today's code could not be built. */
export function cliPath(): string {
  const problem = inject("buildError");
  if (problem !== "") throw new Error(`there is no fresh dist/cli.js: ${problem}`);
  return join(projectDirectory, "dist/cli.js");
}

/** Runs `basil` with these arguments to its end. */
export const basil = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  runProcess(cliPath(), args, options);

/** Runs Node with these arguments to its end. */
export const runNode = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  runProcess(process.execPath, args, options);

function runProcess(command: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.directory,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.environment },
      timeout: options.timeoutMs ?? 30_000,
      killSignal: "SIGKILL",
    });
    options.onStart?.((signal) => child.kill(signal));
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      options.onOutput?.(Buffer.concat(stdout).toString(), (signal) => child.kill(signal));
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      options.onError?.(stderr, (signal) => child.kill(signal));
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }));
  });
}
