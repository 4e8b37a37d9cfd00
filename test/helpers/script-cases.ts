/** Programs with their expected output: finds them, and runs each in an empty directory of its own. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, posix } from "node:path";
import { projectDirectory } from "../../src/tools/build.ts";
import type { CliOptions, CliResult } from "./cli.ts";

/** One program of test/scripts with what must come out. */
export interface ScriptCase {
  /** Path below test/scripts without extension: `conformance/arrays/bubble_sort`. */
  readonly name: string;
  readonly stdout: Buffer;
  readonly code: number;
  /** What stderr must contain. */
  readonly stderr: string;
  readonly input: Buffer;
  /** Command-line options in front of the program. */
  readonly options: readonly string[];
  /** Known not to pass yet. */
  readonly isPending: boolean;
}

/** Runs a command line: in this process, or in one of its own. */
export type Runner = (args: readonly string[], options: CliOptions) => Promise<CliResult>;

const scriptsDirectory = join(projectDirectory, "test/scripts");

/** All cases, sorted by name. A directory `NAME.d` holds files of a case, not cases. */
export function scriptCases(): ScriptCase[] {
  const names = readdirSync(scriptsDirectory, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const pending = new Set(names.filter((name) => basename(name) === "PENDING").flatMap(pendingNames));
  return names
    .filter((name) => name.endsWith(".basil") && !/\.d\//.test(name))
    .map((name) => readCase(name.slice(0, -".basil".length), pending))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** PENDING lists programs, one a line, by their names below its own directory. */
const pendingNames = (path: string): string[] =>
  text(path)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => posix.join(dirname(path), line));

const text = (path: string): string => bytes(path).toString();

function bytes(path: string): Buffer {
  const full = join(scriptsDirectory, path);
  return existsSync(full) ? readFileSync(full) : Buffer.alloc(0);
}

function readCase(name: string, pending: ReadonlySet<string>): ScriptCase {
  return {
    name,
    stdout: bytes(`${name}.out`),
    code: Number(text(`${name}.rc`).trim() || 0),
    stderr: text(`${name}.err`).replace(/\n$/, ""),
    input: bytes(`${name}.in`),
    options: text(`${name}.args`)
      .split(/\s+/)
      .filter((word) => word !== ""),
    isPending: pending.has(name),
  };
}

/** Runs a case in an empty directory. Gives the differences from what was expected as lines for people: none means it passed. */
export async function differences(scriptCase: ScriptCase, runner: Runner): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "basil-script-"));
  try {
    const program = `${basename(scriptCase.name)}.basil`;
    const source = join(scriptsDirectory, scriptCase.name);
    cpSync(`${source}.basil`, join(directory, program));
    if (existsSync(`${source}.d`)) cpSync(`${source}.d`, directory, { recursive: true });
    const result = await runner(["run", "--deadline-ms", "10000", ...scriptCase.options, program], {
      directory,
      input: scriptCase.input,
      timeoutMs: 10_000,
    });
    return compare(scriptCase, result);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function compare(expected: ScriptCase, result: CliResult): string[] {
  const found: string[] = [];
  if (!result.stdout.equals(expected.stdout)) {
    found.push(
      `stdout should be ${JSON.stringify(expected.stdout.toString())}`,
      `but is          ${JSON.stringify(result.stdout.toString())}`,
    );
  }
  if (result.code !== expected.code) found.push(`exit code should be ${expected.code} but is ${result.code ?? result.signal}`);
  if (!result.stderr.includes(expected.stderr)) found.push(`stderr should contain ${JSON.stringify(expected.stderr)}`);
  return found.length > 0 && result.stderr !== "" ? [...found, `stderr: ${result.stderr}`] : found;
}
