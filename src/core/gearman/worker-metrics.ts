/** What a worker counts, as tables, and the same as Prometheus text. */
import { type MetricLabels, type MetricTable, type MetricValues, sumOf, textWithServers } from "./metrics.ts";

/** What becomes of a worker's jobs. Every job taken is either held or counted in exactly one way to end. */
export const WORKER_METRICS = {
  taken: { name: "gearman_worker_jobs_taken_total", type: "counter", doc: "Jobs that servers assigned." },
  completed: { name: "gearman_worker_jobs_completed_total", type: "counter", doc: "Jobs that ended with a result." },
  failed: { name: "gearman_worker_jobs_failed_total", type: "counter", doc: "Jobs that ended as failed." },
  timedOut: {
    name: "gearman_worker_jobs_timed_out_total",
    type: "counter",
    doc: "Jobs that the worker failed because they took too long.",
  },
  lost: {
    name: "gearman_worker_jobs_lost_total",
    type: "counter",
    doc: "Jobs that went back to their server, because the connection broke or the worker stopped.",
  },
  held: { name: "gearman_worker_jobs_held", type: "gauge", doc: "Jobs held now." },
  heldBytes: { name: "gearman_worker_held_bytes", type: "gauge", doc: "Payload bytes of the jobs held now." },
  running: { name: "gearman_worker_handlers_running", type: "gauge", doc: "Handlers running now." },
  handlerSeconds: {
    name: "gearman_worker_handler_seconds_total",
    type: "counter",
    doc: "Time that all handlers together took, waits included.",
  },
  pauses: {
    name: "gearman_worker_pauses_total",
    type: "counter",
    doc: "Times that reading stopped because the payloads held were too large.",
  },
} as const satisfies MetricTable;

/** What a worker and one of its servers exchange. */
export const WORKER_SERVER_METRICS = {
  grabs: { name: "gearman_worker_grabs_total", type: "counter", doc: "Times that the server was asked for a job." },
  connects: { name: "gearman_worker_connects_total", type: "counter", doc: "Connections opened." },
  connectFailures: {
    name: "gearman_worker_connect_failures_total",
    type: "counter",
    doc: "Attempts to connect that came to nothing.",
  },
  losses: {
    name: "gearman_worker_losses_total",
    type: "counter",
    doc: "Open connections that ended without the worker closing them.",
  },
  connections: { name: "gearman_worker_connections", type: "gauge", doc: "Connections open now." },
} as const satisfies MetricTable;

/** How a worker's connections to one server, or to all of them, did. */
export type WorkerServerMetrics = MetricValues<typeof WORKER_SERVER_METRICS>;

/** All figures of a worker: its jobs, its servers together, and each server by its name. */
export interface WorkerMetrics extends MetricValues<typeof WORKER_METRICS>, WorkerServerMetrics {
  readonly servers: Readonly<Record<string, WorkerServerMetrics>>;
}

/** Ways for a job to end. */
export type JobEnding = "completed" | "failed" | "timedOut" | "lost";

/** A worker's running counts of jobs. */
export class WorkerCounters {
  taken = 0;
  completed = 0;
  failed = 0;
  timedOut = 0;
  lost = 0;
  handlerMs = 0;
  pauses = 0;
}

/** The running counts of the connections to one server. */
export class LinkCounters {
  grabs = 0;
  connects = 0;
  connectFailures = 0;
  losses = 0;
}

/** The figures of each server, and all together. `open` is the number of its open connections. */
export function serverMetrics(
  servers: ReadonlyMap<string, LinkCounters>,
  open: (server: string) => number,
): WorkerServerMetrics & { servers: Record<string, WorkerServerMetrics> } {
  const rows = [...servers].map(([server, counters]) => [server, { ...counters, connections: open(server) }] as const);
  const values = rows.map(([, metrics]) => metrics);
  return { ...sumOf(WORKER_SERVER_METRICS, values), servers: Object.fromEntries(rows) };
}

/** All of a worker's figures as Prometheus text, with these labels on each line besides `server`. */
export function workerMetricsText(metrics: WorkerMetrics, labels: MetricLabels = {}): string {
  return textWithServers(WORKER_METRICS, WORKER_SERVER_METRICS, metrics, labels);
}
