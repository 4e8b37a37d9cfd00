/** SHELL: command lines run by the system's shell, with the program's own input and output. */
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { ShellHost } from "../../../runtime/capabilities.ts";
import { BasilError } from "../../../runtime/errors.ts";
import type { NodeEnvironment } from "./environment.ts";

export interface ShellSurroundings {
  readonly directory: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** How long a command may take to end after SIGTERM. */
const KILL_AFTER_MS = 2000;

export class NodeShell implements ShellHost {
  readonly #surroundings: ShellSurroundings;
  readonly #environment: NodeEnvironment;

  constructor(surroundings: ShellSurroundings, environment: NodeEnvironment) {
    this.#surroundings = surroundings;
    this.#environment = environment;
  }

  /** Gives the exit code, or 128 + the number of the signal that ended the command. Ends it when the signal fires. */
  run(command: string, signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const child = this.#start(command);
      const abort = (): void => {
        end(child);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      child.on("error", (cause) => {
        signal.removeEventListener("abort", abort);
        reject(new BasilError("IO_ERROR", `SHELL: ${cause.message}`, { cause }));
      });
      child.on("close", (code, endedBy) => {
        signal.removeEventListener("abort", abort);
        resolve(code ?? 128 + (endedBy ? constants.signals[endedBy] : 0));
      });
    });
  }

  #start(command: string): ChildProcess {
    const { directory, stdin, stdout, stderr } = this.#surroundings;
    // Loaded on use: most programs start no command.
    const child = process.getBuiltinModule("node:child_process").spawn(command, {
      shell: true,
      cwd: directory,
      env: this.#environment.forChildren(),
      stdio: [
        stdin === process.stdin ? "inherit" : "ignore",
        stdout === process.stdout ? "inherit" : "pipe",
        stderr === process.stderr ? "inherit" : "pipe",
      ],
    });
    child.stdout?.pipe(stdout, { end: false });
    child.stderr?.pipe(stderr, { end: false });
    return child;
  }
}

function end(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  timer.unref();
  child.on("close", () => clearTimeout(timer));
}
