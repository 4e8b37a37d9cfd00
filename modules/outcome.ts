/** What a failed call of a module does: sets ERR$ and ERRCODE% of its task, and raises the module's error when it must. */
import { BasilError } from "../runtime/errors.ts";
import type { TaskContext } from "../runtime/host.ts";

/** A failure that a module's core reports. */
export interface CallFailure extends Error {
  /** `ERRCODE%`. */
  readonly code: number;
  /** A mistake in the program or its surroundings, which is raised in any case. */
  readonly fatal: boolean;
}

/** One task's `ERR$` and `ERRCODE%` of a module. */
export class TaskOutcome {
  message = "";
  code = 0;

  succeeded(): void {
    this.message = "";
    this.code = 0;
  }

  failed(error: { readonly message: string; readonly code: number }): void {
    this.message = error.message;
    this.code = error.code;
  }
}

/** What the outcome of a call depends on. */
export interface OutcomeRules {
  /** `on_error = "raise"`: ordinary failures are raised as well. */
  readonly raisesAll: boolean;
}

/** What differs between modules. */
export interface OutcomeOptions<Failure extends CallFailure, Own extends TaskOutcome> {
  /** `ERRNAME$` of all that the module raises. */
  readonly errorName: string;
  /** `ERR%` of such an error is this plus the failure's code. */
  readonly firstCode: number;
  readonly isFailure: (error: unknown) => error is Failure;
  readonly ownOf: (task: TaskContext) => Own;
  /** The failure of a call with wrong arguments. */
  readonly wrongArguments: (message: string) => Failure;
}

/** What a row's work comes to. Without an async function around it, a loop of short calls makes half the promises. */
function begun<R, Own>(work: (own: Own) => R | Promise<R>, own: Own): Promise<R> {
  try {
    const result = work(own);
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The outcomes of one module's calls. */
export class Outcomes<Failure extends CallFailure, Own extends TaskOutcome> {
  readonly #options: OutcomeOptions<Failure, Own>;

  constructor(options: OutcomeOptions<Failure, Own>) {
    this.#options = options;
  }

  /**
   * Runs a row's work for a task. Success clears ERR$ and ERRCODE%. A failure of the module's core sets them, and the row
   * gives `empty` (or raises, for fatal kinds and with `on_error = "raise"`). Anything else, such as an error raised in a
   * callback, passes.
   */
  settled<R>(rules: OutcomeRules, task: TaskContext, empty: R, work: (own: Own) => R | Promise<R>): Promise<R> {
    const own = this.#options.ownOf(task);
    return begun(work, own).then(
      (result) => {
        own.succeeded();
        return result;
      },
      (error: unknown) => {
        if (!this.#options.isFailure(error)) throw error;
        own.failed(error);
        if (error.fatal || rules.raisesAll) throw this.raised(error);
        return empty;
      },
    );
  }

  /** A failure as the error that TRY/CATCH catches. */
  raised(error: Failure): BasilError {
    const { errorName, firstCode } = this.#options;
    return new BasilError(errorName, error.message, { code: firstCode + error.code, cause: error });
  }

  /** Wrong arguments to a row, found before the row runs. */
  argumentError(message: string, task: TaskContext): BasilError {
    const error = this.#options.wrongArguments(message);
    this.#options.ownOf(task).failed(error);
    return this.raised(error);
  }
}
