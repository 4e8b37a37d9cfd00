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
  readonly #maxHeldBytes: number;
  #heldBytes = 0;
  #isPaused = false;
  #pauses = 0;
  #firstLink = 0;

  /** @param maxHeldBytes with payloads of this size together, or more, no further job is fetched or read */
  constructor(kind: LaneKind, links: readonly WorkerLink[], maxHeldBytes: number) {
    this.kind = kind;
    this.links = links;
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** Payload bytes of the jobs that came over these connections and are still held. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** How often reading had to stop. */
  get pauses(): number {
    return this.#pauses;
  }

  /** What is held and what has come of the next packets is enough. */
  get isFull(): boolean {
    let bytes = this.#heldBytes;
    for (const link of this.links) bytes += link.unreadBytes;
    return bytes >= this.#maxHeldBytes;
  }

  /**
   * Counts a job in. The first one over the limit stops reading, because jobs of grabs that are under way may be
   * as large; one job is always allowed, as it is counted only after it came.
   */
  hold(job: GearmanJob): void {
    this.#heldBytes += job.payloadBytes;
    if (this.#heldBytes < this.#maxHeldBytes || this.#isPaused) return;
    this.#isPaused = true;
    this.#pauses++;
    for (const link of this.links) link.pause();
  }

  /** Counts a job out. */
  release(job: GearmanJob): void {
    this.#heldBytes -= job.payloadBytes;
    if (!this.#isPaused || this.#heldBytes >= this.#maxHeldBytes) return;
    this.#isPaused = false;
    for (const link of this.links) link.resume();
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
