/**
 * Starts the Gearman benchmark, `npm run bench:gearman`. It is built before: the on-the-fly compiler that tests use names
 * every function at run time, which costs half the speed.
 * Options are passed on: `--quick`, `--rounds=N`, `--only=part of a title`.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { projectDirectory } from "../../src/tools/build.ts";
import { startBench } from "./start.ts";

const sources = fileURLToPath(new URL("gearman", import.meta.url));
await startBench({
  sources,
  entries: ["run", "worker", "drain", "client", "server"],
  args: [sources, join(projectDirectory, "dist/cli.js"), ...process.argv.slice(2)],
  execArgv: process.execArgv.filter((flag) => flag.startsWith("--cpu")),
});
