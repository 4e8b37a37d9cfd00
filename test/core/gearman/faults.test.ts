/** Client and worker on a bad network, through a proxy of our own: nothing is lost, nothing hangs, and every failure has its right name. */
import { describe, expect, test } from "vitest";
import type { GearmanError } from "../../../src/core/gearman/errors.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import { freePort } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";
import { failure, SERVER_KINDS, useRig } from "./faults-rig.ts";

const rig = useRig();

describe.each(SERVER_KINDS)("with $kind", ({ kind, isMissing }) => {
  const testHere = test.skipIf(isMissing);

  testHere("byte by byte, jobs with data, status and warnings come through unharmed", async () => {
    const proxy = await rig.proxy(await rig.server(kind), { faults: { maxPieceBytes: 1 } });
    await rig.worker(proxy.server, {
      talk: async (job) => {
        await job.sendData(job.payload);
        await job.sendStatus(1, 2);
        await job.sendWarning("careful");
        return Buffer.from(job.payload).reverse();
      },
    });
    const payload = Buffer.from(Array.from({ length: 2000 }, (_, index) => index % 256));
    const stream = rig.client(proxy.server).start({ name: "talk", payload });
    const events: string[] = [];
    for await (const event of stream)
      events.push(event.type === "status" ? `${event.numerator}/${event.denominator}` : event.payload.toString("latin1"));
    expect(events).toEqual([payload.toString("latin1"), "1/2", "careful"]);
    expect((await stream.result).equals(Buffer.from(payload).reverse())).toBe(true);
  });

  testHere("late and in odd pieces, two hundred jobs at once each get their own result", async () => {
    const proxy = await rig.proxy(await rig.server(kind), { faults: { latencyMs: 5, jitterMs: 20, maxPieceBytes: 37 }, seed: 4 });
    await rig.worker(proxy.server, { twice: (job) => `${job.payload}${job.payload}` }, { concurrency: 10 });
    const client = rig.client(proxy.server);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => client.submit({ name: "twice", payload: `${index}.` })),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 200 }, (_, index) => `${index}.${index}.`));
  });

  testHere("an acceptance that never arrives is UNKNOWN_OUTCOME, and the job was queued once", async () => {
    const proxy = await rig.proxy(await rig.server(kind));
    const client = rig.client(proxy.server);
    await client.echo("connected");
    const [connection] = proxy.open;
    connection!.setFlow("swallow", "toClient");
    const submitted = failure(client.submitBackground({ name: "maybe", unique: "one" }));
    const { toClient } = connection!.bytes;
    await until(() => connection!.bytes.toClient > toClient);
    connection!.reset();
    expect(await submitted).toMatchObject({ kind: "UNKNOWN_OUTCOME" });
    await client.submitBackground({ name: "maybe", unique: "one" });
    let runs = 0;
    const worker = await rig.worker(proxy.server, { maybe: () => void runs++, after: () => "" });
    await client.submit({ name: "maybe", unique: "two" });
    await worker.stop();
    expect(runs).toBe(2);
  });

  testHere.each(["drop", "reset"] as const)(
    "a foreground job whose connection is cut (%s) fails with IO at once, and the next call works",
    async (cut) => {
      const port = await rig.server(kind);
      const proxy = await rig.proxy(port);
      const began: string[] = [];
      await rig.worker(`127.0.0.1:${port}`, {
        stuck: (job) => {
          began.push(job.handle);
          return new Promise((_, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason)));
        },
      });
      const client = rig.client(proxy.server);
      const job = failure(client.submit({ name: "stuck" }));
      await until(() => began.length === 1);
      await client.echo("the acceptance is here as well");
      const cutAt = performance.now();
      proxy.open[0]![cut]();
      const error = await job;
      expect(error).toMatchObject({ kind: "IO", message: expect.stringContaining("stuck did not finish") });
      expect(performance.now() - cutAt).toBeLessThan(1000);
      expect(String(await client.echo("again"))).toBe("again");
    },
  );

  testHere("a line that died without a goodbye costs one timeout, then a new connection is used", async () => {
    const proxy = await rig.proxy(await rig.server(kind));
    const client = rig.client(proxy.server);
    await client.echo("connected");
    proxy.open[0]!.setFlow("swallow");
    expect(await failure(client.submitBackground({ name: "void", timeoutMs: 200 }))).toMatchObject({ kind: "TIMEOUT" });
    expect(String(await client.echo("through", { timeoutMs: 2000 }))).toBe("through");
    expect(proxy.accepted).toBe(2);
  });

  testHere("a worker leaves a line that died without a goodbye, and takes jobs over a new one", async () => {
    const port = await rig.server(kind);
    const proxy = await rig.proxy(port);
    const losses: string[] = [];
    await rig.worker(
      proxy.server,
      { up: (job) => String(job.payload).toUpperCase() },
      { regrabMs: 50, onEvent: (event) => event.type === "lost" && losses.push(event.reason.message) },
    );
    const client = rig.client(`127.0.0.1:${port}`);
    expect(String(await client.submit({ name: "up", payload: "a" }))).toBe("A");
    const [dead] = proxy.open;
    dead!.setFlow("swallow");
    await until(() => proxy.accepted === 2);
    expect(losses).toEqual([expect.stringContaining("no sign of life")]);
    expect(dead!.isOpen).toBe(true); // nobody told the server
    expect(String(await client.submit({ name: "up", payload: "b" }))).toBe("B");
  });

  testHere("a job whose worker is cut off runs again on another worker, and its caller gets one result", async () => {
    const port = await rig.server(kind);
    const proxy = await rig.proxy(port);
    const signals: string[] = [];
    await rig.worker(proxy.server, {
      work: (job) =>
        new Promise((_, reject) => {
          job.signal.addEventListener("abort", () => reject(job.signal.reason));
          signals.push("began");
          job.signal.addEventListener("abort", () => signals.push("called off"));
        }),
    });
    const answer = rig.client(`127.0.0.1:${port}`).submit({ name: "work", payload: "x" });
    await until(() => signals.length === 1);
    await rig.worker(`127.0.0.1:${port}`, { work: (job) => `done ${job.payload}` });
    proxy.open[0]!.reset();
    expect(String(await answer)).toBe("done x");
    await until(() => signals.length === 2);
  });

  testHere("a stop over a slow line takes its time: the results under way arrive, and the queued job is another's", async () => {
    const port = await rig.server(kind);
    const proxy = await rig.proxy(port, { faults: { latencyMs: 60, jitterMs: 40 } });
    const held: (() => void)[] = [];
    const first = await rig.worker(
      proxy.server,
      {
        slow: async (job) => {
          await new Promise<void>((resolve) => held.push(resolve));
          return `first ${job.payload}`;
        },
      },
      { concurrency: 2 },
    );
    const client = rig.client(`127.0.0.1:${port}`);
    const answers = ["a", "b", "c"].map((payload) => client.submit({ name: "slow", payload }));
    await until(() => held.length === 2);
    const stopped = first.stop();
    for (const release of held) release();
    await stopped;
    await rig.worker(`127.0.0.1:${port}`, { slow: (job) => `second ${job.payload}` });
    expect((await Promise.all(answers)).map(String)).toEqual(["first a", "first b", "second c"]);
    await until(() => proxy.open.length === 0);
  });

  testHere(
    "two thousand foreground jobs while lines are cut: each ends once, with its result or a reason that says so",
    async () => {
      const port = await rig.server(kind);
      const proxy = await rig.proxy(port, { seed: 11 });
      let runs = 0;
      const work = (job: GearmanJob) => {
        if (++runs % 100 === 0) proxy.pick()?.[runs % 200 === 0 ? "reset" : "drop"]();
        return `${job.payload}!`;
      };
      await rig.worker(proxy.server, { work }, { concurrency: 10 });
      await rig.worker(`127.0.0.1:${port}`, { work }); // of two workers one is always there
      const client = rig.client(proxy.server);
      const kinds = new Map<string, number>();
      const wrong: string[] = [];
      let next = 0;
      const callers = Array.from({ length: 32 }, async () => {
        while (next < 2000) {
          const payload = `${next++}`;
          const outcome = await client.submit({ name: "work", payload }).then(String, (error: GearmanError) => error);
          const what = typeof outcome === "string" ? "result" : outcome.kind;
          if (what === "result" && outcome !== `${payload}!`) wrong.push(`${payload}: ${outcome}`);
          kinds.set(what, (kinds.get(what) ?? 0) + 1);
        }
      });
      await Promise.all(callers);
      expect(wrong).toEqual([]);
      expect([...kinds.keys()].filter((what) => !["result", "IO", "UNKNOWN_OUTCOME"].includes(what))).toEqual([]);
      expect([...kinds.values()].reduce((sum, count) => sum + count, 0)).toBe(2000);
      expect(kinds.get("result")).toBeGreaterThan(1000);
      expect(proxy.accepted).toBeGreaterThan(10);
    },
  );

  testHere("a server that reads nothing for a while only delays: all of 40 MB arrives", async () => {
    const port = await rig.server(kind);
    const proxy = await rig.proxy(port);
    await rig.worker(`127.0.0.1:${port}`, { size: (job) => String(job.payload.length) }, { concurrency: 4 });
    const client = rig.client(proxy.server);
    await client.echo("connected");
    proxy.open[0]!.setFlow("hold", "toServer");
    const sizes = [1, 2, 3, 4].map((part) => client.submit({ name: "size", payload: Buffer.alloc(part * 4_000_000, part) }));
    let answers = 0;
    for (const size of sizes) void size.then(() => answers++);
    await new Promise((resolve) => setTimeout(resolve, 100)); // holds the line for a while, on purpose
    expect(answers).toBe(0);
    proxy.open[0]!.setFlow("forward");
    expect((await Promise.all(sizes)).map(String)).toEqual(["4000000", "8000000", "12000000", "16000000"]);
  });
});

test("nobody listening behind the line: an error that names the server, in bounded time", async () => {
  const proxy = await rig.proxy(await freePort());
  const error = await failure(rig.client(proxy.server, { retries: 1, timeoutMs: 3000 }).submitBackground({ name: "f" }));
  expect(["IO", "UNKNOWN_OUTCOME"]).toContain(error.kind);
  expect(error.message).toContain(proxy.server);
});
