/** What a worker is given, and what it tells: its settings, its handlers and its events. */

import { GearmanError } from "./errors.ts";
import type { ConnectingOptions } from "./options.ts";
import type { GearmanJob } from "./worker-job.ts";

/** What a handler may return: the result's bytes, text to be sent as UTF-8, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is the usual case
export type HandlerResult = string | Uint8Array | void | null | undefined;

/** Does one job. What it returns is the result; when it throws, the job fails with the error's message. */
export type JobHandler = (job: GearmanJob) => HandlerResult | Promise<HandlerResult>;

/** Something worth knowing about a worker. One with handlers and jobs taken by hand has two connections to each server. */
export type WorkerEvent =
  | { readonly type: "connected"; readonly server: string }
  | { readonly type: "lost"; readonly server: string; readonly reason: GearmanError; readonly retryMs: number }
  | { readonly type: "unreachable"; readonly server: string; readonly reason: GearmanError; readonly retryMs: number }
  | { readonly type: "refused"; readonly server: string; readonly code: string; readonly text: string }
  | { readonly type: "jobFailed"; readonly server: string; readonly job: GearmanJob; readonly reason: unknown }
  | { readonly type: "stopped" };

/** How a worker is set up. `GearmanConfig` fits in here. */
export interface GearmanWorkerOptions extends ConnectingOptions {
  /** Most handlers running at once, over all servers, and as many jobs taken by hand besides. Default 1. */
  readonly concurrency?: number | undefined;
  /**
   * With payloads of this many bytes held, no further job is asked for, and reading pauses until some have ended. One
   * job is always taken, however large, and so are those that came with the same 64 KiB. Jobs taken by hand may hold
   * as much besides. Default 268 435 456 (256 MiB).
   */
  readonly maxHeldBytes?: number | undefined;
  /** Report failures as WORK_EXCEPTION instead of WORK_WARNING and WORK_FAIL: only when all clients understand it. Default false. */
  readonly exceptions?: boolean | undefined;
  /** Mean time between looks for jobs a server did not announce, in milliseconds; also finds dead connections. Default 15 000. */
  readonly regrabMs?: number | undefined;
  /** Longest time a server may take nothing of what is being sent to it before it counts as dead, in milliseconds. Default 120 000. */
  readonly stallMs?: number | undefined;
  /** Told what happens. What it throws becomes a process warning. */
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined;
}

/** Payload bytes held above which a worker takes no further jobs, unless told otherwise: 256 MiB. */
const DEFAULT_MAX_HELD_BYTES = 256 * 1024 * 1024;

/** A number of jobs at once; an ARGUMENT error when it is none. */
export function checkConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 10_000) return concurrency;
  throw new GearmanError("ARGUMENT", `concurrency ${concurrency} must be a whole number from 1 to 10000`);
}

/** A number of payload bytes; an ARGUMENT error when it is none. */
export function checkHeldBytes(maxHeldBytes = DEFAULT_MAX_HELD_BYTES): number {
  if (maxHeldBytes >= 1) return maxHeldBytes;
  throw new GearmanError("ARGUMENT", `maxHeldBytes ${maxHeldBytes} must be a number of at least 1`);
}
