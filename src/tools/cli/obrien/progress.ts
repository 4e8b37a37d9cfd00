/** The line that tells how far `basil obrien run` is: on a terminal rewritten in place, in a pipe not there at all. */
import type { Writable } from "node:stream";
import { cutText } from "../gearman/table.ts";

/** What the line tells. */
export interface Progress {
  readonly running: number;
  readonly pending: number;
  readonly done: number;
  readonly failed: number;
}

/** Least time between two lines, in milliseconds: nobody reads faster. */
const INTERVAL_MS = 200;

/** Fits every terminal, and leaves the last column free, where some would wrap. */
const MAX_COLUMNS = 79;

/** The time over which the speed is told, in milliseconds. */
const SPEED_MS = 5000;

const CLEAR = "\r\x1b[K";

/** How a line comes to be. */
export interface ProgressOptions {
  /** A terminal. */
  readonly output: Writable & { readonly columns?: number };
  readonly take: () => Progress;
  /** The time, in milliseconds. */
  readonly now: () => number;
}

/** The line. Modes: *on*, drawn each interval → *closed*, and wiped away. */
export class ProgressLine {
  readonly #options: ProgressOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Jobs that had ended at some times of the last seconds. */
  #ended: { readonly atMs: number; readonly jobs: number }[] = [];

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.draw(), INTERVAL_MS);
    this.draw();
  }

  /** Draws the line anew. */
  draw(): void {
    const { output } = this.#options;
    // Some terminals do not know how wide they are, and say 0.
    const columns = Math.min(MAX_COLUMNS, (output.columns || MAX_COLUMNS + 1) - 1);
    output.write(`${CLEAR}${cutText(this.#text(), columns, "end")}`);
  }

  /** Makes room for a line of text above it. */
  above(line: string): void {
    this.#options.output.write(`${CLEAR}${line}\n`);
    this.draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#options.output.write(CLEAR);
  }

  #text(): string {
    const { running, pending, done, failed } = this.#options.take();
    const speed = this.#speed(done + failed);
    const parts = [`${running} running`, `${pending} pending`, `${done} done`, `${failed} failed`];
    return [...parts, ...(speed === null ? [] : [`${speed} a second`])].join(", ");
  }

  #speed(jobs: number): string | null {
    const nowMs = this.#options.now();
    this.#ended = [...this.#ended.filter(({ atMs }) => nowMs - atMs <= SPEED_MS), { atMs: nowMs, jobs }];
    const first = this.#ended[0]!;
    if (nowMs - first.atMs < 1000) return null;
    const perSecond = ((jobs - first.jobs) * 1000) / (nowMs - first.atMs);
    return perSecond.toFixed(perSecond < 10 ? 1 : 0);
  }
}
