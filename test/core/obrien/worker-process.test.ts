/** Workers as real processes: what they are given, what is kept of them, and that they leave nothing behind. */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, realpathSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { signalGroup, startTimeOf } from "../../../src/core/obrien/process-group.ts";
import { INHERITED } from "../../../src/core/obrien/worker-environment.ts";
import { startWorker } from "../../../src/core/obrien/worker-process.ts";
import { err, node, out, scratch, sh } from "./worker-harness.ts";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const HASH_INPUT = `
  const hash = require("crypto").createHash("sha256");
  process.stdin.on("data", (chunk) => hash.update(chunk)).on("end", () => console.log(hash.digest("hex")));`;

describe("what a worker is given", () => {
  test("are its arguments as they are, with no shell between", async () => {
    const args = ["$(id)", "a b", "*", "", "'\"\\", "é"];
    const worker = startWorker({ command: { program: "printf", args: ["%s|", ...args] }, input: [] });
    expect(out(await worker.ended)).toBe(`${args.join("|")}|`);
  });

  test("is a shell when it asks for one, with its arguments as $1 and so on", async () => {
    const command = { program: 'echo "$1-$2" | tr a-z A-Z; exit 4', args: ["one two", "$(id)"], isShell: true };
    const end = await startWorker({ command, input: [] }).ended;
    expect([out(end), end.exitCode]).toEqual(["ONE TWO-$(ID)\n", 4]);
  });

  test("are the allowed variables of the environment and its own, no others", async () => {
    process.env["OBRIEN_TEST_SECRET"] = "x";
    process.env["OBRIEN_TEST_WANTED"] = "y";
    try {
      const names = async (options: object): Promise<string[]> => {
        const code = "console.log(JSON.stringify(process.env))";
        return Object.keys(JSON.parse(out(await node(code, { input: [], ...options }).ended)));
      };
      const allowed = INHERITED.filter((name) => process.env[name] !== undefined);
      expect((await names({})).sort()).toEqual([...allowed].sort());
      expect((await names({ inherit: ["OBRIEN_TEST_WANTED", "NOT_SET"], environment: { OBRIEN_JOB: "1" } })).sort()).toEqual([
        "OBRIEN_JOB",
        "OBRIEN_TEST_WANTED",
      ]);
      const own = await sh('echo "$PATH:$HOME"', { input: [], environment: { HOME: "/mine" } }).ended;
      expect(out(own)).toBe(`${process.env["PATH"]}:/mine\n`);
    } finally {
      delete process.env["OBRIEN_TEST_SECRET"];
      delete process.env["OBRIEN_TEST_WANTED"];
    }
  });

  test("is its directory", async () => {
    using directory = scratch();
    expect(out(await sh("pwd -P", { input: [], directory: directory.path }).ended)).toBe(`${realpathSync(directory.path)}\n`);
  });

  test("is a process group and a session of its own, and its start time tells it from later processes", async () => {
    const worker = sh("cut -d' ' -f1,5,6,22 /proc/$$/stat");
    const [pid, group, session, startTime] = out(await worker.ended)
      .trim()
      .split(" ")
      .map(Number);
    expect([pid, group, session, startTime]).toEqual([worker.pid, worker.pid, worker.pid, worker.startTime]);
  });
});

describe("its input", () => {
  test("is whole, byte for byte, in the order of its parts", async () => {
    const parts = [randomBytes(100_000), Buffer.alloc(0), randomBytes(1), Buffer.from([0, 255, 10])];
    const end = await node(HASH_INPUT, { input: parts }).ended;
    expect(out(end).trim()).toBe(sha256(Buffer.concat(parts)));
  });

  test("of 64 MiB goes in while as much comes out", async () => {
    const payload = randomBytes(64 * 1024 * 1024);
    const end = await startWorker({ command: { program: "cat", args: [] }, input: [payload], maxOutputBytes: payload.length })
      .ended;
    expect(sha256(end.stdout.tail)).toBe(sha256(payload));
  });

  test("is over at once when it is empty", async () => {
    expect(out(await sh("wc -c").ended).trim()).toBe("0");
    expect(out(await sh("wc -c", { input: [Buffer.alloc(0), Buffer.alloc(0)] }).ended).trim()).toBe("0");
  });

  test.each([
    ["never reads", "exit 0"],
    ["closes it", "exec 0<&-; sleep 0.2; echo open"],
    ["reads a little", "head -c 5 >/dev/null; echo open"],
  ])("of 64 MiB for a worker that %s is no error", async (_, script) => {
    const end = await sh(script, { input: [Buffer.alloc(64 * 1024 * 1024)] }).ended;
    expect([end.exitCode, end.signal, err(end)]).toEqual([0, null, ""]);
  });

  test("comes later for a spare, which waits for it", async () => {
    const worker = sh("cat; echo done", {});
    expect(worker.hasBegun).toBe(false);
    worker.begin([Buffer.from("a"), Buffer.from("b")]);
    expect(worker.hasBegun).toBe(true);
    expect(out(await worker.ended)).toBe("abdone\n");
  });

  test("comes once: a worker runs one job", async () => {
    const worker = sh("cat");
    expect(() => worker.begin([])).toThrow(`worker ${worker.pid} has begun its job`);
    await worker.ended;
  });

  test("may come too late: the spare's end tells", async () => {
    const worker = sh("exit 3", {});
    const end = await worker.ended;
    worker.begin([Buffer.from("x")], 50);
    expect([end.exitCode, end.reason]).toEqual([3, null]);
  });
});

describe("what is kept of its output", () => {
  test("is both streams, whole and apart", async () => {
    const end = await sh("echo one; echo two >&2; printf three; exit 0").ended;
    expect([out(end), err(end)]).toEqual(["one\nthree", "two\n"]);
  });

  test("is the tail after a flood of half a gigabyte, in bounded memory", async () => {
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 5);
    const flood = "head -c 268435456 /dev/zero; head -c 268435456 /dev/zero >&2; echo '{\"success\":true}'; echo end >&2";
    const end = await sh(flood, { input: [], maxOutputBytes: 65_536 }).ended;
    clearInterval(watch);
    expect(end.stdout.tail.toString().endsWith('\0{"success":true}\n')).toBe(true);
    expect(end.stderr.tail.toString().endsWith("\0end\n")).toBe(true);
    expect(end.stdout.head.length + end.stdout.tail.length).toBe(65_536);
    expect(end.stdout.droppedBytes).toBe(268_435_456 + 17 - 65_536);
    expect(most).toBeLessThan(128 * 1024 * 1024);
  });

  test("is what it printed and its exit, though the manager was too busy to look", async () => {
    const worker = sh("echo '{\"success\":true}'; sleep 60 & exit 0", { input: [], timeoutMs: 300 });
    const until = performance.now() + 1000;
    while (performance.now() < until); // The loop is blocked: the worker ends long before anyone reads.
    const end = await worker.ended;
    expect([out(end), end.exitCode, end.reason]).toEqual(['{"success":true}\n', 0, null]);
  });
});

describe("the time it took", () => {
  test("counts from its input to its exit", async () => {
    const before = Date.now();
    const end = await sh("sleep 0.1").ended;
    expect(end.runMs).toBeGreaterThan(90);
    expect(end.endedAt.getTime()).toBeGreaterThanOrEqual(before + 90);
    using directory = scratch();
    const spare = sh("sleep 0.2; echo x > ready; cat", { directory: directory.path });
    await directory.made("ready");
    const begun = performance.now();
    spare.begin([]);
    expect((await spare.ended).runMs).toBeLessThanOrEqual(performance.now() - begun);
  });
});

describe("what the system is asked", () => {
  test("never signals groups that no worker leads", () => {
    for (const pid of [0, 1, -1, -5, 1.5, Number.NaN]) expect(signalGroup(pid, "SIGCONT")).toBe(false);
  });

  test("has no start time of a process that is gone", async () => {
    const worker = sh("exit 0");
    await worker.ended;
    expect(worker.startTime).toBeGreaterThan(0);
    expect(startTimeOf(worker.pid!)).toBeNull();
    expect(signalGroup(worker.pid!, "SIGCONT")).toBe(false);
  });
});

test("two hundred workers, of which some cannot start, time out or leave children, leak neither descriptors nor listeners nor timers", async () => {
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const round = (): Promise<unknown> =>
    Promise.all([
      sh("cat; echo x", { input: [Buffer.alloc(100_000)] }).ended,
      sh("exit 1").ended,
      sh("sleep 60 & echo x").ended,
      sh("sleep 60", { input: [], timeoutMs: 5 }).ended,
      startWorker({ command: { program: "no-such-program", args: [] }, input: [Buffer.from("x")], timeoutMs: 60_000 }).ended,
    ]);
  await round();
  const before = descriptors();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const timersBefore = timers();
  const listeners = process.eventNames().map((name) => process.listenerCount(name));
  for (let n = 0; n < 10; n++) await Promise.all([round(), round(), round(), round()]);
  await new Promise((taken) => setImmediate(taken));
  expect(descriptors()).toBeLessThanOrEqual(before);
  expect(process.eventNames().map((name) => process.listenerCount(name))).toEqual(listeners);
  expect(timers()).toBeLessThan(timersBefore + 10);
  expect(process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap")).toEqual([]);
});
