/** Keeps what a stream says within bounds: its beginning and, always, its end. */

/** The share of the room that goes to the beginning once not everything fits. */
const HEAD_SHARE = 1 / 4;

/** Room of the first chunk, in bytes, when it is smaller. */
const FIRST_BYTES = 1024;

/** What was kept of a stream. */
export interface Captured {
  /** The beginning, when something was dropped after it; else empty. */
  readonly head: Buffer;
  /** The end; all of it when nothing was dropped. */
  readonly tail: Buffer;
  /** Bytes between head and tail that were not kept. */
  readonly droppedBytes: number;
}

/**
 * Collects a stream of any length in at most `maxBytes` of memory, and copies each byte a constant number of times.
 *
 * Modes: filling (everything is kept) → full (the head stays, the rest is a ring with the last bytes).
 */
export class Capture {
  readonly #maxBytes: number;
  readonly #headBytes: number;
  #bytes = Buffer.alloc(0);
  #total = 0;
  /** Where the next byte goes in the ring that starts after the head. */
  #next: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#headBytes = Math.floor(maxBytes * HEAD_SHARE);
    this.#next = this.#headBytes;
  }

  /** Takes the next bytes of the stream. They are copied. */
  push(chunk: Buffer): void {
    const fitting = Math.max(0, Math.min(chunk.length, this.#maxBytes - this.#total));
    if (fitting > 0) {
      this.#grow(this.#total + fitting);
      chunk.copy(this.#bytes, this.#total, 0, fitting);
    }
    this.#total += chunk.length;
    if (fitting < chunk.length) this.#turn(fitting === 0 ? chunk : chunk.subarray(fitting));
  }

  /** What is kept by now. The buffers are the collector's own until the next `push`. */
  captured(): Captured {
    const kept = Math.min(this.#total, this.#maxBytes);
    if (this.#total === kept) return { head: Buffer.alloc(0), tail: this.#bytes.subarray(0, kept), droppedBytes: 0 };
    const head = wholeCharactersOf(this.#bytes.subarray(0, this.#headBytes));
    const ring = Buffer.concat([this.#bytes.subarray(this.#next, kept), this.#bytes.subarray(this.#headBytes, this.#next)]);
    const tail = fromFirstCharacterOf(ring);
    return { head, tail, droppedBytes: this.#total - head.length - tail.length };
  }

  #grow(needed: number): void {
    if (needed <= this.#bytes.length) return;
    const size = Math.min(this.#maxBytes, Math.max(needed, this.#bytes.length * 2, FIRST_BYTES));
    const larger = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }

  /** Writes over the oldest bytes of the ring. */
  #turn(chunk: Buffer): void {
    const room = this.#maxBytes - this.#headBytes;
    if (room === 0) return;
    if (chunk.length > room) chunk = chunk.subarray(chunk.length - room);
    const untilEnd = Math.min(chunk.length, this.#maxBytes - this.#next);
    chunk.copy(this.#bytes, this.#next, 0, untilEnd);
    chunk.copy(this.#bytes, this.#headBytes, untilEnd);
    this.#next = this.#headBytes + ((this.#next - this.#headBytes + chunk.length) % room);
  }
}

/**
 * What was kept as text, the cut marked by its size, such as `[… 1024 bytes dropped …]` on a line of its own.
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * @param tailBytes how much of the tail to take. Default: all
 */
export function textOf({ head, tail, droppedBytes }: Captured, tailBytes = tail.length): string {
  const end = tail.toString("utf8", 0, tailBytes);
  return droppedBytes === 0 ? end : `${head.toString("utf8")}\n[… ${droppedBytes} bytes dropped …]\n${end}`;
}

/** The bytes without half a character at their end. */
function wholeCharactersOf(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > 0 && start > bytes.length - 4 && isContinuation(bytes[start]!)) start--;
  if (start < 0) return bytes;
  const first = bytes[start]!;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start + length > bytes.length ? bytes.subarray(0, start) : bytes;
}

/** The bytes without the rest of a character at their start. */
function fromFirstCharacterOf(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && start < bytes.length && isContinuation(bytes[start]!)) start++;
  return bytes.subarray(start);
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
