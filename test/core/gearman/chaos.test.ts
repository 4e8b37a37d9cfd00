/**
 * Thousands of background jobs through a server that stores them, while it is killed and connections are cut: none is
 * lost, every job that ran twice has a reason, nothing hangs, memory stays flat.
 *
 * 5,000 jobs, of which each fault needs some fifty; GEARMAN_CHAOS_JOBS=100000 for the long run.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GearmanError } from "../../../src/core/gearman/errors.ts";
import type { GearmanJob } from "../../../src/core/gearman/worker-job.ts";
import type { FaultProxy } from "../../helpers/fault-proxy.ts";
import { freePort, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { ChaosLedger } from "./chaos-ledger.ts";
import { until } from "./fake-server.ts";
import { runFixture } from "./faults-process.ts";
import { usedBytes, useRig } from "./faults-rig.ts";

const JOBS = Number(process.env["GEARMAN_CHAOS_JOBS"] ?? 5000);
const KILLS = 20;
const CUTS = 50;
const CONCURRENCY = 32;
/** Submits under way at once, and how many jobs may wait for the worker, so that both sides see every fault. */
const [SUBMITTERS, MAX_LEAD] = [64, 500];
/** Pause before a submit of unknown outcome is made again. */
const RETRY_MS = 20;
const SUBMIT_TIMEOUT_MS = 10_000;
/** No job done for this long means that jobs are lost. */
const STALL_MS = 20_000;
const MAX_GROWTH_BYTES = 16 * 1024 * 1024;

const rig = useRig();

/** What can be killed. */
interface Killable {
  kill(): Promise<void>;
}

/** Starts a server that keeps its jobs in a file, on a port it had before. */
type StartStoring = (port: number, file: string) => Promise<Killable>;

const SERVERS: readonly { name: string; isMissing: boolean; start: StartStoring }[] = [
  {
    name: "gearmand",
    isMissing: !hasGearmand(),
    start: (port, file) => startGearmand({ port, args: ["--queue-type", "libsqlite3", "--libsqlite3-db", file] }),
  },
  {
    name: "the embedded server",
    isMissing: false,
    start: async (port, file) => {
      const server = runFixture("server-process.ts", [String(port), file]);
      await server.message();
      return server;
    },
  },
];

describe.each(SERVERS)("with $name", ({ name, isMissing, start }) => {
  test.skipIf(isMissing)(
    `${JOBS} jobs, ${KILLS} kills and ${CUTS} cuts: none lost, none twice without a reason`,
    async () => {
      const chaos = await Chaos.start(start);
      await chaos.run();
      const { ledger, problems, faults, slowestMs, growthBytes } = chaos;
      console.log(
        `chaos with ${name}: ${ledger.done} jobs, ${ledger.duplicates} ran again, ${faults.kills} kills, ${faults.cuts} cuts, ${faults.unknown} submits of unknown outcome, ` +
          `slowest submit ${Math.round(slowestMs)} ms, memory ${(growthBytes / 1e6).toFixed(1)} MB more`,
      );
      expect(problems).toEqual([]);
      expect(ledger.missing()).toEqual([]);
      expect(ledger.unexplained).toEqual([]);
      expect([faults.kills, faults.cuts]).toEqual([KILLS, CUTS]);
      expect(slowestMs).toBeLessThan(SUBMIT_TIMEOUT_MS + 1000);
      expect(growthBytes).toBeLessThan(MAX_GROWTH_BYTES);
    },
    600_000,
  );
});

/** A faulty stretch of road: client and worker each behind a proxy, and one server that keeps its queue in a file. */
class Chaos {
  readonly ledger = new ChaosLedger(JOBS, 2 * CONCURRENCY);
  readonly problems: string[] = [];
  readonly faults = { kills: 0, cuts: 0, unknown: 0 };
  slowestMs = 0;
  growthBytes = 0;
  readonly #port: number;
  readonly #queueFile: string;
  readonly #proxies: readonly FaultProxy[];
  readonly #start: StartStoring;
  #server: Killable;
  #next = 0;
  #isAllSubmitted = false;
  /** The faults to come, the next one last: each at its share of the jobs done. */
  readonly #plan: ("kill" | "cut")[];
  #faultUnderWay: Promise<void> | null = null;
  #usedBytes: number | null = null;

  private constructor(port: number, queueFile: string, proxies: readonly FaultProxy[], start: StartStoring, server: Killable) {
    this.#start = start;
    this.#port = port;
    this.#queueFile = queueFile;
    this.#proxies = proxies;
    this.#server = server;
    this.#plan = shuffled([...Array(KILLS).fill("kill"), ...Array(CUTS).fill("cut")], () => proxies[0]!.random());
  }

  static async start(start: StartStoring): Promise<Chaos> {
    const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    const directory = mkdtempSync(join(memory, "gearman-chaos-"));
    rig.onEnd(() => rmSync(directory, { recursive: true, force: true }));
    const port = await freePort();
    const queueFile = join(directory, "queue.sqlite");
    const server = await start(port, queueFile);
    const proxies = [await rig.proxy(port, { seed: 20 }), await rig.proxy(port, { seed: 50 })];
    const chaos = new Chaos(port, queueFile, proxies, start, server);
    rig.onEnd(() => chaos.#server.kill());
    return chaos;
  }

  async run(): Promise<void> {
    const [clientProxy, workerProxy] = this.#proxies as [FaultProxy, FaultProxy];
    await rig.worker(
      workerProxy.server,
      { chaos: (job) => this.#work(job) },
      {
        concurrency: CONCURRENCY,
        regrabMs: 500,
        onEvent: (event) => event.type === "lost" && this.ledger.workerLost(),
      },
    );
    const client = rig.client(clientProxy.server, { timeoutMs: SUBMIT_TIMEOUT_MS });
    const submitters = Array.from({ length: SUBMITTERS }, async () => {
      while (this.#next < JOBS && this.problems.length === 0) {
        const index = this.#next++;
        await this.#hasLead(index);
        await this.#submit(client, index);
      }
    });
    await Promise.all(submitters);
    this.#isAllSubmitted = true;
    await this.#progress(() => this.ledger.done === JOBS);
    await this.#faultUnderWay;
    await until(async () => (await this.#queued()) === 0, "an empty queue").catch((error) => this.problems.push(String(error)));
    this.growthBytes = usedBytes() - (this.#usedBytes ?? 0);
  }

  async #submit(client: ReturnType<typeof rig.client>, index: number): Promise<void> {
    while (this.problems.length === 0) {
      const startedAt = performance.now();
      const outcome = await client
        .submitBackground({ name: "chaos", unique: `job-${index}`, payload: payloadOf(index) })
        .catch((error: unknown) => error);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
      if (!(outcome instanceof Error)) return;
      const kind = outcome instanceof GearmanError ? outcome.kind : "none";
      if (kind === "UNKNOWN_OUTCOME" || kind === "TIMEOUT") {
        this.faults.unknown++;
        this.ledger.submittedAgain(index);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS)); // the server is away, as a rule
      } else if (kind !== "IO") this.problems.push(`submit ${index}: ${outcome}`);
    }
  }

  async #work(job: GearmanJob): Promise<void> {
    const index = job.payload.readUInt32BE(1);
    if (!job.payload.equals(payloadOf(index)) || job.unique !== `job-${index}`)
      this.problems.push(`job ${job.unique} came with ${job.payload.toString("hex")}`);
    this.ledger.began(index);
    this.#meetFaults();
    // Some jobs take a while, so that there is something to be held when the server goes.
    if (index % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    this.ledger.ended(index);
  }

  /** Sets off the next fault when its share of the jobs is done. */
  #meetFaults(): void {
    const { done } = this.ledger;
    if (this.#usedBytes === null && done > JOBS / 10) this.#usedBytes = usedBytes();
    const total = KILLS + CUTS;
    const dueAt = ((total - this.#plan.length + 0.5) / total) * JOBS;
    if (this.#faultUnderWay !== null || this.#plan.length === 0 || done < dueAt) return;
    const kind = this.#plan.pop()!;
    const fault = kind === "kill" ? this.#kill() : this.#cut();
    this.#faultUnderWay = fault
      .catch((error: unknown) => void this.problems.push(`${kind}: ${error}`))
      .finally(() => {
        this.#faultUnderWay = null;
      });
  }

  async #kill(): Promise<void> {
    this.faults.kills++;
    await this.#server.kill();
    this.#server = await this.#start(this.#port, this.#queueFile);
  }

  /** Cuts the client's or the worker's connection, with or without a goodbye. */
  async #cut(): Promise<void> {
    const number = this.faults.cuts++;
    const proxy = this.#proxies[number % 2]!;
    await until(() => this.#isAllSubmitted || proxy.open.length > 0, "a connection to cut");
    const connection = proxy.pick();
    if (number % 4 < 2) connection?.reset();
    else connection?.drop();
  }

  #hasLead(index: number): Promise<void> {
    return this.#progress(() => index - this.ledger.done < MAX_LEAD);
  }

  /** Waits for a condition, as long as jobs get done. */
  async #progress(condition: () => boolean): Promise<void> {
    for (let { done } = this.ledger, stallsAt = Date.now() + STALL_MS; !condition() && this.problems.length === 0; ) {
      if (done !== this.ledger.done) {
        done = this.ledger.done;
        stallsAt = Date.now() + STALL_MS;
      } else if (Date.now() > stallsAt)
        this.problems.push(`no job done for ${STALL_MS} ms, ${this.ledger.done} of ${JOBS} so far`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async #queued(): Promise<number> {
    const rows = await rig.admin(this.#port).status();
    return rows.reduce((sum, { total }) => sum + total, 0);
  }
}

/** A NUL, the number, and all sorts of bytes. */
function payloadOf(index: number): Buffer {
  const payload = Buffer.alloc(40, index % 256);
  payload[0] = 0;
  payload.writeUInt32BE(index, 1);
  return payload;
}

function shuffled<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}
