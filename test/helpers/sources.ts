/** The project's own files and their imports, as the structure tests look at them. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { projectDirectory } from "../../src/tools/build.ts";

/** One import of a TypeScript file. */
export interface Import {
  /** As written: `./values.ts`, `node:fs`, `chevrotain`. */
  readonly specifier: string;
  /** Path from the project's directory, when it names a file of the project. */
  readonly path: string | undefined;
}

/** One TypeScript file of the project. */
export interface SourceText {
  /** From the project's directory, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Everything directly in the project's directory, except what git ignores. */
export function topLevelNames(): string[] {
  const ignored = new Set([".git", ...gitignoreNames()]);
  return readdirSync(projectDirectory)
    .filter((name) => !ignored.has(name))
    .sort();
}

const gitignoreNames = (): string[] =>
  readFileSync(join(projectDirectory, ".gitignore"), "utf8")
    .split("\n")
    .map((line) => line.trim().replace(/\/$/, ""));

/** All TypeScript files below these directories, sorted by path. */
export function sourcesIn(directories: readonly string[]): SourceText[] {
  return directories.flatMap((directory) =>
    readdirSync(join(projectDirectory, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => posix.join(directory, name.replaceAll("\\", "/")))
      .sort()
      .map(readSource),
  );
}

function readSource(path: string): SourceText {
  const text = readFileSync(join(projectDirectory, path), "utf8");
  return { path, text, imports: importsOf(path, text) };
}

/** Static, side-effect, re-exporting, dynamic and type imports. Comments do not count. */
export function importsOf(path: string, text: string): Import[] {
  const code = withoutComments(text);
  const specifiers = [
    ...code.matchAll(/^(?:import|export)\s[^;"]*?\bfrom\s+"([^"]+)"/gm),
    ...code.matchAll(/^import\s+"([^"]+)"/gm),
    ...code.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g),
  ].map((match) => match[1]!);
  return specifiers.map((specifier) => ({
    specifier,
    path: specifier.startsWith(".") ? posix.join(dirname(path), specifier) : undefined,
  }));
}

/** Removes comments that start a line; the formatter leaves import statements nothing else to hide in. */
export const withoutComments = (text: string): string => text.replace(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
