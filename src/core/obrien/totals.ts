/** How many jobs of each class are in each state, kept with every change, so that nobody has to count rows. */
import type { Store, StoreStatement } from "../store/store.ts";
import type { JobState } from "./job.ts";
import type { JobCounts, StateCounts } from "./query.ts";

/** A class and a state that has jobs of it. */
export interface ClassState {
  readonly class: string;
  readonly state: JobState;
}

/** What one transaction does to the totals. */
export class TotalChanges {
  readonly byClass = new Map<string, Map<JobState, number>>();

  /** So many jobs of this class come into this state; fewer than 0 leave it. */
  add(name: string, state: JobState, jobs: number): void {
    let states = this.byClass.get(name);
    if (states === undefined) this.byClass.set(name, (states = new Map()));
    states.set(state, (states.get(state) ?? 0) + jobs);
  }

  /** One job goes from one state to another. */
  move(name: string, from: JobState, to: JobState): void {
    this.add(name, from, -1);
    this.add(name, to, 1);
  }
}

/** The table of totals. */
export class Totals {
  readonly #add: StoreStatement;
  readonly #insert: StoreStatement;
  readonly #all: StoreStatement;
  readonly #dropEmpty: StoreStatement;

  constructor(store: Store) {
    this.#add = store.prepare("UPDATE totals SET jobs = jobs + ? WHERE class = ? AND state = ?");
    this.#insert = store.prepare("INSERT INTO totals (jobs, class, state) VALUES (?, ?, ?)");
    this.#all = store.prepare("SELECT class, state, jobs FROM totals WHERE jobs > 0 ORDER BY class");
    this.#dropEmpty = store.prepare("DELETE FROM totals WHERE jobs = 0");
  }

  /** Writes the changes of a transaction, within it. */
  apply(changes: TotalChanges): void {
    for (const [name, states] of changes.byClass) {
      for (const [state, jobs] of states) {
        if (jobs !== 0 && this.#add.run(jobs, name, state) === 0) this.#insert.run(jobs, name, state);
      }
    }
  }

  /** Forgets classes that have no jobs any more. */
  dropEmpty(): void {
    this.#dropEmpty.run();
  }

  /** Which states of which classes have jobs; without a class, or without states, those of all. */
  present(name: string | undefined, states: readonly JobState[]): ClassState[] {
    return this.#rows().filter((row) => (name === undefined || row.class === name) && states.includes(row.state));
  }

  counts(): JobCounts {
    const total = noJobs();
    const classes = new Map<string, Record<JobState, number>>();
    for (const { class: name, state, jobs } of this.#rows()) {
      const counts = classes.get(name) ?? noJobs();
      classes.set(name, counts);
      counts[state] += jobs;
      total[state] += jobs;
    }
    return { total, classes: classes satisfies ReadonlyMap<string, StateCounts> };
  }

  #rows(): (ClassState & { readonly jobs: number })[] {
    return this.#all.all().map(([name, state, jobs]) => ({
      class: name as string,
      state: state as JobState,
      jobs: jobs as number,
    }));
  }
}

function noJobs(): Record<JobState, number> {
  return { pending: 0, claimed: 0, done: 0, failed: 0 };
}
