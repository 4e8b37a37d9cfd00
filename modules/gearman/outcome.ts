/** How failed calls of GEARMAN end: its errors, their codes, and calls that may do part of their work. */
import type { BasilError } from "../../runtime/errors.ts";
import type { TaskContext } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import { type OutcomeRules, Outcomes } from "../outcome.ts";
import { type GearmanTask, gearmanTask } from "./task.ts";

export type { OutcomeRules } from "../outcome.ts";

/** `ERRNAME$` of all that the module raises. */
export const ERROR_NAME = "GEARMAN_ERROR";

/** `ERR%` of a GEARMAN_ERROR is this plus GEARMAN.ERRCODE%. */
export const FIRST_CODE = 2000;

const outcomes = new Outcomes({
  errorName: ERROR_NAME,
  firstCode: FIRST_CODE,
  isFailure: (error: unknown): error is GearmanError => error instanceof GearmanError,
  ownOf: gearmanTask,
  wrongArguments: (message) => new GearmanError("ARGUMENT", message),
});

/** Runs a row's work for a task; a failure sets ERR$ and ERRCODE%, and the row gives `empty`, or raises when it must. */
export const settled = <R>(
  rules: OutcomeRules,
  task: TaskContext,
  empty: R,
  work: (own: GearmanTask) => R | Promise<R>,
): Promise<R> => outcomes.settled(rules, task, empty, work);

/**
 * As `settled`, for rows that may do part of their work: the result is given, and the failure told with `partly` sets
 * ERR$ and ERRCODE%, or is raised where failures are.
 */
export async function settledInPart<R>(
  rules: OutcomeRules,
  task: TaskContext,
  empty: R,
  work: (partly: (error: GearmanError) => void) => R | Promise<R>,
): Promise<R> {
  let failure: GearmanError | null = null;
  const result = await settled(rules, task, empty, () =>
    work((error) => {
      failure = error;
    }),
  );
  return failure === null ? result : settled(rules, task, result, () => Promise.reject(failure));
}

/** A failure as the error that TRY/CATCH catches: `ERRNAME$` is GEARMAN_ERROR. */
export const raised = (error: GearmanError): BasilError => outcomes.raised(error);

/** Wrong arguments to a row, found before the row runs. */
export const argumentError = (message: string, task: TaskContext): BasilError => outcomes.argumentError(message, task);
