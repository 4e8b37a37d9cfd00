/** The Gearman library's public face: client, worker, configuration, errors, and the protocol underneath. */
export { formatServer, parseServer, parseServerList, type ServerAddress } from "./address.ts";
export { type AdminBounds, GearmanAdmin, type GearmanAdminOptions, type QueueLimit } from "./admin.ts";
export type { ConnectionStatus, FunctionPriorities, FunctionStatus, QueuedJob } from "./admin-rows.ts";
export type { JobStatus, UniqueJobStatus } from "./call.ts";
export { MAX_FUNCTION_BYTES, MAX_HANDLE_BYTES, MAX_UNIQUE_BYTES } from "./checks.ts";
export { GearmanClient, type GearmanClientOptions } from "./client.ts";
export { checkClientId, expandClientId, MAX_CLIENT_ID_BYTES } from "./client-id.ts";
export { DEFAULT_MAX_PACKET_BYTES, encodePacket, PacketDecoder } from "./codec.ts";
export {
  CONFIG_FILE,
  CONFIG_KEYS,
  type ConfigHost,
  type ConfigKey,
  type ConfigOverrides,
  DEFAULTS,
  type GearmanConfig,
  loadGearmanConfig,
  serverNames,
  TLS_KEYS,
} from "./config.ts";
export { GEARMAN_ERRORS, GearmanError, type GearmanErrorKind } from "./errors.ts";
export type { ClientEvent, ClientEventListener } from "./events.ts";
export { type GearmanHost, systemHost } from "./host.ts";
export type { JobEvent, JobReceipt, Priority, StatusListener } from "./job.ts";
export {
  CLIENT_METRICS,
  type ClientMetrics,
  clientMetricsText,
  type Metric,
  type MetricLabels,
  type MetricSample,
  type MetricTable,
  type MetricValues,
  prometheusText,
  SERVER_METRICS,
  type ServerMetrics,
} from "./metrics.ts";
export { DEFAULT_PORT, type Magic, PACKETS, type Packet, type PacketName } from "./packets.ts";
export type { Placement } from "./placement.ts";
export type { ServerState } from "./pool.ts";
export type {
  BackgroundRequest,
  CallOptions,
  JobBase,
  JobRequest,
  PlainJob,
  ReduceJob,
  SubmitListeners,
  SubmitRequest,
  TimedJob,
} from "./requests.ts";
export type { ServerTlsOptions } from "./server/listener.ts";
export { GearmanServer, type GearmanServerOptions, type GearmanServerStats, type ListeningAddress } from "./server/server.ts";
export type { GearmanServerEvent } from "./server/state.ts";
export type { JobStream } from "./stream.ts";
export type {
  FailedTask,
  FinishedTask,
  InBackground,
  QueuedTask,
  TaskOutcome,
  TaskRequest,
  TaskSet,
  TaskSetOptions,
} from "./tasks.ts";
export type { TlsOptions } from "./tls.ts";
export { GearmanWorker } from "./worker.ts";
export { GearmanJob } from "./worker-job.ts";
export {
  WORKER_METRICS,
  WORKER_SERVER_METRICS,
  type WorkerMetrics,
  type WorkerServerMetrics,
  workerMetricsText,
} from "./worker-metrics.ts";
export type { GearmanWorkerOptions, HandlerResult, JobHandler, WorkerEvent } from "./worker-options.ts";
export { type RetryOptions, retrying } from "./worker-retry.ts";
