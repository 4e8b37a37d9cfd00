/** Time for the job server: a clock that tests can replace, and the one timer that wakes workers for scheduled jobs. */
import { Heap } from "./heap.ts";

/** Where the server gets its time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `action` once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, action: () => void): () => void;
}

/** Longest delay a Node timer takes, in milliseconds: 24.8 days. Longer ones fire at once. */
const MAX_TIMER_MS = 0x7fffffff;

/** The clock of the machine. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, action) {
      const dueMs = Date.now() + delayMs;
      let timer = setTimeout(fire, Math.min(delayMs, MAX_TIMER_MS));
      function fire(): void {
        const restMs = dueMs - Date.now();
        if (delayMs > MAX_TIMER_MS && restMs > 0) timer = setTimeout(fire, Math.min(restMs, MAX_TIMER_MS));
        else action();
      }
      return () => clearTimeout(timer);
    },
  };
}

interface Appointment<Subject> {
  readonly epochSeconds: number;
  readonly subject: Subject;
}

/** Calls `onDue` for each subject when its second has come. However many subjects wait, there is one timer. */
export class Schedule<Subject> {
  readonly #clock: Clock;
  readonly #onDue: (subject: Subject) => void;
  readonly #appointments = new Heap<Appointment<Subject>>((left, right) => left.epochSeconds < right.epochSeconds);
  #cancelTimer: (() => void) | null = null;
  #timerSeconds = 0;

  constructor(clock: Clock, onDue: (subject: Subject) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Whole seconds since 1970: the unit in which jobs are scheduled. */
  nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  /** Notes a subject for a second; a past one is due as soon as the event loop turns. */
  add(epochSeconds: number, subject: Subject): void {
    this.#appointments.push({ epochSeconds, subject });
    this.#arm();
  }

  /** Forgets everything and stops the timer. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    while (this.#appointments.size > 0) this.#appointments.pop();
  }

  #arm(): void {
    const next = this.#appointments.peek();
    if (next === undefined) return;
    if (this.#cancelTimer !== null) {
      if (this.#timerSeconds <= next.epochSeconds) return;
      this.#cancelTimer();
    }
    this.#timerSeconds = next.epochSeconds;
    const delayMs = Math.max(1, next.epochSeconds * 1000 - this.#clock.now());
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#cancelTimer = null;
    const now = this.nowSeconds();
    const due = new Set<Subject>();
    for (let next = this.#appointments.peek(); next !== undefined && next.epochSeconds <= now; next = this.#appointments.peek()) {
      due.add(next.subject);
      this.#appointments.pop();
    }
    for (const subject of due) this.#onDue(subject);
    this.#arm();
  }
}
