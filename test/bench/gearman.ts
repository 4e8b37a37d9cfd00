/**
 * Starts the Gearman benchmark, `npm run bench:gearman`, on JavaScript built as the published package is: the
 * on-the-fly compiler that tests use names every function at run time, which costs half the speed.
 * Options are passed on: `--quick`, `--only=part of a title`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const directory = await mkdtemp(join(tmpdir(), "gearman-bench-"));
try {
  await build({
    entryPoints: ["gearman-run.ts", "gearman-worker.ts"].map((name) => fileURLToPath(new URL(name, import.meta.url))),
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["libsql"],
    logLevel: "error",
  });
  const run = fork(join(directory, "gearman-run.mjs"), process.argv.slice(2), {
    execArgv: process.execArgv.filter((flag) => flag.startsWith("--cpu")),
  });
  const [code] = (await once(run, "exit")) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
