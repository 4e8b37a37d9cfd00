/** How the process of a SUB's job is started: where its built file is, and with which flags. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SubWorker } from "../../../modules/obrien/index.ts";
import { STACK_KB } from "../cli/big-stack.ts";

/** Where the file is from here: beside the library, above the command's parts, or in dist when this runs from its source. */
const PLACES = ["obrien-worker.js", "../obrien-worker.js", "../../../dist/obrien-worker.js"] as const;

/** Undefined when the file was not built. @param modules settings of the modules that a class may name */
export function subWorker(modules: SubWorker["modules"] = {}): SubWorker | undefined {
  const file = PLACES.map((place) => join(dirname(import.meta.filename), place)).find((path) => existsSync(path));
  if (file === undefined) return undefined;
  return { command: { program: process.execPath, args: [file] }, deepStackFlag: `--stack-size=${STACK_KB}`, modules };
}
