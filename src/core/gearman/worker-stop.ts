/** How a worker stops: it finishes what it holds, makes sure that the servers have all results, and only then closes. */
import type { Wakeups } from "../net/wakeups.ts";
import { GearmanError } from "./errors.ts";
import type { HeldJobs } from "./worker-held.ts";
import type { WorkerLink } from "./worker-link.ts";

/** How long a stop waits for silent servers to confirm that they have all results, in milliseconds. */
const LAST_WORD_MS = 5_000;

/** The same when they have all results already: only a job that is under way could be missed, and it goes to another worker. */
const IDLE_LAST_WORD_MS = 1_000;

/** How often a stop looks whether results are still being sent, in milliseconds. */
const SENDING_LOOK_MS = 200;

/** How long handlers get to end after their signal fired, in milliseconds. */
const ABORT_GRACE_MS = 1_000;

/** What a stop needs to see of its worker. */
export interface Stopping {
  readonly links: readonly WorkerLink[];
  /** Jobs that were begun and are not over, or whose handlers still run. */
  readonly busy: HeldJobs;
  /** Told when a job ends, a link is lost, or a server confirms what it has read. */
  readonly changes: Wakeups;
  /** Fires when running jobs shall not be waited for any longer. */
  readonly hurry: AbortSignal;
  /** When the last job was over, on the clock of `now`. */
  lastOverAt(): number;
  /** A clock that never runs backwards, in milliseconds. */
  now(): number;
}

/** Stops in the right order; resolves when all links are closed, in bounded time once `hurry` has fired. */
export async function finishAndClose(stopping: Stopping): Promise<void> {
  const { links, busy, hurry } = stopping;
  for (const link of links) link.retire();
  const connecting = links.filter((link) => !link.isOpen).map((link) => link.close(0));
  await drain(stopping);
  if (busy.size > 0) await callOff(stopping);
  const lastWordMs = hurry.aborted ? ABORT_GRACE_MS : 0;
  await Promise.all([...connecting, ...links.map((link) => link.close(lastWordMs))]);
}

/**
 * Waits until no job runs, none is under way, and the servers have read all results, or until it must hurry. A
 * server that is silent delays that for a short time only, unless results wait to be sent to it.
 */
async function drain({ links, busy, changes, hurry, lastOverAt, now }: Stopping): Promise<void> {
  let endsAt = Number.POSITIVE_INFINITY;
  while (!hurry.aborted) {
    const isSending = links.some((link) => link.isSending);
    const nowMs = now();
    if (busy.size > 0 || isSending) endsAt = Number.POSITIVE_INFINITY;
    else if (endsAt === Number.POSITIVE_INFINITY) endsAt = nowMs + lastWordMs(links, lastOverAt());
    if (busy.size === 0) {
      for (const link of links) link.confirm();
      if (links.every((link) => link.isConfirmed)) return;
    }
    if (nowMs >= endsAt) return;
    await changes.wait({ timeoutMs: isSending ? SENDING_LOOK_MS : endsAt - nowMs, signal: hurry });
  }
}

function lastWordMs(links: readonly WorkerLink[], lastOverAt: number): number {
  return links.every((link) => link.readAt > lastOverAt) ? IDLE_LAST_WORD_MS : LAST_WORD_MS;
}

async function callOff({ busy, changes, now }: Stopping): Promise<void> {
  const reason = new GearmanError("ABORTED", "the worker stops, the server gives the job to another worker");
  for (const job of busy.all()) job.callOff(reason);
  const endsAt = now() + ABORT_GRACE_MS;
  for (let leftMs = ABORT_GRACE_MS; busy.size > 0 && leftMs > 0; leftMs = endsAt - now())
    await changes.wait({ timeoutMs: leftMs });
}
