/** The jobs one task of the program has gathered with TASKS_ADD%, and what became of them. */
import { type TaskContext, taskKey } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { TaskOutcome, TaskRequest } from "../../src/core/gearman/index.ts";

/**
 * Modes: gathering (jobs may be added) → running → run (outcomes may be read; the next job added begins a new set).
 * Jobs are numbered from 1.
 */
export class GatheredTasks {
  #requests: TaskRequest[] = [];
  #outcomes: (TaskOutcome | undefined)[] = [];
  #mode: "gathering" | "running" | "run" = "gathering";

  /** Number of jobs in the set. */
  get size(): number {
    return this.#requests.length;
  }

  /** Adds a job and gives its number. */
  add(request: TaskRequest): number {
    if (this.#mode === "running")
      throw new GearmanError("STATE", "TASKS_ADD%: these tasks are running, add to them before TASKS_RUN%");
    if (this.#mode === "run") this.clear();
    return this.#requests.push(request);
  }

  /** Forgets all jobs and outcomes, and gives their number. */
  clear(): number {
    if (this.#mode === "running") throw new GearmanError("STATE", "TASKS_CLEAR%: these tasks are running");
    const { size } = this;
    this.#requests = [];
    this.#outcomes = [];
    this.#mode = "gathering";
    return size;
  }

  /** The jobs to run now. Those of a set that has run are not run again. */
  begin(): readonly TaskRequest[] {
    if (this.#mode === "running") throw new GearmanError("STATE", "TASKS_RUN%: these tasks are running already");
    if (this.#mode === "run") return [];
    this.#mode = "running";
    this.#outcomes = new Array(this.size).fill(undefined);
    return this.#requests;
  }

  /** Keeps an outcome; the payload is no longer needed. */
  ended(outcome: TaskOutcome): void {
    this.#outcomes[outcome.index] = outcome;
  }

  /** The run is over, whether all jobs have an outcome or not. */
  end(): void {
    this.#mode = "run";
    this.#requests = this.#requests.map(({ name }) => ({ name }));
  }

  /** The outcome of a job by its number; null when it had none, because the run was called off. */
  outcome(caller: string, number: number): TaskOutcome | null {
    if (number < 1 || number > this.size) {
      const range = this.size === 0 ? "there are no tasks: add some with TASKS_ADD%" : `there are tasks 1 to ${this.size}`;
      throw new GearmanError("ARGUMENT", `${caller}: there is no task ${number}; ${range}`);
    }
    if (this.#mode === "gathering") throw new GearmanError("STATE", `${caller}: run the tasks with TASKS_RUN% first`);
    return this.#outcomes[number - 1] ?? null;
  }
}

const KEY = taskKey(() => new GatheredTasks());

/** The jobs that a task of the program has gathered. */
export const gatheredTasks = (task: TaskContext): GatheredTasks => task.local(KEY);
