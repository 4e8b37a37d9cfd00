/** Starts a benchmark on JavaScript built as the published package is, in a directory that is gone afterwards. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { buildJavaScript, projectDirectory } from "../../src/tools/build.ts";

/** What is built and how it starts. */
export interface BenchStart {
  /** Directory of the entries. */
  readonly sources: string;
  /** Entries without `.ts`; the first one runs, the others are its children. */
  readonly entries: readonly [string, ...string[]];
  /** What the first entry is given. */
  readonly args: readonly string[];
  /** Flags for node. */
  readonly execArgv?: readonly string[];
}

/** Builds, runs to the end, and takes over the exit code. */
export async function startBench({ sources, entries, args, execArgv = [] }: BenchStart): Promise<void> {
  await buildJavaScript();
  // Inside the project, so that the native part of SQLite is found from there.
  const directory = await mkdtemp(join(projectDirectory, "dist/bench-"));
  try {
    await build({
      entryPoints: entries.map((name) => join(sources, `${name}.ts`)),
      outdir: directory,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      external: ["libsql"],
      logLevel: "error",
    });
    const run = fork(join(directory, `${entries[0]}.mjs`), [...args], { execArgv: [...execArgv] });
    const [code] = (await once(run, "exit")) as [number | null];
    process.exitCode = code ?? 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
