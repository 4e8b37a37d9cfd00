/** What a connection still has to send: written side by side over one turn of the event loop, and handed over at once. */
import type { Socket } from "node:net";
import { HEADER_BYTES, PACKETS, type PacketName } from "../packets.ts";
import type { Handles } from "./handles.ts";

/** What an argument of a reply may be: Latin-1 text, bytes, or a job's number, which is sent as its handle. */
export type ReplyArg = string | Buffer | number;

/** Buffers up to this size are copied: that is cheaper than a system call's entry each. */
const COPY_BYTES = 2048;

/** Size of the first buffer that packets are written into, in bytes; it doubles up to `MAX_SLAB_BYTES`. */
const FIRST_SLAB_BYTES = 512;
const MAX_SLAB_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** Collects packets for one socket. Large payloads are never copied. */
export class Outbox {
  readonly #socket: Socket;
  readonly #handles: Handles;
  /** Complete buffers, in front of what the slab holds. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Packets are written here one after the other; from `#start` to `#end` they wait. */
  #slab = NOTHING;
  #start = 0;
  #end = 0;

  constructor(socket: Socket, handles: Handles) {
    this.#socket = socket;
    this.#handles = handles;
  }

  /** Bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#waitingBytes + this.#end - this.#start + this.#socket.writableLength;
  }

  /** Adds bytes behind those already waiting. They must not change until they are written. */
  add(buffer: Buffer): void {
    if (buffer.length <= COPY_BYTES) {
      const start = this.#reserve(buffer.length);
      this.#slab.set(buffer, start);
      return;
    }
    this.#cut();
    this.#push(buffer);
  }

  /** Adds one buffer that the returned function replaces, as long as it has not been handed to the socket. */
  addForNow(buffer: Buffer): (other: Buffer) => void {
    this.#cut();
    const waiting = this.#waiting;
    const index = waiting.length;
    this.#push(buffer);
    return (other) => {
      if (waiting !== this.#waiting) return;
      waiting[index] = other;
      this.#waitingBytes += other.length - buffer.length;
    };
  }

  /** Adds a packet. A last argument over 2 KiB is not copied, so it must not change until it is written. */
  addPacket(name: PacketName, args: readonly ReplyArg[]): void {
    const lastIndex = args.length - 1;
    let bodyBytes = Math.max(0, lastIndex);
    for (let index = 0; index <= lastIndex; index++) bodyBytes += this.#bytesOf(args[index]!);
    const last = args[lastIndex];
    const tail = typeof last === "object" && last.length > COPY_BYTES ? last : null;
    let at = this.#reserve(HEADER_BYTES + bodyBytes - (tail?.length ?? 0));
    at = this.#writeHeader(at, PACKETS[name].code, bodyBytes);
    for (let index = 0; index <= lastIndex; index++) {
      if (index < lastIndex || tail === null) at = this.#write(at, args[index]!);
      if (index < lastIndex) this.#slab[at++] = 0;
    }
    if (tail === null) return;
    this.#cut();
    this.#push(tail);
  }

  /** Hands everything to the socket in one write. */
  flush(): void {
    this.#cut();
    const buffers = this.#waiting;
    if (buffers.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const socket = this.#socket;
    if (!socket.writable) return;
    if (buffers.length === 1) socket.write(buffers[0]!);
    else {
      socket.cork();
      for (const buffer of joinSmall(buffers)) socket.write(buffer);
      socket.uncork();
    }
    // What the system has taken whole leaves its place to what comes next.
    if (socket.writableLength === 0) this.#start = this.#end = 0;
  }

  #bytesOf(arg: ReplyArg): number {
    return typeof arg === "number" ? this.#handles.bytesOf(arg) : arg.length;
  }

  /** Makes room in the slab and counts it as written; returns where it starts. */
  #reserve(bytes: number): number {
    if (this.#slab.length - this.#end < bytes) {
      this.#cut();
      const slabBytes = Math.min(MAX_SLAB_BYTES, Math.max(FIRST_SLAB_BYTES, 2 * this.#slab.length));
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
      this.#start = this.#end = 0;
    }
    const start = this.#end;
    this.#end += bytes;
    return start;
  }

  #writeHeader(at: number, code: number, bodyBytes: number): number {
    const slab = this.#slab;
    slab[at] = 0;
    slab[at + 1] = 0x52; // R
    slab[at + 2] = 0x45; // E
    slab[at + 3] = 0x53; // S
    slab[at + 4] = 0;
    slab[at + 5] = 0;
    slab[at + 6] = 0;
    slab[at + 7] = code;
    slab[at + 8] = bodyBytes >>> 24;
    slab[at + 9] = bodyBytes >>> 16;
    slab[at + 10] = bodyBytes >>> 8;
    slab[at + 11] = bodyBytes;
    return at + HEADER_BYTES;
  }

  /** Writes an argument; returns where it ends. */
  #write(at: number, arg: ReplyArg): number {
    const slab = this.#slab;
    if (typeof arg === "number") return this.#handles.write(slab, at, arg);
    if (typeof arg === "string") {
      for (let index = 0; index < arg.length; index++) slab[at + index] = arg.charCodeAt(index);
    } else if (arg.length < 32) {
      for (let index = 0; index < arg.length; index++) slab[at + index] = arg[index]!;
    } else slab.set(arg, at);
    return at + arg.length;
  }

  #push(buffer: Buffer): void {
    this.#waiting.push(buffer);
    this.#waitingBytes += buffer.length;
  }

  #cut(): void {
    if (this.#end === this.#start) return;
    this.#push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

/** The same bytes in the same order, runs of small buffers joined into one. */
export function joinSmall(buffers: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  let start = 0;
  for (let index = 0; index <= buffers.length; index++) {
    const large = index < buffers.length && buffers[index]!.length > COPY_BYTES;
    if (index < buffers.length && !large) continue;
    if (index - start === 1) joined.push(buffers[start]!);
    else if (index > start) joined.push(Buffer.concat(buffers.slice(start, index)));
    if (large) joined.push(buffers[index]!);
    start = index + 1;
  }
  return joined;
}
