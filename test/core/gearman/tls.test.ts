/** TLS: clients, workers and administrators on servers that speak it natively or behind a front, and what goes wrong in handshakes. */
import { randomBytes } from "node:crypto";
import dns from "node:dns";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GearmanAdmin } from "../../../src/core/gearman/admin.ts";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import { GearmanServer, type GearmanServerOptions } from "../../../src/core/gearman/server/server.ts";
import type { GearmanServerEvent } from "../../../src/core/gearman/server/state.ts";
import type { TlsOptions } from "../../../src/core/gearman/tls.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { WorkerEvent } from "../../../src/core/gearman/worker-options.ts";
import { CLIENT_PAIR, CLIENT_TLS, pem, SERVER_TLS, startTlsFront } from "../../helpers/tls.ts";
import { failure, SERVER_KINDS, useRig } from "./faults-rig.ts";

const rig = useRig();
const events: GearmanServerEvent[] = [];
afterEach(() => {
  expect(events.splice(0).filter(({ type }) => type === "bug")).toEqual([]);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** An embedded server; resolves to its port. */
async function serve(options: GearmanServerOptions): Promise<number> {
  const server = new GearmanServer({ onEvent: (event) => events.push(event), ...options });
  rig.onEnd(() => server.close());
  return (await server.listen()).port;
}

/** A socket that takes connections and does with them what the test says; resolves to its port. */
async function listenTo(accept: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  rig.onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** The server as clients write it. */
const at = (port: number, tls: TlsOptions | boolean = CLIENT_TLS, host = "127.0.0.1") => ({ host, port, tls });

function clientOf(port: number, tls?: TlsOptions | boolean, timeoutMs = 10_000): GearmanClient {
  const client = new GearmanClient({ servers: [at(port, tls)], timeoutMs, retries: 0 });
  rig.onEnd(() => client.close());
  return client;
}

function workerOf(port: number, tls?: TlsOptions | boolean): { worker: GearmanWorker; events: WorkerEvent[] } {
  const noted: WorkerEvent[] = [];
  const worker = new GearmanWorker({ servers: [at(port, tls)], onEvent: (event) => noted.push(event) });
  rig.onEnd(() => worker.stop({ graceMs: 0 }));
  worker.add("reverse", (job) => Buffer.from(job.payload).reverse());
  worker.start();
  return { worker, events: noted };
}

/** Waits for something that no event of its own tells. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });

describe.each(SERVER_KINDS)("on $kind", ({ kind, isMissing }) => {
  /** A server that is reached over TLS; resolves to the port for that. */
  async function start(): Promise<number> {
    if (kind === "the embedded server") return serve({ tls: SERVER_TLS });
    const front = await startTlsFront((await rig.gearmand()).port);
    rig.onEnd(() => front.close());
    return front.port;
  }

  test.skipIf(isMissing)("a client, a worker and an administrator work over TLS", async () => {
    const port = await start();
    const { worker } = workerOf(port);
    await worker.ready();
    expect(String(await clientOf(port).submit({ name: "reverse", payload: "abc" }))).toBe("cba");
    const admin = new GearmanAdmin({ server: `tls://127.0.0.1:${port}`, tls: CLIENT_TLS });
    rig.onEnd(() => admin.close());
    expect(await admin.status()).toMatchObject([{ name: "reverse", workers: 1 }]);
  });

  test.skipIf(isMissing)("10 MB go there and back, and in pieces as well", async () => {
    const port = await start();
    const { worker } = workerOf(port);
    worker.add("pieces", async (job) => {
      for (let from = 0; from < job.payload.length; from += 65_536) await job.sendData(job.payload.subarray(from, from + 65_536));
    });
    await worker.ready();
    const payload = randomBytes(10_000_000);
    const client = clientOf(port, CLIENT_TLS, 30_000);
    expect((await client.submit({ name: "reverse", payload })).equals(Buffer.from(payload).reverse())).toBe(true);
    const pieces: Buffer[] = [];
    await client.submit({ name: "pieces", payload, onData: (piece) => pieces.push(piece) });
    expect(Buffer.concat(pieces).equals(payload)).toBe(true);
  });

  test.skipIf(isMissing)("client and worker connect again over TLS when the line was cut", async () => {
    const proxy = await rig.proxy(await start());
    const { worker, events: noted } = workerOf(proxy.port);
    await worker.ready();
    const client = new GearmanClient({ servers: [at(proxy.port)], retries: 5 });
    rig.onEnd(() => client.close());
    for (let round = 1; round <= 3; round++) {
      expect(String(await client.submit({ name: "reverse", payload: "ab" }))).toBe("ba");
      for (const connection of proxy.open) connection.reset();
      await eventually(() => expect(noted.filter(({ type }) => type === "lost").length).toBe(round));
      await eventually(() => expect(client.servers()).toMatchObject([{ isConnected: false }]));
    }
    expect(String(await client.submit({ name: "reverse", payload: "xy" }))).toBe("yx");
  });
});

describe("a certificate is refused in plain words when", () => {
  const cases: [why: string, server: { cert: string; key: string }, client: TlsOptions | boolean, message: string][] = [
    ["its authority is unknown", SERVER_TLS, true, "its certificate is not trusted: its authority is not known here; set ca"],
    [
      "its authority is another",
      SERVER_TLS,
      { ca: pem("other-ca") },
      "its certificate is not trusted: its authority is not known",
    ],
    ["it has expired", { cert: pem("expired"), key: pem("expired-key") }, CLIENT_TLS, "its certificate has expired; renew it"],
    [
      "it is for another name",
      { cert: pem("elsewhere"), key: pem("elsewhere-key") },
      CLIENT_TLS,
      "its certificate is for other names (DNS:elsewhere.example); set the server name",
    ],
    ["it is not made for servers", CLIENT_PAIR, CLIENT_TLS, "its certificate is not made for servers"],
  ];
  test.each(cases)("%s", async (_, server, tls, message) => {
    const port = await serve({ tls: server });
    const error = await failure(clientOf(port, tls).submitBackground({ name: "f" }));
    expect(error.kind).toBe("IO");
    expect(error.message).toContain(`cannot reach 127.0.0.1:${port}: ${message}`);
    const admin = new GearmanAdmin({ server: at(port, tls), retries: 0 });
    await expect(admin.version()).rejects.toThrow(`cannot ask 127.0.0.1:${port}: ${message}`);
    const { events: noted } = workerOf(port, tls);
    await eventually(() => expect(noted[0]).toMatchObject({ type: "unreachable" }));
    expect((noted[0] as { reason: Error }).reason.message).toContain(message);
    await eventually(() => expect(events.filter(({ type }) => type === "refused").length).toBeGreaterThanOrEqual(3));
    expect(events.find(({ type }) => type === "refused")).toMatchObject({ host: "127.0.0.1" });
  });
});

describe("what a certificate must fulfil", () => {
  test("is the server name, when one is set, by name and by IP address", async () => {
    const elsewhere = await serve({ tls: { cert: pem("elsewhere"), key: pem("elsewhere-key") } });
    expect(String(await clientOf(elsewhere, { ...CLIENT_TLS, serverName: "elsewhere.example" }).echo("a"))).toBe("a");
    const port = await serve({ tls: SERVER_TLS });
    expect(String(await clientOf(port, { ...CLIENT_TLS, serverName: "::1" }).echo("a"))).toBe("a");
    expect((await failure(clientOf(port, { ...CLIENT_TLS, serverName: "10.0.0.1" }).echo("a"))).message).toContain("other names");
  });

  test("is not lessened by the environment, only by `verify`", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const port = await serve({ tls: SERVER_TLS });
    expect((await failure(clientOf(port, true).echo("a"))).message).toContain("not trusted");
    expect(String(await clientOf(port, { verify: false }).echo("a"))).toBe("a");
  });
});

describe("a client certificate", () => {
  const needed = { ...SERVER_TLS, ...CLIENT_TLS, requestClientCertificate: true };

  test("from the server's authority is let in", async () => {
    const port = await serve({ tls: needed });
    expect(String(await clientOf(port, { ...CLIENT_TLS, ...CLIENT_PAIR }).echo("a"))).toBe("a");
  });

  test.each([0, 1_000_000])("that is missing is an IO error, because a job of %i bytes was not read", async (bytes) => {
    const port = await serve({ tls: needed });
    const error = await failure(clientOf(port).submitBackground({ name: "f", payload: Buffer.alloc(bytes) }));
    expect(error.kind).toBe("IO");
    expect(error.message).toContain("it wants a client certificate: set cert and key");
    await eventually(() => expect(events.find(({ type }) => type === "refused")).toBeDefined());
    const refused = events.find(({ type }) => type === "refused") as { error: Error };
    expect(refused.error.message).toContain("it has no client certificate");
  });

  test("of the wrong kind is told on both sides", async () => {
    const port = await serve({ tls: needed });
    const wrong = { cert: pem("elsewhere"), key: pem("elsewhere-key") };
    const error = await failure(clientOf(port, { ...CLIENT_TLS, ...wrong }).echo("a"));
    expect(error.message).toContain("perhaps it does not trust the client certificate");
    await eventually(() => expect(events.find(({ type }) => type === "refused")).toBeDefined());
    expect((events.find(({ type }) => type === "refused") as { error: Error }).error.message).toContain("INVALID_PURPOSE");
  });

  test("that is missing keeps a worker trying, with pauses", async () => {
    const port = await serve({ tls: needed });
    const { events: noted } = workerOf(port);
    await eventually(() => expect(noted.filter(({ type }) => type === "lost").length).toBe(2));
    const lost = noted.filter((event) => event.type === "lost");
    expect(lost[0]!.reason.message).toContain("it wants a client certificate");
    expect(lost[1]!.retryMs).toBeGreaterThan(lost[0]!.retryMs / 2);
  });
});

describe("one side without TLS", () => {
  test("a plain client is turned away, and the server says who it was", async () => {
    const port = await serve({ tls: SERVER_TLS });
    const error = await failure(clientOf(port, false).echo("a"));
    expect(error.kind).toBe("IO");
    await eventually(() => expect(events.find(({ type }) => type === "refused")).toMatchObject({ host: "127.0.0.1" }));
    expect((events.find(({ type }) => type === "refused") as { error: Error }).error.message).toBe(
      "no TLS connection with 127.0.0.1: it does not speak TLS",
    );
    expect(events.some(({ type }) => type === "connected")).toBe(false);
  });

  test.each(SERVER_KINDS)("a client with TLS does not hang on $kind without", async ({ kind, isMissing }) => {
    if (isMissing) return;
    const port = await rig.server(kind);
    const error = await failure(clientOf(port, CLIENT_TLS, 500).echo("a"));
    expect(error.kind).toBe("IO");
    expect(error.message).toMatch(/it does not speak TLS|TLS handshake|no TLS connection within 500 ms/);
  });

  test("a server that stays silent in the handshake is given up in time", async () => {
    const port = await listenTo(() => undefined);
    const error = await failure(clientOf(port, CLIENT_TLS, 200).echo("a"));
    expect(error.message).toContain(`cannot reach 127.0.0.1:${port}: no TLS connection within 200 ms`);
    const admin = new GearmanAdmin({ server: at(port), timeoutMs: 200, retries: 0 });
    expect((await failure(admin.version())).kind).toBe("TIMEOUT");
  });

  test("a server that closes in the handshake is told as such", async () => {
    const port = await listenTo((socket) => socket.on("data", () => socket.end()));
    expect((await failure(clientOf(port).echo("a"))).message).toContain("it closed the connection in the TLS handshake");
  });

  test("a server with TLS 1.1 only is refused", async () => {
    const options = { ...SERVER_TLS, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const front = await startTlsFront(await rig.server("the embedded server"), options);
    rig.onEnd(() => front.close());
    expect((await failure(clientOf(front.port).echo("a"))).message).toContain("it has no TLS version from 1.2");
  });
});

describe("a server with TLS", () => {
  test("closes at once while handshakes are under way", async () => {
    const server = new GearmanServer({ tls: SERVER_TLS });
    const { port } = await server.listen();
    const silent = connect(port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => silent.once("close", () => resolve()));
    await new Promise<void>((resolve) => silent.once("connect", () => resolve()));
    await clientOf(port).echo("the server has accepted the other one too");
    await server.close();
    await closed;
  });

  test("names the other side of a handshake that was broken off", async () => {
    const port = await serve({ tls: SERVER_TLS });
    const rude = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => rude.once("connect", () => resolve()));
    const { localPort } = rude;
    rude.end();
    await eventually(() =>
      expect(events.find(({ type }) => type === "refused")).toMatchObject({ host: "127.0.0.1", port: localPort }),
    );
  });

  const bad: [what: string, options: GearmanServerOptions["tls"], message: string][] = [
    ["a certificate that is none", { cert: "x", key: pem("server-key") }, "tls.cert has no certificate: it must be PEM"],
    ["a key that is none", { cert: pem("server"), key: "x" }, "tls.key is no private key: it must be PEM"],
    ["another certificate's key", { cert: pem("server"), key: pem("client-key") }, "tls.key does not belong to tls.cert"],
    ["an encrypted key", { cert: pem("client"), key: pem("encrypted-key") }, "tls.key is encrypted: store it decrypted"],
    [
      "a request without authority",
      { ...SERVER_TLS, requestClientCertificate: true },
      "tls.requestClientCertificate needs tls.ca",
    ],
    ["an authority without request", { ...SERVER_TLS, ca: pem("ca") }, "tls.ca keeps nobody out"],
  ];
  test.each(bad)("refuses %s", (_, tls, message) => {
    expect(() => new GearmanServer({ tls })).toThrow(
      expect.objectContaining({ kind: "CONFIG", message: expect.stringContaining(message) }),
    );
  });
});

describe("the options of a client", () => {
  test("tls is for the servers that are reached over TLS, as far as they have none of their own", async () => {
    const port = await serve({ tls: SERVER_TLS });
    const client = new GearmanClient({ servers: [`tls://127.0.0.1:${port}`], tls: CLIENT_TLS });
    rig.onEnd(() => client.close());
    expect(String(await client.echo("a"))).toBe("a");
  });

  const bad: [what: string, options: Pick<GearmanClientOptions, "servers" | "tls">, message: string][] = [
    [
      "tls without such a server",
      { servers: ["a"], tls: {} },
      "tls is given, but no server is reached over TLS: write tls://a:4730",
    ],
    ["a bad authority", { servers: ["tls://a"], tls: { ca: "x" } }, "server a:4730: tls.ca has no certificate"],
    ["a damaged authority", { servers: [at(1, { ca: pem("ca").replace("MII", "MIX") })] }, "tls.ca has a damaged certificate"],
    ["a certificate without key", { servers: [at(1, { cert: pem("client") })] }, "tls.cert is given without its private key"],
    ["a key without certificate", { servers: [at(1, { key: pem("client-key") })] }, "tls.key is given without its certificate"],
  ];
  test.each(bad)("%s is refused at once", (_, options, message) => {
    const refusal = expect.objectContaining({ kind: "CONFIG", message: expect.stringContaining(message) });
    expect(() => new GearmanClient(options)).toThrow(refusal);
    expect(() => new GearmanWorker(options)).toThrow(refusal);
  });
});

describe("a name", () => {
  test.each([
    ["without TLS", undefined],
    ["with TLS", SERVER_TLS],
  ])("is looked up anew at each connect, and all its addresses are tried, %s", async (_, tls) => {
    let lookups = 0;
    const { lookup } = dns;
    vi.spyOn(dns, "lookup").mockImplementation(((...args: Parameters<typeof lookup>) => {
      if (args[0] !== "twofold.example") return lookup(...args);
      lookups++;
      const answer = args.at(-1) as unknown as (error: null, addresses: readonly { address: string; family: number }[]) => void;
      const both = [
        { address: "::1", family: 6 },
        { address: "127.0.0.1", family: 4 },
      ];
      process.nextTick(answer, null, both);
    }) as unknown as typeof dns.lookup);
    const first = new GearmanServer({ tls });
    const { port } = await first.listen();
    const client = new GearmanClient({
      servers: [at(port, tls !== undefined && { ...CLIENT_TLS, serverName: "localhost" }, "twofold.example")],
      timeoutMs: 10_000,
      retries: 5,
    });
    rig.onEnd(() => client.close());
    expect(String(await client.echo("4"))).toBe("4");
    await first.close();
    await serve({ tls, port, host: "::1" });
    expect(String(await client.echo("6"))).toBe("6");
    expect(lookups).toBeGreaterThanOrEqual(2);
  });
});
