/** The fault proxy itself: each fault is what it says, so that the tests that use it mean something. */
import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type FaultProxyOptions, startFaultProxy } from "./fault-proxy.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** One side of a connection: what came, in how many pieces, and how it ended. */
class End {
  readonly socket: Socket;
  received = "";
  pieces = 0;
  end = "";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.received += bytes;
      this.pieces++;
    });
    socket.on("end", () => (this.end ||= "goodbye"));
    socket.on("error", (error: NodeJS.ErrnoException) => (this.end ||= error.code ?? "error"));
  }
}

/** A connection through a proxy, both ends of it. */
async function through(options: Partial<FaultProxyOptions> = {}) {
  const accepted: Socket[] = [];
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => accepted.push(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => listener.close());
  const { port } = listener.address() as { port: number };
  const proxy = await startFaultProxy({ port, ...options });
  cleanups.push(() => proxy.close());
  const client = new End(connect({ port: proxy.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true }));
  await until(() => accepted.length === 1 && proxy.open.length === 1);
  const server = new End(accepted[0]!);
  cleanups.push(() => [client, server].map(({ socket }) => socket.destroy()));
  return { proxy, client, server, connection: proxy.open[0]! };
}

async function until(condition: () => boolean): Promise<void> {
  for (const endsAt = Date.now() + 5000; !condition(); ) {
    if (Date.now() > endsAt) throw new Error("it did not come true within 5 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("without faults, bytes and goodbyes pass both ways, and the last bytes come before the goodbye", async () => {
  const { client, server, connection, proxy } = await through();
  client.socket.end("question");
  await until(() => server.end === "goodbye");
  expect(server.received).toBe("question");
  server.socket.end("answer");
  await until(() => client.end === "goodbye");
  expect(client.received).toBe("answer");
  await until(() => proxy.open.length === 0);
  expect([connection.isOpen, connection.bytes]).toEqual([false, { toServer: 8, toClient: 6 }]);
});

test("byte by byte, everything comes in order and in many pieces", async () => {
  const { client, server } = await through({ faults: { maxPieceBytes: 1 } });
  const text = "0123456789".repeat(20);
  client.socket.write(text);
  await until(() => server.received.length === text.length);
  expect(server.received).toBe(text);
  expect(server.pieces).toBeGreaterThan(50);
});

test("latency and jitter delay and keep the order", async () => {
  const { client, server } = await through({ faults: { latencyMs: 30, jitterMs: 30, maxPieceBytes: 3 } });
  const startedAt = performance.now();
  client.socket.write("a first and a second and a third");
  await until(() => server.received.length === 32);
  expect(performance.now() - startedAt).toBeGreaterThan(29);
  expect(server.received).toBe("a first and a second and a third");
});

test("swallowed bytes are gone, one way or both, and nobody is told", async () => {
  const { client, server, connection } = await through();
  connection.setFlow("swallow", "toServer");
  client.socket.write("lost");
  server.socket.write("heard");
  await until(() => client.received === "heard" && connection.bytes.toServer === 4);
  connection.setFlow("swallow");
  server.socket.write("lost");
  await until(() => connection.bytes.toClient === 9);
  connection.setFlow("forward");
  client.socket.write("on");
  await until(() => server.received === "on");
  expect([client.received, client.end, server.end]).toEqual(["heard", "", ""]);
});

test("what is held is not even read: the sender stalls, and everything arrives later", async () => {
  const { client, server, connection } = await through();
  connection.setFlow("hold", "toServer");
  const bytes = 32 * 1024 * 1024;
  client.socket.write(Buffer.alloc(bytes, "x"));
  server.socket.write("the other way goes on");
  await until(() => client.received !== "");
  expect(client.socket.writableLength).toBeGreaterThan(bytes / 2);
  expect(server.received).toBe("");
  server.socket.removeAllListeners("data");
  let arrived = 0;
  server.socket.on("data", (chunk: Buffer) => (arrived += chunk.length));
  connection.setFlow("forward");
  await until(() => arrived === bytes);
});

test("a drop is a goodbye to both, a reset an error", async () => {
  const dropped = await through();
  dropped.connection.drop();
  await until(() => dropped.client.end !== "" && dropped.server.end !== "");
  expect([dropped.client.end, dropped.server.end]).toEqual(["goodbye", "goodbye"]);
  const cut = await through();
  cut.connection.reset();
  await until(() => cut.client.end !== "" && cut.server.end !== "");
  expect([cut.client.end, cut.server.end]).toEqual(["ECONNRESET", "ECONNRESET"]);
  expect([cut.proxy.open.length, cut.proxy.accepted]).toEqual([0, 1]);
});

test("the same seed makes the same choices, and close ends everything however often it is called", async () => {
  const [one, same, other] = [await through({ seed: 7 }), await through({ seed: 7 }), await through({ seed: 8 })];
  const numbers = ({ proxy }: typeof one) => Array.from({ length: 5 }, () => proxy.random());
  const first = numbers(one);
  expect(numbers(same)).toEqual(first);
  expect(numbers(other)).not.toEqual(first);
  expect(one.proxy.pick()).toBe(one.connection);
  await Promise.all([one.proxy.close(), one.proxy.close()]);
  await one.proxy.close();
  await until(() => one.client.end === "ECONNRESET");
  expect(one.proxy.pick()).toBeUndefined();
});
