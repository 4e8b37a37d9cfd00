/** Ctrl-C, SIGTERM and SIGHUP while a worker runs. */
import { afterEach, describe, expect, test } from "vitest";
import { StopSignals } from "../../../src/tools/cli/signals.ts";

/** @param gapMs time between two looks at the clock: a person's, unless said */
function watched(gapMs = 300) {
  const events: string[] = [];
  let clock = 0;
  const signals = new StopSignals(
    (signal) => events.push(`stop for ${signal}`),
    (code) => events.push(`exit ${code}`),
    () => {
      clock += gapMs;
      return clock;
    },
  );
  return { events, signals };
}
const counts = () => (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => process.listenerCount(signal));
const before = counts();

describe("stop signals", () => {
  afterEach(() => expect(counts()).toEqual(before));

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("the first %s asks for a graceful end, the second exits with %i at once", (signal, code) => {
    const { events, signals } = watched();
    signals.arm();
    process.emit(signal, signal);
    expect(signals.exitCode).toBe(code);
    process.emit(signal, signal);
    expect(events).toEqual([`stop for ${signal}`, `exit ${code}`]);
    signals.close();
  });

  test("SIGHUP asks for a graceful end with 129, and never hastens one; the next Ctrl-C does", () => {
    const { events, signals } = watched();
    signals.arm();
    process.emit("SIGHUP", "SIGHUP");
    process.emit("SIGHUP", "SIGHUP");
    expect({ events, code: signals.exitCode }).toEqual({ events: ["stop for SIGHUP"], code: 129 });
    process.emit("SIGINT", "SIGINT");
    expect(events).toEqual(["stop for SIGHUP", "exit 130"]);
    signals.close();
  });

  test("the same Ctrl-C from the terminal and from the process in front counts once", () => {
    const { events, signals } = watched(2);
    signals.arm();
    process.emit("SIGINT", "SIGINT");
    process.emit("SIGINT", "SIGINT");
    signals.close();
    expect(events).toEqual(["stop for SIGINT"]);
  });

  test("a second signal of the other kind exits with its own code", () => {
    const { events, signals } = watched();
    signals.arm();
    process.emit("SIGINT", "SIGINT");
    process.emit("SIGTERM", "SIGTERM");
    expect(events).toEqual(["stop for SIGINT", "exit 143"]);
    signals.close();
  });

  test("there is no handler before arm, after disarm, and after close", () => {
    const { signals } = watched();
    expect(counts()).toEqual(before);
    signals.arm();
    signals.arm();
    expect(counts()).toEqual(before.map((count) => count + 1));
    signals.disarm();
    expect(counts()).toEqual(before);
    signals.arm();
    signals.close();
    signals.close();
  });

  test("the second signal stays immediate when the worker has stopped in between", () => {
    const { events, signals } = watched();
    signals.arm();
    process.emit("SIGINT", "SIGINT");
    signals.disarm();
    process.emit("SIGINT", "SIGINT");
    expect(events).toEqual(["stop for SIGINT", "exit 130"]);
    signals.close();
  });

  test("without a signal there is no exit code of its own", () => {
    expect(watched().signals.exitCode).toBeUndefined();
  });
});
