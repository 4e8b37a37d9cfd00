/**
 * Starts the Gearman benchmark, `npm run bench:gearman`, on JavaScript built as the published package is: the
 * on-the-fly compiler that tests use names every function at run time, which costs half the speed.
 * Options are passed on: `--quick`, `--rounds=N`, `--only=part of a title`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildJavaScript, projectDirectory } from "../../src/tools/build.ts";

const sources = fileURLToPath(new URL("gearman", import.meta.url));
const directory = await mkdtemp(join(tmpdir(), "gearman-bench-"));
try {
  await buildJavaScript();
  await build({
    entryPoints: ["run", "worker", "drain", "client", "server"].map((name) => join(sources, `${name}.ts`)),
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["libsql"],
    logLevel: "error",
  });
  const run = fork(join(directory, "run.mjs"), [sources, join(projectDirectory, "dist/cli.js"), ...process.argv.slice(2)], {
    execArgv: process.execArgv.filter((flag) => flag.startsWith("--cpu")),
  });
  const [code] = (await once(run, "exit")) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
