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

/** Runs a row's work for a task; a failure sets ERR$ and ERRCODE%, and the row gives `empty`, or raises when it is fatal. */
export const settled = <R>(task: TaskContext, empty: R, work: () => R | Promise<R>): Promise<R> =>
  outcomes.settled(RULES, task, empty, work);

/** Wrong arguments to a row, found before the row runs. */
export const argumentError = (message: string, task: TaskContext): BasilError => outcomes.argumentError(message, task);
