/** How a worker's command becomes what the system runs, and what it means when the system refuses to. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { WorkerCommand } from "./job-class.ts";
import type { StartFailure } from "./worker-end.ts";

const SHELL = "/bin/sh";

/** What the system runs. */
export interface Executable {
  readonly file: string;
  readonly args: readonly string[];
}

/** Failures to start that say something of the machine's state, not of the command. */
const BUSY_CODES: readonly string[] = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

/**
 * What to run for a command. Only asked for a shell is there one: for a command line, or to lower the limit of address
 * space, which Node cannot do; that shell is then replaced by the program, so the worker stays one process.
 *
 * @param maxMemoryBytes most address space; systems that cannot limit it run the program without a limit
 */
export function executableOf(command: WorkerCommand, maxMemoryBytes: number | undefined): Executable {
  const { program, args, isShell = false } = command;
  if (maxMemoryBytes === undefined) return isShell ? shellOf(program, [SHELL, ...args]) : { file: program, args };
  const limit = `ulimit -v ${Math.ceil(maxMemoryBytes / 1024)} 2>/dev/null`;
  return isShell ? shellOf(`${limit}\n${program}`, [SHELL, ...args]) : shellOf(`${limit}; exec "$0" "$@"`, [program, ...args]);
}

/** Why a program could not be run, with its name. */
export function startFailureOf(command: WorkerCommand, directory: string | undefined, error: unknown): StartFailure {
  const program = command.isShell ? SHELL : command.program;
  const { code = "UNKNOWN", message } = error as NodeJS.ErrnoException;
  if (BUSY_CODES.includes(code)) {
    return { isNotExecutable: false, code, message: `the system had no room for one more process (${code}): run fewer at once` };
  }
  const reason = directoryProblem(directory) ?? `${program} ${REASONS[code] ?? `cannot be run: ${message}`}`;
  return { isNotExecutable: true, code, message: reason };
}

/**
 * Looks for a program as the system will, for commands that a shell only replaces itself by.
 * Null when it is there; the error that running it would give when not.
 *
 * @param path the worker's PATH
 * @param directory where the worker starts
 */
export function programError(program: string, path = "/bin:/usr/bin", directory = "."): NodeJS.ErrnoException | null {
  const folders = program.includes("/") ? ["."] : path.split(delimiter);
  let found: NodeJS.ErrnoException | null = null;
  for (const folder of folders) {
    const error = fileError(resolve(directory, folder, program));
    if (error === null) return null;
    if (found === null || error.code === "EACCES") found = error;
  }
  return found;
}

function fileError(path: string): NodeJS.ErrnoException | null {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? null : Object.assign(new Error(`${path} is a directory`), { code: "EACCES" });
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "is not there, or the interpreter that its first line names is not: give a path, or a name that is in PATH",
  ENOTDIR: "is not there: a part of its path is a file",
  EACCES: "may not be run: it needs execute permission",
  ENOEXEC: "is no program for this system",
  E2BIG: "cannot be run: its arguments and environment are too long; pass data as payload",
};

function directoryProblem(directory: string | undefined): string | null {
  if (directory === undefined) return null;
  try {
    if (!statSync(directory).isDirectory()) return `the directory ${directory} is a file`;
    accessSync(directory, constants.X_OK);
    return null;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return `the directory ${directory} ${isMissing ? "is not there" : "may not be entered"}`;
  }
}

function shellOf(line: string, args: readonly string[]): Executable {
  return { file: SHELL, args: ["-c", line, ...args] };
}
