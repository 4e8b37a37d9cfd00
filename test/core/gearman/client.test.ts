/** What a client makes of servers that are slow, confused or gone: every way a call can end, against a scripted server. */

import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import { GearmanError, type GearmanErrorKind } from "../../../src/core/gearman/errors.ts";
import type { Packet } from "../../../src/core/gearman/packets.ts";
import { freePort } from "../../helpers/gearmand.ts";
import { type FakeBehaviour, type FakeServer, type Peer, startFakeServer, until } from "./fake-server.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(behaviour: FakeBehaviour, port?: number): Promise<FakeServer> {
  const server = await startFakeServer(behaviour, port);
  cleanups.push(() => server.close());
  return server;
}

function clientOf(servers: readonly string[], options: GearmanClientOptions = {}): GearmanClient {
  const client = new GearmanClient({ servers, timeoutMs: 5000, retries: 0, ...options });
  cleanups.push(() => client.close());
  return client;
}

async function failureOf(promise: Promise<unknown>): Promise<GearmanError> {
  const outcome = await promise.then(
    (value) => value,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(GearmanError);
  return outcome as GearmanError;
}

async function expectFailure(promise: Promise<unknown>, kind: GearmanErrorKind, message: string | RegExp): Promise<void> {
  const error = await failureOf(promise);
  expect(error.kind).toBe(kind);
  if (typeof message === "string") expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
}

/** Accepts every submit under the handle H:x:n and lets the test answer. */
function accepting(then: (handle: string, packet: Packet<"SUBMIT_JOB">, peer: Peer) => void): FakeBehaviour {
  let jobs = 0;
  return {
    packet(packet, peer) {
      if (!packet.name.startsWith("SUBMIT_JOB")) return;
      const handle = `H:x:${++jobs}`;
      peer.send("JOB_CREATED", handle);
      then(handle, packet as Packet<"SUBMIT_JOB">, peer);
    },
  };
}

describe("arguments", () => {
  test.each([
    [{ name: "" }, "the function name is empty: give the name a worker registered"],
    [{ name: "a\0b" }, 'function name "a\\u0000b" has a NUL character'],
    [{ name: "x".repeat(513) }, /^function name "x{77}…" has 513 bytes, at most 512 are allowed$/],
    [{ name: "f", unique: "u".repeat(64) }, /has 64 bytes, at most 63 are allowed: use a hash of it$/],
    [{ name: "f", unique: "ž".repeat(32) }, /has 64 bytes/],
    [{ name: "f", unique: "a\0" }, /has a NUL character$/],
    [
      { name: "zz\udcc8" },
      'function name "zz\\udcc8" is not text: it has bytes that are not UTF-8; use letters, digits and dots',
    ],
    [
      { name: "f", unique: "\udcc9" },
      'unique key "\\udcc9" is not text: it has bytes that are not UTF-8; write the bytes in hex or Base64',
    ],
    [{ name: "f", timeoutMs: 0 }, "timeoutMs 0 must be a number above 0"],
    [{ name: "f", timeoutMs: Number.NaN }, "timeoutMs NaN must be a number above 0"],
  ])("%o is refused before anything is sent", async (request, message) => {
    const client = clientOf(["127.0.0.1:1"]);
    await expectFailure(client.submit(request), "ARGUMENT", message);
    await expectFailure(client.submitBackground(request), "ARGUMENT", message);
  });

  test.each<[object, string]>([
    [{ name: 5 }, "function name must be text, not the number 5"],
    [{ payload: 5 }, "payload must be text or bytes (a Buffer or other Uint8Array), not the number 5"],
    [{ payload: { a: 1 } }, "payload must be text or bytes (a Buffer or other Uint8Array), not an object"],
    [{ payload: [1] }, "payload must be text or bytes (a Buffer or other Uint8Array), not an array"],
    [
      { payload: new DataView(new ArrayBuffer(2)) },
      "payload must be text or bytes (a Buffer or other Uint8Array), not an object",
    ],
    [{ unique: null }, "unique key must be text, not null"],
    [{ reducer: true }, "function name must be text, not the boolean true"],
    [{ at: "2030-01-01" }, 'at must be a Date, not the text "2030-01-01"'],
    [{ timeoutMs: "5" }, 'timeoutMs must be a number above 0, not the text "5"'],
  ])("%o from a program without types is refused, with what is allowed", async (wrong, message) => {
    const client = clientOf(["127.0.0.1:1"]);
    const request = { name: "f", ...wrong };
    await expectFailure(client.submitBackground(request), "ARGUMENT", message);
    const [outcome] = await client.tasks([request], { background: true }).all();
    expect(outcome).toMatchObject({ ok: false, error: { kind: "ARGUMENT", message } });
    if (!("at" in wrong)) await expectFailure(client.submit(request), "ARGUMENT", message);
  });

  test("the handle 5 is refused as no text", async () => {
    await expectFailure(clientOf(["127.0.0.1:1"]).status(5 as never), "ARGUMENT", "job handle must be text, not the number 5");
  });

  test.each([
    ["", "the job handle is empty"],
    ["12", '"12" is not a job handle: handles start with H:'],
    ["H:a\0b", /blank or control character/],
    ["H:a b", /blank or control character/],
    ["H:a\n", /blank or control character/],
    [`H:${"x".repeat(62)}`, /has 64 bytes, at most 63 are allowed/],
    ["10.0.0.1:4730//H:a:1", "10.0.0.1:4730 in the handle 10.0.0.1:4730//H:a:1 is not one of this client's servers"],
  ])("the handle %j is refused", async (handle, message) => {
    const client = clientOf(["127.0.0.1:1"]);
    await expectFailure(client.status(handle), "ARGUMENT", message);
    await expectFailure(client.cancel(handle), "ARGUMENT", message);
  });

  test("a client without servers is a CONFIG error", () => {
    expect(() => new GearmanClient({ servers: [] })).toThrow("no servers given");
  });
});

describe("servers that cannot be reached", () => {
  test("are tried as often as told, and named with the reason", async () => {
    const port = await freePort();
    await expectFailure(
      clientOf([`127.0.0.1:${port}`]).echo("x"),
      "IO",
      `cannot reach 127.0.0.1:${port}: connection refused (after 1 try)`,
    );
    const twice = clientOf([`127.0.0.1:${port}`], { retries: 1 });
    await expectFailure(twice.submit({ name: "f" }), "IO", `cannot reach 127.0.0.1:${port}: connection refused (after 2 tries)`);
  });

  test("the deadline covers the tries, and the last reason is told", async () => {
    const port = await freePort();
    const client = clientOf([`127.0.0.1:${port}`], { retries: 100, timeoutMs: 200 });
    await expectFailure(
      client.submit({ name: "f" }),
      "IO",
      `cannot reach 127.0.0.1:${port}: connection refused (given up after 200 ms)`,
    );
  });

  test("the next server takes over", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, "done")));
    const client = clientOf([`127.0.0.1:${await freePort()}`, server.server]);
    for (let index = 0; index < 4; index++) expect((await client.submit({ name: "f" })).toString()).toBe("done");
    expect(client.servers()[0]).toEqual({ server: server.server, isConnected: true, isAvoided: false });
  });

  test("a server that comes back is used again", async () => {
    const port = await freePort();
    const client = clientOf([`127.0.0.1:${port}`]);
    await failureOf(client.submit({ name: "f" }));
    await serve(
      accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, "back")),
      port,
    );
    expect((await client.submit({ name: "f" })).toString()).toBe("back");
  });
});

describe("several servers", () => {
  test("take turns for jobs without a key, and the same key always meets the same server", async () => {
    const seen: string[] = [];
    const behaviour = (name: string) =>
      accepting((handle, { args }, peer) => {
        seen.push(`${name} ${args.unique}`);
        peer.send("WORK_COMPLETE", handle, name);
      });
    const [a, b] = [await serve(behaviour("a")), await serve(behaviour("b"))];
    const client = clientOf([a.server, b.server]);
    for (let index = 0; index < 4; index++) await client.submit({ name: "f" });
    expect(seen.map((line) => line[0]).sort()).toEqual(["a", "a", "b", "b"]);
    const answers = new Set<string>();
    for (let key = 0; key < 40; key++) {
      const first = (await client.submit({ name: "f", unique: `key-${key}` })).toString();
      expect((await client.submit({ name: "f", unique: `key-${key}` })).toString()).toBe(first);
      answers.add(first);
    }
    expect([...answers].sort()).toEqual(["a", "b"]);
  });

  test("are asked for a job's status where its handle came from, and all of them when that is not known", async () => {
    const asked: string[] = [];
    const behaviour = (name: string): FakeBehaviour => ({
      packet(packet, peer) {
        if (packet.name === "SUBMIT_JOB_BG") peer.send("JOB_CREATED", `H:${name}:1`);
        if (packet.name !== "GET_STATUS") return;
        asked.push(name);
        const handle = packet.args.handle.toString();
        peer.send("STATUS_RES", handle, handle.startsWith(`H:${name}:`) ? "1" : "0", "0", "0", "0");
      },
    });
    const [a, b] = [await serve(behaviour("a")), await serve(behaviour("b"))];
    const client = clientOf([a.server, b.server]);
    const receipt = await client.submitBackground({ name: "f" });
    const name = receipt.server === a.server ? "a" : "b";
    expect(receipt.handle).toBe(`H:${name}:1`);
    expect((await client.status(receipt.handle)).known).toBe(true);
    expect(asked).toEqual([name]);
    asked.length = 0;
    expect((await client.status(`${b.server}//H:b:7`)).known).toBe(true);
    expect(asked).toEqual(["b"]);
    asked.length = 0;
    expect((await client.status("H:a:9")).known).toBe(true);
    expect((await client.status("H:c:9")).known).toBe(false);
    expect(asked.sort()).toEqual(["a", "a", "b", "b"]);
  });
});

describe("how a foreground job ends", () => {
  test("a failure names the function, the last warning and the job", async () => {
    const server = await serve(
      accepting((handle, _, peer) => {
        peer.send("WORK_WARNING", handle, "disk nearly full");
        peer.send("WORK_WARNING", handle, "disk full");
        peer.send("WORK_FAIL", handle);
      }),
    );
    await expectFailure(
      clientOf([server.server]).submit({ name: "img.resize" }),
      "WORKER_FAILED",
      "img.resize failed: disk full (job H:x:1)",
    );
  });

  test("a failure without a warning says so", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_FAIL", `${handle}\0`)));
    await expectFailure(
      clientOf([server.server]).submit({ name: "f" }),
      "WORKER_FAILED",
      "f failed without giving a reason (job H:x:1)",
    );
  });

  test("an exception's text is the reason, when the client asked for exceptions", async () => {
    const server = await serve({
      packet(packet, peer) {
        if (packet.name === "OPTION_REQ") peer.send("OPTION_RES", packet.args.option);
        if (packet.name !== "SUBMIT_JOB") return;
        peer.send("JOB_CREATED", "H:x:1");
        peer.send("WORK_EXCEPTION", "H:x:1", "no such picture");
      },
    });
    const client = clientOf([server.server], { exceptions: true, clientId: "me" });
    await expectFailure(client.submit({ name: "f" }), "WORKER_FAILED", "f failed: no such picture (job H:x:1)");
    expect(server.names).toEqual(["SET_CLIENT_ID", "OPTION_REQ", "SUBMIT_JOB"]);
  });

  test("a refusal of the server is a SERVER error, and the next submit gets its own answer", async () => {
    let submits = 0;
    const server = await serve({
      packet(packet, peer) {
        if (packet.name !== "SUBMIT_JOB") return;
        if (submits++ === 0) peer.send("ERROR", "QUEUE_ERROR", "Job queue is full");
        else {
          peer.send("JOB_CREATED", "H:x:2");
          peer.send("WORK_COMPLETE", "H:x:2", "ok");
        }
      },
    });
    const client = clientOf([server.server]);
    const [first, second] = [client.submit({ name: "f" }), client.submit({ name: "f" })];
    await expectFailure(first, "SERVER", `${server.server} refused f: QUEUE_ERROR (Job queue is full)`);
    expect((await second).toString()).toBe("ok");
  });

  test("a silent server is a TIMEOUT, also before the job is accepted, and the connection is not used again", async () => {
    const server = await serve({});
    const client = clientOf([server.server], { timeoutMs: 60 });
    await expectFailure(client.submit({ name: "f" }), "TIMEOUT", "no answer from f within 60 ms");
    await expectFailure(client.submitBackground({ name: "g" }), "TIMEOUT", "no answer from g within 60 ms");
    await expectFailure(client.echo("x"), "TIMEOUT", "no answer from the server within 60 ms");
    expect(server.peers).toHaveLength(3);
  });

  test("each call may have a deadline of its own", async () => {
    const server = await serve(accepting(() => undefined));
    await expectFailure(
      clientOf([server.server]).submit({ name: "f", timeoutMs: 30 }),
      "TIMEOUT",
      "no answer from f within 30 ms",
    );
  });

  test("what comes after the deadline is ignored, and other jobs go on", async () => {
    const handles: [string, Peer][] = [];
    const server = await serve(accepting((handle, _, peer) => void handles.push([handle, peer])));
    const client = clientOf([server.server]);
    const other = client.submit({ name: "other" });
    await failureOf(client.submit({ name: "f", timeoutMs: 30 }));
    for (const [handle, peer] of handles.reverse()) {
      peer.send("WORK_COMPLETE", handle, handle);
      peer.send("WORK_COMPLETE", handle, "again");
      peer.send("WORK_FAIL", handle);
    }
    expect((await other).toString()).toBe("H:x:1");
    expect(server.peers).toHaveLength(1);
  });

  test("a signal calls the wait off, before and after sending", async () => {
    const server = await serve(accepting(() => undefined));
    const client = clientOf([server.server]);
    await expectFailure(client.submit({ name: "f", signal: AbortSignal.abort() }), "ABORTED", "the wait for f was called off");
    const controller = new AbortController();
    const waiting = client.submit({ name: "f", signal: controller.signal, onCreated: () => controller.abort("enough") });
    const error = await failureOf(waiting);
    expect(error).toMatchObject({ kind: "ABORTED", cause: "enough" });
    expect(server.names).toEqual(["SUBMIT_JOB"]);
  });

  test("progress is told as numbers, whatever the worker sent", async () => {
    const server = await serve(
      accepting((handle, _, peer) => {
        for (const [numerator, denominator] of [
          ["1", "3"],
          ["2.5", "x"],
          ["-1", "99999999999"],
        ] as const)
          peer.send("WORK_STATUS", handle, numerator, denominator);
        peer.send("WORK_COMPLETE", handle, "");
      }),
    );
    const seen: [number, number][] = [];
    await clientOf([server.server]).submit({
      name: "f",
      onStatus: (numerator, denominator) => void seen.push([numerator, denominator]),
    });
    expect(seen).toEqual([
      [1, 3],
      [2, 0],
      [0, 4294967295],
    ]);
  });

  test("a listener that throws ends the wait with its error", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_STATUS", handle, "1", "2")));
    const client = clientOf([server.server]);
    const broken = () => {
      throw new Error("listener broke");
    };
    await expect(client.submit({ name: "f", onStatus: broken })).rejects.toThrow("listener broke");
    await expect(client.submit({ name: "f", onCreated: broken })).rejects.toThrow("listener broke");
    await expect(client.submit({ name: "f", onData: broken, onStatus: broken })).rejects.toThrow("listener broke");
  });
});

describe("a connection that is lost", () => {
  test("before JOB_CREATED the outcome is unknown, after it the job is an IO error", async () => {
    const server = await serve({
      packet(packet, peer) {
        if (packet.name === "SUBMIT_JOB" && packet.args.function.toString() === "created") peer.send("JOB_CREATED", "H:x:1");
        if (packet.name === "SUBMIT_JOB_BG") peer.socket.end();
      },
    });
    const client = clientOf([server.server]);
    const created = client.submit({ name: "created" });
    const uncreated = client.submit({ name: "uncreated" });
    const background = client.submitBackground({ name: "background" });
    const text = `${server.server} closed the connection`;
    await expectFailure(created, "IO", `created did not finish: ${text} (job H:x:1)`);
    await expectFailure(uncreated, "UNKNOWN_OUTCOME", `uncreated may or may not have been queued: ${text}`);
    await expectFailure(background, "UNKNOWN_OUTCOME", `background may or may not have been queued: ${text}`);
  });

  test("in the middle of a packet says so", async () => {
    const server = await serve({
      packet(packet, peer) {
        if (packet.name !== "SUBMIT_JOB") return;
        peer.socket.end(Buffer.from("0052455300000008000000ff48", "hex"));
      },
    });
    const error = await failureOf(clientOf([server.server]).submit({ name: "f" }));
    expect(error.kind).toBe("UNKNOWN_OUTCOME");
    expect(error.message).toContain("closed the connection in the middle of a packet, after 13 bytes of it");
  });

  test("questions are asked again on a new one", async () => {
    const server = await serve({
      packet(packet, peer) {
        if (peer.index === 0) peer.socket.destroy();
        else if (packet.name === "ECHO_REQ") peer.send("ECHO_RES", packet.args.payload);
      },
    });
    expect((await clientOf([server.server], { retries: 1 }).echo("still there")).toString()).toBe("still there");
    expect(server.peers).toHaveLength(2);
  });

  test("a connection that died while idle is replaced before the next call", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, String(peer.index))));
    const client = clientOf([server.server]);
    expect((await client.submit({ name: "f" })).toString()).toBe("0");
    server.peers[0]!.socket.destroy();
    await until(() => client.servers()[0]?.isConnected === false);
    expect((await client.submit({ name: "f" })).toString()).toBe("1");
  });
});

describe("a server that does not speak Gearman", () => {
  test.each([
    ["wrong magic", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /not a Gearman packet: starts with bytes 48 54 54 50/],
    ["a request instead of a reply", Buffer.from("005245510000000400000000", "hex"), /starts with \\0REQ/],
    [
      "an absurd length",
      Buffer.from("0052455300000008ffffffff", "hex"),
      /JOB_CREATED packet of 4294967295 bytes is over the limit/,
    ],
    [
      "a reply to nothing that was asked",
      Buffer.from("005245530000001100000000", "hex"),
      /ECHO_RES packet came where JOB_CREATED was due/,
    ],
    ["a worker's packet", Buffer.from("005245530000000a00000000", "hex"), /NO_JOB packet came where JOB_CREATED was due/],
  ])("%s is a PROTOCOL error that names the server", async (_, bytes, message) => {
    const server = await serve({ packet: (_packet, peer) => void peer.socket.write(bytes) });
    const error = await failureOf(clientOf([server.server]).submit({ name: "f" }));
    expect(error).toMatchObject({ kind: "PROTOCOL", fatal: true });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(server.server);
  });

  test("a packet over maxPacketBytes is refused", async () => {
    const server = await serve({ packet: (_packet, peer) => peer.send("ECHO_RES", "x".repeat(101)) });
    await expectFailure(
      clientOf([server.server], { maxPacketBytes: 100 }).echo("x"),
      "PROTOCOL",
      /ECHO_RES packet of 101 bytes is over the limit of 100/,
    );
  });
});

describe("matching", () => {
  test("every submit gets the result of its own job, however replies and results interleave", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ isRefused: fc.boolean(), delay: fc.nat(9), isEcho: fc.boolean() }), { minLength: 1, maxLength: 60 }),
        async (plan) => {
          let received = 0;
          const waiting: { handle: string; text: Buffer; delay: number }[] = [];
          const finish = (peer: Peer, isAll: boolean) => {
            const due = isAll
              ? waiting.splice(0)
              : waiting.splice(0).filter((job) => job.delay-- <= 0 || waiting.push(job) === 0);
            for (const job of due.reverse()) peer.send("WORK_COMPLETE", job.handle, job.text);
          };
          const server = await startFakeServer({
            packet(packet, peer) {
              const index = received++;
              const step = plan[index]!;
              if (packet.name === "ECHO_REQ") peer.send("ECHO_RES", packet.args.payload);
              else if (packet.name === "SUBMIT_JOB" && step.isRefused) peer.send("ERROR", "QUEUE_ERROR", packet.args.payload);
              else if (packet.name === "SUBMIT_JOB") {
                peer.send("JOB_CREATED", `H:x:${index}`);
                waiting.push({ handle: `H:x:${index}`, text: packet.args.payload, delay: step.delay });
              }
              finish(peer, received === plan.length);
            },
          });
          const client = new GearmanClient({ servers: [server.server], timeoutMs: 5000 });
          try {
            const outcomes = plan.map(({ isEcho }, index) =>
              isEcho
                ? client.echo(`e${index}`).then(String)
                : client.submit({ name: "f", payload: `j${index}` }).then(String, (error: GearmanError) => error.message),
            );
            const expected = plan.map(({ isRefused, isEcho }, index) =>
              isEcho ? `e${index}` : isRefused ? `${server.server} refused f: QUEUE_ERROR (j${index})` : `j${index}`,
            );
            expect(await Promise.all(outcomes)).toEqual(expected);
          } finally {
            await client.close();
            await server.close();
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("two submits merged into one job both get the result, and each report once", async () => {
    let submits = 0;
    const server = await serve({
      packet(packet, peer) {
        if (packet.name !== "SUBMIT_JOB") return;
        peer.send("JOB_CREATED", "H:x:1");
        if (++submits < 2) return;
        for (const step of ["1", "2"]) for (let copy = 0; copy < 2; copy++) peer.send("WORK_STATUS", "H:x:1", step, "2");
        for (let copy = 0; copy < 2; copy++) peer.send("WORK_COMPLETE", "H:x:1", "shared");
      },
    });
    const client = clientOf([server.server]);
    const reports: string[] = [];
    const submit = (name: string) =>
      client.submit({
        name: "merged-function",
        unique: "key-of-both",
        onStatus: (numerator) => void reports.push(`${name}${numerator}`),
      });
    const results = await Promise.all([submit("a"), submit("b")]);
    expect(results.map(String)).toEqual(["shared", "shared"]);
    expect(reports).toEqual(["a1", "b1", "a2", "b2"]);
  });
});

describe("streams", () => {
  test("deliver data, warnings and progress in order, then the result", async () => {
    const server = await serve(
      accepting((handle, _, peer) => {
        peer.send("WORK_DATA", handle, "a");
        peer.send("WORK_STATUS", handle, "1", "2");
        peer.send("WORK_WARNING", handle, "careful");
        peer.send("WORK_DATA", handle, "b");
        peer.send("WORK_COMPLETE", handle, "end");
      }),
    );
    const stream = clientOf([server.server]).start({ name: "f" });
    const events: string[] = [];
    for await (const event of stream)
      events.push(event.type === "status" ? `${event.numerator}/${event.denominator}` : `${event.type} ${event.payload}`);
    expect(events).toEqual(["data a", "1/2", "warning careful", "data b"]);
    expect(await stream.created).toEqual({ handle: "H:x:1", server: server.server });
    expect((await stream.result).toString()).toBe("end");
  });

  test("a slow reader slows the server down without stalling other jobs", async () => {
    const chunk = Buffer.alloc(64 * 1024, 5);
    const total = 1000; // 64 MB, far more than sockets buffer
    let sent = 0;
    const server = await serve(
      accepting((handle, { args }, peer) => {
        if (args.function.toString() === "quick") return peer.send("WORK_COMPLETE", handle, "quick");
        const pump = () => {
          while (sent < total && peer.socket.writableLength < 1_000_000) {
            peer.send("WORK_DATA", handle, chunk);
            sent++;
          }
          if (sent < total) peer.socket.once("drain", pump);
          else peer.send("WORK_COMPLETE", handle, "");
        };
        pump();
      }),
    );
    const client = clientOf([server.server], { timeoutMs: 30_000 });
    const stream = client.start({ name: "f" });
    let received = 0;
    let stalledAt = 0;
    for await (const event of stream) {
      if (received++ === 0) {
        for (let last = -1; last !== sent; ) {
          last = sent;
          for (let turn = 0; turn < 20; turn++) expect((await client.submit({ name: "quick" })).toString()).toBe("quick");
        }
        stalledAt = sent;
      }
      expect(event.type).toBe("data");
    }
    expect(stalledAt).toBeLessThan(total);
    expect(received).toBe(total);
    await stream.result;
  });

  test("a callback's promise holds the next piece back", async () => {
    const server = await serve(
      accepting((handle, _, peer) => {
        for (const piece of ["1", "2", "3"]) peer.send("WORK_DATA", handle, piece);
        peer.send("WORK_WARNING", handle, "w");
        peer.send("WORK_COMPLETE", handle, "end");
      }),
    );
    const log: string[] = [];
    const onData = async (payload: Buffer) => {
      log.push(`begin ${payload}`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${payload}`);
    };
    const result = await clientOf([server.server]).submit({
      name: "f",
      onData,
      onWarning: (payload) => log.push(String(payload)),
    });
    expect(result.toString()).toBe("end");
    expect(log).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3", "w"]);
  });

  test("a failure comes after what was sent before it", async () => {
    const server = await serve(
      accepting((handle, _, peer) => {
        peer.send("WORK_DATA", handle, "a");
        peer.send("WORK_FAIL", handle);
      }),
    );
    const seen: string[] = [];
    const read = async () => {
      for await (const event of clientOf([server.server]).start({ name: "f" })) seen.push(event.type);
    };
    await expectFailure(read(), "WORKER_FAILED", /^f failed/);
    expect(seen).toEqual(["data"]);
  });

  test.each(["TIMEOUT", "ABORTED", "CLOSED", "IO"] as const)("after %s only the callback under way ends", async (kind) => {
    const server = await serve(
      accepting((handle, _, peer) => {
        for (let piece = 1; piece <= 40; piece++) peer.send("WORK_DATA", handle, `${piece}`);
      }),
    );
    const client = clientOf([server.server]);
    const controller = new AbortController();
    let release!: () => void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const pieces: string[] = [];
    const onData = (payload: Buffer) => {
      pieces.push(String(payload));
      if (kind === "ABORTED") controller.abort();
      else if (kind === "CLOSED") void client.close();
      else if (kind === "IO") server.peers[0]!.socket.destroy();
      return held;
    };
    let settled: () => void = () => undefined;
    const isSettled = new Promise<void>((resolve) => {
      settled = resolve;
    });
    const { signal } = controller;
    const request = { name: "f", signal, ...(kind === "TIMEOUT" && { timeoutMs: 100 }) };
    const stream = client.start(request);
    stream.result.catch(settled);
    const reading = (async () => {
      for await (const event of stream) if (event.type === "data") await onData(event.payload);
    })();
    await isSettled;
    release();
    expect((await failureOf(reading)).kind).toBe(kind);
    expect(pieces).toEqual(["1"]);
  });

  test("leaving the loop closes the connection, which tells the server", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_DATA", handle, "a")));
    const stream = clientOf([server.server]).start({ name: "f" });
    for await (const _ of stream) break;
    await expectFailure(stream.result, "ABORTED", "the stream of f was left before its end");
    await until(() => server.peers[0]!.socket.closed);
  });

  test("use a connection again when it is free", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, String(peer.index))));
    const client = clientOf([server.server]);
    for (let run = 0; run < 3; run++) expect((await client.start({ name: "f" }).result).toString()).toBe("0");
  });

  test("nobody reads: the result comes all the same, and a late reader is told", async () => {
    const server = await serve(
      accepting((handle, _, peer) => {
        for (let index = 0; index < 1000; index++) peer.send("WORK_DATA", handle, "x");
        peer.send("WORK_COMPLETE", handle, "end");
      }),
    );
    const stream = clientOf([server.server]).start({ name: "f" });
    expect((await stream.result).toString()).toBe("end");
    await expectFailure(stream[Symbol.asyncIterator]().next(), "STATE", /^events of f were dropped because nobody read them/);
  });
});

describe("background jobs", () => {
  test("get a key of their own when none is given, and priorities choose the packet", async () => {
    const seen: string[] = [];
    const server = await serve(accepting((_, packet) => void seen.push(`${packet.name} ${packet.args.unique.length}`)));
    const client = clientOf([server.server]);
    const first = await client.submitBackground({ name: "f", payload: new Uint8Array([1, 2]) });
    expect(first).toEqual({ handle: "H:x:1", server: server.server });
    await client.submitBackground({ name: "f", unique: "mine", priority: "high" });
    await client.submitBackground({ name: "f", priority: "low" });
    expect(seen).toEqual(["SUBMIT_JOB_BG 36", "SUBMIT_JOB_HIGH_BG 4", "SUBMIT_JOB_LOW_BG 36"]);
  });
});

describe("close", () => {
  const closed = async (client: GearmanClient) => {
    await client.close();
    await client.close();
    await expectFailure(client.submit({ name: "f" }), "CLOSED", "the client is closed");
    await expectFailure(client.status("H:a:1"), "CLOSED", "the client is closed");
    await expectFailure(client.echo(""), "CLOSED", "the client is closed");
  };

  test("before anything was done", async () => closed(clientOf(["127.0.0.1:1"])));

  test("while connecting", async () => {
    const server = await serve({});
    const client = clientOf([server.server]);
    const waiting = failureOf(client.submit({ name: "f" }));
    await closed(client);
    expect((await waiting).kind).toBe("CLOSED");
  });

  test("while waiting for the next try", async () => {
    const client = clientOf([`127.0.0.1:${await freePort()}`], { retries: 100 });
    const waiting = failureOf(client.submit({ name: "f" }));
    await until(() => client.servers()[0]!.isAvoided);
    await closed(client);
    expect((await waiting).kind).toBe("CLOSED");
  });

  test("with calls under way in every phase", async () => {
    const server = await serve({
      packet(packet, peer) {
        if (packet.name === "SUBMIT_JOB" && packet.args.function.toString() === "created") peer.send("JOB_CREATED", "H:x:1");
      },
    });
    const client = clientOf([server.server]);
    const created = new Promise<void>((resolve) => {
      void failureOf(client.submit({ name: "created", onCreated: () => resolve() })).then((error) => kinds.push(error.kind));
    });
    const kinds: string[] = [];
    const others = [
      client.submit({ name: "sent" }),
      client.submitBackground({ name: "sent" }),
      client.echo("x"),
      client.start({ name: "created" }).result,
    ];
    const failures = others.map((promise) => failureOf(promise).then((error) => kinds.push(error.kind)));
    await created;
    await closed(client);
    await Promise.all(failures);
    await until(() => kinds.length === 5);
    expect(new Set(kinds)).toEqual(new Set(["CLOSED"]));
  });

  test("idle, and after the server went away", async () => {
    const server = await serve(accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, "")));
    const [idle, orphan] = [clientOf([server.server]), clientOf([server.server])];
    await Promise.all([idle.submit({ name: "f" }), orphan.submit({ name: "f" })]);
    await closed(idle);
    await server.close();
    await closed(orphan);
  });
});
