/** What the fault tests set up and tear down: servers, proxies in front of them, clients and workers, each closed after its test. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach } from "vitest";
import { GearmanAdmin } from "../../../src/core/gearman/admin.ts";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import type { GearmanError } from "../../../src/core/gearman/errors.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanWorkerOptions, JobHandler } from "../../../src/core/gearman/worker-options.ts";
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from "../../helpers/fault-proxy.ts";
import { type Gearmand, type GearmandOptions, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";

/** The servers that everything is tried on, and whether each is here. */
export const SERVER_KINDS = [
  { kind: "the embedded server", isMissing: false },
  { kind: "gearmand", isMissing: !hasGearmand() },
] as const;

/** One of the servers above. */
export type ServerKind = (typeof SERVER_KINDS)[number]["kind"];

/** Makes things that end with the test that made them. */
export interface Rig {
  /** Runs after the test, the last one first. */
  onEnd(cleanup: () => unknown): void;
  /** Starts a server of that kind; resolves to its port. */
  server(kind: ServerKind): Promise<number>;
  gearmand(options?: GearmandOptions): Promise<Gearmand>;
  proxy(port: number, options?: Partial<FaultProxyOptions>): Promise<FaultProxy>;
  client(servers: string | readonly string[], options?: GearmanClientOptions): GearmanClient;
  admin(port: number): GearmanAdmin;
  /** A worker that has a connection. */
  worker(
    servers: string | readonly string[],
    handlers: Readonly<Record<string, JobHandler>>,
    options?: GearmanWorkerOptions,
  ): Promise<GearmanWorker>;
}

/** A rig for the tests of one file. */
export function useRig(): Rig {
  const cleanups: (() => unknown)[] = [];
  const onEnd = (cleanup: () => unknown) => void cleanups.push(cleanup);
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  const gearmand = async (options?: GearmandOptions) => {
    const made = await startGearmand(options);
    onEnd(() => made.stop());
    return made;
  };
  return {
    onEnd,
    gearmand,
    async server(kind) {
      if (kind === "gearmand") return (await gearmand()).port;
      const server = new GearmanServer();
      onEnd(() => server.close());
      return (await server.listen()).port;
    },
    async proxy(port, options = {}) {
      const proxy = await startFaultProxy({ port, ...options });
      onEnd(() => proxy.close());
      return proxy;
    },
    client(servers, options = {}) {
      const client = new GearmanClient({ servers: [servers].flat(), timeoutMs: 10_000, ...options });
      onEnd(() => client.close());
      return client;
    },
    admin(port) {
      const admin = new GearmanAdmin({ server: `127.0.0.1:${port}`, timeoutMs: 5000 });
      onEnd(() => admin.close());
      return admin;
    },
    async worker(servers, handlers, options = {}) {
      const worker = new GearmanWorker({ servers: [servers].flat(), ...options });
      onEnd(() => worker.stop({ graceMs: 0 }));
      for (const [name, handler] of Object.entries(handlers)) worker.add(name, handler);
      worker.start();
      await worker.ready();
      return worker;
    },
  };
}

/** The error a promise fails with; fails itself when there is none. */
export async function failure(promise: Promise<unknown>): Promise<GearmanError> {
  const outcome = await promise.then(
    () => null,
    (reason: GearmanError) => reason,
  );
  if (outcome === null) throw new Error("it did not fail");
  return outcome;
}

/** Bytes that are in use after a full garbage collection, buffers included. */
export function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
