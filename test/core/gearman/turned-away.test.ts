/** What clients, administrators and workers hear of servers that take no more: packets, connections, or plain text. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { GearmanAdmin } from "../../../src/core/gearman/admin.ts";
import { GearmanClient } from "../../../src/core/gearman/client.ts";
import { GearmanServer, type GearmanServerOptions } from "../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { WorkerEvent } from "../../../src/core/gearman/worker-options.ts";
import { CLIENT_TLS, SERVER_TLS } from "../../helpers/tls.ts";
import { useRig } from "./faults-rig.ts";

const rig = useRig();
const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

async function serve(options: GearmanServerOptions): Promise<{ port: number; server: GearmanServer; name: string }> {
  const server = new GearmanServer({ onEvent: (event) => event.type === "bug" && bugs.push(event), ...options });
  rig.onEnd(() => server.close());
  const { port } = await server.listen();
  return { port, server, name: `127.0.0.1:${port}` };
}

function clientOf(server: string): GearmanClient {
  const client = new GearmanClient({ servers: [server], retries: 1 });
  rig.onEnd(() => client.close());
  return client;
}

/** Takes up a place at the server until the test ends. */
async function occupy(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  rig.onEnd(() => void socket.destroy());
  socket.write("version\r\n");
  await once(socket, "data");
}

describe("a packet over the server's limit", () => {
  test.each([60_000, 30_000_000])("of %i bytes is refused with both sizes, and has no unknown outcome", async (bytes) => {
    const { name } = await serve({ maxPacketBytes: 50_000 });
    const client = clientOf(name);
    const request = { name: "z", unique: "u", payload: Buffer.alloc(bytes), replay: true };
    const refusal = (packet: string) => ({
      kind: "SERVER",
      message: `${name} refused z: ARGUMENT_TOO_LARGE (${packet} of ${bytes + 4} bytes is over the limit of 50000)`,
    });
    await expect(client.submitBackground(request)).rejects.toMatchObject(refusal("SUBMIT_JOB_BG"));
    await expect(client.submit(request)).rejects.toMatchObject(refusal("SUBMIT_JOB"));
    const [outcome] = await client.tasks([request], { background: true }).all();
    expect(outcome).toMatchObject({ ok: false, error: refusal("SUBMIT_JOB_BG") });
    expect(client.metrics()).toMatchObject({ failed: 3, unknownOutcome: 0, resent: 0 });
    const small = { name: "z", payload: "small" };
    await expect(client.submitBackground({ ...request, replay: false })).rejects.toMatchObject({ kind: "SERVER" });
    await expect(client.submitBackground(small)).resolves.toMatchObject({ server: name });
  });

  test("over TLS as well", async () => {
    const { port, name } = await serve({ maxPacketBytes: 50_000, tls: SERVER_TLS });
    const client = new GearmanClient({ servers: [{ host: "127.0.0.1", port, tls: CLIENT_TLS }] });
    rig.onEnd(() => client.close());
    await expect(client.submitBackground({ name: "z", payload: Buffer.alloc(1_000_000) })).rejects.toMatchObject({
      kind: "SERVER",
      message: expect.stringContaining(`${name} refused z: ARGUMENT_TOO_LARGE`),
    });
  });

  test("whose sender reads nothing is thrown away, and delays no close", async () => {
    const { port, server } = await serve({ maxPacketBytes: 50 });
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    rig.onEnd(() => void socket.destroy());
    socket.write(Buffer.concat([Buffer.from("\0REQ\0\0\0\x10\0\x10\0\0", "latin1"), Buffer.alloc(100_000)]));
    await once(socket, "data");
    socket.write(Buffer.alloc(100_000));
    await server.close();
    expect(server.stats().connections).toBe(0);
  });
});

describe("a server with as many connections as it takes", () => {
  const reason = "TOO_MANY_CONNECTIONS (This server has as many connections as it takes (1): close some, or raise its limit)";

  test("tells clients and administrators, and jobs have no unknown outcome", async () => {
    const { port, name } = await serve({ maxConnections: 1 });
    await occupy(port);
    const refusal = { kind: "IO", message: expect.stringContaining(`${name} turned the connection away: ${reason}`) };
    const client = clientOf(name);
    await expect(client.submitBackground({ name: "f" })).rejects.toMatchObject(refusal);
    await expect(client.submit({ name: "f" })).rejects.toMatchObject(refusal);
    await expect(client.echo("x")).rejects.toMatchObject(refusal);
    expect(client.metrics()).toMatchObject({ unknownOutcome: 0 });
    const admin = new GearmanAdmin({ server: name });
    rig.onEnd(() => admin.close());
    await expect(admin.status()).rejects.toMatchObject(refusal);
    await expect(admin.version()).rejects.toMatchObject(refusal);
  });

  test("is told of in a worker's events, and left alone for longer and longer", async () => {
    const { port, name } = await serve({ maxConnections: 1 });
    await occupy(port);
    const events: WorkerEvent[] = [];
    let seen = 0;
    const worker = new GearmanWorker({
      servers: [name],
      onEvent: (event) => {
        events.push(event);
        if (event.type === "lost" && ++seen === 3) void worker.stop({ graceMs: 0 });
      },
    });
    worker.add("f", () => "");
    worker.start();
    await expect.poll(() => worker.isAlive, { timeout: 15_000 }).toBe(false);
    expect(events.find(({ type }) => type === "refused")).toMatchObject({ server: name, code: "TOO_MANY_CONNECTIONS" });
    const pauses = events.flatMap((event) => (event.type === "lost" ? [event.retryMs] : []));
    expect(pauses[2]).toBeGreaterThan(pauses[0]!);
  });
});

describe("a server that speaks TLS only", () => {
  test("tells plain clients and administrators how to reach it", async () => {
    const { name } = await serve({ tls: SERVER_TLS });
    const refusal = {
      kind: "IO",
      message: expect.stringContaining(
        `${name} turned the connection away: TLS_REQUIRED (This server speaks TLS only: write its address as tls://host:port)`,
      ),
    };
    await expect(clientOf(name).submitBackground({ name: "f" })).rejects.toMatchObject(refusal);
    const admin = new GearmanAdmin({ server: name });
    rig.onEnd(() => admin.close());
    await expect(admin.status()).rejects.toMatchObject(refusal);
  });
});
