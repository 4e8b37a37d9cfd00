/**
 * Starts the benchmark of O'Brien, `npm run bench:obrien`, on JavaScript built as the published package is.
 * Options are passed on: `--quick`, `--rounds=N`, `--only=part of a title`, `--directory=where the stores lie`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildJavaScript, projectDirectory } from "../../src/tools/build.ts";

await buildJavaScript();
// Inside the project, so that the native part of SQLite is found from there.
const directory = await mkdtemp(join(projectDirectory, "dist/bench-"));
try {
  await build({
    entryPoints: [fileURLToPath(new URL("obrien/run.ts", import.meta.url))],
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["libsql"],
    logLevel: "error",
  });
  const run = fork(join(directory, "run.mjs"), process.argv.slice(2), { execArgv: [] });
  const [code] = (await once(run, "exit")) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
