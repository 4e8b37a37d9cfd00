/** The one place that decides what a failed call does: sets ERR$ and ERRCODE%, and raises GEARMAN_ERROR when it must. */
import { BasilError } from "../../runtime/errors.ts";
import type { TaskContext } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import { type GearmanTask, gearmanTask } from "./task.ts";

/** `ERRNAME$` of all that the module raises. */
export const ERROR_NAME = "GEARMAN_ERROR";

/** `ERR%` of a GEARMAN_ERROR is this plus GEARMAN.ERRCODE%. */
export const FIRST_CODE = 2000;

/** What the outcome of a call depends on. */
export interface OutcomeRules {
  /** `on_error = "raise"`: ordinary failures are raised as well. */
  readonly raisesAll: boolean;
}

/**
 * Runs a row's work for a task. Success clears ERR$ and ERRCODE%. A GearmanError sets them, and the row gives `empty`
 * (or raises, for fatal kinds and with `on_error = "raise"`). Anything else, such as an error raised in a callback, passes.
 */
export async function settled<R>(
  rules: OutcomeRules,
  task: TaskContext,
  empty: R,
  work: (own: GearmanTask) => R | Promise<R>,
): Promise<R> {
  const own = gearmanTask(task);
  try {
    const result = await work(own);
    own.succeeded();
    return result;
  } catch (error) {
    if (!(error instanceof GearmanError)) throw error;
    own.failed(error);
    if (error.fatal || rules.raisesAll) throw raised(error);
    return empty;
  }
}

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
export const raised = (error: GearmanError): BasilError =>
  new BasilError(ERROR_NAME, error.message, { code: FIRST_CODE + error.code, cause: error });

/** Wrong arguments to a row, found before the row runs. */
export function argumentError(message: string, task: TaskContext): BasilError {
  const error = new GearmanError("ARGUMENT", message);
  gearmanTask(task).failed(error);
  return raised(error);
}
