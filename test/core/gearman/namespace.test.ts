/** The namespace: environments share servers, and programs see none of it. */
import { describe, expect, test } from "vitest";
import { GearmanClient, type GearmanClientOptions } from "../../../src/core/gearman/client.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import { failure, SERVER_KINDS, useRig } from "./faults-rig.ts";

const rig = useRig();

function clientOf(port: number, options: GearmanClientOptions = {}): GearmanClient {
  return rig.client(`127.0.0.1:${port}`, options);
}

describe.each(SERVER_KINDS)("on $kind", ({ kind, isMissing }) => {
  test.skipIf(isMissing)("workers of two namespaces and of none get only their own jobs, under the names they know", async () => {
    const port = await rig.server(kind);
    const server = `127.0.0.1:${port}`;
    for (const namespace of ["", "a.", "ü:"])
      await rig.worker(server, { who: (job) => `${namespace}|${job.name}|${job.payload}` }, { namespace });
    const answers = ["", "a.", "ü:"].map(async (namespace) =>
      String(await clientOf(port, { namespace }).submit({ name: "who", payload: "x" })),
    );
    expect(await Promise.all(answers)).toEqual(["|who|x", "a.|who|x", "ü:|who|x"]);
    expect(String(await clientOf(port).submit({ name: "a.who", payload: "y" }))).toBe("a.|who|y");
    const names = (await rig.admin(port).status()).map(({ name }) => name);
    expect(names.sort()).toEqual(["a.who", "who", "ü:who"]);
  });

  test.skipIf(isMissing)("holds for background jobs, streams, task sets and reducers", async () => {
    const port = await rig.server(kind);
    const client = clientOf(port, { namespace: "n." });
    await client.submitBackground({ name: "later" });
    await client.submitBackground({ name: "map", reducer: "join" });
    const names = (await rig.admin(port).status()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["n.later", "n.map"]));
    await rig.worker(`127.0.0.1:${port}`, { f: (job) => job.payload }, { namespace: "n." });
    const stream = client.start({ name: "f", payload: "s" });
    expect(String(await stream.result)).toBe("s");
    const outcomes = await client.tasks([{ name: "f", payload: "t" }]).all();
    expect(outcomes).toMatchObject([{ ok: true }]);
  });

  test.skipIf(isMissing)("of functions added to a running worker, by handler and by hand, is as that of the others", async () => {
    const port = await rig.server(kind);
    const worker = await rig.worker(`127.0.0.1:${port}`, { f: () => "1" }, { namespace: "n." });
    worker.add("g", (job) => job.name);
    worker.add("h");
    const client = clientOf(port, { namespace: "n." });
    expect(String(await client.submit({ name: "g" }))).toBe("g");
    const byHand = client.submit({ name: "h" });
    const job = await worker.next();
    expect(job?.name).toBe("h");
    job?.complete("done");
    expect(String(await byHand)).toBe("done");
  });
});

describe("messages", () => {
  test("name functions as programs do", async () => {
    const port = await rig.server("the embedded server");
    await rig.worker(`127.0.0.1:${port}`, { f: () => Promise.reject(new Error("no luck")) }, { namespace: "n." });
    const error = await failure(clientOf(port, { namespace: "n." }).submit({ name: "f" }));
    expect(error.message).toMatch(/^f failed: no luck \(job H:/);
  });
});

describe("refused is", () => {
  test.each(["a b", "x\n", "x".repeat(65), "\ud800"])("the namespace %j", (namespace) => {
    const refusal = expect.objectContaining({
      kind: "CONFIG",
      message: expect.stringContaining("namespace must be a text of at most 64 bytes"),
    });
    expect(() => new GearmanClient({ namespace })).toThrow(refusal);
    expect(() => new GearmanWorker({ namespace })).toThrow(refusal);
  });

  test("a name that is too long only with it, and a reducer", async () => {
    const client = rig.client("127.0.0.1:1", { namespace: "n." });
    const refusal = { kind: "ARGUMENT", message: expect.stringContaining("513 bytes") };
    await expect(client.submit({ name: "x".repeat(511) })).rejects.toMatchObject(refusal);
    expect(() => new GearmanWorker({ namespace: "n." }).add("x".repeat(511))).toThrow(expect.objectContaining(refusal));
    await expect(client.submit({ name: "x", reducer: "r".repeat(62) })).rejects.toMatchObject({ kind: "ARGUMENT" });
  });
});
