/** Draining the embedded server: no new connections, no new jobs, and every running job ends with its client served. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { GearmanClient } from "../../../../src/core/gearman/client.ts";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../../src/core/gearman/worker.ts";

/** A server with a client and a worker whose jobs end when the test says so. */
async function start() {
  const server = new GearmanServer();
  const { host, port } = await server.listen();
  const servers = [`${host}:${port}`];
  const client = new GearmanClient({ servers, retries: 0 });
  const worker = new GearmanWorker({ servers });
  let begun!: () => void;
  let end!: (result: Buffer) => void;
  const running = new Promise<void>((resolve) => (begun = resolve));
  const result = new Promise<Buffer>((resolve) => (end = resolve));
  worker.add("slow", () => {
    begun();
    return result;
  });
  worker.start();
  const close = () => Promise.all([client.close(), worker.stop({ graceMs: 0 }), server.close()]);
  return { server, client, port, running, end, close };
}

test("a running job is finished, its large result arrives whole, a waiting job does not start", async () => {
  const { server, client, port, running, end, close } = await start();
  const first = client.submit({ name: "slow" });
  await running;
  const second = client.submit({ name: "slow", payload: "never started" });
  const outcome = expect(second).rejects.toMatchObject({ kind: "IO" });
  await client.echo("both are queued");
  const drained = server.drain();
  const refused = await new Promise<string>((resolve) => {
    connect(port, "127.0.0.1").once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
  expect(refused).toBe("ECONNREFUSED");
  const large = Buffer.alloc(4_000_000, "x");
  end(large);
  expect((await first).equals(large)).toBe(true);
  await drained;
  await outcome;
  await close();
});

test("close cuts a drain short", async () => {
  const { server, client, running, end, close } = await start();
  const first = client.submit({ name: "slow" });
  const outcome = expect(first).rejects.toMatchObject({ kind: "IO" });
  await running;
  const drained = server.drain();
  await server.close();
  await drained;
  await outcome;
  end(Buffer.alloc(0));
  await close();
});

test("a server that never listened, or is idle, drains at once; later drains do nothing", async () => {
  await new GearmanServer().drain();
  const { server, close } = await start();
  await server.drain();
  await server.drain();
  await close();
});
