/**
 * Measures client, worker, BASIC and embedded server of this project, each next to its yardstick: a bare socket loop,
 * C programs, or gearmand. Both sides take turns; the table shows medians and their ratio. `../gearman.ts` starts it.
 * Options: `--quick`, `--rounds=N`, `--only=part of a title`.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GearmanAdmin, GearmanClient, systemHost } from "../../../src/core/gearman/index.ts";
import { type Gearmand, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { type Compared, type Comparison, compare, isMet, type Measured, table, timed } from "../measure.ts";
import { compileYardsticks, secondsOf, startChild, startCWorker, stopped } from "./processes.ts";
import { openRaw, rawBackground, rawEcho, rawForeground } from "./raw-loop.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const option = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const isQuick = process.argv.includes("--quick");
const only = option("only");
const ROUNDS = Number(option("rounds") ?? (isQuick ? 3 : 11));
const SHARE = isQuick ? 0.2 : 1;
/** Jobs that the client runs before anything is counted: the engine compiles on the go. */
const WARM_UP_JOBS = isQuick ? 5_000 : 60_000;

/** Where the bundled children and the compiled yardsticks are. */
const directory = fileURLToPath(new URL(".", import.meta.url));
const [sources = "", cli = ""] = process.argv.slice(2);
const script = (name: string): string => join(directory, `${name}.mjs`);
const basil = (name: string): string[] => ["--stack-size=7000", cli, "run", join(sources, "basic", `${name}.basil`)];

if (!hasGearmand()) {
  process.stdout.write("gearmand is not installed: nothing measured\n");
  process.exit(0);
}

/** Runs `count` calls, `inFlight` at once. */
async function many(count: number, inFlight: number, call: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

const sized = (count: number, least = 1): number => Math.max(least, Math.round(count * SHARE));

/** A gearmand with room for deep queues, and what of ours talks to it. */
class Bench {
  readonly gearmand: Gearmand;
  readonly client: GearmanClient;
  readonly #socket: Awaited<ReturnType<typeof openRaw>>;

  private constructor(gearmand: Gearmand, socket: Awaited<ReturnType<typeof openRaw>>) {
    this.gearmand = gearmand;
    this.client = new GearmanClient({ servers: [gearmand.server], timeoutMs: 60_000 });
    this.#socket = socket;
  }

  static async start(): Promise<Bench> {
    const gearmand = await startGearmand({ args: ["--hashtable-buckets", "1000003"] });
    return new Bench(gearmand, await openRaw(gearmand.port));
  }

  /** Our client against the bare socket loop, both with our worker. */
  againstSocketLoop(kind: "foreground" | "background" | "echo", count: number, bytes: number, inFlight: number) {
    const payload = Buffer.alloc(bytes, "payload ");
    const total = sized(count, inFlight);
    const { client } = this;
    const socket = this.#socket;
    const ours = {
      foreground: () => many(total, inFlight, () => client.submit({ name: "bench.run", payload })),
      background: () => many(total, inFlight, () => client.submitBackground({ name: "bench.drain", payload })),
      echo: () => many(total, inFlight, () => client.echo(payload)),
    };
    const theirs = {
      foreground: () => rawForeground(socket, "bench.run", payload, total, inFlight),
      background: () => rawBackground(socket, "bench.drain", payload, total, inFlight, systemHost.uniqueKey),
      echo: () => rawEcho(socket, payload, total, inFlight),
    };
    return {
      ours: () => this.#drainedAfter(timed(total, ours[kind])),
      theirs: () => this.#drainedAfter(timed(total, theirs[kind])),
    };
  }

  /** A set of background jobs, each with a UUID, in a queue that nobody empties meanwhile. */
  taskSet(count: number, drain: () => Promise<unknown>) {
    const payload = Buffer.alloc(100, "payload ");
    const total = sized(count);
    const request = { name: "bench.queue", payload, background: true } as const;
    const requests = Array.from({ length: total }, () => request);
    const emptied = async (measured: Promise<Measured>): Promise<Measured> => {
      const result = await measured;
      await drain();
      return result;
    };
    const set = async () => {
      for await (const outcome of this.client.tasks(requests, { maxInFlight: 1000 })) if (!outcome.ok) throw outcome.error;
    };
    return {
      ours: () => emptied(timed(total, set)),
      theirs: () =>
        emptied(timed(total, () => rawBackground(this.#socket, "bench.queue", payload, total, 1000, systemHost.uniqueKey))),
    };
  }

  /** Fills a queue without being measured. */
  async fill(name: string, count: number): Promise<void> {
    await rawBackground(this.#socket, name, Buffer.alloc(100, "payload "), count, 1000, systemHost.uniqueKey);
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.client.close();
    await this.gearmand.stop();
  }

  /** Waits until the worker has emptied the background queue, so that no round pays for another's jobs. */
  async #drainedAfter(measured: Promise<Measured>): Promise<Measured> {
    const result = await measured;
    const admin = new GearmanAdmin({ server: this.gearmand.server, timeoutMs: 10_000 });
    while ((await admin.status()).some((row) => row.total > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    await admin.close();
    return result;
  }
}

const bench = await Bench.start();
const { server, port } = bench.gearmand;
const c = compileYardsticks(join(sources, "c"), directory);
if (c === null) process.stdout.write("no C compiler or no libgearman-dev: nothing is compared with C\n");
const node = process.execPath;

const clientCases = (): Comparison[] => {
  const loop = "socket loop";
  const at = bench.againstSocketLoop.bind(bench);
  return [
    { title: "client: foreground 1 KB, one at a time", bar: 0.9, yardstick: loop, ...at("foreground", 1000, KIB, 1) },
    { title: "client: foreground 1 KB, 64 in flight", yardstick: loop, ...at("foreground", 8_000, KIB, 64) },
    { title: "client: foreground 1 MB, one at a time", bytes: MIB, yardstick: loop, ...at("foreground", 12, MIB, 1) },
    { title: "client: foreground 1 MB, 64 in flight", bytes: MIB, yardstick: loop, ...at("foreground", 32, MIB, 64) },
    { title: "client: background 1 KB, one at a time", yardstick: loop, ...at("background", 2000, KIB, 1) },
    { title: "client: background 1 KB, 64 in flight", yardstick: loop, ...at("background", 8_000, KIB, 64) },
    { title: "client: echo 1 MB, there and back", bytes: MIB, bar: 1, yardstick: loop, ...at("echo", 30, MIB, 1) },
  ];
};

const queueCases = (): Comparison[] => {
  const total = sized(100_000);
  const drainOurs = () => secondsOf(node, [script("drain"), server, "bench.queue", total, 100]);
  const cases: Comparison[] = [
    {
      title: "client: task set of 100,000 background jobs",
      yardstick: "socket loop",
      bar: 0.8,
      maxCpuMicros: 6,
      ...bench.taskSet(100_000, drainOurs),
    },
  ];
  if (c === null) return cases;
  const drainC = () => secondsOf(c("drain"), [port, "bench.queue", total, 100]);
  const drainWarm = () => secondsOf(node, [script("drain"), server, "bench.queue", total, 100, total]);
  const rate = async (drain: () => Promise<number>, filled: number) => {
    await bench.fill("bench.queue", filled);
    return { perSecond: total / (await drain()) };
  };
  return [
    ...cases,
    {
      title: "worker: drain at 100 held",
      yardstick: "bare C loop",
      bar: 0.5,
      ours: () => rate(drainWarm, 2 * total),
      theirs: () => rate(drainC, total),
    },
  ];
};

const libgearmanCase = (program: NonNullable<typeof c>): Comparison => {
  const payload = Buffer.alloc(100, "p");
  const total = sized(10_000);
  return {
    title: "both: foreground 100 B, 64 in flight, 20 held",
    yardstick: "libgearman, 1 held",
    bar: 1,
    ours: () => timed(total, () => many(total, 64, () => bench.client.submit({ name: "bench.twenty", payload }))),
    theirs: async () => ({ perSecond: total / (await secondsOf(program("client"), [port, "bench.c", total, 64, 100])) }),
  };
};

const basicCases = (): Comparison[] => {
  const total = sized(5_000);
  const environment = { GEARMAN_SERVERS: server };
  const payload = Buffer.alloc(100, "p");
  const flood = (name: string) => () => timed(total * 4, () => many(total * 4, 64, () => bench.client.submit({ name, payload })));
  return [
    {
      title: "BASIC client: foreground, one at a time",
      yardstick: "our client",
      bar: 0.8,
      ours: async () => ({ perSecond: total / (await secondsOf(node, [...basil("client"), "bench.run", total], environment)) }),
      theirs: async () => ({ perSecond: total / (await secondsOf(node, [script("client"), server, "bench.run", total])) }),
    },
    {
      title: "BASIC worker: foreground, 64 in flight, 20 held",
      yardstick: "our worker",
      bar: 0.8,
      ours: flood("bench.basic"),
      theirs: flood("bench.twenty"),
    },
  ];
};

/** The same load on the embedded server and on gearmand, each with a worker of its own. */
const serverCases = (embedded: string, embeddedClient: GearmanClient): Comparison[] => {
  const payload = Buffer.alloc(100, "p");
  const load = (of: GearmanClient, kind: "foreground" | "background", inFlight: number, count: number) => {
    const total = sized(count);
    const once =
      kind === "foreground"
        ? () => of.submit({ name: "bench.twenty", payload })
        : () => of.submitBackground({ name: "bench.queue", payload });
    const where = of === embeddedClient ? embedded : server;
    return async () => {
      const measured = await timed(total, () => many(total, inFlight, once));
      if (kind === "background") await secondsOf(node, [script("drain"), where, "bench.queue", total, 100]);
      return measured;
    };
  };
  const pair = (kind: "foreground" | "background", inFlight: number, count: number) => ({
    yardstick: "gearmand",
    bar: 0.7,
    ours: load(embeddedClient, kind, inFlight, count),
    theirs: load(bench.client, kind, inFlight, count),
  });
  return [
    { title: "embedded server: foreground, one at a time", ...pair("foreground", 1, 2_000) },
    { title: "embedded server: foreground, 64 in flight", ...pair("foreground", 64, 10_000) },
    { title: "embedded server: background, 64 in flight", ...pair("background", 64, 20_000) },
  ];
};

const children = [
  (await startChild(script("worker"), [server, "64", "bench.run,bench.drain"])).child,
  (await startChild(script("worker"), [server, "20", "bench.twenty"])).child,
];
const { child: embeddedServer, message: embeddedPort } = await startChild<number>(script("server"), []);
const embedded = `127.0.0.1:${embeddedPort}`;
children.push((await startChild(script("worker"), [embedded, "20", "bench.twenty"])).child, embeddedServer);
const embeddedClient = new GearmanClient({ servers: [embedded], timeoutMs: 60_000 });
if (c !== null) children.push(await startCWorker(c("worker"), [String(port), "bench.c"]));
process.env["GEARMAN_SERVERS"] = server;
children.push(await startCWorker(node, [...basil("worker"), "bench.basic", "20"]));

await many(WARM_UP_JOBS, 64, () => bench.client.submit({ name: "bench.run", payload: "warm" }));
await many(WARM_UP_JOBS, 64, () => embeddedClient.submit({ name: "bench.twenty", payload: "warm" }));
await many(WARM_UP_JOBS, 64, () => embeddedClient.submitBackground({ name: "bench.queue", payload: "warm" }));
await secondsOf(node, [script("drain"), embedded, "bench.queue", WARM_UP_JOBS, 100]);

const comparisons = [
  ...clientCases(),
  ...queueCases(),
  ...(c === null ? [] : [libgearmanCase(c)]),
  ...basicCases(),
  ...serverCases(embedded, embeddedClient),
].filter(({ title }) => only === undefined || title.includes(only));

const results: Compared[] = [];
for (const comparison of comparisons) {
  results.push(await compare(comparison, ROUNDS));
  if (process.stderr.isTTY) process.stderr.write(`${comparison.title}: ${results.at(-1)!.ratio.toFixed(2)}\n`);
}
process.stdout.write(table(results));
const misses = results.filter((result) => !isMet(result)).length;
const verdict = isQuick ? "too quick to judge the bars" : misses === 0 ? "every bar is met" : `${misses} missed`;
process.stdout.write(`${verdict} (${ROUNDS} rounds, medians; everything on this machine)\n`);

await embeddedClient.close();
await Promise.all(children.map(stopped));
await bench.close();
