/** What a client counts, as tables, and the text in which Prometheus reads such tables. */
import { GearmanError, type GearmanErrorKind } from "./errors.ts";

/** One figure: a counter only grows, a gauge is how things stand now. */
export interface Metric {
  /** Name in Prometheus text, such as `gearman_client_jobs_submitted_total`. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly doc: string;
}

/** Figures by the name they have in programs. */
export type MetricTable = Readonly<Record<string, Metric>>;

/** The value of every figure of a table. */
export type MetricValues<T extends MetricTable> = { readonly [K in keyof T]: number };

/** Labels such as `{ server: "127.0.0.1:4730" }`. */
export type MetricLabels = Readonly<Record<string, string>>;

/** The values of a table for one set of labels. */
export interface MetricSample<T extends MetricTable> {
  readonly labels?: MetricLabels | undefined;
  readonly values: MetricValues<T>;
}

/** What becomes of a client's jobs. Every job submitted is either in flight or counted in exactly one way to end. */
export const CLIENT_METRICS = {
  submitted: { name: "gearman_client_jobs_submitted_total", type: "counter", doc: "Jobs handed to the client." },
  accepted: { name: "gearman_client_jobs_accepted_total", type: "counter", doc: "Jobs that a server accepted." },
  completed: {
    name: "gearman_client_jobs_completed_total",
    type: "counter",
    doc: "Jobs that ended well: with a result, or for background jobs with a receipt.",
  },
  failed: {
    name: "gearman_client_jobs_failed_total",
    type: "counter",
    doc: "Jobs that a worker failed or a server refused, or for which no server was reached.",
  },
  timedOut: { name: "gearman_client_jobs_timed_out_total", type: "counter", doc: "Jobs whose time was over first." },
  aborted: {
    name: "gearman_client_jobs_aborted_total",
    type: "counter",
    doc: "Jobs called off by a signal, by leaving their loop, or by closing the client.",
  },
  unknownOutcome: {
    name: "gearman_client_jobs_unknown_outcome_total",
    type: "counter",
    doc: "Jobs of which nobody knows whether they were queued, because the connection broke.",
  },
  resent: {
    name: "gearman_client_requests_resent_total",
    type: "counter",
    doc: "Requests of any kind sent again after a lost connection.",
  },
  inFlight: { name: "gearman_client_jobs_in_flight", type: "gauge", doc: "Jobs submitted and not ended." },
} as const satisfies MetricTable;

/** What a client and one of its servers exchange. */
export const SERVER_METRICS = {
  connects: { name: "gearman_client_connects_total", type: "counter", doc: "Connections opened." },
  connectFailures: {
    name: "gearman_client_connect_failures_total",
    type: "counter",
    doc: "Attempts to connect that came to nothing.",
  },
  losses: {
    name: "gearman_client_losses_total",
    type: "counter",
    doc: "Open connections that ended without the client closing them.",
  },
  bytesSent: { name: "gearman_client_sent_bytes_total", type: "counter", doc: "Bytes of all requests." },
  bytesReceived: { name: "gearman_client_received_bytes_total", type: "counter", doc: "Bytes of all answers." },
  connections: { name: "gearman_client_connections", type: "gauge", doc: "Connections open or being opened." },
} as const satisfies MetricTable;

/** How a client's servers did, taken together. */
export type ServerMetrics = MetricValues<typeof SERVER_METRICS>;

/** All figures of a client: its jobs, its servers together, and each server by its name. */
export interface ClientMetrics extends MetricValues<typeof CLIENT_METRICS>, ServerMetrics {
  readonly servers: Readonly<Record<string, ServerMetrics>>;
}

/** How jobs that fail for these reasons are counted; all others are `failed`. */
const ENDINGS: Partial<Record<GearmanErrorKind, "timedOut" | "aborted" | "unknownOutcome">> = {
  TIMEOUT: "timedOut",
  ABORTED: "aborted",
  CLOSED: "aborted",
  UNKNOWN_OUTCOME: "unknownOutcome",
};

/** Told of jobs that ended badly, but for those called off. */
export type FailureListener = (name: string, reason: unknown) => void;

/** A client's running counts. */
export class ClientCounters implements MetricValues<typeof CLIENT_METRICS> {
  readonly #onFailed: FailureListener | null;
  submitted = 0;
  accepted = 0;
  completed = 0;
  failed = 0;
  timedOut = 0;
  aborted = 0;
  unknownOutcome = 0;
  resent = 0;

  constructor(onFailed: FailureListener | null = null) {
    this.#onFailed = onFailed;
  }

  get inFlight(): number {
    return this.submitted - this.completed - this.failed - this.timedOut - this.aborted - this.unknownOutcome;
  }

  /** A job of this function ended for this reason. */
  endedBy(reason: unknown, name: string): void {
    const ending = (reason instanceof GearmanError ? ENDINGS[reason.kind] : undefined) ?? "failed";
    this[ending]++;
    if (ending !== "aborted") this.#onFailed?.(name, reason);
  }
}

/** The sums of several samples of one table. */
export function sumOf<T extends MetricTable>(table: T, samples: readonly MetricValues<T>[]): MetricValues<T> {
  const sums = Object.keys(table).map((key) => [key, samples.reduce((sum, values) => sum + values[key]!, 0)] as const);
  return Object.fromEntries(sums) as MetricValues<T>;
}

/**
 * Figures in the exposition format that Prometheus scrapes, version 0.0.4: `# HELP` and `# TYPE` once for each
 * figure, then one line for each sample. Texts of several tables may be joined, as long as no name is in two of them.
 */
export function prometheusText<T extends MetricTable>(table: T, samples: readonly MetricSample<T>[]): string {
  const families = Object.entries(table).map(([key, { name, type, doc }]) => {
    const lines = samples.map(({ labels, values }) => `${name}${labelText(labels ?? {})} ${numberText(values[key]!)}\n`);
    return `# HELP ${name} ${escaped(doc)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
  });
  return families.join("");
}

/** All of a client's figures as Prometheus text, with these labels on each line besides `server`. */
export function clientMetricsText(metrics: ClientMetrics, labels: MetricLabels = {}): string {
  return textWithServers(CLIENT_METRICS, SERVER_METRICS, metrics, labels);
}

/** Figures with those of each server, which are labelled with its name. */
export function textWithServers<T extends MetricTable, S extends MetricTable>(
  table: T,
  serverTable: S,
  metrics: MetricValues<T> & { readonly servers: Readonly<Record<string, MetricValues<S>>> },
  labels: MetricLabels,
): string {
  const servers = Object.entries(metrics.servers).map(([server, values]) => ({ labels: { ...labels, server }, values }));
  return prometheusText(table, [{ labels, values: metrics }]) + prometheusText(serverTable, servers);
}

function labelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))
      throw new GearmanError("ARGUMENT", `${JSON.stringify(name)} is no label: use letters, digits and _, not a digit first`);
    return `${name}="${escaped(value).replaceAll('"', '\\"')}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
