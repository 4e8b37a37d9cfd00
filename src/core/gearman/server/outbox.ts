/** What a connection still has to send: collected over one turn of the event loop and written at once. */
import type { Socket } from "node:net";

/** Buffers up to this size are joined before writing: copying them is cheaper than a system call's entry each. */
const JOIN_BYTES = 2048;

/** Collects buffers for one socket. Large ones are never copied. */
export class Outbox {
  readonly #socket: Socket;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#waitingBytes + this.#socket.writableLength;
  }

  /** Adds buffers behind those already waiting. They must not change until they are written. */
  add(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) {
      this.#waiting.push(buffer);
      this.#waitingBytes += buffer.length;
    }
  }

  /** Adds one buffer that the returned function replaces, as long as it has not been handed to the socket. */
  addForNow(buffer: Buffer): (other: Buffer) => void {
    const waiting = this.#waiting;
    const index = waiting.length;
    this.add([buffer]);
    return (other) => {
      if (waiting !== this.#waiting) return;
      waiting[index] = other;
      this.#waitingBytes += other.length - buffer.length;
    };
  }

  /** Hands everything to the socket in one write. */
  flush(): void {
    const buffers = this.#waiting;
    if (buffers.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (!this.#socket.writable) return;
    if (buffers.length === 1) {
      this.#socket.write(buffers[0]!);
      return;
    }
    this.#socket.cork();
    for (const buffer of joinSmall(buffers)) this.#socket.write(buffer);
    this.#socket.uncork();
  }
}

/** The same bytes in the same order, runs of small buffers joined into one. */
export function joinSmall(buffers: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  let start = 0;
  for (let index = 0; index <= buffers.length; index++) {
    const large = index < buffers.length && buffers[index]!.length > JOIN_BYTES;
    if (index < buffers.length && !large) continue;
    if (index - start === 1) joined.push(buffers[start]!);
    else if (index > start) joined.push(Buffer.concat(buffers.slice(start, index)));
    if (large) joined.push(buffers[index]!);
    start = index + 1;
  }
  return joined;
}
