/** Job servers that are killed, come back, or stay away: what happens to jobs queued, held, waited for and being submitted. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GearmanClient } from "../../../src/core/gearman/client.ts";
import type { GearmanError } from "../../../src/core/gearman/errors.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import { hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";
import { runFixture } from "./faults-process.ts";
import { failure, SERVER_KINDS, useRig } from "./faults-rig.ts";

const rig = useRig();

/** A handler that holds its jobs until the worker calls them off. */
const holds = (began: (job: GearmanJob) => void) => (job: GearmanJob) => {
  began(job);
  return new Promise<never>((_, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason)));
};

/** A file on a memory file system: gearmand commits each job, which a disk makes slow. */
function queueFile(): string {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "gearman-queue-"));
  rig.onEnd(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "queue.sqlite");
}

describe.skipIf(!hasGearmand())("a gearmand that stores its jobs", () => {
  test.each(["stop", "kill"] as const)(
    "keeps our client's background jobs over a %s: bytes, keys and priorities",
    async (end) => {
      const args = ["--queue-type", "libsqlite3", "--libsqlite3-db", queueFile()];
      const first = await rig.gearmand({ args });
      const client = rig.client(first.server);
      const payloads = Array.from({ length: 40 }, (_, index) => Buffer.from([0, index, 0, 255, 10, 13, 0]));
      for (const [index, payload] of payloads.entries()) {
        const priority = (["low", "normal", "high"] as const)[index % 3]!;
        await client.submitBackground({ name: "stored", payload, priority, ...(index < 20 ? { unique: `key-${index}` } : {}) });
      }
      await first[end]();
      await rig.gearmand({ port: first.port, args });
      const jobs: GearmanJob[] = [];
      await rig.worker(first.server, { stored: (job) => void jobs.push(job) });
      await until(() => jobs.length === 40);
      const numbers = jobs.map(({ payload }) => payload[1]!);
      expect(numbers.map((number) => number % 3)).toEqual([...Array(13).fill(2), ...Array(13).fill(1), ...Array(14).fill(0)]);
      expect(jobs.every(({ payload }) => payload.equals(payloads[payload[1]!]!))).toBe(true);
      expect(jobs.filter(({ unique }) => unique.startsWith("key-")).map(({ unique }) => unique)).toHaveLength(20);
      expect(new Set(jobs.map(({ unique }) => unique)).size).toBe(40);
      // The same client finds the server again.
      expect(String(await client.echo("back"))).toBe("back");
    },
  );

  test("runs again what was held when it was killed", async () => {
    const args = ["--queue-type", "libsqlite3", "--libsqlite3-db", queueFile()];
    const first = await rig.gearmand({ args });
    const runs: string[] = [];
    let isSecond = false;
    const hold = holds(() => undefined);
    await rig.worker(
      first.server,
      {
        held: (job) => {
          runs.push(String(job.payload));
          return isSecond ? undefined : hold(job);
        },
      },
      { concurrency: 3 },
    );
    const client = rig.client(first.server);
    for (const payload of ["a", "b", "c"]) await client.submitBackground({ name: "held", payload });
    await until(() => runs.length === 3);
    isSecond = true;
    await first.kill();
    await rig.gearmand({ port: first.port, args });
    await until(() => runs.length === 6);
    expect(runs.slice(3).sort()).toEqual(["a", "b", "c"]);
    const admin = rig.admin(first.port);
    await until(async () => (await admin.status()).every(({ total }) => total === 0));
  });
});

describe.skipIf(!hasGearmand())("foreground jobs, when gearmand is killed", () => {
  test("all fail in bounded time: IO when accepted, UNKNOWN_OUTCOME when that is not known", async () => {
    const gearmand = await rig.gearmand();
    let held = 0;
    await rig.worker(gearmand.server, { stuck: holds(() => held++) }, { concurrency: 16 });
    const client = rig.client(gearmand.server, { timeoutMs: 30_000 });
    const accepted: string[] = [];
    const running = Array.from({ length: 50 }, () =>
      failure(client.submit({ name: "stuck", onCreated: ({ handle }) => void accepted.push(handle) })),
    );
    await until(() => held === 16 && accepted.length === 50);
    const killed = gearmand.kill();
    const killedAt = performance.now();
    const submitting = Array.from({ length: 50 }, () => failure(client.submit({ name: "stuck" })));
    const errors = await Promise.all([...running, ...submitting]);
    expect(performance.now() - killedAt).toBeLessThan(3000);
    await killed;
    const kinds = (some: readonly GearmanError[]) => new Set(some.map(({ kind }) => kind));
    expect(kinds(errors.slice(0, 50))).toEqual(new Set(["IO"]));
    expect(errors.slice(0, 50).every(({ message }) => /^stuck did not finish: .+ \(job H:.+\)$/.test(message))).toBe(true);
    expect([...kinds(errors.slice(50))].filter((kind) => kind !== "IO" && kind !== "UNKNOWN_OUTCOME")).toEqual([]);
    // With nobody there, the next call says so, after its retries.
    const next = await failure(client.submit({ name: "stuck" }));
    expect(next).toMatchObject({ kind: "IO", message: expect.stringContaining("connection refused") });
  });
});

describe.each(SERVER_KINDS)("a worker process killed in the middle of jobs, with $kind", ({ kind, isMissing }) => {
  test.skipIf(isMissing)("all its jobs are done by another, and their callers never know", async () => {
    const server = `127.0.0.1:${await rig.server(kind)}`;
    const doomed = runFixture("worker-process.ts", [server, "shared", "5"]);
    rig.onEnd(() => doomed.kill());
    const client = rig.client(server);
    const payloads = ["1", "2", "3", "4", "5"];
    const answers = payloads.map((payload) => client.submit({ name: "shared", payload }));
    const { handle } = await client.submitBackground({ name: "other.background", payload: "6" });
    expect((await Promise.all(payloads.map(() => doomed.message()))).sort()).toEqual(payloads);
    const elsewhere: string[] = [];
    await rig.worker(server, {
      shared: (job) => `done ${job.payload}`,
      "other.background": (job) => void elsewhere.push(String(job.payload)),
    });
    await until(async () => elsewhere.length === 1 && !(await client.status(handle)).known);
    await doomed.kill();
    expect((await Promise.all(answers)).map(String)).toEqual(payloads.map((payload) => `done ${payload}`));
  });
});

describe.skipIf(!hasGearmand())("two gearmands", () => {
  test("one is killed: the other does all, keys meet, and the killed one is used again when it is back", async () => {
    const [one, two] = [await rig.gearmand(), await rig.gearmand()];
    const servers = [one.server, two.server];
    const runs: string[] = [];
    const accepted = new Map<string, number>();
    const events: string[] = [];
    const worker = await rig.worker(
      servers,
      {
        up: (job) => String(job.payload).toUpperCase(),
        once: async (job) => {
          runs.push(job.unique);
          await until(() => accepted.get(job.unique) === 2, `both callers of ${job.unique}`);
          return `${job.server} ${job.unique}`;
        },
      },
      { concurrency: 10, onEvent: ({ type }) => void events.push(type) },
    );
    await until(() => worker.connectedServers.length === 2);
    const [client, other] = [rig.client(servers), rig.client([...servers].reverse())];
    const bySpread = async () => {
      const receipts = await Promise.all(Array.from({ length: 20 }, () => client.submitBackground({ name: "up" })));
      return new Set(receipts.map(({ server }) => server));
    };
    const keysMeet = async (from: number) => {
      const keys = Array.from({ length: 24 }, (_, index) => `key-${from + index}`);
      const submit = (caller: GearmanClient, unique: string) =>
        caller.submit({ name: "once", unique, onCreated: () => void accepted.set(unique, (accepted.get(unique) ?? 0) + 1) });
      const answers = await Promise.all(
        keys.map((unique) => Promise.all([client, other].map((caller) => submit(caller, unique)))),
      );
      for (const [first, second] of answers) expect(String(first)).toBe(String(second));
      expect(runs.splice(0).sort()).toEqual(keys.sort());
      return new Set(answers.map(([answer]) => String(answer).split(" ")[0]));
    };
    expect(await bySpread()).toEqual(new Set(servers));
    expect(await keysMeet(100)).toEqual(new Set(servers));

    await two.kill();
    await until(() => worker.connectedServers.length === 1);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => client.submit({ name: "up", payload: `a${index}` })),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 50 }, (_, index) => `A${index}`));
    expect(await bySpread()).toEqual(new Set([one.server]));
    expect(await keysMeet(200)).toEqual(new Set([one.server]));

    const back = await startGearmand({ port: two.port });
    rig.onEnd(() => back.stop());
    await until(() => worker.connectedServers.length === 2);
    await until(async () => (await bySpread()).size === 2);
    await until(() => [client, other].every((caller) => caller.servers().every(({ isAvoided }) => !isAvoided)));
    expect(await keysMeet(300)).toEqual(new Set(servers));
    expect(events.filter((type) => type === "lost")).toEqual(["lost"]);
  });
});
