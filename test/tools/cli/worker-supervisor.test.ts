/** Restarts of crashed processes: when, how often, and how everything ends. Processes and clock are the test's own. */
import { expect, test } from "vitest";
import { type ProcessEnd, WorkerSupervisor } from "../../../src/tools/cli/worker-supervisor.ts";

/** A supervisor whose processes do what the test says. */
function rig(processes: number, restartLimit = 2) {
  const lines: string[] = [];
  const launched: { number: number; end: (how: Partial<ProcessEnd>) => void; signals: string[] }[] = [];
  const timers: { delayMs: number; action: () => void }[] = [];
  let clockMs = 0;
  const supervisor = new WorkerSupervisor({
    processes,
    restartLimit,
    launch(number) {
      const signals: string[] = [];
      let settle!: (end: ProcessEnd) => void;
      const ended = new Promise<ProcessEnd>((resolve) => (settle = resolve));
      launched.push({ number, signals, end: (how) => settle({ code: null, signal: null, ...how }) });
      return { pid: undefined, kill: (signal) => signals.push(signal), ended };
    },
    tell: (line) => lines.push(line),
    after(delayMs, action) {
      const timer = { delayMs, action };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
    now: () => clockMs,
    random: () => 0,
  });
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    supervisor,
    lines,
    launched,
    timers,
    settled,
    pass: (ms: number) => (clockMs += ms),
    /** Ends the process started last, and lets the supervisor hear of it. */
    async end(how: Partial<ProcessEnd>, index = launched.length - 1) {
      launched[index]!.end(how);
      await settled();
    },
    fire: () => timers.shift()!.action(),
  };
}

test("a script that ends normally is not restarted; when all have ended, the worker ends with 0", async () => {
  const { supervisor, end, launched, lines } = rig(2);
  const code = supervisor.run();
  await end({ code: 0 }, 0);
  await end({ code: 0 }, 1);
  expect(await code).toBe(0);
  expect(launched).toHaveLength(2);
  expect(lines).toEqual(["worker 1 ended and is not restarted", "worker 2 ended and is not restarted"]);
});

test("pauses before restarts grow, and the worker gives up after the limit with the code of the last crash", async () => {
  const { supervisor, end, fire, timers, lines, launched } = rig(1, 2);
  const code = supervisor.run();
  const pauses: number[] = [];
  for (let crash = 0; crash < 2; crash++) {
    await end({ code: 7 });
    pauses.push(timers[0]!.delayMs);
    fire();
  }
  await end({ code: 7 });
  expect(await code).toBe(7);
  expect(pauses).toEqual([500, 1000]);
  expect(launched).toHaveLength(3);
  expect(lines.at(-1)).toBe("the worker ended with exit code 7, as each time: giving up after 3 starts in a row that failed");
});

test("a crash after a long life starts the count anew", async () => {
  const { supervisor, end, fire, pass, timers } = rig(1, 1);
  void supervisor.run();
  for (let crash = 0; crash < 5; crash++) {
    pass(60_000);
    await end({ signal: "SIGKILL" });
    expect(timers[0]?.delayMs).toBe(500);
    fire();
  }
});

test("while one process lives, the others are tried beyond the limit", async () => {
  const { supervisor, end, fire, launched } = rig(2, 0);
  void supervisor.run();
  for (let crash = 0; crash < 4; crash++) {
    await end({ code: 1 });
    fire();
  }
  expect(launched).toHaveLength(6);
});

test("a signal goes to all processes, nothing is restarted, and waits for restarts are called off", async () => {
  const { supervisor, end, timers, launched } = rig(2);
  const code = supervisor.run();
  await end({ code: 1 }, 0);
  expect(timers).toHaveLength(1);
  supervisor.stop("SIGTERM");
  expect(timers).toEqual([]);
  expect(launched[1]!.signals).toEqual(["SIGTERM"]);
  await end({ code: 143 }, 1);
  await code;
  expect(launched).toHaveLength(2);
});

/** What each process was sent, in the order of the starts, after its number. */
const history = (launched: ReturnType<typeof rig>["launched"]) => launched.map(({ number, signals }) => [number, ...signals]);

test("a rolling restart replaces one process after the other, each when the successor before it has lived two seconds", async () => {
  const { supervisor, end, fire, launched, settled, timers, lines } = rig(2);
  void supervisor.run();
  const restarted = supervisor.restart();
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2]]);
  await end({ code: 143 }, 0);
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2], [1]]);
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([2000]);
  fire();
  await settled();
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2, "SIGTERM"], [1]]);
  await end({ code: 143 }, 1);
  fire();
  await restarted;
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2, "SIGTERM"], [1], [2]]);
  expect(timers).toEqual([]);
  expect(lines).toEqual(["worker 1 is restarted", "worker 2 is restarted"]);
});

test("a restart that is asked for during one, however often, is one more round afterwards", async () => {
  const { supervisor, end, fire, launched, settled } = rig(1);
  void supervisor.run();
  const restarted = supervisor.restart();
  void supervisor.restart();
  void supervisor.restart();
  expect(history(launched)).toEqual([[1, "SIGTERM"]]);
  await end({ code: 143 });
  expect(history(launched)).toEqual([[1, "SIGTERM"], [1]]);
  fire();
  await settled();
  expect(history(launched)).toEqual([
    [1, "SIGTERM"],
    [1, "SIGTERM"],
  ]);
  await end({ code: 143 });
  fire();
  await restarted;
  expect(history(launched)).toEqual([[1, "SIGTERM"], [1, "SIGTERM"], [1]]);
});

test("a successor that crashes breaks the restart off: the others stay as they are, and the next restart does not wait", async () => {
  const { supervisor, end, fire, launched, settled, lines, timers } = rig(2);
  void supervisor.run();
  const restarted = supervisor.restart();
  await end({ code: 143 }, 0);
  await end({ code: 5 });
  await restarted;
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2], [1]]);
  expect(lines.slice(1)).toEqual([
    "worker 1 ended with exit code 5; it is restarted in 0.5 s",
    "the restart is broken off, because worker 1 crashed: those after it are left as they are",
  ]);
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([500]);

  void supervisor.restart();
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2], [1], [1]]);
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([2000]);
  fire();
  await settled();
  expect(history(launched)).toEqual([[1, "SIGTERM"], [2, "SIGTERM"], [1], [1]]);
});

test("a signal during a restart does not reach the process that ends already; the second one does", async () => {
  const { supervisor, end, launched, timers } = rig(2);
  const code = supervisor.run();
  const restarted = supervisor.restart();
  supervisor.stop("SIGINT");
  expect(history(launched)).toEqual([
    [1, "SIGTERM"],
    [2, "SIGINT"],
  ]);
  supervisor.stop("SIGINT");
  expect(history(launched)).toEqual([
    [1, "SIGTERM", "SIGINT"],
    [2, "SIGINT", "SIGINT"],
  ]);
  await end({ code: 143 }, 0);
  await end({ code: 130 }, 1);
  await Promise.all([restarted, code]);
  expect(launched).toHaveLength(2);
  expect(timers).toEqual([]);
});
