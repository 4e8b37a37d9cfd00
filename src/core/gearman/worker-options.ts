/** What a worker is given, and what it tells: its settings, its handlers and its events. */

import type { GearmanError } from "./errors.ts";
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
  /** Report failures as WORK_EXCEPTION instead of WORK_WARNING and WORK_FAIL: only when all clients understand it. Default false. */
  readonly exceptions?: boolean | undefined;
  /** Mean time between looks for jobs a server did not announce, in milliseconds; also finds dead connections. Default 15 000. */
  readonly regrabMs?: number | undefined;
  /** Longest time a server may take nothing of what is being sent to it before it counts as dead, in milliseconds. Default 120 000. */
  readonly stallMs?: number | undefined;
  /** Told what happens. Must not throw. */
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined;
}
