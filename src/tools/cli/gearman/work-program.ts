/** Finds the program of `basil gearman work` before a job depends on it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";

/** The path of a program, found as a shell finds it: by its place when it names one, else in PATH. */
export function findProgram(command: string, { directory, environment }: CliContext): string {
  const isPlaced = isAbsolute(command) || command.includes("/");
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const places = isPlaced ? [resolve(directory, command)] : folders.map((folder) => join(resolve(directory, folder), command));
  const found = places.filter(isFile);
  const program = found.find(isExecutable);
  if (program !== undefined) return program;
  const reason =
    found.length > 0
      ? `${found[0]} may not be run: change its permissions, for example with: chmod +x ${found[0]}`
      : `there is no such program${isPlaced ? "" : " in PATH"}; no shell is involved, so aliases and shell syntax need: sh -c '...'`;
  throw new CliError(EXIT_CODES.usage, `cannot run ${command}: ${reason}`);
}

/** What cannot be looked at is not there, as a shell sees it: a directory of PATH that others may not search, a link to itself. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
