/** The languages of the benchmark: how each runs a program in a process of its own and tells its result and its time. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BenchProgram } from "./programs.ts";

export interface Language {
  readonly name: string;
  readonly extension: string;
  /** The part of a program's rounds it does; its time is counted up. The slow ones would keep everybody waiting. */
  readonly share: number;
  /** Prints a version when the language is installed. */
  readonly probe: readonly [string, ...string[]];
  /** A command that prints result and seconds, with a blank between them; further numbers may follow. */
  command(programFile: string, rounds: number, distDirectory: string): readonly [string, ...string[]];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const JAVASCRIPT: Language = {
  name: "JavaScript",
  extension: "mjs",
  share: 1,
  probe: [process.execPath, "--version"],
  command: (file, rounds) => [process.execPath, here("time-javascript.mjs"), file, `${rounds}`],
};

export const BASIL: Language = {
  name: "Basil",
  extension: "basil",
  share: 1,
  probe: [process.execPath, "--version"],
  command: (file, rounds, dist) => [
    process.execPath,
    "--stack-size=7000",
    here("time-basil.mjs"),
    `${dist}/index.mjs`,
    file,
    `${rounds}`,
  ],
};

export const LUA: Language = {
  name: "Lua 5.4",
  extension: "lua",
  share: 1 / 4,
  probe: ["lua5.4", "-v"],
  command: (file, rounds) => ["lua5.4", here("time-lua.lua"), file, `${rounds}`],
};

export const LANGUAGES: readonly Language[] = [
  JAVASCRIPT,
  BASIL,
  LUA,
  {
    name: "Python 3",
    extension: "py",
    share: 1 / 40,
    probe: ["python3", "--version"],
    command: (file, rounds) => ["python3", here("time-python.py"), file, `${rounds}`],
  },
  {
    name: "yabasic",
    extension: "yab",
    share: 1 / 100,
    probe: ["yabasic", "--version"],
    command: (file, rounds) => ["yabasic", file, `${rounds}`],
  },
];

/** Nothing here takes a minute; what does has hung. */
const MAX_RUN_MS = 300_000;

/** Whether the language's program can be started here. */
export function isInstalled({ probe: [command, ...args] }: Language): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: MAX_RUN_MS }).error === undefined;
}

const programFile = (program: BenchProgram, language: Language): string => here(`programs/${program.name}.${language.extension}`);

/** Whether the program exists in the language. */
export const isWritten = (program: BenchProgram, language: Language): boolean => existsSync(programFile(program, language));

export interface Timing {
  readonly result: string;
  readonly seconds: number;
  /** Further numbers, for example how long compiling took. */
  readonly extra: readonly number[];
}

/** Runs a program once, in a process of its own. Throws when it fails. */
export function runOnce(program: BenchProgram, language: Language, rounds: number, distDirectory: string): Timing {
  const [command, ...args] = language.command(programFile(program, language), rounds, distDirectory);
  const ended = spawnSync(command, args, { encoding: "utf8", timeout: MAX_RUN_MS });
  const [result, ...numbers] = ended.stdout.trim().split(/\s+/);
  const [seconds, ...extra] = numbers.map(Number);
  if (ended.status !== 0 || result === undefined || seconds === undefined || Number.isNaN(seconds)) {
    throw new Error(`${program.name} in ${language.name} failed: ${ended.error?.message ?? ended.stdout + ended.stderr}`);
  }
  return { result, seconds, extra };
}
