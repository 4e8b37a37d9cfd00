/** What clients and workers see of the embedded server on the wire: exact bytes, and where it is deliberately better than gearmand. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GearmanServerOptions } from "../../../../src/core/gearman/server/server.ts";
import { line, packet, RawConnection } from "./dialogue.ts";
import { ManualClock } from "./manual-clock.ts";
import { ask, serving } from "./serving.ts";

const { events, open, serve: start } = serving();

const serve = async (options?: GearmanServerOptions): Promise<number> => (await start(options)).port;

/** Waits for a condition that some event will bring about. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the awaited condition did not come");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const grab = packet("GRAB_JOB_UNIQ");

describe("exact bytes", () => {
  test.each([
    ["JOB_CREATED", packet("SUBMIT_JOB_BG", "f\0\0x"), "\0RES\0\0\0\x08\0\0\0\x08H:test:1"],
    ["ECHO_RES", packet("ECHO_REQ", "a\0b"), "\0RES\0\0\0\x11\0\0\0\x03a\0b"],
    ["NO_JOB", packet("GRAB_JOB"), "\0RES\0\0\0\x0a\0\0\0\0"],
    ["STATUS_RES", packet("GET_STATUS", "H:test:1"), "\0RES\0\0\0\x14\0\0\0\x10H:test:1\x000\x000\x000\x000"],
    ["OPTION_RES", packet("OPTION_REQ", "exceptions"), "\0RES\0\0\0\x1b\0\0\0\x0aexceptions"],
    ["ERROR", packet("ALL_YOURS"), "\0RES\0\0\0\x13\0\0\0\x24INVALID_COMMAND\0Command not expected"],
    ["STATUS_RES_UNIQUE", packet("GET_STATUS_UNIQUE", "u"), "\0RES\0\0\0\x2a\0\0\0\x0bu\x000\x000\x000\x000\x000"],
  ])("%s", async (_name, request, answer) => {
    const connection = await open(await serve());
    connection.send(request);
    expect((await connection.nextBytes()).toString("latin1")).toBe(answer);
  });

  test("a job's assignment and its result", async () => {
    const port = await serve();
    const [client, worker] = [await open(port), await open(port)];
    client.send(packet("SUBMIT_JOB", "f\0u\0in\0put"));
    await client.nextBytes();
    worker.send(packet("CAN_DO", "f"), grab);
    expect((await worker.nextBytes()).toString("latin1")).toBe("\0RES\0\0\0\x1f\0\0\0\x13H:test:1\0f\0u\0in\0put");
    worker.send(packet("WORK_COMPLETE", "H:test:1\0out\0put"));
    expect((await client.nextBytes()).toString("latin1")).toBe("\0RES\0\0\0\x0d\0\0\0\x10H:test:1\0out\0put");
  });
});

describe("deliberately unlike gearmand", () => {
  test("a WORK_EXCEPTION becomes a WORK_FAIL with a clean handle for clients that did not ask for exceptions", async () => {
    const port = await serve();
    const [client, worker] = [await open(port), await open(port)];
    await ask(client, packet("SUBMIT_JOB", "f\0\0x"));
    worker.send(packet("CAN_DO", "f"), grab, packet("WORK_EXCEPTION", "H:test:1\0boom"));
    expect((await client.nextBytes()).toString("latin1")).toBe("\0RES\0\0\0\x0e\0\0\0\x08H:test:1");
  });

  test("a WORK_FAIL goes out with a clean handle even if it came with a NUL", async () => {
    const port = await serve();
    const [client, worker] = [await open(port), await open(port)];
    await ask(client, packet("SUBMIT_JOB", "f\0\0x"));
    worker.send(packet("CAN_DO", "f"), grab, packet("WORK_FAIL", "H:test:1\0"));
    expect((await client.nextBytes()).toString("latin1")).toBe("\0RES\0\0\0\x0e\0\0\0\x08H:test:1");
  });

  test("`create function` keeps the whole name, whatever ends the line", async () => {
    const connection = await open(await serve());
    const answers = await ask(connection, line("create function newf"), line("create function other", "\r\n"), line("status"));
    expect(answers).toEqual([
      'text "OK\\r\\n"',
      'text "OK\\r\\n"',
      'text "newf\\t0\\t0\\t0\\n"',
      'text "other\\t0\\t0\\t0\\n"',
      'text ".\\n"',
    ]);
  });

  test("`drop function` refuses a function with waiting jobs", async () => {
    const connection = await open(await serve());
    expect(await ask(connection, packet("SUBMIT_JOB_BG", "f\0u\0x"), line("drop function f"))).toEqual([
      "JOB_CREATED H:test:1",
      'text "ERR there are still connected workers or executing clients\\r\\n"',
    ]);
  });

  test("a worker asleep is woken when a scheduled job becomes due", async () => {
    const clock = new ManualClock();
    const port = await serve({ clock });
    const worker = await open(port);
    const epoch = Math.floor(clock.now() / 1000) + 5;
    await ask(worker, packet("SUBMIT_JOB_EPOCH", `f\0\0${epoch}\0later`), packet("CAN_DO", "f"), packet("PRE_SLEEP"));
    clock.advance(4_999);
    expect(await ask(worker, packet("GRAB_JOB"), packet("PRE_SLEEP"))).toEqual(["NO_JOB"]);
    clock.advance(1);
    expect(await worker.next()).toBe("NOOP");
    expect(await ask(worker, packet("GRAB_JOB"))).toEqual(["JOB_ASSIGN H:test:1|f|later"]);
  });

  test("a time limit ends with its job and never disturbs the counters", async () => {
    const clock = new ManualClock();
    const port = await serve({ clock });
    const worker = await open(port);
    await ask(
      worker,
      packet("CAN_DO_TIMEOUT", "f\x001000"),
      packet("SUBMIT_JOB_BG", "f\0\x001"),
      packet("SUBMIT_JOB_BG", "f\0\x002"),
    );
    await ask(worker, grab, packet("WORK_COMPLETE", "H:test:1\0done"), grab);
    clock.advance(1000);
    expect(await ask(worker, line("status"), packet("WORK_COMPLETE", "H:test:2\0late"))).toEqual([
      'text "f\\t1\\t0\\t1\\n"',
      'text ".\\n"',
      "ERROR JOB_NOT_FOUND|Job given in work result not found",
    ]);
    clock.advance(60_000);
    expect(await ask(worker, line("status"))).toEqual(['text "f\\t1\\t0\\t1\\n"', 'text ".\\n"']);
  });

  test("a unique of exactly 64 bytes is kept whole, shared, and does not shift the payload", async () => {
    const connection = await open(await serve());
    const unique = "u".repeat(64);
    const submit = packet("SUBMIT_JOB_BG", `f\0${unique}\0payload`);
    expect(await ask(connection, submit, submit, packet("CAN_DO", "f"), grab)).toEqual([
      "JOB_CREATED H:test:1",
      "JOB_CREATED H:test:1",
      `JOB_ASSIGN_UNIQ H:test:1|f|${unique}|payload`,
    ]);
  });
});

describe("values that are too long or out of range", () => {
  test("status of a handle or unique of 64 bytes is not answered", async () => {
    const connection = await open(await serve());
    expect(await ask(connection, packet("GET_STATUS", "x".repeat(64)), packet("GET_STATUS_UNIQUE", "x".repeat(64)))).toEqual([]);
  });

  test("a status with a denominator over 11 digits is not passed on", async () => {
    const connection = await open(await serve());
    const status = packet("WORK_STATUS", `H:test:1\x007\x00${"9".repeat(30)}`);
    await ask(connection, packet("SUBMIT_JOB", "f\0\0x"), packet("CAN_DO", "f"), grab);
    expect(await ask(connection, status, packet("GET_STATUS", "H:test:1"))).toEqual(["STATUS_RES H:test:1|1|1|7|0"]);
  });

  test("a scheduled second over 64 bits ends the connection", async () => {
    const connection = await open(await serve());
    expect(await ask(connection, packet("SUBMIT_JOB_EPOCH", `f\0\x00${"9".repeat(20)}\0x`))).toEqual(["closed"]);
  });

  test("a time limit over 64 bits is ignored with its function", async () => {
    const connection = await open(await serve());
    const requests = ["9".repeat(19), "0".repeat(21)].map((timeout) => packet("CAN_DO_TIMEOUT", `f\0${timeout}`));
    expect(await ask(connection, ...requests, line("status"))).toEqual(['text ".\\n"']);
  });
});

describe("options of the server", () => {
  test("`exceptions` sends every client WORK_EXCEPTION", async () => {
    const port = await serve({ exceptions: true });
    const connection = await open(port);
    await ask(connection, packet("SUBMIT_JOB", "f\0\0x"), packet("CAN_DO", "f"), grab);
    expect(await ask(connection, packet("WORK_EXCEPTION", "H:test:1\0boom"))).toEqual(["WORK_EXCEPTION H:test:1|boom"]);
  });

  test("`jobRetries` tells clients of a job that was lost too often", async () => {
    const port = await serve({ jobRetries: 1 });
    const [client, worker] = [await open(port), await open(port)];
    await ask(client, packet("SUBMIT_JOB", "f\0\0x"));
    await ask(worker, packet("CAN_DO", "f"), grab);
    await worker.close();
    expect(await client.next()).toBe("WORK_FAIL H:test:1");
    expect(events.find(({ type }) => type === "dropped")).toEqual({
      type: "dropped",
      handle: "H:test:1",
      function: "f",
      retries: 1,
    });
  });

  test("`maxPacketBytes` ends a connection that announces more, and tells it why", async () => {
    const connection = await open(await serve({ maxPacketBytes: 100 }));
    expect(await ask(connection, packet("ECHO_REQ", "fine"), packet("ECHO_REQ", "x".repeat(101)))).toEqual([
      "ECHO_RES fine",
      "ERROR ARGUMENT_TOO_LARGE|ECHO_REQ of 101 bytes is over the limit of 100",
      "closed",
    ]);
    expect(events.find(({ type }) => type === "refused")).toMatchObject({
      error: { kind: "PROTOCOL", message: "ECHO_REQ of 101 bytes is over the limit of 100" },
    });
  });

  test("`version` is what the command answers", async () => {
    const connection = await open(await serve({ version: "9.9" }));
    expect(await ask(connection, line("version"))).toEqual(['text "OK 9.9\\n"']);
  });
});

describe("garbage", () => {
  test.each([0x80000000, 0x80000001, 0xdeadbeef, 0xffffffff])("type 0x%x ends only its own connection", async (type) => {
    const port = await serve();
    const [bad, good] = [await open(port), await open(port)];
    bad.send(packet(type));
    expect(await bad.next()).toBe("closed");
    expect(await ask(good, packet("ECHO_REQ", "fine"))).toEqual(["ECHO_RES fine"]);
  });

  test("what was asked before the garbage is still answered", async () => {
    const connection = await open(await serve());
    connection.send(packet("ECHO_REQ", "before"), packet(99), packet("ECHO_REQ", "after"));
    expect([await connection.next(), await connection.next()]).toEqual(["ECHO_RES before", "closed"]);
  });

  test("random bytes never bring the server down", async () => {
    const port = await serve();
    const healthy = await open(port);
    await fc.assert(
      fc.asyncProperty(fc.array(noise(), { maxLength: 30 }), async (pieces) => {
        const connection = await RawConnection.open(port);
        connection.send(...pieces);
        connection.socket.end();
        while ((await connection.next()) !== "closed");
        await connection.close();
        expect(await ask(healthy, packet("ECHO_REQ", "alive"))).toEqual(["ECHO_RES alive"]);
      }),
      { numRuns: 300 },
    );
  });

  test("a mistake in the server itself ends only the connection it showed on", async () => {
    const clock = new ManualClock();
    const port = await serve({ clock });
    const [bad, good] = [await open(port), await open(port)];
    await ask(bad, packet("CAN_DO", "f"), packet("SUBMIT_JOB_BG", "f\0\0x"));
    // With a job of the future the server looks at its clock whenever it looks for jobs.
    await ask(bad, packet("SUBMIT_JOB_EPOCH", `f\0\0${9999999999}\0later`));
    const now = clock.now.bind(clock);
    clock.now = () => {
      clock.now = now;
      throw new Error("a broken clock");
    };
    expect(await ask(bad, packet("PRE_SLEEP"))).toEqual(["closed"]);
    expect(await ask(good, packet("CAN_DO", "f"), packet("GRAB_JOB"))).toEqual(["JOB_ASSIGN H:test:1|f|x"]);
    expect(events.splice(0).filter(({ type }) => type === "bug")).toMatchObject([
      { id: 1, error: { message: "a broken clock" } },
    ]);
  });

  test("a connection that ends in the middle of a packet leaves nothing behind", async () => {
    const port = await serve();
    const [broken, good] = [await open(port), await open(port)];
    broken.send(packet("CAN_DO", "f"), packet("SUBMIT_JOB", `f\0\0${"x".repeat(1000)}`).subarray(0, 500));
    await until(() => events.filter(({ type }) => type === "connected").length === 2);
    await broken.close();
    await until(() => events.some(({ type }) => type === "disconnected"));
    expect(await ask(good, line("status"), line("show jobs"))).toEqual(['text "f\\t0\\t0\\t0\\n"', 'text ".\\n"', 'text ".\\n"']);
  });
});

/** Bytes that are sometimes nearly a request. */
function noise(): fc.Arbitrary<Buffer> {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
  const text = fc.constantFrom(
    "status",
    "workers",
    "show jobs",
    "cancel job H:test:1",
    "maxqueue f 1",
    "drop function f",
    "create function \xff",
  );
  const type = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 45 }) }, fc.integer({ min: 0, max: 0x7fffffff }));
  const body = fc.oneof(
    bytes,
    fc
      .constantFrom("f", "f\0\0", "f\0u\0x", "H:test:1\0x", "H:test:1\x001\x002", "f\x0010", "f\0u\x001\0x", "f\0u\0r\0\0x")
      .map((text) => Buffer.from(text, "latin1")),
  );
  const magic = fc.constantFrom("\0REQ", "\0REQ", "\0REQ", "\0REQ", "\0RES");
  return fc.oneof(
    bytes,
    text.map((words) => line(words)),
    { weight: 6, arbitrary: fc.tuple(type, body, magic).map(([number, content, start]) => packet(number, content, start)) },
  );
}

describe("large payloads and slow readers", () => {
  test("64 MiB go to a worker and back byte for byte", async () => {
    const port = await serve();
    const [client, worker] = [await open(port), await open(port)];
    const payload = Buffer.alloc(64 * 1024 * 1024);
    for (let index = 0; index < payload.length; index += 997) payload[index] = index % 251;
    client.send(packet("SUBMIT_JOB", Buffer.concat([Buffer.from("f\0\0"), payload])));
    expect((await client.nextBytes()).toString("latin1", 12)).toBe("H:test:1");
    worker.send(packet("CAN_DO", "f"), packet("GRAB_JOB"));
    const assigned = await worker.nextBytes();
    const received = assigned.subarray(12 + "H:test:1\0f\0".length);
    expect(received.equals(payload)).toBe(true);
    worker.send(packet("WORK_COMPLETE", Buffer.concat([Buffer.from("H:test:1\0"), received])));
    expect((await client.nextBytes()).subarray(12 + "H:test:1\0".length).equals(payload)).toBe(true);
  }, 60_000);

  test("a worker is not read on while its client does not read", async () => {
    const clock = new ManualClock();
    const port = await serve({ maxPendingBytes: 1024 * 1024, clock });
    const [client, worker] = [await open(port), await open(port)];
    await ask(client, packet("SUBMIT_JOB", "f\0\0x"));
    await ask(worker, packet("CAN_DO", "f"), grab);
    client.socket.pause();
    const part = packet("WORK_DATA", `H:test:1\0${"x".repeat(1024 * 1024)}`);
    const parts = 64;
    for (let sent = 0; sent < parts; sent++) worker.socket.write(part);
    const isHeldUp = () => worker.socket.writableLength > 32 * part.length;
    await untilQuiet(() => worker.socket.writableLength);
    expect(isHeldUp()).toBe(true);
    // It hears every few seconds that the server lives, though nothing it asks is answered.
    for (let sign = 0; sign < 2; sign++) {
      clock.advance(3000);
      expect(await worker.next()).toBe("NOOP");
    }
    client.socket.resume();
    for (let received = 0; received < parts; received++) expect((await client.nextBytes()).length).toBe(part.length);
    expect(await ask(worker, packet("ECHO_REQ", "on"))).toEqual(["ECHO_RES on"]);
    expect(clock.pending).toBe(0);
  }, 60_000);

  test("a client that does not read at all is given up, and its worker goes on", async () => {
    const port = await serve({ maxPendingBytes: 1024 * 1024, stallTimeoutMs: 200 });
    const [client, worker] = [await open(port), await open(port)];
    await ask(client, packet("SUBMIT_JOB", "f\0\0x"));
    await ask(worker, packet("CAN_DO", "f"), grab);
    client.socket.pause();
    const part = packet("WORK_DATA", `H:test:1\0${"x".repeat(1024 * 1024)}`);
    for (let sent = 0; sent < 32; sent++) worker.socket.write(part);
    expect(await ask(worker, packet("WORK_COMPLETE", "H:test:1\0done"), packet("ECHO_REQ", "on"))).toEqual(["ECHO_RES on"]);
    expect(events.find(({ type }) => type === "disconnected")).toMatchObject({ reason: "nothing was read for 200 ms" });
  }, 60_000);
});

/** Waits until a number has stayed the same for many turns of the event loop. */
async function untilQuiet(read: () => number): Promise<void> {
  let last = -1;
  let turns = 0;
  const deadline = Date.now() + 20_000;
  while (turns < 2000) {
    await new Promise((resolve) => setImmediate(resolve));
    turns = read() === last ? turns + 1 : 0;
    last = read();
    if (Date.now() > deadline) throw new Error("the number went on changing");
  }
}

test("answers of one turn of the event loop go out in one write", async () => {
  const connection = await open(await serve());
  let chunks = 0;
  connection.socket.on("data", () => chunks++);
  const jobs = 200;
  connection.send(...Array.from({ length: jobs }, () => packet("SUBMIT_JOB_BG", "f\0\0x")));
  for (let created = 1; created <= jobs; created++) expect(await connection.next()).toBe(`JOB_CREATED H:test:${created}`);
  expect(chunks).toBeLessThan(5);
});

test("JOB_CREATED comes before the job's result, even with a worker in a hurry", async () => {
  const port = await serve();
  const [client, worker] = [await open(port), await open(port)];
  await ask(worker, packet("CAN_DO", "f"), packet("PRE_SLEEP"));
  client.send(...Array.from({ length: 50 }, (_, number) => packet("SUBMIT_JOB", `f\0\0${number}`)));
  const done = (async () => {
    for (let taken = 0; taken < 50; ) {
      worker.send(packet("GRAB_JOB"));
      let answer = await worker.next();
      while (answer === "NOOP") answer = await worker.next();
      if (answer === "NO_JOB") continue;
      taken++;
      worker.send(packet("WORK_COMPLETE", `${answer.split(" ")[1]!.split("|")[0]}\0ok`));
    }
  })();
  const created = new Set<string>();
  for (let left = 100; left > 0; left--) {
    const [name, argument] = (await client.next()).split(" ");
    if (name === "JOB_CREATED") created.add(argument!);
    else expect(created).toContain(argument!.split("|")[0]);
  }
  await done;
});
