/** The questions of the comparison: each answered by processes of one library and a real gearmand, each in bounded time. */
import { setTimeout as sleep } from "node:timers/promises";
import { GearmanAdmin, GearmanClient } from "../../../src/core/gearman/index.ts";
import { freePort, type Gearmand, startGearmand } from "../../helpers/gearmand.ts";
import type { Library } from "./libraries.ts";
import { type Peer, runPeer, shortened, startPeer } from "./peer-process.ts";

/** How long a library may take to go on after an outage, and to report one, in milliseconds. */
const RECOVERY_MS = 10_000;
/** How long the server is away in an outage, in milliseconds. */
const AWAY_MS = 1000;
/** How long a worker may take to register, in milliseconds. */
const READY_MS = 10_000;
const PAYLOAD_BYTES = 100;
const MEGABYTE = 1_000_000;

/** What was found about one library, by the title of its column. */
export type Findings = Record<string, string>;

/** A gearmand for the time of a probe. */
async function withServer<Result>(probe: (gearmand: Gearmand) => Promise<Result>): Promise<Result> {
  const gearmand = await startGearmand();
  try {
    return await probe(gearmand);
  } finally {
    await gearmand.stop();
  }
}

/** A worker of a library for the time of a probe that needs one. */
async function withWorker<Result>(
  library: Library,
  port: number,
  probe: (worker: Peer) => Promise<Result>,
): Promise<Result | string> {
  const worker = startPeer(library, "work", port);
  try {
    const isReady = await hasWorker(port, worker);
    return isReady ? await probe(worker) : (worker.ending() ?? `worker not registered within ${READY_MS / 1000} s`);
  } finally {
    await worker.stop();
  }
}

/** Whether a worker registered in time; nothing tells a foreign worker's registration, so the server is asked. */
async function hasWorker(port: number, worker: Peer): Promise<boolean> {
  const admin = new GearmanAdmin({ server: `127.0.0.1:${port}` });
  try {
    for (const endsAt = performance.now() + READY_MS; performance.now() < endsAt && worker.ending() === null; await sleep(20)) {
      const workers = (await admin.status()).filter((row) => ["echo", "fail"].includes(row.name) && row.workers > 0);
      if (workers.length === 2) return true;
    }
    return false;
  } finally {
    await admin.close();
  }
}

/** One round's jobs a second, or what went wrong. */
const rate = (library: Library, port: number, kind: string, lanes: number, bytes: number): Promise<string> =>
  runPeer(library, "rate", port, [kind, lanes, bytes]);

/** The medians of several rounds; a round that failed is told in their place. */
export function medians(rounds: readonly Findings[]): Findings {
  const columns = Object.keys(rounds[0] ?? {}).map((column): [string, string] => {
    const texts = rounds.map((round) => round[column] ?? "");
    const failed = texts.find((text) => !(Number(text) > 0));
    if (failed !== undefined) return [column, failed === "none" ? "acceptance is not told" : failed];
    const middle = texts.map(Number).toSorted((a, b) => a - b)[Math.floor(texts.length / 2)]!;
    return [column, middle >= 100 ? Math.round(middle).toLocaleString("en") : middle.toFixed(1)];
  });
  return Object.fromEntries(columns);
}

/** One round of speed: the library at both ends, and the client with our worker. */
export async function speed(library: Library, ours: Library): Promise<Findings> {
  return withServer(async ({ port }) => {
    const at = (worker: Library, lanes: number, bytes: number) =>
      withWorker(worker, port, () => rate(library, port, "foreground", lanes, bytes));
    return {
      "foreground, one at a time, jobs/s": await at(library, 1, PAYLOAD_BYTES),
      "foreground, 64 at once, jobs/s": await at(library, 64, PAYLOAD_BYTES),
      "the same, our worker, jobs/s": await at(ours, 64, PAYLOAD_BYTES),
      "background, 64 at once, jobs/s": await rate(library, port, "background", 64, PAYLOAD_BYTES),
      "1 MB there and back, one at a time, MB/s": await at(library, 1, MEGABYTE),
    };
  });
}

/** What the library does as a client. */
export async function asClient(library: Library, ours: Library): Promise<Findings> {
  const once = (role: string) => withServer(({ port }) => withWorker(ours, port, () => runPeer(library, role, port)));
  return {
    "256 byte values there and back": await once("bytes"),
    "told of a failed job": await once("fail"),
    "server killed, back after 1 s": await clientOutage(library, ours),
    "no server there": await runPeer(library, "echo", await freePort(), [], RECOVERY_MS),
    "unique key of a background job": await withServer((gearmand) => uniqueOf(library, gearmand)),
  };
}

/** What the library does as a worker, seen from our client. */
export async function asWorker(library: Library): Promise<Findings> {
  const once = (probe: (client: GearmanClient) => Promise<string>) =>
    withServer(({ port, server }) =>
      withWorker(library, port, async () => {
        const client = new GearmanClient({ servers: [server], timeoutMs: RECOVERY_MS });
        try {
          return await probe(client);
        } catch (error) {
          return shortened(error instanceof Error ? error.message : String(error));
        } finally {
          await client.close();
        }
      }),
    );
  return {
    "256 byte values there and back": await once(exactBytes),
    "what the client hears of a failed job": await once(async (client) => `done: ${await client.submit({ name: "fail" })}`),
    "server killed, back after 1 s": await workerOutage(library),
  };
}

async function exactBytes(client: GearmanClient): Promise<string> {
  const payload = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  return Buffer.compare(payload, await client.submit({ name: "echo", payload })) === 0 ? "exact" : "corrupted";
}

async function uniqueOf(library: Library, { port, server }: Gearmand): Promise<string> {
  const told = await runPeer(library, "queue", port, [], RECOVERY_MS);
  const admin = new GearmanAdmin({ server });
  try {
    const [row] = await admin.jobs();
    if (!row) return told === "none" ? "acceptance is not told" : told;
    const [unique = ""] = await admin.uniqueJobs();
    return unique === "" ? "none" : `set, ${unique.length} characters`;
  } finally {
    await admin.close();
  }
}

/** Kills a server with SIGKILL, and starts one on its port again. */
async function replaced(gearmand: Gearmand): Promise<Gearmand> {
  await gearmand.kill();
  await sleep(AWAY_MS);
  return startGearmand({ port: gearmand.port });
}

const seconds = (since: number): string => `goes on after ${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Whether a client that submits one job after another gets results again. */
async function clientOutage(library: Library, ours: Library): Promise<string> {
  const first = await startGearmand();
  let second: Gearmand | undefined;
  const client = startPeer(library, "outage", first.port);
  try {
    const before = await withWorker(ours, first.port, async () => (await client.next(RECOVERY_MS)) ?? "no answer");
    if (before !== "ok") return shortened(`before the outage: ${before}`);
    second = await replaced(first);
    return await withWorker(ours, second.port, () => recovery(client));
  } finally {
    await client.stop();
    await first.kill();
    await second?.stop();
  }
}

/** What a client tells after an outage, until a job succeeds or the time is over. What it told before does not count. */
async function recovery(client: Peer): Promise<string> {
  while ((await client.next(0)) !== null);
  const start = performance.now();
  let last = "nothing";
  while (performance.now() - start < RECOVERY_MS) {
    const told = await client.next(RECOVERY_MS - (performance.now() - start));
    if (told === "ok") return seconds(start);
    if (told === null) break;
    last = told;
  }
  return shortened(client.ending() ?? `not within ${RECOVERY_MS / 1000} s; told: ${last}`);
}

/** Whether a worker does jobs again, without help. */
async function workerOutage(library: Library): Promise<string> {
  const first = await startGearmand();
  let second: Gearmand | undefined;
  try {
    return await withWorker(library, first.port, async (worker) => {
      second = await replaced(first);
      const start = performance.now();
      const client = new GearmanClient({ servers: [second.server], timeoutMs: RECOVERY_MS });
      try {
        const done = client.submit({ name: "echo", payload: "x" }).then(
          () => seconds(start),
          () => null,
        );
        const result = await Promise.race([done, worker.gone.then(() => null)]);
        return shortened(result ?? worker.ending() ?? `not within ${RECOVERY_MS / 1000} s`);
      } finally {
        await client.close();
      }
    });
  } finally {
    await first.kill();
    await second?.stop();
  }
}
