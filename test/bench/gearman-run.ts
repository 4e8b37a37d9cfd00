/**
 * Measures the Gearman client against gearmand, next to a raw socket loop as yardstick. Both sides take turns
 * within each round and share server and worker; the table shows medians and their ratio. `gearman.ts` starts it.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { GearmanAdmin, GearmanClient, systemHost } from "../../src/core/gearman/index.ts";
import { hasGearmand, startGearmand } from "../helpers/gearmand.ts";
import { openRaw, rawBackground, rawEcho, rawForeground } from "./raw-loop.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

interface Case {
  readonly title: string;
  /** Operations per round and side. */
  readonly count: number;
  readonly bytes: number;
  readonly inFlight: number;
  readonly kind: "foreground" | "background" | "echo";
  /** Least ratio of our rate to the raw loop's, where one is promised. */
  readonly bar?: number;
}

const CASES: readonly Case[] = [
  { title: "foreground 1 KB, sequential", count: 1000, bytes: KIB, inFlight: 1, kind: "foreground", bar: 0.9 },
  { title: "foreground 1 KB, 64 in flight", count: 8_000, bytes: KIB, inFlight: 64, kind: "foreground", bar: 0.8 },
  { title: "foreground 1 MB, sequential", count: 12, bytes: MIB, inFlight: 1, kind: "foreground" },
  { title: "foreground 1 MB, 64 in flight", count: 32, bytes: MIB, inFlight: 64, kind: "foreground" },
  { title: "background 1 KB, sequential", count: 2000, bytes: KIB, inFlight: 1, kind: "background" },
  { title: "background 1 KB, 64 in flight", count: 8_000, bytes: KIB, inFlight: 64, kind: "background", bar: 0.8 },
  { title: "background 1 MB, sequential", count: 12, bytes: MIB, inFlight: 1, kind: "background" },
  { title: "background 1 MB, 64 in flight", count: 32, bytes: MIB, inFlight: 64, kind: "background" },
  { title: "echo 1 MB, there and back", count: 30, bytes: MIB, inFlight: 1, kind: "echo", bar: 0.9 },
];

const isQuick = process.argv.includes("--quick");
const only = process.argv.find((argument) => argument.startsWith("--only="))?.slice("--only=".length);
const ROUNDS = isQuick ? 3 : 15;
/** Jobs of each kind that each side runs before anything is counted: the engine compiles on the go, and both should be compiled. */
const WARM_UP_JOBS = isQuick ? 5_000 : 60_000;
const SHARE = isQuick ? 0.2 : 1;

if (!hasGearmand()) {
  process.stdout.write("gearmand is not installed: nothing measured\n");
  process.exit(0);
}

const gearmand = await startGearmand({ args: ["--hashtable-buckets", "1000003"] });
const worker = fork(new URL("./gearman-worker.mjs", import.meta.url), [gearmand.server], { execArgv: [] });
await once(worker, "message");
const client = new GearmanClient({ servers: [gearmand.server], timeoutMs: 60_000 });
const socket = await openRaw(gearmand.port);
await client.echo("warm");

/** Runs `count` calls, `inFlight` at once. */
async function many(count: number, inFlight: number, call: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function ours({ kind, inFlight }: Case, count: number, payload: Buffer): Promise<void> {
  if (kind === "foreground") return many(count, inFlight, () => client.submit({ name: "bench.run", payload }));
  if (kind === "background") return many(count, inFlight, () => client.submitBackground({ name: "bench.drain", payload }));
  return many(count, inFlight, () => client.echo(payload));
}

async function raw({ kind, inFlight }: Case, count: number, payload: Buffer): Promise<void> {
  if (kind === "foreground") return rawForeground(socket, "bench.run", payload, count, inFlight);
  if (kind === "background") return rawBackground(socket, "bench.drain", payload, count, inFlight, systemHost.uniqueKey);
  return rawEcho(socket, payload, count, inFlight);
}

/** Waits until the worker has emptied the background queue, so that no round pays for another's jobs. */
async function drained(): Promise<void> {
  const admin = new GearmanAdmin({ server: gearmand.server });
  for (;;) {
    const rows = await admin.status();
    if (rows.every((row) => row.total === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Operations per second of one side in one round. */
async function rate(run: () => Promise<void>, count: number): Promise<number> {
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  await drained();
  return count / seconds;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const warmUps = (["foreground", "background", "echo"] as const).map((kind) => ({
  title: "",
  count: WARM_UP_JOBS,
  bytes: KIB,
  inFlight: 64,
  kind,
}));
for (const warmUp of warmUps) {
  const payload = Buffer.alloc(warmUp.bytes);
  await ours(warmUp, warmUp.count, payload);
  await raw(warmUp, warmUp.count, payload);
  await drained();
}

const rows: string[][] = [["case", "ours/s", "raw/s", "ours MB/s", "raw MB/s", "ratio", "bar", ""]];
let misses = 0;
for (const scenario of CASES.filter(({ title }) => only === undefined || title.includes(only))) {
  const payload = Buffer.alloc(scenario.bytes, "payload ");
  const count = Math.max(scenario.inFlight, Math.round(scenario.count * SHARE));
  const rates: { ours: number[]; raw: number[] } = { ours: [], raw: [] };
  for (let round = -1; round < ROUNDS; round++) {
    const sides = [
      { into: rates.ours, run: () => ours(scenario, count, payload) },
      { into: rates.raw, run: () => raw(scenario, count, payload) },
    ];
    if (round % 2 === 0) sides.reverse();
    for (const { into, run } of sides) {
      const measured = await rate(run, count);
      if (round >= 0) into.push(measured);
    }
  }
  const ratio = median(rates.ours.map((value, round) => value / rates.raw[round]!));
  const isMet = scenario.bar === undefined || ratio >= scenario.bar || isQuick;
  if (!isMet) misses++;
  const [mine, theirs] = [median(rates.ours), median(rates.raw)];
  const megabytes = (perSecond: number) => ((perSecond * scenario.bytes) / 1e6).toFixed(1);
  const verdict = scenario.bar === undefined || isQuick ? "" : isMet ? "met" : "MISSED";
  rows.push([
    scenario.title,
    mine.toFixed(0),
    theirs.toFixed(0),
    megabytes(mine),
    megabytes(theirs),
    ratio.toFixed(2),
    scenario.bar?.toFixed(2) ?? "–",
    verdict,
  ]);
}

const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
for (const row of rows) {
  const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)));
  process.stdout.write(`${cells.join("  ").trimEnd()}\n`);
}
process.stdout.write(
  `${isQuick ? "too quick to judge the bars" : misses === 0 ? "every bar is met" : `${misses} missed`} (${ROUNDS} rounds, medians; gearmand on this machine)\n`,
);

socket.destroy();
await client.close();
if (worker.connected) worker.send("stop");
await once(worker, "exit");
await gearmand.stop();
