/** How failed calls of OBRIEN end, and what belongs to one task. */
import type { BasilError } from "../../runtime/errors.ts";
import { type TaskContext, taskKey } from "../../runtime/host.ts";
import { ObrienError } from "../../src/core/obrien/errors.ts";
import { Outcomes, TaskOutcome } from "../outcome.ts";

/** `ERRNAME$` of all that the module raises. */
export const ERROR_NAME = "OBRIEN_ERROR";

/** `ERR%` of an OBRIEN_ERROR is this plus OBRIEN.ERRCODE%. */
export const FIRST_CODE = 2100;

const KEY = taskKey(() => new TaskOutcome());

/** ERR$ and ERRCODE% of a task. */
export const outcomeOf = (task: TaskContext): TaskOutcome => task.local(KEY);

const outcomes = new Outcomes({
  errorName: ERROR_NAME,
  firstCode: FIRST_CODE,
  isFailure: (error: unknown): error is ObrienError => error instanceof ObrienError,
  ownOf: outcomeOf,
  wrongArguments: (message) => new ObrienError("ARGUMENT", message),
});

/** Only mistakes are raised; other failures are told by ERR$ and ERRCODE%. */
const RULES = { raisesAll: false };

/** What the core calls otherwise than programs do. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  timeoutMs: "timeout_ms",
  killAfterMs: "kill_after_ms",
  maxOutputBytes: "max_output_bytes",
  maxMemoryBytes: "max_memory_bytes",
  maxConcurrency: "concurrency",
  drainMs: "drain_ms",
  runAt: "run_at",
};

const CORE_NAME = new RegExp(`\\b(${Object.keys(OWN_NAMES).join("|")})(?= is )`);

/** A mistake with the option's name as the program wrote it; other errors stay as they are. */
function inOwnNames(error: unknown): unknown {
  if (!(error instanceof ObrienError) || error.kind !== "ARGUMENT") return error;
  const message = error.message.replace(CORE_NAME, (name) => OWN_NAMES[name]!);
  return message === error.message ? error : new ObrienError(error.kind, message, { cause: error });
}

/** Runs a row's work for a task; a failure sets ERR$ and ERRCODE%, and the row gives `empty`, or raises when it is fatal. */
export const settled = <R>(task: TaskContext, empty: R, work: () => R | Promise<R>): Promise<R> =>
  outcomes.settled(RULES, task, empty, async () => {
    try {
      return await work();
    } catch (error) {
      throw inOwnNames(error);
    }
  });

/** Wrong arguments to a row, found before the row runs. */
export const argumentError = (message: string, task: TaskContext): BasilError => outcomes.argumentError(message, task);
