/** The ends of jobs on their way into the store: kept until it has taken them, whatever it refuses meanwhile. */
import { ObrienError, type ObrienErrorKind } from "./errors.ts";
import type { JobRecord } from "./job.ts";
import type { JobOutcome, JobQueue } from "./queue.ts";

/** How a job ended, with its class. */
export interface JobEnd extends JobOutcome {
  readonly class: string;
}

/** What one turn did. */
export interface TurnResult {
  /** The outcomes that are in the store now. */
  readonly recorded: readonly JobEnd[];
  readonly claimed: readonly JobRecord[];
}

/** Class of the error of jobs whose verdict the store refused. */
const NOT_RECORDABLE = "obrien/not-recordable";

/** Failures of one outcome that say nothing of the others: the job is not ours any more. */
const GONE: readonly ObrienErrorKind[] = ["STATE", "NOT_FOUND"];

/** Failures that may be those of one outcome, or of a row that was to be claimed. */
const SINGLE: readonly ObrienErrorKind[] = [...GONE, "ARGUMENT", "FAILED", "CORRUPT"];

/** The outcomes of one manager that are not in the store yet. */
export class Outcomes {
  readonly #queue: JobQueue;
  readonly #onRefused: (id: string, error: ObrienError) => void;
  readonly #waiting = new Map<string, JobEnd>();

  /** @param onRefused told of an outcome that the store will never take as it is */
  constructor(queue: JobQueue, onRefused: (id: string, error: ObrienError) => void) {
    this.#queue = queue;
    this.#onRefused = onRefused;
  }

  /** Outcomes that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  add(outcome: JobEnd): void {
    this.#waiting.set(outcome.id, outcome);
  }

  /** Records what waits and claims jobs, in one transaction. Throws when the store fails: then all of it waits on. */
  turn(rooms: ReadonlyMap<string, number>, limit: number): TurnResult {
    const finished = [...this.#waiting.values()];
    try {
      const claimed = this.#queue.turn({ finished, rooms, limit });
      this.#waiting.clear();
      return { recorded: finished, claimed };
    } catch (error) {
      if (finished.length === 0 || !isOf(error, SINGLE)) throw error;
      return { recorded: this.#oneByOne(finished), claimed: [] };
    }
  }

  /** Finds the outcome that is refused, so that it does not keep the others. */
  #oneByOne(finished: readonly JobEnd[]): JobEnd[] {
    return finished.flatMap((outcome) => {
      const recorded = this.#record(outcome);
      this.#waiting.delete(outcome.id);
      return recorded;
    });
  }

  #record(outcome: JobEnd): JobEnd[] {
    try {
      this.#queue.finish([outcome]);
      return [outcome];
    } catch (error) {
      if (!isOf(error, SINGLE) || error.kind === "CORRUPT") throw error;
      this.#onRefused(outcome.id, error);
      if (GONE.includes(error.kind)) return [];
      const failed = notRecordable(outcome, error);
      this.#queue.finish([failed]);
      return [failed];
    }
  }
}

/** The end of a job whose verdict cannot be stored. */
function notRecordable(job: Pick<JobEnd, "id" | "class">, error: Error): JobEnd {
  return failedEnd(job, NOT_RECORDABLE, `the verdict cannot be stored: ${error.message}`);
}

/** The end of a job that has no verdict of its own. */
export function failedEnd({ id, class: name }: Pick<JobEnd, "id" | "class">, errorClass: string, message: string): JobEnd {
  const meta = { uuid: id, name, timestamp: new Date().toISOString() };
  const xeme = { success: false, errors: [{ class: errorClass, message }], meta };
  return { id, class: name, state: "failed", errorClass, followUps: [], xeme };
}

function isOf(error: unknown, kinds: readonly ObrienErrorKind[]): error is ObrienError {
  return error instanceof ObrienError && kinds.includes(error.kind);
}
