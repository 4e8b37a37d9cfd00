/** First file of the process of one O'Brien job whose body is a SUB: loads the rest through the code cache. */
import { join } from "node:path";
import { forgetStackFlag, hasBigStack } from "../cli/big-stack.ts";
import { load } from "../start/load.ts";
import type { main } from "./main.ts";

/** The heap got its limit when the process started; but V8 takes no code that was compiled with other flags. */
function forgetMemoryFlag(): void {
  if (!process.execArgv.some((word) => word.startsWith("--max-old-space-size"))) return;
  process.getBuiltinModule("node:v8").setFlagsFromString("--max-old-space-size=0");
}

if (hasBigStack(process.execArgv)) forgetStackFlag();
forgetMemoryFlag();
const loaded = load(join(__dirname, "chunks/obrien-job.js"), require, true);
const worker = loaded.exports as { main: typeof main };
void worker.main().then((exitCode) => {
  loaded.save();
  process.exit(exitCode);
});
