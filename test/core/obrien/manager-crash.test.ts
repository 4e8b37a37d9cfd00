/** Managers that die at any moment, as real processes: whatever happens, each job runs at most once and ends once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { JobRecord, NewJob } from "../../../src/core/obrien/job.ts";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { projectDirectory } from "../../../src/tools/build.ts";
import { type LogClassName, logClasses } from "../../fixtures/obrien/log-classes.ts";
import { until } from "../gearman/fake-server.ts";
import { ManagerHarness } from "./manager-harness.ts";

const ROUNDS = 50;
/** Jobs enqueued before each round, by class. The endless ones keep places busy until the kill. */
const JOBS: Readonly<Partial<Record<LogClassName, number>>> = {
  quick: 10,
  failing: 2,
  slow: 4,
  endless: 1,
  forking: 1,
  deaf: 1,
  parent: 3,
};
/** A manager lives up to so long after its start, in milliseconds: it takes 100 to 300 of them to begin its work. */
const LONGEST_LIFE_MS = 500;

const harness = new ManagerHarness();
const children: ChildProcess[] = [];
let directory = "";
let program = "";

// Started from source, each of the processes would take most of its time to be compiled.
beforeAll(() => {
  const cache = join(projectDirectory, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  directory = mkdtempSync(join(cache, "obrien-"));
  program = join(directory, "manager-process.mjs");
  buildSync({
    entryPoints: [join(projectDirectory, "test/fixtures/obrien/manager-process.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
  });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function startManager(concurrency = 4): ChildProcess {
  const child = spawn(process.execPath, [program, harness.path, harness.log, String(concurrency)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** All jobs of the store, by id. */
function allJobs(queue: JobQueue): Map<string, JobRecord> {
  const jobs = new Map<string, JobRecord>();
  for (let after: string | undefined; ; ) {
    const page = queue.find({ limit: 1000, after });
    for (const job of page) jobs.set(job.id, job);
    after = page.at(-1)?.id;
    if (after === undefined) return jobs;
  }
}

const hasEnded = ({ state }: JobRecord): boolean => state === "done" || state === "failed";

test(`${ROUNDS} managers killed at random moments: no job is stuck, lost or run twice`, { timeout: 180_000 }, async () => {
  const queue = await JobQueue.open(harness.path);
  const ended = new Map<string, JobRecord>();
  let crashed = 0;
  let started = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const jobs = Object.entries(JOBS).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, job): NewJob => ({ class: name, payload: `${round}/${name}/${job}\n` })),
    );
    queue.enqueue(jobs);
    const child = startManager();
    child.stdout!.once("data", () => started++);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_LIFE_MS));
    await killed(child);

    const claimed = queue.claimed();
    crashed += claimed.length;
    // A manager without classes sweeps, and runs nothing.
    const sweeper = await harness.open();
    await sweeper.start();
    expect(queue.claimed()).toEqual([]);
    await harness.noWorkers();
    for (const { record } of claimed) expect(queue.get(record.id)).toMatchObject({ errorClass: "bryton/runtime/crashed" });
    await sweeper.close();
    for (const job of allJobs(queue).values()) {
      if (ended.has(job.id)) expect(job).toEqual(ended.get(job.id));
      else if (hasEnded(job)) ended.set(job.id, job);
    }
  }
  expect(started).toBeGreaterThan(ROUNDS / 10);
  expect(crashed).toBeGreaterThan(ROUNDS / 10);

  const last = await harness.open();
  for (const jobClass of logClasses(harness.log))
    last.define({ ...jobClass, ...(jobClass.name === "endless" && { timeoutMs: 50 }) });
  await last.run({ concurrency: 8 });

  const jobs = allJobs(queue);
  const runs = new Map<string, number>();
  for (const line of harness.logged()) runs.set(line, (runs.get(line) ?? 0) + 1);
  expect([...runs].filter(([, times]) => times > 1)).toEqual([]);
  expect([...jobs.values()].filter((job) => !hasEnded(job))).toEqual([]);
  const own = [...jobs.values()].filter(({ parent }) => parent === null);
  expect(own).toHaveLength(ROUNDS * Object.values(JOBS).reduce((sum, count) => sum + count));
  for (const job of own) {
    const payload = job.payload.toString().trimEnd();
    const isCrash = job.errorClass === "bryton/runtime/crashed" && job.xeme?.errors?.[0]?.["exit_code"] === undefined;
    if (!isCrash) expect([payload, runs.get(payload)]).toEqual([payload, 1]);
    if (job.class !== "parent") continue;
    const childrenOf = [...jobs.values()].filter(({ parent }) => parent === job.id);
    expect([payload, childrenOf.length]).toEqual([payload, job.state === "done" ? 1 : 0]);
  }
  queue.close();
});

test("SIGTERM drains: running jobs finish, pending ones stay, nothing is left claimed", async () => {
  const queue = await JobQueue.open(harness.path);
  queue.enqueue(Array.from({ length: 40 }, (_, job) => ({ class: "slow", payload: `${job}\n` })));
  const child = startManager(2);
  await once(child.stdout!, "data");
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  const { total } = queue.counts();
  expect(total).toMatchObject({ claimed: 0, failed: 0 });
  expect(total.pending).toBeGreaterThan(0);
  expect(harness.logged()).toHaveLength(total.done);
  expect(total.done).toBeGreaterThan(0);
  queue.close();
});

test.skipIf(process.platform === "win32")("a machine without room for more processes delays jobs, and fails none", async () => {
  const queue = await JobQueue.open(harness.path);
  queue.enqueue(Array.from({ length: 60 }, (_, job) => ({ class: "slow", payload: `${job}\n` })));
  // Each worker takes three of the manager's files, and twenty of these are its own.
  const line = `ulimit -n 70; exec "$0" "$@"`;
  const child = spawn("/bin/sh", ["-c", line, process.execPath, program, harness.path, harness.log, "40"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.push(child);
  await until(() => queue.counts().total.pending + queue.counts().total.claimed === 0);
  expect(queue.counts().total).toEqual({ pending: 0, claimed: 0, done: 60, failed: 0 });
  queue.close();
});

test("a second manager on the store is refused, and takes over when the first is killed", async () => {
  const first = startManager();
  await once(first.stdout!, "data");
  const second = await harness.open();
  await expect(second.start()).rejects.toMatchObject({
    kind: "LOCKED",
    message: `${harness.path} has a manager at work already: end that one, or use another file`,
  });
  expect(second.isAlive).toBe(false);
  const id = second.enqueue({ class: "endless", payload: "1\n" });
  await killed(first);
  for (const jobClass of logClasses(harness.log)) second.define({ ...jobClass, timeoutMs: 50 });
  await second.run();
  expect(second.get(id)?.state).toBe("failed");
});
