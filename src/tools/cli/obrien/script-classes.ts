/** The program of `basil obrien run --script`: its top level runs first, and says which classes there are, and which store. */
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { DEFAULT_STORE, type JobClass, ObrienError } from "../../../core/obrien/index.ts";
import type { CliContext } from "../context.ts";
import { run } from "../run.ts";
import type { StoreFlags } from "./store-use.ts";

/** What came of a program's top level. */
export interface ScriptOutcome {
  readonly exitCode: number;
  readonly classes: readonly JobClass[];
  /** The store that the program opened itself, or undefined. */
  readonly store: string | undefined;
}

/**
 * Runs the top level of a program that defines classes. A program that opens a store other than that of `--store` fails
 * where it does so. With `--json` what it prints goes to stderr: stdout has the result alone.
 */
export async function runScript(script: string, { store, json }: StoreFlags, context: CliContext): Promise<ScriptOutcome> {
  const classes: JobClass[] = [];
  let opened: string | undefined;
  const exitCode = await run(
    script,
    [],
    {
      obrien: {
        store: resolve(context.directory, store ?? DEFAULT_STORE),
        onDefine: (jobClass) => classes.push(jobClass),
        onOpen: (path) => {
          checkStore(path, store === undefined ? undefined : resolve(context.directory, store));
          opened = path;
        },
      },
    },
    json ? printingToStderr(context) : context,
  );
  return { exitCode, classes, store: opened };
}

function checkStore(path: string, given: string | undefined): void {
  if (path === ":memory:")
    throw new ObrienError("STATE", "OPEN%: basil obrien run needs a store that is a file, and :memory: ends with the program");
  if (given !== undefined && realPath(path) !== realPath(given))
    throw new ObrienError("STATE", `OPEN%: the program opens ${path}, but --store names ${given}: leave one of the two out`);
}

const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : path);

/** The same surroundings, without the standard output. */
function printingToStderr(context: CliContext): CliContext {
  const { stderr, directory, environment, isColored } = context;
  return {
    get stdin() {
      return context.stdin; // made on first use
    },
    ...{ stdout: stderr, stderr, directory, environment, isColored },
  };
}
