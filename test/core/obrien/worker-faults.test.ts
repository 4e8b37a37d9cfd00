/** Workers that go wrong, as real processes: each ends, and so does all they started. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verdictOf } from "../../../src/core/obrien/verdict.ts";
import { startFailureOf } from "../../../src/core/obrien/worker-command.ts";
import { startWorker, type WorkerOptions } from "../../../src/core/obrien/worker-process.ts";
import { err, gone, isRunning, node, out, scratch, sh } from "./worker-harness.ts";

const errorClass = (end: Parameters<typeof verdictOf>[0]) => verdictOf(end, { id: "1", class: "c" }).errorClass;

describe("a worker that ends badly", () => {
  test.each(["SIGKILL", "SIGSEGV", "SIGTERM", "SIGHUP"])("by %s has crashed", async (signal) => {
    const end = await sh(`echo half; kill -${signal.slice(3)} $$; sleep 60`).ended;
    expect([end.exitCode, end.signal, end.reason, out(end)]).toEqual([null, signal, null, "half\n"]);
    expect(errorClass(end)).toBe("bryton/runtime/crashed");
  });

  test("with an exit code has crashed, even after it reported success", async () => {
    const end = await sh(`echo '{"success":true}'; exit 7`).ended;
    expect([end.exitCode, errorClass(end)]).toEqual([7, "bryton/runtime/crashed"]);
  });

  test("by an uncaught error of its own has crashed, with the error on standard error", async () => {
    const end = await node(`throw new Error("broken inside")`).ended;
    expect(errorClass(end)).toBe("bryton/runtime/crashed");
    expect(err(end)).toContain("broken inside");
  });

  test("with garbage after its verdict has given none", async () => {
    expect(errorClass(await sh(`echo '{"success":true}'; echo bye`).ended)).toBe("bryton/runtime/unparseable");
  });
});

describe("a process that a worker leaves behind", () => {
  test.each([
    ["keeps the output open", "sleep 60 & echo $!"],
    ["ignores TERM and keeps the output open", "(trap '' TERM HUP; sleep 60) & echo $!"],
    ["has closed the output", "sleep 60 >/dev/null 2>&1 & echo $!"],
    ["floods the output", "yes & echo $! >&2"],
  ])("and that %s delays nothing and is killed", async (_, script) => {
    const begun = performance.now();
    const end = await sh(script).ended;
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect([end.exitCode, end.reason]).toEqual([0, null]);
    await gone(Number(out(end).length < 20 ? out(end) : err(end)));
  });

  test("in a group of its own delays nothing either, and is let be", async () => {
    using directory = scratch();
    const script = "setsid sh -c 'echo $$ > child; sleep 60' & while [ ! -s child ]; do sleep 0.01; done";
    const end = await sh(script, { input: [], directory: directory.path }).ended;
    const pid = Number(await directory.made("child"));
    expect([end.exitCode, isRunning(pid)]).toEqual([0, true]);
    process.kill(pid, "SIGKILL");
  });

  test("may print within the grace", async () => {
    expect(out(await sh("(sleep 0.01; echo late) & echo early").ended)).toBe("early\nlate\n");
  });
});

describe("a worker over its time limit", () => {
  test("is ended by TERM, with all of its group", async () => {
    const end = await sh("sleep 60 & echo $!; wait; sleep 60", { input: [], timeoutMs: 300 }).ended;
    expect([end.signal, end.reason, errorClass(end)]).toEqual(["SIGTERM", "timeout", "bryton/runtime/timedout"]);
    await gone(Number(out(end)));
  });

  test("is killed when it ignores TERM, with all of its group", async () => {
    using directory = scratch();
    const script = "trap '' TERM; sleep 60 & echo $! > child; wait; sleep 60";
    const worker = sh(script, { directory: directory.path, killAfterMs: 100 });
    const child = Number(await directory.made("child"));
    worker.begin([], 50);
    const end = await worker.ended;
    expect([end.signal, end.reason, errorClass(end)]).toEqual(["SIGKILL", "timeout", "bryton/runtime/timedout"]);
    await gone(child);
  });

  test("is killed although it was stopped", async () => {
    const end = await sh("kill -STOP $$", { input: [], timeoutMs: 100, killAfterMs: 100 }).ended;
    expect([end.signal, end.reason]).toEqual(["SIGKILL", "timeout"]);
  });

  test("may say a last word, and is over it all the same", async () => {
    using directory = scratch();
    const script = `trap 'echo "{\\"success\\":true}"; exit 0' TERM; echo x > ready; while :; do sleep 0.02; done`;
    const worker = sh(script, { directory: directory.path });
    await directory.made("ready");
    worker.begin([], 20);
    const end = await worker.ended;
    expect([end.exitCode, out(end), errorClass(end)]).toEqual([0, '{"success":true}\n', "bryton/runtime/timedout"]);
  });

  test("has no limit while it is a spare", async () => {
    const worker = sh("sleep 0.3", { timeoutMs: 50 });
    const end = await worker.ended;
    expect([end.exitCode, end.reason]).toEqual([0, null]);
  });
});

describe("a worker that is told to end", () => {
  test.each(["cancel", "shutdown"] as const)("because of a %s ends, for the first reason given", async (reason) => {
    const worker = sh("sleep 60");
    worker.end(reason);
    worker.end("timeout");
    const end = await worker.ended;
    expect([end.signal, end.reason]).toEqual(["SIGTERM", reason]);
    worker.end("timeout");
    expect(await worker.ended).toBe(end);
  });

  test("ends when it is a spare", async () => {
    const worker = sh("cat", {});
    worker.end("shutdown");
    worker.begin([Buffer.from("x")], 10);
    expect((await worker.ended).reason).toBe("shutdown");
  });
});

describe("a command that cannot be run", () => {
  const run = (program: string, options: Partial<WorkerOptions> = {}) =>
    startWorker({ command: { program, args: [] }, input: [Buffer.from("payload")], timeoutMs: 60_000, ...options });

  /** With and without a limit of memory, which takes another way to the program. */
  const ways = [{}, { maxMemoryBytes: 1024 ** 3 }];

  test.each(ways)("is the end of its job when it is missing, may not be run or is none: %j", async (way) => {
    using directory = scratch();
    const text = join(directory.path, "text");
    writeFileSync(text, "#!/bin/sh\n");
    chmodSync(text, 0o644);
    mkdirSync(join(directory.path, "folder"));
    const programs = {
      "no-such-program": "no-such-program is not there",
      "/no/such/program": "/no/such/program is not there",
      [text]: "text may not be run",
      [join(directory.path, "folder")]: "folder may not be run",
      [join(text, "program")]: "is not there",
      "nul\0byte": "cannot be run",
    };
    for (const [program, message] of Object.entries(programs)) {
      const worker = run(program, way);
      const end = await worker.ended;
      expect([worker.pid, worker.startTime, end.exitCode, end.signal]).toEqual([null, null, null, null]);
      expect(end.failure).toMatchObject({ isNotExecutable: true, message: expect.stringContaining(message) });
      expect(errorClass(end)).toBe("bryton/runtime/not-executable");
    }
  });

  test.each(ways)("is none when it lies in the worker's directory, from where its path counts: %j", async (way) => {
    using directory = scratch();
    writeFileSync(join(directory.path, "mine"), "#!/bin/sh\necho mine\n", { mode: 0o755 });
    expect(out(await run("./mine", { directory: directory.path, ...way }).ended)).toBe("mine\n");
    expect((await run("./mine", way).ended).failure?.message).toContain("./mine is not there");
  });

  test.each(ways)("is the end of its job when the directory is missing, or is none: %j", async (way) => {
    using directory = scratch();
    writeFileSync(join(directory.path, "file"), "");
    const missing = await run("true", { directory: join(directory.path, "none"), ...way }).ended;
    expect(missing.failure?.message).toMatch(/the directory .*none is not there/);
    const file = await run("true", { directory: join(directory.path, "file"), ...way }).ended;
    expect(file.failure?.message).toMatch(/the directory .*file is a file/);
    expect([errorClass(missing), errorClass(file)]).toEqual(["bryton/runtime/not-executable", "bryton/runtime/not-executable"]);
  });

  test("is the end of its job when its arguments are longer than the system takes", async () => {
    const end = await startWorker({ command: { program: "true", args: ["x".repeat(4_000_000)] }, input: [] }).ended;
    expect(end.failure).toMatchObject({ isNotExecutable: true, code: "E2BIG", message: expect.stringContaining("too long") });
  });

  test("is told from a system that has no room for a process", () => {
    const command = { program: "true", args: [] };
    const failure = startFailureOf(command, undefined, Object.assign(new Error("spawn EAGAIN"), { code: "EAGAIN" }));
    expect(failure).toMatchObject({ isNotExecutable: false, code: "EAGAIN" });
  });
});

describe("a worker with a limit of memory", () => {
  const script = "ulimit -v; dd if=/dev/zero of=/dev/null bs=400M count=1 2>/dev/null || exit 9";

  test.runIf(process.platform === "linux")("cannot take more, with a shell or without", async () => {
    const maxMemoryBytes = 200 * 1024 * 1024;
    const plain = await sh(script, { input: [], maxMemoryBytes }).ended;
    expect([out(plain), plain.exitCode]).toEqual(["204800\n", 9]);
    const command = { program: `${script} # $1`, args: ["x"], isShell: true };
    const shell = await startWorker({ command, input: [], maxMemoryBytes }).ended;
    expect([out(shell), shell.exitCode]).toEqual(["204800\n", 9]);
    expect((await sh(script).ended).exitCode).toBe(0);
  });

  test("is the same process, with its arguments and its input as they are", async () => {
    const command = { program: "sh", args: ["-c", 'echo $$ "$1"; cat', "sh", "$(id) *"] };
    const worker = startWorker({ command, input: [Buffer.from("in")], maxMemoryBytes: 1024 ** 3 });
    expect(out(await worker.ended)).toBe(`${worker.pid} $(id) *\nin`);
  });
});
