/** A clock that stands still until a test moves it, so that nothing in the tests waits for time to pass. */
import type { Clock } from "../../../../src/core/gearman/server/schedule.ts";

interface Alarm {
  readonly dueMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  #alarms: Alarm[] = [];

  constructor(nowMs = 1_000_000_000_000) {
    this.#nowMs = nowMs;
  }

  /** Timers that have not fired or been called off. */
  get pending(): number {
    return this.#alarms.length;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const alarm = { dueMs: this.#nowMs + delayMs, action };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Moves on, firing what becomes due in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#alarms.filter(({ dueMs }) => dueMs <= endMs).sort((left, right) => left.dueMs - right.dueMs)[0];
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.action();
    }
    this.#nowMs = endMs;
  }
}
