/** A worker's memory stays bounded: by the payloads it holds, and by the pieces it sends to a server that reads slowly. */
import { describe, expect, test } from "vitest";
import { systemHost } from "../../../src/core/gearman/host.ts";
import type { Packet } from "../../../src/core/gearman/packets.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import { type Peer, startFakeServer, until } from "./fake-server.ts";
import { SERVER_KINDS, useRig } from "./faults-rig.ts";

const MIB = 1024 * 1024;
const rig = useRig();

describe.each(SERVER_KINDS)("jobs of 8 MiB from $kind", ({ kind, isMissing }) => {
  test.skipIf(isMissing)("are held only up to maxHeldBytes and one more, and all get done", async () => {
    const server = `127.0.0.1:${await rig.server(kind)}`;
    const client = rig.client(server, { timeoutMs: 60_000 });
    const payload = Buffer.alloc(8 * MIB, "x");
    for (let index = 0; index < 30; index++) await client.submitBackground({ name: "big", payload });
    const waiting: (() => void)[] = [];
    const bytes: number[] = [];
    const big = async (job: GearmanJob) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      bytes.push(job.payload.length);
    };
    const worker = await rig.worker(server, { big }, { concurrency: 100, maxHeldBytes: 32 * MIB, regrabMs: 20 });
    await until(() => worker.metrics().pauses > 0);
    let most = 0;
    while (bytes.length < 30) {
      await until(() => waiting.length > 0);
      most = Math.max(most, worker.metrics().heldBytes);
      waiting.shift()!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes.every((size) => size === 8 * MIB)).toBe(true);
    expect(most).toBeGreaterThanOrEqual(32 * MIB);
    expect(most).toBeLessThanOrEqual(40 * MIB);
    await until(() => worker.metrics().held === 0);
    expect(worker.metrics()).toMatchObject({ taken: 30, completed: 30, heldBytes: 0, losses: 0, connects: 1 });
    expect(worker.metrics().pauses).toBeGreaterThan(0);
  });
});

test("one job is taken however small the limit, and the pause is no reason to take the server for dead", async () => {
  const server = `127.0.0.1:${await rig.server("the embedded server")}`;
  const client = rig.client(server);
  let looks = 0;
  const random = () => {
    looks++;
    return 0.5;
  };
  const waiting: (() => void)[] = [];
  const worker = await rig.worker(
    server,
    { f: () => new Promise<void>((resolve) => waiting.push(resolve)) },
    {
      concurrency: 10,
      maxHeldBytes: 1,
      regrabMs: 5,
      host: { ...systemHost, random },
    },
  );
  // Larger than what is read at once: a pause cannot hold back what has been read.
  const payload = Buffer.alloc(256 * 1024);
  for (let index = 0; index < 5; index++) await client.submitBackground({ name: "f", payload });
  for (let done = 0; done < 5; done++) {
    await until(() => waiting.length === 1);
    const before = looks;
    await until(() => looks > before + 3);
    expect(waiting).toHaveLength(1);
    waiting.shift()!();
  }
  await until(() => worker.metrics().completed === 5);
  expect(worker.metrics()).toMatchObject({ connects: 1, losses: 0 });
});

test("handlers that return at once are not held up by a limit that each of their jobs reaches", async () => {
  const server = `127.0.0.1:${await rig.server("the embedded server")}`;
  const client = rig.client(server);
  const worker = await rig.worker(server, { f: (job) => job.payload }, { concurrency: 10, maxHeldBytes: 1 });
  const results = Array.from({ length: 20 }, (_, index) => client.submit({ name: "f", payload: `${index}` }));
  await Promise.all(results);
  await worker.stop();
  expect(worker.metrics()).toMatchObject({ taken: 20, completed: 20, held: 0, heldBytes: 0, connections: 0 });
});

test.each([0, -1, Number.NaN])("maxHeldBytes %d is refused", async (maxHeldBytes) => {
  await expect(rig.worker("127.0.0.1:1", {}, { maxHeldBytes })).rejects.toThrow(
    `maxHeldBytes ${maxHeldBytes} must be a number of at least 1`,
  );
});

test("a handler that awaits sendData goes at the server's pace, with a few MiB under way", async () => {
  let peer: Peer | undefined;
  let received = 0;
  const server = await startFakeServer({
    packet(packet: Packet, from: Peer) {
      if (packet.name === "GRAB_JOB_UNIQ" && peer === undefined) {
        peer = from;
        from.send("JOB_ASSIGN_UNIQ", "H:x:1", "f", "", "");
        from.socket.pause();
      } else if (packet.name === "WORK_DATA") received += packet.args.payload.length;
      else if (packet.name === "ECHO_REQ") from.send("ECHO_RES", packet.args.payload);
    },
  });
  rig.onEnd(() => server.close());
  const piece = Buffer.alloc(64 * 1024);
  let sent = 0;
  const stream = async (job: GearmanJob) => {
    for (let index = 0; index < 1024; index++) {
      sent += piece.length;
      await job.sendData(piece);
    }
  };
  await rig.worker(server.server, { f: stream });
  // It comes to rest while the server does not read: nothing is sent in many turns of the event loop.
  for (let before = -1; sent === 0 || sent !== before; ) {
    before = sent;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan(32 * MIB);
  peer!.socket.resume();
  await until(() => server.names.includes("WORK_COMPLETE"));
  expect(received).toBe(64 * MIB);
});
