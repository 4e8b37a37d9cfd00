/** Task sets: how many jobs are out at once, in which order outcomes come, and how a set ends. */
import { once } from "node:events";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { FailedTask, InBackground, QueuedTask, TaskOutcome, TaskRequest } from "../../../src/core/gearman/tasks.ts";
import { freePort, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { accepting, clientHarness, expectFailure, failureOf } from "./client-harness.ts";
import { until } from "./fake-server.ts";

const { fake, embedded, client: clientOf, worker, cleanups } = clientHarness();

/** `count` requests, counted as they are taken, with a note of the generator's end. */
function source(count: number, request: (index: number) => TaskRequest = () => ({ name: "f" })) {
  const state = { taken: 0, isLeft: false };
  function* requests(): Generator<TaskRequest> {
    try {
      for (let index = 0; index < count; index++) {
        state.taken++;
        yield request(index);
      }
    } finally {
      state.isLeft = true;
    }
  }
  return { state, requests: requests() };
}

const resultOf = (outcome: TaskOutcome) => (outcome.ok ? (outcome.result?.toString() ?? null) : outcome.error.kind);

describe("what succeeded", () => {
  test("has a result, in the background a receipt, and types know which", async () => {
    const server = await embedded();
    await worker(server, "f", () => "done");
    const client = clientOf([server]);
    const told: (string | Buffer)[] = [];
    const plain: readonly TaskRequest[] = [{ name: "f" }, { name: "f", background: true }];
    for (const outcome of await client.tasks([{ name: "f" }]).all()) if (outcome.ok) told.push(outcome.result.toString());
    for (const outcome of await client.tasks([{ name: "f" }], { background: true }).all())
      if (outcome.ok) told.push(outcome.receipt.server);
    for (const outcome of await client.tasks([{ name: "f", background: true }]).all())
      if (outcome.ok) told.push(outcome.receipt.server);
    for (const outcome of await client.tasks([{ name: "f", background: false }], { background: true }).all())
      if (outcome.ok) told.push(outcome.result.toString());
    for (const outcome of await client.tasks(plain).all())
      if (outcome.ok) told.push(outcome.receipt === null ? outcome.result : outcome.receipt.server);
    expect(told.map(String)).toEqual(["done", server, server, "done", "done", server]);
  });

  test("is typed by what may be, where requests say it while they run", () => {
    expectTypeOf<TaskOutcome<{ name: string }, true>>().toEqualTypeOf<
      QueuedTask<{ name: string }> | FailedTask<{ name: string }>
    >();
    expectTypeOf<InBackground<{ name: string; background?: true }, false>>().toEqualTypeOf<boolean>();
    expectTypeOf<InBackground<{ name: string; background: boolean }, false>>().toEqualTypeOf<boolean>();
    expectTypeOf<InBackground<{ name: string; background: true }, false>>().toEqualTypeOf<true>();
    expectTypeOf<InBackground<{ name: string }, false>>().toEqualTypeOf<false>();
    expectTypeOf<InBackground<TaskRequest>>().toEqualTypeOf<boolean>();
  });
});

describe("a set", () => {
  test("gives results as they come, and with all() in the order of the requests", async () => {
    const server = await embedded();
    const waiting: (() => void)[] = [];
    await worker(server, "f", async (job) => {
      // The first job is done last.
      if (job.payload.toString() === "0") await new Promise<void>((resolve) => waiting.push(resolve));
      else if (job.payload.toString() === "2") waiting.pop()?.();
      return `r${job.payload.toString()}`;
    });
    const requests = [0, 1, 2].map((index) => ({ name: "f", payload: String(index) }));
    const client = clientOf([server]);
    const seen: TaskOutcome[] = [];
    for await (const outcome of client.tasks(requests, { maxInFlight: 3 })) seen.push(outcome);
    expect(seen.map(({ index }) => index)).toEqual([1, 2, 0]);
    expect(seen[2]).toEqual({ index: 0, request: requests[0], ok: true, result: Buffer.from("r0"), receipt: null });
    expect((await client.tasks(requests).all()).map(resultOf)).toEqual(["r0", "r1", "r2"]);
  });

  test("has an outcome for every job: failed, refused before it is sent, or with a receipt", async () => {
    const server = await embedded();
    await worker(server, "bad", () => {
      throw new Error("no paper");
    });
    const outcomes = await clientOf([server])
      .tasks([{ name: "bad" }, { name: "" }, { name: "later", background: true }])
      .all();
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([false, false, true]);
    expect(outcomes.map(resultOf)).toEqual(["WORKER_FAILED", "ARGUMENT", null]);
    expect(outcomes[2]).toMatchObject({ receipt: { server, handle: expect.stringMatching(/^H:/) } });
  });

  test("refuses a combination that makes no sense as the outcome of that job", async () => {
    const server = await embedded();
    const [outcome] = await clientOf([server])
      .tasks([{ name: "f", at: new Date() }])
      .all();
    expect(outcome).toMatchObject({
      ok: false,
      error: { kind: "ARGUMENT", message: expect.stringContaining("submitBackground") },
    });
  });

  test("takes async iterables", async () => {
    const server = await embedded();
    await worker(server, "f", (job) => job.payload);
    async function* lines() {
      for (const text of ["a", "b", "c"]) {
        await new Promise((resolve) => setImmediate(resolve));
        yield { name: "f", payload: text };
      }
    }
    expect((await clientOf([server]).tasks(lines()).all()).map(resultOf)).toEqual(["a", "b", "c"]);
  });

  test("is over at once when there are no requests", async () => {
    expect(await clientOf(["127.0.0.1:1"]).tasks([]).all()).toEqual([]);
  });

  test("tells a job's progress to the job's own listener, and a listener that throws fails that job only", async () => {
    const server = await embedded();
    await worker(server, "f", (job) => {
      job.sendStatus(1, 2);
      return "done";
    });
    const seen: number[] = [];
    const outcomes = await clientOf([server])
      .tasks([
        { name: "f", onStatus: (numerator: number, denominator: number) => void seen.push(numerator, denominator) },
        {
          name: "f",
          onStatus: () => {
            throw new Error("mine");
          },
        },
      ])
      .all();
    expect(seen).toEqual([1, 2]);
    expect(outcomes.map(resultOf)).toEqual(["done", "STATE"]);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses maxInFlight %d", (maxInFlight) => {
    expect(() => clientOf(["127.0.0.1:1"]).tasks([], { maxInFlight })).toThrow("must be a whole number from 1");
  });

  test("is read once", async () => {
    const tasks = clientOf(["127.0.0.1:1"]).tasks([]);
    await tasks.all();
    await expectFailure(tasks.all(), "STATE", "the outcomes of these tasks are being read already");
  });
});

describe.each(["foreground", "background"] as const)("jobs in the %s", (mode) => {
  const background = mode === "background";

  test("are never more in flight than allowed", async () => {
    const held: (() => void)[] = [];
    let most = 0;
    const answering = accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, ""));
    const server = await fake({
      packet(packet, peer) {
        if (!packet.name.startsWith("SUBMIT_")) return;
        held.push(() => answering.packet?.(packet, peer));
        most = Math.max(most, held.length);
      },
    });
    const all = clientOf([server.server]).tasks(source(10).requests, { background, maxInFlight: 3 }).all();
    for (let answered = 0; answered < 10; answered++) {
      await until(() => held.length === Math.min(3, 10 - answered));
      held.shift()!();
    }
    expect((await all).length).toBe(10);
    expect(most).toBe(3);
  });

  test("wait for a slow reader: no more are submitted than it has read, and those in flight", async () => {
    const server = await fake(accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, "")));
    const client = clientOf([server.server]);
    const { state, requests } = source(1000);
    const outcomes = client.tasks(requests, { background, maxInFlight: 5 })[Symbol.asyncIterator]();
    for (let read = 1; read <= 20; read++) {
      expect((await outcomes.next()).done).toBe(false);
      await until(() => client.metrics().completed === read + 5);
      expect(state.taken).toBeLessThanOrEqual(read + 5);
    }
    await outcomes.return?.();
    expect(state.isLeft).toBe(true);
  });

  test("are called off when the loop is left, and the client goes on", async () => {
    const server = await fake(
      accepting((handle, { args }, peer) => String(args.payload) === "0" && peer.send("WORK_COMPLETE", handle, "")),
    );
    const client = clientOf([server.server]);
    const { state, requests } = source(100, (index) => ({ name: "f", payload: String(index) }));
    for await (const outcome of client.tasks(requests, { background, maxInFlight: 10 })) {
      expect(outcome.index).toBe(0);
      break;
    }
    expect(state.isLeft).toBe(true);
    await until(() => client.metrics().inFlight === 0);
    const { submitted, completed, aborted } = client.metrics();
    expect(submitted).toBe(completed + aborted);
  });

  test("fail with ABORTED when the signal fires, each with its outcome, before the loop throws", async () => {
    const server = await fake({});
    const client = clientOf([server.server]);
    const { state, requests } = source(100);
    const abort = new AbortController();
    const outcomes: TaskOutcome[] = [];
    const loop = (async () => {
      for await (const outcome of client.tasks(requests, { background, maxInFlight: 4, signal: abort.signal }))
        outcomes.push(outcome);
    })();
    await until(() => server.names.filter((name) => name.startsWith("SUBMIT")).length === 4);
    abort.abort(new Error("enough"));
    const error = await failureOf(loop);
    expect([error.kind, error.message]).toEqual(["ABORTED", "the tasks were called off"]);
    expect(error.cause).toEqual(new Error("enough"));
    expect(outcomes.map(resultOf)).toEqual(["ABORTED", "ABORTED", "ABORTED", "ABORTED"]);
    expect(state).toEqual({ taken: 4, isLeft: true });
  });

  test("fail with TIMEOUT when the set's time is over, and so does all()", async () => {
    const server = await fake({});
    const tasks = clientOf([server.server]).tasks([{ name: "f" }, { name: "f" }], { background, timeoutMs: 50 });
    await expectFailure(tasks.all(), "TIMEOUT", "the tasks were not done within 50 ms");
  });

  test("have the client's time-out each, and the set goes on with the next", async () => {
    const server = await fake({});
    const client = clientOf([server.server], { timeoutMs: 60 });
    await client.echo("");
    const outcomes = await client.tasks([{ name: "f" }, { name: "g" }], { background, maxInFlight: 1 }).all();
    expect(outcomes.map(resultOf)).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(outcomes[0]).toMatchObject({ error: { message: "no answer from f within 60 ms" } });
  });

  test("fail with CLOSED when the client is closed, and no more are taken", async () => {
    const server = await fake({});
    const client = clientOf([server.server]);
    const { state, requests } = source(100);
    const all = failureOf(client.tasks(requests, { background, maxInFlight: 2 }).all());
    await until(() => server.names.filter((name) => name.startsWith("SUBMIT")).length === 2);
    await client.close();
    expect((await all).kind).toBe("CLOSED");
    expect(state).toEqual({ taken: 2, isLeft: true });
    await expectFailure(client.tasks([{ name: "f" }]).all(), "CLOSED", "the client is closed");
  });

  test("end with the error that the requests throw, after the outcomes of those before", async () => {
    const server = await fake(accepting((handle, _, peer) => peer.send("WORK_COMPLETE", handle, "")));
    function* failing() {
      yield { name: "f" };
      throw new RangeError("no more lines");
    }
    const outcomes: TaskOutcome[] = [];
    const loop = async () => {
      for await (const outcome of clientOf([server.server]).tasks(failing(), { background })) outcomes.push(outcome);
    };
    await expect(loop()).rejects.toThrow(new RangeError("no more lines"));
    expect(outcomes.length).toBe(1);
  });

  test("that ask the set to end while it takes them are the last", async () => {
    const server = await fake({});
    const abort = new AbortController();
    function* requests() {
      yield { name: "f" };
      abort.abort();
      yield { name: "f" };
      throw new Error("must not be asked for");
    }
    const client = clientOf([server.server]);
    await client.echo("");
    await expectFailure(
      client.tasks(requests(), { background, signal: abort.signal }).all(),
      "ABORTED",
      "the tasks were called off",
    );
    expect(client.metrics()).toMatchObject({ submitted: 1, inFlight: 0 });
  });
});

describe("background sets", () => {
  test("give each job without a key one of its own, all different", async () => {
    const uniques = new Set<string>();
    const server = await fake(accepting((_, { args }) => uniques.add(args.unique.toString())));
    const outcomes = await clientOf([server.server]).tasks(source(3000).requests, { background: true }).all();
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(uniques.size).toBe(3000);
    for (const unique of uniques) expect(unique).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("go out in few large writes", async () => {
    let chunks = 0;
    const server = await fake({
      ...accepting(),
      accepted: ({ socket }) => void socket.on("data", () => chunks++),
    });
    const client = clientOf([server.server]);
    await client.echo("");
    await client.submitBackground({ name: "f" });
    chunks = 0;
    await client.tasks(source(1000).requests, { background: true }).all();
    expect(chunks).toBeLessThan(20);
  });

  test("tell of a job that was written when its connection broke as UNKNOWN_OUTCOME, and send those that were not again", async () => {
    const server = await fake({
      packet(packet, peer) {
        if (!packet.name.startsWith("SUBMIT_")) return;
        if (peer.index === 0) peer.socket.destroy();
        else peer.send("JOB_CREATED", "H:x:1");
      },
    });
    const client = clientOf([server.server], { retries: 1 });
    await client.echo("");
    const outcomes = await client.tasks(source(4).requests, { background: true, maxInFlight: 2 }).all();
    expect(outcomes.map(resultOf)).toEqual(["UNKNOWN_OUTCOME", "UNKNOWN_OUTCOME", null, null]);
    expect(outcomes[0]).toMatchObject({ error: { message: expect.stringContaining("f may or may not have been queued: ") } });
    expect(client.metrics()).toMatchObject({ submitted: 4, completed: 2, unknownOutcome: 2, inFlight: 0, resent: 0 });
  });

  test("repeat jobs that say so, under the same key", async () => {
    const uniques: string[] = [];
    const server = await fake({
      packet(packet, peer) {
        if (packet.name !== "SUBMIT_JOB_BG") return;
        uniques.push(packet.args.unique.toString());
        if (peer.index === 0) peer.socket.destroy();
        else peer.send("JOB_CREATED", "H:x:1");
      },
    });
    const client = clientOf([server.server], { retries: 1 });
    await client.echo("");
    const [outcome] = await client.tasks([{ name: "f", unique: "k", replay: true }], { background: true }).all();
    expect(outcome).toMatchObject({ ok: true, receipt: { handle: "H:x:1" } });
    expect(uniques).toEqual(["k", "k"]);
    expect(client.metrics()).toMatchObject({ submitted: 1, completed: 1, resent: 1, inFlight: 0 });
  });

  test("name the job a server refused", async () => {
    const refusing = await fake({
      packet: (packet, peer) => packet.name === "SUBMIT_JOB_BG" && peer.send("ERROR", "QUEUE_ERROR", "Job queue is full"),
    });
    const outcomes = await clientOf([refusing.server])
      .tasks([{ name: "f" }], { background: true })
      .all();
    expect(outcomes[0]).toMatchObject({
      ok: false,
      error: { kind: "SERVER", message: `${refusing.server} refused f: QUEUE_ERROR (Job queue is full)` },
    });
  });

  test("spread over several servers, and go on with the other when one is down", async () => {
    const [one, two] = [await embedded(), await embedded()];
    const down = `127.0.0.1:${await freePort()}`;
    const outcomes = await clientOf([one, down, two]).tasks(source(300).requests, { background: true }).all();
    const servers = outcomes.map((outcome) => (outcome.ok ? outcome.receipt?.server : outcome.error.message));
    expect(new Set(servers)).toEqual(new Set([one, two]));
  });

  test("leave no listener on their signal", async () => {
    const server = await embedded();
    const abort = new AbortController();
    let listeners = 0;
    const add = abort.signal.addEventListener.bind(abort.signal);
    const remove = abort.signal.removeEventListener.bind(abort.signal);
    abort.signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    abort.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await clientOf([server]).tasks(source(2000).requests, { background: true, signal: abort.signal }).all();
    expect(listeners).toBe(0);
  });
});

describe.skipIf(!hasGearmand())("against gearmand", () => {
  test("a set of 20,000 background jobs is queued completely, and drained by a set's worker", async () => {
    const gearmand = await startGearmand();
    cleanups.push(() => gearmand.stop());
    const client = clientOf([gearmand.server], { timeoutMs: 20_000 });
    const outcomes = await client.tasks(source(20_000).requests, { background: true }).all();
    expect(new Set(outcomes.map((outcome) => (outcome.ok ? outcome.receipt?.handle : outcome.error.kind))).size).toBe(20_000);
    let done = 0;
    const drained = new EventTarget();
    await worker(gearmand.server, "f", () => void (++done === 20_000 && drained.dispatchEvent(new Event("done"))), {
      concurrency: 100,
    });
    if (done < 20_000) await once(drained, "done");
    expect(client.metrics()).toMatchObject({ submitted: 20_000, accepted: 20_000, completed: 20_000, inFlight: 0 });
  });

  test("jobs in flight when it is killed have an outcome, and the set goes on when it is back", async () => {
    const gearmand = await startGearmand();
    const client = clientOf([gearmand.server], { retries: 20, timeoutMs: 20_000 });
    let again: Promise<{ stop(): Promise<void> }> | null = null;
    cleanups.push(async () => (await again)?.stop());
    const kinds = new Map<string, number>();
    for await (const outcome of client.tasks(source(5000).requests, { background: true, maxInFlight: 100 })) {
      const kind = outcome.ok ? "queued" : outcome.error.kind;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (outcome.index === 1000) again = gearmand.kill().then(() => startGearmand({ port: gearmand.port }));
    }
    expect([...kinds.keys()].filter((kind) => kind !== "queued" && kind !== "UNKNOWN_OUTCOME")).toEqual([]);
    expect((kinds.get("queued") ?? 0) + (kinds.get("UNKNOWN_OUTCOME") ?? 0)).toBe(5000);
    expect(kinds.get("UNKNOWN_OUTCOME") ?? 0).toBeLessThanOrEqual(200);
  });
});
