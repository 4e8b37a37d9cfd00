#!/usr/bin/env -S node --stack-size=7000
/** First file of the `basil` command: gives the process its stack, and loads the rest through the code cache. */
import { join } from "node:path";
import { load } from "../start/load.ts";
import { endWithLauncher, forgetStackFlag, hasBigStack, runWithBigStack } from "./big-stack.ts";
import type { main } from "./main.ts";

const [script = "", ...args] = process.argv.slice(1);
const hasStack = hasBigStack(process.execArgv);

function runHere(): Promise<number> {
  if (hasStack) forgetStackFlag();
  endWithLauncher(process.env);
  const loaded = load(join(__dirname, "chunks/main.js"), require, !args.includes("--no-cache"));
  process.once("exit", loaded.save);
  return (loaded.exports as { main: typeof main }).main(args);
}

void (args[0] === "run" && !hasStack ? runWithBigStack(script, args) : runHere()).then((exitCode) => process.exit(exitCode));
