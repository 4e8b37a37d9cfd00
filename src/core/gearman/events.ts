/** What a client tells about its servers and jobs, for logs and dashboards. */
import type { GearmanError } from "./errors.ts";

/** Something worth knowing about a client. A server counts as lost when the last connection to it broke. */
export type ClientEvent =
  | { readonly type: "connected"; readonly server: string }
  | { readonly type: "lost"; readonly server: string; readonly reason: GearmanError }
  | { readonly type: "reconnected"; readonly server: string }
  /** An attempt to connect failed; for `retryMs` other servers are tried first. */
  | { readonly type: "unreachable"; readonly server: string; readonly reason: GearmanError; readonly retryMs: number }
  /** A job ended with an error, but for those called off. */
  | { readonly type: "jobFailed"; readonly name: string; readonly reason: unknown };

/** Takes a client's events. What it throws becomes a process warning. */
export type ClientEventListener = (event: ClientEvent) => void;

/** Code of the process warning that tells of a listener that throws. */
export const ON_EVENT_WARNING = "GEARMAN_ON_EVENT";
