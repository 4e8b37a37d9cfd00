/** The requests beyond plain jobs: jobs with a time, reduce jobs, replay, questions by unique key, options, and where keys go. */
import { connect } from "node:net";
import { runInNewContext } from "node:vm";
import { crc32 } from "node:zlib";
import { describe, expect, expectTypeOf, test } from "vitest";
import { GearmanError } from "../../../src/core/gearman/errors.ts";
import { systemHost } from "../../../src/core/gearman/host.ts";
import type { PacketName } from "../../../src/core/gearman/packets.ts";
import { perlServer } from "../../../src/core/gearman/placement.ts";
import type { BackgroundRequest, JobRequest } from "../../../src/core/gearman/requests.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import { freePort, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { accepting, clientHarness, expectFailure, failureOf } from "./client-harness.ts";
import { until } from "./fake-server.ts";

const { fake, embedded, client: clientOf, worker, cleanups } = clientHarness();

/** A server that notes the arguments of every submit. */
async function noting() {
  const submits: [PacketName, Record<string, string>][] = [];
  const answer = accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, "done"));
  const server = await fake({
    packet(packet, peer) {
      if (packet.name.startsWith("SUBMIT_")) {
        const args = Object.entries<Buffer>(packet.args).map(([name, bytes]) => [name, bytes.toString()]);
        submits.push([packet.name, Object.fromEntries(args) as Record<string, string>]);
      }
      answer.packet?.(packet, peer);
    },
  });
  return { server: server.server, submits };
}

test("bytes of another realm are bytes", async () => {
  const bytes = runInNewContext("new Uint8Array([104, 105])") as Uint8Array;
  const server = await embedded();
  expect((await clientOf([server]).echo(bytes)).toString()).toBe("hi");
});

describe("a job with a time", () => {
  test.each([
    ["2030-01-01T00:00:00.000Z", "1893456000"],
    ["2030-01-01T00:00:00.001Z", "1893456001"],
    ["1960-01-01T00:00:00.000Z", "0"],
    ["2106-02-07T06:28:15.000Z", "4294967295"],
  ])("%s is sent as %s, in whole seconds and never too early", async (at, epoch) => {
    const { server, submits } = await noting();
    await clientOf([server]).submitBackground({ name: "f", unique: "u", payload: "p", at: new Date(at) });
    expect(submits).toEqual([["SUBMIT_JOB_EPOCH", { function: "f", unique: "u", epoch, payload: "p" }]]);
  });

  test("has a key of its own when none is given", async () => {
    const { server, submits } = await noting();
    await clientOf([server]).submitBackground({ name: "f", at: new Date() });
    expect(submits[0]![1].unique).toHaveLength(36);
  });

  test("is refused with an invalid date, too late a date, a priority, and in the foreground", async () => {
    const client = clientOf(["127.0.0.1:1"]);
    const submit = (request: object) => client.submitBackground({ name: "f", ...request });
    await expectFailure(submit({ at: new Date("soon") }), "ARGUMENT", "`at` is an invalid date");
    await expectFailure(submit({ at: new Date("2106-02-07T06:28:16Z") }), "ARGUMENT", /^at 2106-.* is too late/);
    await expectFailure(
      submit({ at: new Date(), priority: "high" }),
      "ARGUMENT",
      'priority "high" is not available for a job with a time: servers run it as normal, leave priority out',
    );
    const foreground = { name: "f", at: new Date() } as unknown as JobRequest;
    await expectFailure(client.submit(foreground), "ARGUMENT", /^a job with a time always runs in the background/);
  });

  test("runs when its time comes, not before", async () => {
    const server = await embedded();
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    const started = new Promise<number>((resolve) => void worker(server, "f", () => resolve(Date.now())));
    await clientOf([server]).submitBackground({ name: "f", at });
    expect(await started).toBeGreaterThanOrEqual(at.getTime());
  });
});

describe("a reduce job", () => {
  test.each([
    ["submit", "SUBMIT_REDUCE_JOB"],
    ["submitBackground", "SUBMIT_REDUCE_JOB_BACKGROUND"],
  ] as const)("%s sends %s with the argument that nobody uses", async (method, packet) => {
    const { server, submits } = await noting();
    await clientOf([server])[method]({ name: "f", unique: "u", payload: "p", reducer: "join" });
    expect(submits).toEqual([[packet, { function: "f", unique: "u", reducer: "join", unused: "", payload: "p" }]]);
  });

  test("is refused with a priority, and with a reducer that is no name or too long", async () => {
    const client = clientOf(["127.0.0.1:1"]);
    const submit = (request: object) => client.submit({ name: "f", ...request } as JobRequest);
    await expectFailure(
      submit({ reducer: "r", priority: "low" }),
      "ARGUMENT",
      /^priority "low" is not available for a reduce job/,
    );
    await expectFailure(submit({ reducer: "" }), "ARGUMENT", /^the function name is empty/);
    await expectFailure(submit({ reducer: "r".repeat(64) }), "ARGUMENT", /has 64 bytes, at most 63 are allowed$/);
  });
});

test("combinations that make no sense do not compile", () => {
  expectTypeOf<{ name: "f"; priority: "high" }>().toExtend<JobRequest>();
  expectTypeOf<{ name: "f"; reducer: "r" }>().toExtend<JobRequest>();
  expectTypeOf<{ name: "f"; reducer: "r"; priority: "high" }>().not.toExtend<JobRequest>();
  expectTypeOf<{ name: "f"; at: Date }>().not.toExtend<JobRequest>();
  expectTypeOf<{ name: "f"; at: Date }>().toExtend<BackgroundRequest>();
  expectTypeOf<{ name: "f"; at: Date; priority: "low" }>().not.toExtend<BackgroundRequest>();
  expectTypeOf<{ name: "f"; at: Date; reducer: "r" }>().not.toExtend<BackgroundRequest>();
});

test("a priority that does not exist is refused", async () => {
  const request = { name: "f", priority: "urgent" } as unknown as JobRequest;
  await expectFailure(clientOf(["127.0.0.1:1"]).submit(request), "ARGUMENT", 'priority "urgent" is none of high, normal and low');
});

describe("a submit that was taken before the connection broke", () => {
  /** Cuts the first `cuts` connections after their submit. */
  async function cutting(cuts: number) {
    const answer = accepting((handle, { name }, peer) => !name.includes("BG") && peer.send("WORK_COMPLETE", handle, "done"));
    return fake({
      packet(packet, peer) {
        if (!packet.name.startsWith("SUBMIT_")) return;
        if (peer.index < cuts) peer.socket.destroy();
        else answer.packet?.(packet, peer);
      },
    });
  }
  const submits = (names: readonly PacketName[]) => names.filter((name) => name.startsWith("SUBMIT_")).length;

  test.each(["submit", "submitBackground"] as const)("with %s fails as UNKNOWN_OUTCOME and is not sent twice", async (method) => {
    const server = await cutting(1);
    const client = clientOf([server.server], { retries: 5 });
    await expectFailure(client[method]({ name: "f", unique: "k" }), "UNKNOWN_OUTCOME", /^f may or may not have been queued: /);
    await client.echo("");
    expect(submits(server.names)).toBe(1);
    expect(client.metrics()).toMatchObject({ unknownOutcome: 1, resent: 0, losses: 1, inFlight: 0 });
  });

  test.each(["submit", "submitBackground"] as const)("with %s and replay is sent again", async (method) => {
    const server = await cutting(2);
    const client = clientOf([server.server], { retries: 2 });
    await client[method]({ name: "f", unique: "k", replay: true });
    expect(submits(server.names)).toBe(3);
    expect(client.metrics()).toMatchObject({ completed: 1, unknownOutcome: 0, resent: 2 });
  });

  test("and replay fails as UNKNOWN_OUTCOME when the retries are used up", async () => {
    const server = await cutting(9);
    const client = clientOf([server.server], { retries: 2 });
    await expectFailure(
      client.submit({ name: "f", unique: "k", replay: true }),
      "UNKNOWN_OUTCOME",
      /^f may or may not have been queued/,
    );
    expect(submits(server.names)).toBe(3);
  });

  test("and replay fails as UNKNOWN_OUTCOME, too, when no server is left to ask", async () => {
    const server = await fake({
      packet(packet) {
        if (packet.name.startsWith("SUBMIT_")) void server.close();
      },
    });
    const client = clientOf([server.server], { retries: 1 });
    const error = await failureOf(client.submit({ name: "f", unique: "k", replay: true }));
    expect(error.kind).toBe("UNKNOWN_OUTCOME");
    expect(error.message).toMatch(/^f may or may not have been queued: cannot reach /);
  });

  test("is no reason to repeat a job that was accepted: that fails as IO", async () => {
    const server = await fake(accepting((_, __, peer) => peer.socket.end()));
    const client = clientOf([server.server], { retries: 2 });
    await expectFailure(client.submit({ name: "f", unique: "k", replay: true }), "IO", /^f did not finish: .* \(job H:x:1\)$/);
    expect(submits(server.names)).toBe(1);
  });

  test("cannot be repeated without a key", async () => {
    const client = clientOf(["127.0.0.1:1"]);
    await expectFailure(client.submit({ name: "f", replay: true }), "ARGUMENT", /^replay needs a unique key/);
    await expectFailure(
      client.submitBackground({ name: "f", unique: "", replay: true }),
      "ARGUMENT",
      /^replay needs a unique key/,
    );
  });
});

describe("the status by unique key", () => {
  const unknown = ["0", "0", "0", "0", "0"] as const;
  const answering = (status: readonly [string, string, string, string, string]) =>
    fake({
      packet: (packet, peer) =>
        packet.name === "GET_STATUS_UNIQUE" && peer.send("STATUS_RES_UNIQUE", packet.args.unique, ...status),
    });

  test("comes from whichever server knows the job, its own one first", async () => {
    const knowing = await answering(["1", "1", "3", "4", "2"]);
    const others = [await answering(unknown), await answering(unknown)];
    const client = clientOf([knowing, ...others].map(({ server }) => server));
    for (const unique of ["a", "b", "c", "d"]) {
      const status = await client.statusOfUnique(unique);
      expect(status).toEqual({ known: true, running: true, numerator: 3, denominator: 4, clients: 2 });
    }
    expect(knowing.names).toEqual(["GET_STATUS_UNIQUE", "GET_STATUS_UNIQUE", "GET_STATUS_UNIQUE", "GET_STATUS_UNIQUE"]);
    const asked = others.flatMap(({ names }) => names).length;
    expect(asked).toBeLessThan(8); // some keys belong to the server that knows
  });

  test("is known even when another server is down, and fails when the job may be there", async () => {
    const down = `127.0.0.1:${await freePort()}`;
    const knowing = await answering(["1", "0", "0", "0", "1"]);
    expect(await clientOf([down, knowing.server]).statusOfUnique("k")).toMatchObject({ known: true });
    const ignorant = await answering(unknown);
    await expectFailure(clientOf([down, ignorant.server]).statusOfUnique("k"), "IO", /connection refused/);
    expect(await clientOf([ignorant.server]).statusOfUnique("k")).toMatchObject({ known: false, clients: 0 });
  });

  test("has one time limit for all servers together", async () => {
    const silent = await Promise.all([fake({}), fake({}), fake({})]);
    const client = clientOf(silent.map(({ server }) => server));
    const started = performance.now();
    expect((await failureOf(client.statusOfUnique("k", { timeoutMs: 300 }))).kind).toBe("TIMEOUT");
    expect(performance.now() - started).toBeLessThan(800);
  });

  test.each([
    ["", /^the unique key is empty/],
    ["u".repeat(64), /has 64 bytes, at most 63/],
  ])("refuses the key %j, to which servers never answer", async (unique, message) => {
    await expectFailure(clientOf(["127.0.0.1:1"]).statusOfUnique(unique), "ARGUMENT", message);
  });

  test.each(["embedded", ...(hasGearmand() ? ["gearmand"] : [])])("agrees with what runs on %s", async (kind) => {
    const server = kind === "embedded" ? await embedded() : await realServer();
    const client = clientOf([server]);
    let finish!: () => void;
    const job = new Promise<GearmanJob>((resolve) => {
      void worker(server, "f", async (taken) => {
        taken.sendStatus(1, 2);
        resolve(taken);
        await new Promise<void>((done) => {
          finish = done;
        });
      });
    });
    const result = client.submit({ name: "f", unique: "key" });
    await job;
    await until(async () => (await client.statusOfUnique("key")).denominator === 2);
    expect(await client.statusOfUnique("key")).toEqual({ known: true, running: true, numerator: 1, denominator: 2, clients: 1 });
    finish();
    await result;
    expect(await client.statusOfUnique("key")).toMatchObject({ known: false, running: false });
  });
});

async function realServer(): Promise<string> {
  const gearmand = await startGearmand();
  cleanups.push(() => gearmand.stop());
  return gearmand.server;
}

describe("an option", () => {
  test("is asked of every server, and again on each new connection", async () => {
    const servers = [0, 1].map(() =>
      fake({ packet: (packet, peer) => packet.name === "OPTION_REQ" && peer.send("OPTION_RES", packet.args.option) }),
    );
    const [one, two] = [await servers[0]!, await servers[1]!];
    const client = clientOf([one.server, two.server], { retries: 1 });
    expect(client.options).toEqual([]);
    expect(await client.option("exceptions")).toBe(true);
    expect(client.options).toEqual(["exceptions"]);
    one.peers[0]!.socket.destroy();
    await until(() => client.servers().some(({ isConnected }) => !isConnected));
    for (let round = 0; round < 2; round++) await client.echo("");
    expect(one.names.filter((name) => name === "OPTION_REQ")).toHaveLength(2);
    expect(two.names.filter((name) => name === "OPTION_REQ")).toHaveLength(1);
  });

  test("that a server refuses is named, and not asked for again", async () => {
    const server = await embedded();
    const client = clientOf([server]);
    await expectFailure(
      client.option("colour"),
      "SERVER",
      `${server} refused the option "colour": UNKNOWN_OPTION`.concat(" (Server does not recognize given option)"),
    );
    expect(client.options).toEqual([]);
  });

  test("is kept for a server that cannot be reached now, and fails when none can", async () => {
    const down = `127.0.0.1:${await freePort()}`;
    const server = await embedded();
    expect(await clientOf([down, server]).option("exceptions")).toBe(true);
    await expectFailure(clientOf([down]).option("exceptions"), "IO", /connection refused/);
  });

  test("changes what a job says when it fails, on connections of streams as well", async () => {
    const server = await embedded();
    const throwing = () => {
      throw new Error("out of paper");
    };
    await worker(server, "f", throwing, { exceptions: true });
    const client = clientOf([server]);
    await expectFailure(client.start({ name: "f" }).result, "WORKER_FAILED", /without giving a reason/);
    await client.option("exceptions");
    await expectFailure(client.submit({ name: "f" }), "WORKER_FAILED", /^f failed: out of paper/);
    await expectFailure(client.start({ name: "f" }).result, "WORKER_FAILED", /^f failed: out of paper/);
  });
});

describe("keys with Perl's placement", () => {
  test("go where Perl's client sends them, and - goes where its payload does", async () => {
    const [one, two, three] = [await noting(), await noting(), await noting()];
    const all = [one, two, three];
    const client = clientOf(
      all.map(({ server }) => server),
      { placement: "perl" },
    );
    const place = (text: string) => ((crc32(text) >>> 16) & 0x7fff) % 3;
    for (let index = 0; index < 30; index++) await client.submitBackground({ name: "f", unique: `k${index}`, payload: "x" });
    for (let index = 0; index < 30; index++) await client.submitBackground({ name: "f", unique: "-", payload: `p${index}` });
    for (const [number, { submits }] of all.entries()) {
      expect(submits.length).toBeGreaterThan(0);
      for (const [, { unique, payload }] of submits) expect(place(unique === "-" ? payload! : unique!)).toBe(number);
    }
  });

  test("have the places that the standard's checksums give them", () => {
    const servers = Array.from({ length: 0x8000 }, (_, number) => ({ name: String(number) }));
    const places = ["123456789", "a"].map((key) => perlServer(servers, key, "").name);
    expect(places).toEqual([0xcbf4 & 0x7fff, 0xe8b7 & 0x7fff].map(String));
  });

  test("have no other server when theirs is down, while jobs without a key do", async () => {
    const down = `127.0.0.1:${await freePort()}`;
    const { server } = await noting();
    const client = clientOf([down, server], { placement: "perl" });
    const unique = ["a", "b", "c", "d", "e"].find((key) => ((crc32(key) >>> 16) & 0x7fff) % 2 === 0)!;
    await expectFailure(client.submit({ name: "f", unique }), "IO", /connection refused/);
    expect((await client.submit({ name: "f" })).toString()).toBe("done");
    const everywhere = clientOf([down, server]);
    expect((await everywhere.submit({ name: "f", unique })).toString()).toBe("done");
  });
});

test.each(["a b", "x".repeat(128), "a\nb"])("the client id %j, which servers would garble, is refused", (clientId) => {
  expect(() => clientOf(["127.0.0.1:1"], { clientId })).toThrow(GearmanError);
});

describe("connecting", () => {
  test("looks the server's name up anew each time", async () => {
    const [old, moved] = [await fake({}), await fake({})];
    let port = old.port;
    const asked: string[] = [];
    const host = {
      ...systemHost,
      connect: (address: { host: string }) => {
        asked.push(address.host);
        return connect(port, "127.0.0.1");
      },
    };
    const client = clientOf(["jobs.example:4730"], { host, retries: 1 });
    await client.echo("one");
    port = moved.port;
    await old.close();
    await until(() => client.servers()[0]!.isConnected === false);
    await client.echo("two");
    expect(asked).toEqual(["jobs.example", "jobs.example"]);
    expect(moved.names).toEqual(["ECHO_REQ"]);
  });

  test("is bounded although the server's machine never answers", async () => {
    const host = { ...systemHost, connect: () => connect({ port: 9, host: "silent.example", lookup: () => undefined }) };
    const client = clientOf(["silent.example:4730"], { host, timeoutMs: 80 });
    await expectFailure(
      client.echo("x", { timeoutMs: 5000 }),
      "IO",
      /^cannot reach silent.example:4730: no connection within 80 ms/,
    );
  });
});

describe("close", () => {
  test("may be called in every state and any number of times, and every call under way ends with CLOSED", async () => {
    const silent = await fake({});
    const unused = clientOf([silent.server]);
    await Promise.all([unused.close(), unused.close()]);

    const connecting = clientOf([silent.server]);
    const early = failureOf(connecting.echo("x"));
    await connecting.close();
    expect((await early).kind).toBe("CLOSED");

    const pausing = clientOf([`127.0.0.1:${await freePort()}`], { retries: 100 });
    const waiting = [failureOf(pausing.echo("x")), failureOf(pausing.submit({ name: "f", timeoutMs: Number.POSITIVE_INFINITY }))];
    await until(() => pausing.metrics().connectFailures > 0);
    await pausing.close();
    expect((await Promise.all(waiting)).map(({ kind }) => kind)).toEqual(["CLOSED", "CLOSED"]);

    const busy = clientOf([silent.server]);
    await busy.echo("");
    const stream = busy.start({ name: "f" });
    const under = [
      failureOf(busy.submit({ name: "f" })),
      failureOf(busy.submitBackground({ name: "f" })),
      failureOf(stream.result),
    ];
    await until(() => silent.names.filter((name) => name.startsWith("SUBMIT")).length === 3);
    await busy.close();
    await busy.close();
    expect((await Promise.all(under)).map(({ kind }) => kind)).toEqual(["CLOSED", "CLOSED", "CLOSED"]);
    for (const call of [busy.echo(""), busy.statusOfUnique("k"), busy.option("x"), busy.status("H:a:1"), busy.cancel("H:a:1")])
      expect((await failureOf(call)).kind).toBe("CLOSED");
    expect(busy.metrics()).toMatchObject({ submitted: 3, aborted: 3, inFlight: 0, connections: 0, losses: 0 });
  });
});
