/** Starting and stopping the embedded server: from every state, and with everything in between. */
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import type { GearmanServerEvent } from "../../../../src/core/gearman/server/state.ts";
import { packet, RawConnection } from "./dialogue.ts";
import { ManualClock } from "./manual-clock.ts";

describe("listening", () => {
  test("finds a free port and says which", async () => {
    const events: GearmanServerEvent[] = [];
    const server = new GearmanServer({ onEvent: (event) => events.push(event) });
    const address = await server.listen();
    expect(address).toEqual({ host: "127.0.0.1", port: expect.any(Number) });
    expect(address.port).toBeGreaterThan(0);
    expect(events).toEqual([{ type: "listening", ...address }]);
    await server.close();
  });

  test("twice is refused", async () => {
    const server = new GearmanServer();
    await server.listen();
    await expect(server.listen()).rejects.toMatchObject({
      kind: "STATE",
      message: "listen() was called on a server that is listening",
    });
    await server.close();
    await expect(server.listen()).rejects.toMatchObject({
      kind: "STATE",
      message: "listen() was called on a server that is closed",
    });
  });

  test("on a port in use fails and names it; the server can try again", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port));
    });
    const server = new GearmanServer({ port });
    await expect(server.listen()).rejects.toMatchObject({
      kind: "IO",
      message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}: `),
      cause: { code: "EADDRINUSE" },
    });
    await new Promise((resolve) => other.close(resolve));
    expect((await server.listen()).port).toBe(port);
    await server.close();
  });

  test("on a port that does not exist fails", async () => {
    const server = new GearmanServer({ port: 65536 });
    await expect(server.listen()).rejects.toMatchObject({ kind: "IO", message: expect.stringContaining("65536") });
    await server.close();
  });
});

describe("closing", () => {
  test("resolves on a server that never listened", async () => {
    await new GearmanServer().close();
  });

  test("resolves while the server starts to listen, and listen fails", async () => {
    const server = new GearmanServer();
    const listening = expect(server.listen()).rejects.toMatchObject({ kind: "CLOSED" });
    await server.close();
    await listening;
  });

  test("resolves after listening failed", async () => {
    const server = new GearmanServer({ port: 65536 });
    await server.listen().catch(() => undefined);
    await server.close();
  });

  test("is the same each time", async () => {
    const server = new GearmanServer();
    await server.listen();
    await Promise.all([server.close(), server.close()]);
    await server.close();
  });

  test("ends connections in any state, and frees the port", async () => {
    const events: GearmanServerEvent[] = [];
    const server = new GearmanServer({ onEvent: (event) => events.push(event) });
    const { port } = await server.listen();
    const connections = await Promise.all([1, 2, 3, 4].map(() => RawConnection.open(port)));
    const [idle, worker, client, half] = connections as [RawConnection, RawConnection, RawConnection, RawConnection];
    worker.send(packet("CAN_DO_TIMEOUT", "f\x0060000"), packet("GRAB_JOB"));
    expect(await worker.next()).toBe("NO_JOB");
    client.send(packet("SUBMIT_JOB", "f\0\0x"), packet("SUBMIT_JOB_EPOCH", "f\0\x004000000000\0x"));
    expect(await client.next()).toMatch("JOB_CREATED");
    worker.send(packet("GRAB_JOB"));
    expect(await worker.next()).toMatch("JOB_ASSIGN");
    half.send(packet("ECHO_REQ", "x".repeat(100)).subarray(0, 50));
    await server.close();
    for (const connection of [idle, worker, half]) expect(await connection.next()).toBe("closed");
    expect(events.filter(({ type }) => type === "disconnected")).toHaveLength(4);
    const next = new GearmanServer({ port });
    await next.listen();
    await next.close();
  });

  test("keeps no timer alive", async () => {
    const clock = new ManualClock();
    const server = new GearmanServer({ clock });
    const { port } = await server.listen();
    const connection = await RawConnection.open(port);
    connection.send(packet("SUBMIT_JOB_EPOCH", "f\0\x004000000000\0x"), packet("SUBMIT_JOB_BG", "f\0\0x"));
    connection.send(packet("CAN_DO_TIMEOUT", "f\x0060000"), packet("GRAB_JOB"));
    for (const answer of ["JOB_CREATED", "JOB_CREATED", "JOB_ASSIGN"]) expect(await connection.next()).toMatch(answer);
    expect(clock.pending).toBe(2);
    await server.close();
    await connection.close();
    expect(clock.pending).toBe(0);
  });
});

test("a client that hangs up halfway still gets its answers", async () => {
  const server = new GearmanServer({ handleHost: "test" });
  const { port } = await server.listen();
  const connection = await RawConnection.open(port);
  connection.send(packet("SUBMIT_JOB_BG", "f\0\0x"));
  connection.socket.end(packet("ECHO_REQ", "last"));
  expect([await connection.next(), await connection.next(), await connection.next()]).toEqual([
    "JOB_CREATED H:test:1",
    "ECHO_RES last",
    "closed",
  ]);
  await server.close();
});

test("a thousand background jobs are taken although their client hangs up at once", async () => {
  const server = new GearmanServer();
  const { port } = await server.listen();
  const client = await RawConnection.open(port);
  client.socket.end(Buffer.concat(Array.from({ length: 1000 }, () => packet("SUBMIT_JOB_BG", "f\0\0x"))));
  while ((await client.next()) !== "closed");
  const admin = await RawConnection.open(port);
  admin.send(Buffer.from("status\n"));
  expect(await admin.next()).toBe('text "f\\t1000\\t0\\t0\\n"');
  await admin.close();
  await server.close();
});

test("two servers in one process know nothing of each other", async () => {
  const servers = [new GearmanServer({ handleHost: "one" }), new GearmanServer({ handleHost: "two" })];
  for (const [index, server] of servers.entries()) {
    const { port } = await server.listen();
    const connection = await RawConnection.open(port);
    connection.send(packet("SUBMIT_JOB_BG", "f\0\0x"));
    expect(await connection.next()).toBe(`JOB_CREATED H:${["one", "two"][index]}:1`);
    await connection.close();
  }
  for (const server of servers) await server.close();
});
