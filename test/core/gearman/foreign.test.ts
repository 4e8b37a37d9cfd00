/**
 * Every client with every worker on both servers: libgearman, PHP, Perl and ours, gearmand and the embedded server.
 * Each combination must carry the same bytes, failures, events, priorities and keys.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GearmanAdmin } from "../../../src/core/gearman/admin.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { startGearmand } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";
import { SERVER_KINDS, type ServerKind } from "./faults-rig.ts";
import { runOwn, startOwnWorker } from "./foreign-own.ts";
import { FOREIGN_PEERS, type ForeignPeer, type PeerReport, runPeer, startPeerWorker } from "./foreign-peers.ts";

const OWN = {
  name: "ours",
  isInstalled: true,
  sendsEmpty: true,
  hidden: { embedded: "failed", gearmand: "failed" },
  returnsEmpty: { embedded: true, gearmand: true },
  seesUnique: true,
} as const;
const PEERS: readonly Omit<ForeignPeer, "prepare">[] = [OWN, ...FOREIGN_PEERS];

/** What every client must report of every worker. */
const CALLS: PeerReport = {
  bytes: Buffer.from(Array.from({ length: 256 }, (_, value) => 255 - value)).toString("hex"),
  large: "1048576 same",
  fail: "failed",
  steps: "data 61|status 1/2|warning 6361726566756c|data 620063|status 2/2|complete 646f6e65",
  set: Array.from({ length: 20 }, (_, index) => [...`<${index}`].reverse().join("")).join(" "),
  shared: "2 same",
  status: "queued",
};

const FUNCTIONS = ["echo", "reverse", "none", "fail", "explode", "steps", "run", "note", "notes"];

const commands = new Map<string, readonly string[]>();
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "gearman-peer-"));
  for (const { name, isInstalled, prepare } of FOREIGN_PEERS) if (isInstalled) commands.set(name, prepare(directory));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (name: string, port: number, mode: string): Promise<PeerReport> =>
  name === OWN.name ? runOwn(port, mode) : runPeer(commands.get(name)!, port, mode);

/** Starts a worker and waits until the server knows all its functions; resolves to what stops it. */
async function startWorker(name: string, port: number): Promise<() => unknown> {
  if (name === OWN.name) return startOwnWorker(port);
  const worker = startPeerWorker(commands.get(name)!, port);
  const admin = new GearmanAdmin({ server: `127.0.0.1:${port}` });
  await until(async () => {
    const known = (await admin.status()).filter(({ workers }) => workers > 0).map((row) => row.name);
    return FUNCTIONS.every((needed) => known.includes(needed));
  }, `the functions of the worker ${name}`);
  await admin.close();
  return () => worker.kill("SIGKILL");
}

async function startServer(kind: ServerKind): Promise<{ port: number; stop: () => unknown }> {
  if (kind === "gearmand") return startGearmand();
  const server = new GearmanServer();
  return { port: (await server.listen()).port, stop: () => server.close() };
}

describe.each(SERVER_KINDS)("on $kind", ({ kind, isMissing }) => {
  const family = kind === "gearmand" ? "gearmand" : "embedded";

  describe.each(PEERS)("the worker: $name", (worker) => {
    const cleanups: (() => unknown)[] = [];
    const isAbsent = isMissing || !worker.isInstalled;
    let port = 0;

    beforeAll(async () => {
      if (isAbsent) return;
      const server = await startServer(kind);
      cleanups.push(server.stop);
      port = server.port;
      for (const { name, isInstalled } of PEERS) if (isInstalled) await run(name, port, "queue");
      cleanups.push(await startWorker(worker.name, port));
    });
    afterAll(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });

    test.skipIf(isAbsent)("does what all clients have queued, NULs and all, by priority and then in order", async () => {
      const submitters = PEERS.filter(({ isInstalled }) => isInstalled).map(({ name }) => name);
      const marks: Record<string, string> = { ours: "own", libgearman: "c", PHP: "php", Perl: "perl" };
      const wanted = ["high", "normal", "low"].flatMap((priority) => submitters.map((name) => `\0${marks[name]} ${priority}`));
      const client = async () => run(OWN.name, port, "notes");
      await until(async () => (await client())["notes"]!.split(" ").length === wanted.length, "all notes");
      const notes = (await client())["notes"]!.split(" ").map((note) => Buffer.from(note, "hex").toString());
      expect(notes).toEqual(wanted);
    });

    describe.each(PEERS)("and the client: $name", (client) => {
      const testBoth = test.skipIf(isAbsent || !client.isInstalled);

      testBoth("bytes, failures, events, task sets, shared runs and status", async () => {
        const report = await run(client.name, port, "calls");
        expect(report).toMatchObject(CALLS);
        for (const [call, answer] of [
          ["high", "first"],
          ["low", "last"],
        ] as const)
          if (call in report) expect(report[call]).toBe(answer);
      });

      testBoth("the text of an exception", async () => {
        expect(await run(client.name, port, "exception")).toEqual({ exception: "boom" });
      });

      const hidden = client.hidden[family];
      if (hidden !== null)
        testBoth("an exception nobody asked for is a failure all the same", async () => {
          expect(await run(client.name, port, "hidden")).toEqual({ hidden });
        });

      if (worker.returnsEmpty[family])
        testBoth("an empty result, and an empty payload", async () => {
          expect(await run(client.name, port, "none")).toEqual({ none: "", ...(client.sendsEmpty ? { empty: "" } : {}) });
        });
    });

    if (worker.seesUnique)
      test.skipIf(isAbsent)("sees a job's key", async () => {
        expect(await run(OWN.name, port, "unique")).toEqual({ unique: "the key, ä" });
      });
  });
});
