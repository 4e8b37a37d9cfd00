/**
 * Starts the benchmark of O'Brien, `npm run bench:obrien`.
 * Options are passed on: `--quick`, `--rounds=N`, `--only=part of a title`, `--directory=where the stores lie`.
 */
import { fileURLToPath } from "node:url";
import { startBench } from "./start.ts";

await startBench({
  sources: fileURLToPath(new URL("obrien", import.meta.url)),
  entries: ["run"],
  args: process.argv.slice(2),
});
