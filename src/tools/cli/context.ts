/** What a `basil` command may touch of the process it runs in, so that tests can run commands without a process. */
import type { Readable, Writable } from "node:stream";

/** The surroundings of one command. */
export interface CliContext {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Relative paths on the command line start here. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether reports on stderr are coloured. */
  readonly isColored: boolean;
}

/**
 * How a command ends, for whoever called it: 1 is a compile or run-time error, EXIT n gives n, and 141 is what a shell
 * reports when the reader of a pipe has gone.
 */
export const EXIT_CODES = { ok: 0, error: 1, usage: 2, unreadable: 3, brokenPipe: 141 } as const;

/** A command that cannot start: its text goes to stderr, without a stack. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
