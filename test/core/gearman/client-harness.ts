/** What tests of the client share: clients and servers that end with their test, and what a failed call said. */
import { afterEach, expect } from "vitest";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import { GearmanError, type GearmanErrorKind } from "../../../src/core/gearman/errors.ts";
import type { Packet } from "../../../src/core/gearman/packets.ts";
import { GearmanServer, type GearmanServerOptions } from "../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { GearmanWorkerOptions, JobHandler } from "../../../src/core/gearman/worker-options.ts";
import { type FakeBehaviour, type FakeServer, type Peer, startFakeServer } from "./fake-server.ts";

/** What each test makes, ended in the reverse order. Call once in a test file. */
export function clientHarness() {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return {
    cleanups,
    /** A scripted server that answers echoes besides, so that a test can have its client connected. */
    async fake(behaviour: FakeBehaviour, port?: number): Promise<FakeServer> {
      const packet = (packet: Packet, peer: Peer) => {
        if (packet.name === "ECHO_REQ") peer.send("ECHO_RES", packet.args.payload);
        behaviour.packet?.(packet, peer);
      };
      const server = await startFakeServer({ ...behaviour, packet }, port);
      cleanups.push(() => server.close());
      return server;
    },
    /** The embedded server; resolves to its address. */
    async embedded(options: GearmanServerOptions = {}): Promise<string> {
      const server = new GearmanServer({ port: 0, ...options });
      cleanups.push(() => server.close());
      const { port } = await server.listen();
      return `127.0.0.1:${port}`;
    },
    client(servers: readonly string[], options: GearmanClientOptions = {}): GearmanClient {
      const client = new GearmanClient({ servers, timeoutMs: 5000, retries: 0, ...options });
      cleanups.push(() => client.close());
      return client;
    },
    async worker(server: string, name: string, handler: JobHandler, options: GearmanWorkerOptions = {}): Promise<GearmanWorker> {
      const worker = new GearmanWorker({ servers: [server], concurrency: 10, ...options });
      cleanups.push(() => worker.stop({ graceMs: 0 }));
      worker.add(name, handler);
      worker.start();
      await worker.ready();
      return worker;
    },
  };
}

/** The error of a call that must fail with a GearmanError. */
export async function failureOf(promise: Promise<unknown>): Promise<GearmanError> {
  const outcome = await promise.then(
    (value) => value,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(GearmanError);
  return outcome as GearmanError;
}

/** Expects a call to fail in this way. */
export async function expectFailure(promise: Promise<unknown>, kind: GearmanErrorKind, message: string | RegExp): Promise<void> {
  const error = await failureOf(promise);
  expect(error.kind).toBe(kind);
  if (typeof message === "string") expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
}

/** Accepts every submit under the handle H:x:n and lets the test answer. */
export function accepting(
  then: (handle: string, packet: Packet<"SUBMIT_JOB">, peer: Peer) => void = () => undefined,
): FakeBehaviour {
  let jobs = 0;
  return {
    packet(packet, peer) {
      if (!packet.name.startsWith("SUBMIT_")) return;
      const handle = `H:x:${++jobs}`;
      peer.send("JOB_CREATED", handle);
      then(handle, packet as Packet<"SUBMIT_JOB">, peer);
    },
  };
}
