/** What one client can do to the others: limits on connections and memory, and packets that went wrong on the way. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { line, packet, RawConnection } from "./dialogue.ts";
import { DIALOGUES, forHost } from "./dialogues.ts";
import { ask, serving } from "./serving.ts";

const { closers, events, open, serve } = serving();

const grab = packet("GRAB_JOB_UNIQ");

describe("`maxConnections`", () => {
  test("closes further connections, tells them why, says so, and has room again when others leave", async () => {
    const { port, server } = await serve({ maxConnections: 2 });
    const [first, second] = [await open(port), await open(port)];
    expect(await ask(first, packet("ECHO_REQ", "1"))).toEqual(["ECHO_RES 1"]);
    expect(await ask(second, packet("ECHO_REQ", "2"))).toEqual(["ECHO_RES 2"]);
    const third = await open(port);
    expect(await third.next()).toBe(
      "ERROR TOO_MANY_CONNECTIONS|This server has as many connections as it takes (2): close some, or raise its limit",
    );
    expect(await third.next()).toBe("closed");
    expect(events.find(({ type }) => type === "notAccepted")).toMatchObject({
      error: {
        kind: "SERVER",
        message: expect.stringMatching(/^127\.0\.0\.1:\d+ was not accepted: there are 2 connections already$/),
      },
    });
    expect(server.stats().connections).toBe(2);
    await first.close();
    while ((await ask(second, line("workers"))).length > 2);
    expect(await ask(await open(port), packet("ECHO_REQ", "3"))).toEqual(["ECHO_RES 3"]);
  });
});

describe("`maxMemoryBytes`", () => {
  test("refuses jobs beyond it, in the order of the replies, until others are over", async () => {
    const { port, server } = await serve({ maxMemoryBytes: 2000 });
    const connection = await open(port);
    const large = packet("SUBMIT_JOB_BG", `f\0u\0${"x".repeat(1500)}`);
    const other = packet("SUBMIT_JOB", `f\0\0${"y".repeat(1500)}`);
    expect(await ask(connection, large, other, packet("ECHO_REQ", "after"), large)).toEqual([
      "JOB_CREATED H:test:1",
      "ERROR QUEUE_ERROR|Job queue is out of memory: jobs take 1757 of 2000 bytes",
      "ECHO_RES after",
      "JOB_CREATED H:test:1",
    ]);
    expect(server.stats()).toMatchObject({ queued: 1, memoryBytes: 1757 });
    await ask(connection, packet("CAN_DO", "f"), grab, packet("WORK_COMPLETE", "H:test:1\0"));
    expect(await ask(connection, other)).toEqual(["JOB_CREATED H:test:2"]);
    await ask(connection, grab, packet("WORK_FAIL", "H:test:2"));
    expect(server.stats()).toMatchObject({ queued: 0, running: 0, memoryBytes: 0 });
  });

  test("counts what is dropped, cancelled and abandoned back", async () => {
    const { port, server } = await serve({ jobRetries: 1 });
    const [client, worker, sweeper] = [await open(port), await open(port), await open(port)];
    await ask(client, ...["1", "2", "3"].map((payload) => packet("SUBMIT_JOB", `f\0\0${payload}`)), line("cancel job H:test:2"));
    await ask(worker, packet("CAN_DO", "f"), grab);
    await worker.close();
    expect(await client.next()).toBe("WORK_FAIL H:test:1");
    await client.close();
    while ((await ask(sweeper, line("workers"))).length > 2);
    expect(await ask(sweeper, packet("CAN_DO", "f"), grab)).toEqual(["NO_JOB"]);
    expect(server.stats()).toMatchObject({ connections: 1, workers: 1, functions: 1, queued: 0, running: 0, memoryBytes: 0 });
  });
});

/** Every request of every dialogue, as its bytes. */
const REQUESTS: readonly Buffer[] = Object.values(DIALOGUES).flatMap((steps) =>
  forHost(steps, "test").flatMap(([, ...sends]) => sends.filter((send) => send !== "close")),
);

/** A request with something done to it: bytes changed, cut out, doubled or appended, or another length or type announced. */
function mutated(): fc.Arbitrary<Buffer> {
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const request = fc.constantFrom(...REQUESTS).filter(({ length }) => length < 4096);
  const change = fc.tuple(
    fc.constantFrom("set", "cut", "double", "append", "size", "type", "none"),
    place,
    fc.integer({ min: 0, max: 255 }),
  );
  return fc.tuple(request, fc.array(change, { maxLength: 3 })).map(([bytes, changes]) => changes.reduce(apply, bytes));
}

function apply(bytes: Buffer, [how, place, value]: readonly [string, number, number]): Buffer {
  const at = Math.floor(place * bytes.length);
  const copy = Buffer.from(bytes);
  if (how === "cut") return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (value % 8))]);
  if (how === "double")
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - value)), bytes.subarray(at)]);
  if (how === "append") return Buffer.concat([bytes, Buffer.alloc(1 + (value % 20), value)]);
  if (how === "set" && at < copy.length) copy[at] = value;
  if (how === "size" && copy.length >= 12) copy.writeUInt32BE(value < 128 ? value : 0xffffff00 + value, 8);
  if (how === "type" && copy.length >= 12) copy.writeUInt32BE(value < 64 ? value : 0x80000000 + value, 4);
  return copy;
}

describe("packets that went wrong on the way", () => {
  test.each([
    ["in memory", false],
    ["with a queue file", true],
  ])("never stop the server or keep others waiting, %s", async (_name, isStored) => {
    const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
    closers.push(async () => rmSync(directory, { recursive: true, force: true }));
    const options = isStored ? { queueFile: join(directory, "queue.db") } : {};
    const { port, server } = await serve({ maxPacketBytes: 1024 * 1024, ...options });
    const [client, worker] = [await open(port), await open(port)];
    await ask(worker, packet("CAN_DO", "healthy"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutated(), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 400 }),
        async (pieces, size) => {
          const bad = await RawConnection.open(port);
          const bytes = Buffer.concat(pieces);
          for (let start = 0; start < bytes.length; start += size) bad.send(bytes.subarray(start, start + size));
          const [created] = await ask(client, packet("SUBMIT_JOB", "healthy\0\0work"));
          const handle = created?.split(" ")[1];
          expect(await ask(worker, packet("GRAB_JOB"))).toEqual([`JOB_ASSIGN ${handle}|healthy|work`]);
          worker.send(packet("WORK_COMPLETE", `${handle}\0done`));
          expect(await client.next()).toBe(`WORK_COMPLETE ${handle}|done`);
          bad.socket.end();
          while ((await bad.next()) !== "closed");
          await bad.close();
        },
      ),
      { numRuns: isStored ? 100 : 300 },
    );
    while ((await ask(client, line("workers"))).length > 3);
    const { connections, workers, running, queued, stored } = server.stats();
    expect({ connections, workers, running }).toEqual({ connections: 2, workers: 1, running: 0 });
    expect(stored).toBeLessThanOrEqual(queued);
  });
});
