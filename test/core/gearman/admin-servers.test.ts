/** The administrator against servers that are real: gearmand and ours answer alike. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GearmanAdmin } from "../../../src/core/gearman/admin.ts";
import { GearmanClient } from "../../../src/core/gearman/client.ts";
import { encodePacket, PacketDecoder } from "../../../src/core/gearman/codec.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import { hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";

/** A running server of either kind. */
interface Running {
  readonly server: string;
  stop(): Promise<void>;
}

async function startOurs(): Promise<Running> {
  const server = new GearmanServer();
  const { host, port } = await server.listen();
  return { server: `${host}:${port}`, stop: () => server.close() };
}

const KINDS = [
  ["our server", startOurs, true],
  ["gearmand", startGearmand, hasGearmand()],
] as const;

for (const [name, start, isThere] of KINDS) {
  describe.skipIf(!isThere)(`with ${name}`, () => {
    let running: Running;
    let admin: GearmanAdmin;
    let client: GearmanClient;
    beforeAll(async () => {
      running = await start();
      admin = new GearmanAdmin({ server: running.server });
      client = new GearmanClient({ servers: [running.server] });
    });
    afterAll(async () => {
      await client?.close();
      await admin?.close();
      await running?.stop();
    });

    test("functions are created with their whole name, listed, and dropped", async () => {
      await admin.createFunction("whole.name");
      expect(await admin.status()).toContainEqual({ name: "whole.name", total: 0, running: 0, workers: 0 });
      await admin.dropFunction("whole.name");
      expect((await admin.status()).map((row) => row.name)).not.toContain("whole.name");
      await expect(admin.dropFunction("whole.name")).rejects.toMatchObject({ kind: "NOT_FOUND" });
    });

    test("jobs are counted by priority, listed with their uniques, and cancelled", async () => {
      for (const [priority, count] of [
        ["high", 1],
        ["normal", 2],
        ["low", 3],
      ] as const) {
        for (let i = 0; i < count; i++) await client.submitBackground({ name: "counted", priority, unique: `${priority}-${i}` });
      }
      const { handle } = await client.submitBackground({ name: "counted", unique: "." });
      expect(await admin.priorityStatus()).toContainEqual({ name: "counted", high: 1, normal: 3, low: 3, workers: 0 });
      expect((await admin.uniqueJobs()).sort()).toEqual([".", "high-0", "low-0", "low-1", "low-2", "normal-0", "normal-1"]);
      expect(await admin.jobs()).toHaveLength(7);
      expect(await admin.cancelJob(handle)).toBe(true);
      const left = (await admin.jobs()).filter((job) => handle.endsWith(job.handle) && !job.isIgnored);
      expect(left).toEqual([]);
      await expect(admin.cancelJob("H:nowhere:1")).rejects.toMatchObject({ kind: "NOT_FOUND" });
    });

    test("a limit refuses further jobs, for all priorities or for one, and needs a function that is known", async () => {
      await expect(admin.maxQueue("limited", 1)).rejects.toMatchObject({ kind: "NOT_FOUND" });
      await admin.createFunction("limited");
      const submit = (priority: "high" | "low") => client.submitBackground({ name: "limited", priority });
      await admin.maxQueue("limited", 1);
      await submit("high");
      await expect(submit("high")).rejects.toMatchObject({ kind: "SERVER" });
      await admin.maxQueue("limited", { high: 1, normal: 0, low: 2 });
      await submit("low");
      await expect(submit("high")).rejects.toMatchObject({ kind: "SERVER" });
      await admin.maxQueue("limited", 0);
      await submit("high");
    });

    test("a function in use is not dropped, and its worker is listed with all it can do", async () => {
      const worker = new GearmanWorker({ servers: [running.server], clientId: "the-worker" });
      worker.add("in.use", () => "");
      worker.add("app::used", () => "");
      worker.start();
      try {
        const connection = async () => (await admin.workers()).find(({ clientId }) => clientId === "the-worker");
        await until(async () => (await connection())?.functions.length === 2, "the worker is listed");
        expect((await connection())?.functions.toSorted()).toEqual(["app::used", "in.use"]);
        await expect(admin.dropFunction("in.use")).rejects.toMatchObject({ kind: "SERVER" });
      } finally {
        await worker.stop();
      }
    });

    test("the version, process and verbosity are told", async () => {
      expect(await admin.version()).toMatch(/^\d+\.\d+/);
      expect(await admin.pid()).toBeGreaterThan(1);
      expect(await admin.verbose()).toBe("ERROR");
    });
  });
}

test("200,000 jobs come row by row, each once", async () => {
  const running = await startOurs();
  const COUNT = 200_000;
  const [host, port] = running.server.split(":");
  const socket = connect(Number(port), host);
  try {
    const submit = Buffer.concat(encodePacket("REQ", "SUBMIT_JOB_BG", "deep", "", "payload"));
    const decoder = new PacketDecoder(undefined, "RES");
    let created = 0;
    const done = new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("data", (chunk: Buffer) => {
        for (const _ of decoder.push(chunk)) if (++created === COUNT) resolve();
      });
    });
    for (let sent = 0; sent < COUNT; sent += 1000) {
      if (!socket.write(Buffer.alloc(submit.length * 1000, submit)))
        await new Promise((resolve) => socket.once("drain", resolve));
    }
    await done;
    const admin = new GearmanAdmin({ server: running.server });
    const handles = new Set<string>();
    for await (const { handle } of admin.jobRows()) handles.add(handle);
    expect(handles.size).toBe(COUNT);
    expect(await admin.status()).toEqual([{ name: "deep", total: COUNT, running: 0, workers: 0 }]);
  } finally {
    socket.destroy();
    await running.stop();
  }
});
