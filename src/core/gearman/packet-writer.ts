/** Collects the packets of one write, because many small writes cost more than all else that a job needs. */
import { bytesOf, checkPacketBytes, headBytesOf, lastOf, tailBytesOf, writeArg, writeHeader, writePacket } from "./codec.ts";
import { HEADER_BYTES, type Magic, type PacketArg, type PacketArgs, type PacketName } from "./packets.ts";

/** Size of the buffers small packets are written into, one after the other. */
const SLAB_BYTES = 64 * 1024;

/** Collects packets for one write: small ones side by side in one buffer, large payloads as they are. */
export class PacketWriter {
  readonly #magic: Magic;
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #done: Buffer[] = [];
  #doneBytes = 0;

  /** @param magic `REQ` for a client or worker, `RES` for a server */
  constructor(magic: Magic) {
    this.#magic = magic;
  }

  /** Bytes collected since the last `take`. */
  get bytes(): number {
    return this.#doneBytes + this.#end - this.#start;
  }

  /** Adds one packet. A last argument over 2 KiB is not copied, so it must not change until it is written. */
  add<N extends PacketName>(name: N, args: PacketArgs<N>): void {
    const tailBytes = tailBytesOf(lastOf(args));
    const headBytes = headBytesOf(name, args, tailBytes);
    if (this.#slab.length - this.#end < headBytes) this.#newSlab(headBytes);
    this.#end = writePacket(this.#slab, this.#end, this.#magic, name, args, tailBytes);
    if (tailBytes > 0) this.#addTail(lastOf(args)!, tailBytes);
  }

  /**
   * Adds a report on a job: its handle, from `start` to `end` in bytes it came in, and what there is to say. As `add`,
   * but no text is made of the handle.
   */
  addReport(name: "WORK_COMPLETE" | "WORK_DATA", bytes: Buffer, start: number, end: number, payload: PacketArg): void {
    const tailBytes = tailBytesOf(payload);
    const inlineBytes = tailBytes > 0 ? 0 : typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
    const bodyBytes = end - start + 1 + inlineBytes + tailBytes;
    checkPacketBytes(name, HEADER_BYTES + bodyBytes);
    const headBytes = HEADER_BYTES + bodyBytes - tailBytes;
    if (this.#slab.length - this.#end < headBytes) this.#newSlab(headBytes);
    const slab = this.#slab;
    writeHeader(slab, this.#end, this.#magic, name, bodyBytes);
    let at = this.#end + HEADER_BYTES;
    for (let from = start; from < end; from++) slab[at++] = bytes[from]!;
    slab[at++] = 0;
    if (tailBytes === 0) this.#end = writeArg(slab, at, payload);
    else {
      this.#end = at;
      this.#addTail(payload, tailBytes);
    }
  }

  /** Everything collected, to be written in this order. The buffers are not used again. */
  take(): Buffer[] {
    this.#cut();
    const buffers = this.#done;
    this.#done = [];
    this.#doneBytes = 0;
    return buffers;
  }

  #addTail(payload: PacketArg, bytes: number): void {
    this.#cut();
    this.#done.push(bytesOf(payload));
    this.#doneBytes += bytes;
  }

  #newSlab(leastBytes: number): void {
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, leastBytes));
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): void {
    if (this.#end === this.#start) return;
    this.#done.push(this.#slab.subarray(this.#start, this.#end));
    this.#doneBytes += this.#end - this.#start;
    this.#start = this.#end;
  }
}
