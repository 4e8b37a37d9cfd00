/** One store and several real processes: jobs and cancel requests from outside, and deaths in the middle of everything. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { projectDirectory } from "../../../src/tools/build.ts";
import { doneOutcome, QueueHarness, roomFor } from "./queue-harness.ts";

const harness = new QueueHarness();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Starts a process that has the test's store open as `queue`. */
function start(body: string): ChildProcess {
  const source = `
    const { JobQueue } = await import(${JSON.stringify(pathToFileURL(join(projectDirectory, "src/core/obrien/queue.ts")).href)});
    const queue = await JobQueue.open(${JSON.stringify(harness.path)});
    ${body}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    cwd: projectDirectory,
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function ended(child: ChildProcess): Promise<unknown> {
  const [code, signal] = await once(child, "exit");
  return signal ?? code;
}

test("several processes enqueue while jobs are claimed and ended: each job is there once", async () => {
  const queue = await harness.open();
  const writers = [1, 2, 3].map((writer) =>
    start(`
      for (let job = 0; job < 100; job++) queue.enqueue([{ class: "a", payload: "${writer}/" + job }]);
      queue.enqueue(Array.from({ length: 200 }, (_, job) => ({ class: "a", payload: "${writer}/batch " + job })));
      queue.close();`),
  );
  const exits = Promise.all(writers.map(ended));
  let isOver = false;
  void exits.then(() => (isOver = true));
  const seen: string[] = [];
  let finished: string[] = [];
  for (;;) {
    const isLast = isOver;
    const records = queue.turn({ finished: finished.map((id) => doneOutcome(id)), rooms: roomFor("a"), limit: 7 });
    finished = records.map(({ id }) => id);
    seen.push(...records.map(({ payload }) => payload.toString()));
    if (isLast && records.length === 0) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await exits).toEqual([0, 0, 0]);
  expect([seen.length, new Set(seen).size]).toEqual([900, 900]);
  for (const writer of [1, 2, 3]) {
    const own = seen.filter((payload) => payload.startsWith(`${writer}/`) && !payload.includes("batch"));
    expect(own).toEqual(Array.from({ length: 100 }, (_, job) => `${writer}/${job}`));
  }
  expect(queue.counts().total).toEqual({ pending: 0, claimed: 0, done: 900, failed: 0 });
});

test("a cancel request from another process is noticed, and own changes are not taken for one", async () => {
  const queue = await harness.open();
  const [running, waiting] = queue.enqueue([{ class: "a" }, { class: "a" }]) as [string, string];
  queue.claim(roomFor("a"), 1);
  expect(queue.hasChanged()).toBe(false);
  const child = start(
    `console.log(JSON.stringify(${JSON.stringify([running, waiting])}.map((id) => queue.requestCancel(id)))); queue.close();`,
  );
  const [line] = await once(createInterface({ input: child.stdout! }), "line");
  expect(JSON.parse(line)).toEqual(["requested", "cancelled"]);
  expect(await ended(child)).toBe(0);
  expect([queue.hasChanged(), queue.hasChanged()]).toEqual([true, false]);
  expect(queue.cancelRequests()).toEqual([running]);
  expect(queue.get(waiting)?.errorClass).toBe("obrien/cancelled");
});

test("what was acknowledged is there after a SIGKILL, and batches are there whole or not at all", {
  timeout: 60_000,
}, async () => {
  for (let round = 0; round < 5; round++) {
    const child = start(`
      for (let batch = 0; ; batch++) {
        const ids = queue.enqueue(Array.from({ length: 10 }, () => ({ class: "round ${round}", payload: String(batch) })));
        await new Promise((resolve) => process.stdout.write(ids.at(-1) + "\\n", resolve));
      }`);
    const acknowledged: string[] = [];
    const lines = createInterface({ input: child.stdout! });
    lines.on("line", (line) => {
      acknowledged.push(line);
      if (acknowledged.length === 5 + round * 7) child.kill("SIGKILL");
    });
    const closed = once(lines, "close");
    expect(await ended(child)).toBe("SIGKILL");
    await closed;
    const queue = await JobQueue.open(harness.path);
    expect(acknowledged.filter((id) => queue.get(id) === null)).toEqual([]);
    const payloads = queue.find({ class: `round ${round}`, limit: 10_000 }).map(({ payload }) => payload.toString());
    const batches = new Set(payloads).size;
    expect(payloads.length).toBe(batches * 10);
    expect(batches - acknowledged.length).toBeOneOf([0, 1]);
    queue.close();
  }
});

test("a process that dies between claim and end leaves claimed jobs, with their workers, and nothing else", async () => {
  const queue = await harness.open();
  const ids = queue.enqueue([{ class: "a" }, { class: "a" }, { class: "a" }]);
  const child = start(`
    const [first] = queue.claim(new Map([["a", 2]]), 2);
    queue.started(first.id, { pid: process.pid, startTime: 99 });
    process.kill(process.pid, "SIGKILL");`);
  expect(await ended(child)).toBe("SIGKILL");
  expect(queue.claimed()).toMatchObject([
    { record: { id: ids[0] }, pid: child.pid, startTime: 99 },
    { record: { id: ids[1] }, pid: null, startTime: null },
  ]);
  expect(queue.counts().total).toEqual({ pending: 1, claimed: 2, done: 0, failed: 0 });
});
