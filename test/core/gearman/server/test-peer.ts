/** A connection as the job queue sees it, that counts what it is told. */
import type { Ability, Job, Peer } from "../../../../src/core/gearman/server/jobs.ts";

/** Stands for a client or worker. */
export class TestPeer implements Peer {
  abilities: Ability[] = [];
  readonly watched = new Set<Job>();
  isSleeping = false;
  isNoopSent = false;
  wakeUps = 0;
  readonly failures: string[] = [];

  wake(): void {
    this.wakeUps++;
  }

  fail(job: Job): void {
    this.failures.push(job.handle);
  }
}
