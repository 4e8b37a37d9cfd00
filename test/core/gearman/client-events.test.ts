/** What a client tells and counts while servers come and go and jobs end in every way. */
import { describe, expect, test } from "vitest";
import type { ClientEvent } from "../../../src/core/gearman/events.ts";
import { clientMetricsText } from "../../../src/core/gearman/metrics.ts";
import { freePort } from "../../helpers/gearmand.ts";
import { accepting, clientHarness, expectFailure, failureOf } from "./client-harness.ts";
import { until } from "./fake-server.ts";

const { fake, embedded, client: clientOf, worker } = clientHarness();

/** A client and the events it told, without their reasons. */
function telling(servers: readonly string[], options: Parameters<typeof clientOf>[1] = {}) {
  const events: ClientEvent[] = [];
  const client = clientOf(servers, { ...options, onEvent: (event) => void events.push(event) });
  return { client, events, types: () => events.map(({ type }) => type) };
}

describe("events", () => {
  test("tell of a server's connections: connected, lost, unreachable, reconnected", async () => {
    const port = await freePort();
    const first = await fake({}, port);
    const { client, events, types } = telling([`127.0.0.1:${port}`]);
    await client.echo("");
    await first.close();
    await until(() => events.length === 2);
    await failureOf(client.echo(""));
    await fake({}, port);
    await client.echo("");
    expect(types()).toEqual(["connected", "lost", "unreachable", "reconnected"]);
    const server = `127.0.0.1:${port}`;
    expect(events[1]).toMatchObject({ server, reason: { kind: "IO" } });
    expect(events[2]).toMatchObject({ server, reason: { kind: "IO", message: expect.stringContaining("refused") } });
    expect(events[2]).toHaveProperty(
      "retryMs",
      expect.toSatisfy((ms: number) => ms >= 100 && ms <= 200),
    );
    expect(client.metrics()).toMatchObject({ connects: 2, losses: 1, connectFailures: 1, connections: 1 });
  });

  test("count one server as one, however many connections streams have to it, and closing is no loss", async () => {
    const server = await embedded();
    await worker(server, "f", () => "done");
    const { client, types } = telling([server]);
    await Promise.all(Array.from({ length: 8 }, () => client.start({ name: "f" }).result));
    await client.close();
    expect(types()).toEqual(["connected"]);
    expect(client.metrics()).toMatchObject({ connects: 8, losses: 0, connections: 0 });
  });

  test("tell of jobs that fail, in the foreground, in the background and in sets, but not of those called off", async () => {
    const server = await fake({
      packet: (packet, peer) => packet.name.startsWith("SUBMIT_JOB") && peer.send("ERROR", "QUEUE_ERROR", "full"),
    });
    const { client, events } = telling([server.server]);
    await failureOf(client.submit({ name: "a" }));
    await failureOf(client.submitBackground({ name: "b" }));
    await client.tasks([{ name: "c" }], { background: true }).all();
    await failureOf(client.submit({ name: "d", signal: AbortSignal.abort() }));
    const failed = events.flatMap((event) => (event.type === "jobFailed" ? [event] : []));
    expect(failed.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(failed[2]!.reason).toMatchObject({ kind: "SERVER", message: `${server.server} refused c: QUEUE_ERROR (full)` });
  });

  test("whose listener throws become a warning, and the client goes on", async () => {
    const server = await embedded();
    const client = clientOf([server], {
      onEvent: ({ type }) => {
        throw new Error(`do not tell me ${type}`);
      },
    });
    const warning = new Promise<Error>((resolve) => process.once("warning", resolve));
    expect((await client.echo("x")).toString()).toBe("x");
    expect((await warning).message).toBe("onEvent threw at connected: do not tell me connected");
  });
});

describe("a connection whose requests were given up", () => {
  test("is kept when the caller changed its mind, and given up when the server was silent for the whole time limit", async () => {
    const server = await fake({});
    const { client, events } = telling([server.server]);
    const servers = () => events.map(({ type }) => type).filter((type) => type !== "jobFailed");
    await client.echo("");
    await failureOf(client.submit({ name: "f", signal: AbortSignal.abort() }));
    for (const background of [true, false]) {
      const abort = new AbortController();
      const set = failureOf(client.tasks([{ name: "f" }], { background, signal: abort.signal }).all());
      await until(() => client.metrics().inFlight === 1);
      abort.abort();
      expect((await set).kind).toBe("ABORTED");
      await expectFailure(
        client.tasks([{ name: "f" }], { background, timeoutMs: 20 }).all(),
        "TIMEOUT",
        /^the tasks were not done/,
      );
    }
    expect(servers()).toEqual(["connected"]);
    await failureOf(client.submit({ name: "f", timeoutMs: 20 }));
    await until(() => servers().length > 1);
    await client.echo("");
    expect(servers()).toEqual(["connected", "lost", "reconnected"]);
    expect(server.peers.length).toBe(2);
  });
});

describe("metrics", () => {
  test("count every job in one way to end, and add up", async () => {
    const server = await fake(
      accepting((handle, packet, peer) => {
        if (packet.args.function.toString() === "good") peer.send("WORK_COMPLETE", handle, "ok");
        if (packet.args.function.toString() === "bad") peer.send("WORK_FAIL", handle);
        if (packet.args.function.toString() === "cut") peer.socket.destroy();
      }),
    );
    const client = clientOf([server.server]);
    await client.submit({ name: "good" });
    await client.submitBackground({ name: "queued" });
    await failureOf(client.submit({ name: "bad" }));
    await failureOf(client.submit({ name: "slow", timeoutMs: 20 }));
    const abort = new AbortController();
    const aborted = failureOf(client.submit({ name: "aborted", signal: abort.signal }));
    abort.abort();
    await aborted;
    await failureOf(client.submit({ name: "\0" })); // no job at all
    const running = client.submit({ name: "running" }).catch(() => undefined);
    await until(() => client.metrics().accepted >= 5);
    const before = client.metrics();
    expect(before).toMatchObject({
      submitted: 6,
      completed: 2,
      failed: 1,
      timedOut: 1,
      aborted: 1,
      unknownOutcome: 0,
      inFlight: 1,
    });
    await failureOf(client.submit({ name: "cut" }));
    await running;
    const after = client.metrics();
    expect(after.inFlight).toBe(0);
    expect(after.submitted).toBe(after.completed + after.failed + after.timedOut + after.aborted + after.unknownOutcome);
  });

  test("count bytes to the last one, over connections that are gone as well, and for each server", async () => {
    const [one, two] = [await fake({}), await fake({})];
    const client = clientOf([one.server, two.server], { retries: 1 });
    for (let round = 0; round < 4; round++) await client.echo("x".repeat(100));
    one.peers[0]!.socket.destroy();
    await until(() => client.metrics().losses === 1);
    for (let round = 0; round < 2; round++) await client.echo("x".repeat(100));
    const { servers, bytesSent, bytesReceived } = client.metrics();
    expect(servers[one.server]).toMatchObject({ bytesSent: 336, bytesReceived: 336, connects: 2, losses: 1 });
    expect(servers[two.server]).toMatchObject({ bytesSent: 336, bytesReceived: 336, connects: 1, losses: 0 });
    expect({ bytesSent, bytesReceived }).toEqual({ bytesSent: 672, bytesReceived: 672 });
  });

  test("become Prometheus text", async () => {
    const server = await embedded();
    const client = clientOf([server]);
    await client.submitBackground({ name: "f" });
    const text = clientMetricsText(client.metrics(), { service: "shop" });
    expect(text).toContain('gearman_client_jobs_completed_total{service="shop"} 1\n');
    expect(text).toContain(`gearman_client_connects_total{service="shop",server="${server}"} 1\n`);
  });
});

test("a shared job that some gave up still ends for the one who waits", async () => {
  const server = await fake({
    packet(packet, peer) {
      if (packet.name !== "SUBMIT_JOB") return;
      peer.send("JOB_CREATED", "H:x:1");
      if (packet.args.payload.toString() !== "third") return;
      for (const done of ["1", "1", "1", "2", "2", "2"]) peer.send("WORK_STATUS", "H:x:1", done, "2");
      for (let copy = 0; copy < 3; copy++) peer.send("WORK_COMPLETE", "H:x:1", "end");
    },
  });
  const client = clientOf([server.server]);
  const abort = new AbortController();
  const given = ["first", "second"].map((payload) =>
    failureOf(client.submit({ name: "f", unique: "k", payload, signal: abort.signal })),
  );
  await until(() => client.metrics().accepted === 2);
  abort.abort();
  await Promise.all(given);
  const seen: number[] = [];
  const onStatus = (numerator: number) => void seen.push(numerator);
  expect((await client.submit({ name: "f", unique: "k", payload: "third", onStatus })).toString()).toBe("end");
  expect(seen).toEqual([1, 2]);
});
