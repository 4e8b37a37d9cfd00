/** First file of the process of one O'Brien job whose body is a SUB: loads the rest through the code cache. */
import { join } from "node:path";
import { forgetStackFlag, hasBigStack } from "../cli/big-stack.ts";
import { load } from "../start/load.ts";
import type { main } from "./main.ts";

if (hasBigStack(process.execArgv)) forgetStackFlag();
const loaded = load(join(__dirname, "chunks/obrien-job.js"), require, true);
const worker = loaded.exports as { main: typeof main };
void worker.main().then((exitCode) => {
  loaded.save();
  process.exit(exitCode);
});
