/** Standard input and output of the job's process, without streams: loading those would take longer than most jobs. */
import { readSync, writeSync } from "node:fs";

const CHUNK_BYTES = 65_536;
const LINE_FEED = 0x0a;
const CLOSING_BRACE = 0x7d;
const WHITE_SPACE: readonly number[] = [0x20, 0x09, LINE_FEED, 0x0d];

/** How long to wait when a reader is behind, in milliseconds; pipes that block, as the manager's do, never need it. */
const PAUSE_MS = 5;

/** Everything that comes, until whoever writes has finished. */
export function readAll(descriptor: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = patiently(() => readSync(descriptor, chunk));
    if (count === 0) return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts.push(chunk.subarray(0, count));
  }
}

/** Writes all bytes. Throws when the reader is gone. */
export function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    const from = at;
    at += patiently(() => writeSync(descriptor, bytes, from));
  }
}

function patiently(work: () => number): number {
  for (;;) {
    try {
      return work();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** Standard output, and how what was printed so far ends. */
export class Output {
  readonly #descriptor: number;
  #last = LINE_FEED;
  #lastVisible: number | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#last = bytes.at(-1)!;
    let at = bytes.length - 1;
    while (at >= 0 && WHITE_SPACE.includes(bytes[at]!)) at--;
    if (at >= 0) this.#lastVisible = bytes[at];
    writeAll(this.#descriptor, bytes);
  }

  /** Nothing was printed but white space. */
  get isBlank(): boolean {
    return this.#lastVisible === undefined;
  }

  /** What was printed may end with a JSON object, which then is the verdict. */
  get mayEndWithObject(): boolean {
    return this.#lastVisible === CLOSING_BRACE;
  }

  /** Writes a line of its own. */
  writeLine(text: string): void {
    this.write(Buffer.from(`${this.#last === LINE_FEED ? "" : "\n"}${text}\n`));
  }
}
