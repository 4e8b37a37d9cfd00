/** The server's clock and its one timer for everything that is due later. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Schedule, systemClock } from "../../../../src/core/gearman/server/schedule.ts";
import { ManualClock } from "./manual-clock.ts";

describe("the machine's clock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("acts once, after the delay", () => {
    const action = vi.fn();
    systemClock().after(1000, action);
    vi.advanceTimersByTime(999);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5000);
    expect(action).toHaveBeenCalledTimes(1);
  });

  test("does not act once it was called off", () => {
    const action = vi.fn();
    systemClock().after(1000, action)();
    vi.advanceTimersByTime(5000);
    expect(action).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("keeps delays longer than a timer can be, which is 24.8 days", () => {
    const action = vi.fn();
    const days = 24 * 60 * 60 * 1000;
    systemClock().after(60 * days, action);
    vi.advanceTimersByTime(60 * days - 1);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledTimes(1);
    const calledOff = systemClock().after(60 * days, action);
    vi.advanceTimersByTime(59 * days);
    calledOff();
    vi.advanceTimersByTime(2 * days);
    expect(action).toHaveBeenCalledTimes(1);
  });
});

describe("a schedule", () => {
  test("calls each subject once per second in which it is due, the earliest first", () => {
    const clock = new ManualClock(0);
    const due: string[] = [];
    const schedule = new Schedule<string>(clock, (subject) => due.push(`${subject} at ${schedule.nowSeconds()}`));
    for (const [second, subject] of [
      [9, "late"],
      [3, "a"],
      [3, "b"],
      [3, "a"],
      [5, "a"],
    ] as const)
      schedule.add(second, subject);
    clock.advance(20_000);
    expect(due).toEqual(["a at 3", "b at 3", "a at 5", "late at 9"]);
  });

  test("forgets everything when it stops, and can be used again", () => {
    const clock = new ManualClock(0);
    const due: string[] = [];
    const schedule = new Schedule<string>(clock, (subject) => due.push(subject));
    schedule.add(5, "gone");
    schedule.stop();
    expect(clock.pending).toBe(0);
    schedule.add(7, "new");
    clock.advance(10_000);
    expect(due).toEqual(["new"]);
  });
});
