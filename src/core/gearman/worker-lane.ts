/** The connections for one kind of a worker's jobs: a server picks among all functions of a connection, so jobs to be taken by hand must not share one with handlers. */
import type { GearmanJob } from "./worker-job.ts";
import type { WorkerLink } from "./worker-link.ts";

/** Whether handlers do the jobs, or whoever calls `next`. */
export type LaneKind = "handled" | "byHand";

/** One connection per server, and the jobs that came over them for `next` and wait to be taken. */
export class WorkerLane {
  readonly kind: LaneKind;
  readonly links: readonly WorkerLink[];
  readonly unclaimed: GearmanJob[] = [];
  #firstLink = 0;

  constructor(kind: LaneKind, links: readonly WorkerLink[]) {
    this.kind = kind;
    this.links = links;
  }

  /** Grabs the servers have not answered yet. */
  get grabs(): number {
    let grabs = 0;
    for (const link of this.links) grabs += link.grabs;
    return grabs;
  }

  /** Sends at most `room` grabs, to one server after the other. */
  grab(room: number): void {
    const count = this.links.length;
    for (let left = room, misses = 0; left > 0 && misses < count; ) {
      const link = this.links[this.#firstLink++ % count]!;
      if (link.wantsGrab) {
        link.grab();
        left--;
        misses = 0;
      } else misses++;
    }
  }

  /** Takes a job from those that wait. False when it is not among them. */
  remove(job: GearmanJob): boolean {
    const index = this.unclaimed.indexOf(job);
    if (index >= 0) this.unclaimed.splice(index, 1);
    return index >= 0;
  }
}
