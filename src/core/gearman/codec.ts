/** Turns packets into bytes and a byte stream, cut anywhere, back into packets. */
import { GearmanError } from "./errors.ts";
import { HEADER_BYTES, type Magic, PACKETS, type Packet, type PacketArg, type PacketArgs, type PacketName } from "./packets.ts";

/** Largest packet body a decoder takes unless told otherwise: 256 MiB. */
export const DEFAULT_MAX_PACKET_BYTES = 256 * 1024 * 1024;

/** Largest body the 32-bit size field can announce. */
const MAX_BODY_BYTES = 0xffffffff;

/** A last argument up to this size is copied behind its header: one small buffer is cheaper than two. */
const INLINE_BYTES = 2048;

/** First four bytes of a packet as a number: `\0REQ` and `\0RES`. */
const MAGIC_NUMBERS = { REQ: 0x00524551, RES: 0x00524553 } as const;

/** Row of the packet table by type number, so that decoding is one array access. */
const ROWS: readonly ({ name: PacketName; args: readonly string[] } | undefined)[] = rowsByCode();

function rowsByCode(): ({ name: PacketName; args: readonly string[] } | undefined)[] {
  const rows: ({ name: PacketName; args: readonly string[] } | undefined)[] = [];
  for (const [name, { code, args }] of Object.entries(PACKETS)) rows[code] = { name: name as PacketName, args };
  return Array.from(rows);
}

/**
 * The bytes of one packet, as buffers to be written one after the other. A last argument longer than
 * 2 KiB is not copied but passed on as it is, so it must not change until it is written.
 */
export function encodePacket<N extends PacketName>(magic: Magic, name: N, ...args: PacketArgs<N>): Buffer[] {
  return encodeArgs(magic, name, args as readonly PacketArg[]);
}

function encodeArgs(magic: Magic, name: PacketName, args: readonly PacketArg[]): Buffer[] {
  const lastIndex = args.length - 1;
  let bodyBytes = Math.max(0, lastIndex);
  let tailBytes = 0;
  for (let index = 0; index <= lastIndex; index++) {
    const arg = args[index]!;
    const bytes = typeof arg === "string" ? Buffer.byteLength(arg) : arg.length;
    if (index < lastIndex) refuseNul(name, index, arg);
    else if (bytes > INLINE_BYTES) tailBytes = bytes;
    bodyBytes += bytes;
  }
  if (bodyBytes > MAX_BODY_BYTES) {
    throw new GearmanError("ARGUMENT", `${name} of ${bodyBytes} bytes is over the protocol's limit of ${MAX_BODY_BYTES}`);
  }
  const head = Buffer.allocUnsafe(HEADER_BYTES + bodyBytes - tailBytes);
  writeHeader(head, magic, name, bodyBytes);
  let offset = HEADER_BYTES;
  for (let index = 0; index <= lastIndex; index++) {
    if (index < lastIndex || tailBytes === 0) offset = writeArg(head, offset, args[index]!);
    if (index < lastIndex) head[offset++] = 0;
  }
  return tailBytes === 0 ? [head] : [head, bytesOf(args[lastIndex]!)];
}

function writeHeader(head: Buffer, magic: Magic, name: PacketName, bodyBytes: number): void {
  const code = PACKETS[name].code;
  head[0] = 0;
  head[1] = 0x52; // R
  head[2] = 0x45; // E
  head[3] = magic === "REQ" ? 0x51 : 0x53; // Q or S
  head[4] = 0;
  head[5] = 0;
  head[6] = 0;
  head[7] = code;
  head[8] = bodyBytes >>> 24;
  head[9] = bodyBytes >>> 16;
  head[10] = bodyBytes >>> 8;
  head[11] = bodyBytes;
}

function writeArg(target: Buffer, offset: number, arg: PacketArg): number {
  if (typeof arg === "string") return offset + target.write(arg, offset);
  target.set(arg, offset);
  return offset + arg.length;
}

function refuseNul(name: PacketName, index: number, arg: PacketArg): void {
  const at = typeof arg === "string" ? arg.indexOf("\0") : arg.indexOf(0);
  if (at < 0) return;
  throw new GearmanError("ARGUMENT", `the ${PACKETS[name].args[index]} of ${name} has a NUL byte at position ${at}`);
}

/** The bytes of an argument: text becomes UTF-8, bytes are not copied. */
export function bytesOf(arg: PacketArg): Buffer {
  if (typeof arg === "string") return Buffer.from(arg);
  return Buffer.isBuffer(arg) ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

/** What is wrong with a byte stream: which part of a packet could not be understood. */
export type DecoderFault = "magic" | "direction" | "type" | "length" | "arguments";

/** How a decoder treats its stream. */
export interface DecoderOptions {
  /** Stop in front of a byte other than NUL where a packet should start, for text commands; see `takeText`. Default false. */
  readonly stopAtText?: boolean;
}

/**
 * Turns a byte stream, cut anywhere, into packets. Bytes are joined when a header and again when a body
 * completes, never once per chunk; packets that arrive whole are not copied at all. After a fault every
 * further push throws again: there is no way back into step.
 */
export class PacketDecoder {
  readonly #maxBytes: number;
  readonly #magic: Magic;
  readonly #stopAtText: boolean;
  #chunks: Buffer[] = [];
  #have = 0;
  #need = HEADER_BYTES;
  #failure: GearmanError | null = null;
  #fault: DecoderFault | null = null;

  /**
   * @param maxBytes largest packet body taken, in bytes
   * @param expectedMagic `RES` for a client or worker, `REQ` for a server
   */
  constructor(maxBytes: number = DEFAULT_MAX_PACKET_BYTES, expectedMagic: Magic = "RES", options: DecoderOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#magic = expectedMagic;
    this.#stopAtText = options.stopAtText ?? false;
  }

  /** Why the stream cannot be read on, or null. `direction` is a packet with the other side's magic. */
  get fault(): DecoderFault | null {
    return this.#fault;
  }

  /** Bytes held back because their packet is not complete yet. */
  get pendingBytes(): number {
    return this.#have;
  }

  /** Takes the next bytes of the stream and yields the packets they complete. Pull all of them before the next push. */
  *push(chunk: Buffer): Generator<Packet, void, undefined> {
    if (this.#failure !== null) throw this.#failure;
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#have += chunk.length;
    while (this.#have >= this.#need || (this.#stopAtText && this.#need === HEADER_BYTES && this.#have > 0)) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#have);
      if (this.#stopAtText && bytes[0] !== 0) return this.#keep(bytes, HEADER_BYTES);
      if (bytes.length < HEADER_BYTES) return this.#keep(bytes, HEADER_BYTES);
      const end = this.#endOfPacket(bytes);
      if (bytes.length < end) return this.#keep(bytes, end);
      this.#keep(end === bytes.length ? null : bytes.subarray(end), HEADER_BYTES);
      yield this.#parse(bytes, end);
    }
  }

  /** With `stopAtText`: hands over the bytes from a text command on, or an empty buffer when a packet is next. */
  takeText(): Buffer {
    const first = this.#chunks[0];
    if (first === undefined || first[0] === 0) return Buffer.alloc(0);
    this.#keep(null, HEADER_BYTES);
    return first;
  }

  #keep(bytes: Buffer | null, need: number): void {
    this.#chunks = bytes === null ? [] : [bytes];
    this.#have = bytes === null ? 0 : bytes.length;
    this.#need = need;
  }

  #endOfPacket(bytes: Buffer): number {
    const magic = bytes.readUInt32BE(0);
    if (magic !== MAGIC_NUMBERS[this.#magic]) this.#refuseMagic(bytes, magic);
    const code = bytes.readUInt32BE(4);
    const row = ROWS[code];
    if (row === undefined) throw this.#fail("type", `unknown packet type ${code} (bytes ${hex(bytes.subarray(4, 8))})`);
    const size = bytes.readUInt32BE(8);
    if (size > this.#maxBytes) {
      throw this.#fail(
        "length",
        `${row.name} packet of ${size} bytes is over the limit of ${this.#maxBytes} (bytes ${hex(bytes.subarray(8, 12))})`,
      );
    }
    return HEADER_BYTES + size;
  }

  #parse(bytes: Buffer, end: number): Packet {
    const { name, args: names } = ROWS[bytes[7]!]!;
    const args: Record<string, Buffer> = {};
    const last = names.length - 1;
    let offset = HEADER_BYTES;
    for (let index = 0; index < last; index++) {
      const stop = bytes.indexOf(0, offset);
      if (stop < 0 || stop >= end) {
        throw this.#fail(
          "arguments",
          `${name} packet has ${index + 1} of ${names.length} arguments (no NUL ends its ${names[index]})`,
        );
      }
      args[names[index]!] = bytes.subarray(offset, stop);
      offset = stop + 1;
    }
    if (last >= 0) {
      // gearmand ends the handle of a forwarded WORK_FAIL with NULs that belong to nothing.
      if (names[last] === "handle") while (end > offset && bytes[end - 1] === 0) end--;
      args[names[last]!] = bytes.subarray(offset, end);
    }
    return { name, args } as Packet;
  }

  #refuseMagic(bytes: Buffer, magic: number): never {
    const start = bytes.subarray(0, 4);
    const wanted = `\\0${this.#magic}`;
    if (magic === MAGIC_NUMBERS[this.#magic === "REQ" ? "RES" : "REQ"]) {
      throw this.#fail(
        "direction",
        `packet starts with \\0${start.toString("latin1", 1)} (bytes ${hex(start)}) where ${wanted} is expected`,
      );
    }
    throw this.#fail(
      "magic",
      `not a Gearman packet: starts with bytes ${hex(start)} (${quoted(start)}) where ${wanted} is expected`,
    );
  }

  #fail(fault: DecoderFault, message: string): GearmanError {
    this.#fault = fault;
    this.#failure = new GearmanError("PROTOCOL", message);
    this.#keep(null, HEADER_BYTES);
    return this.#failure;
  }
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex").replace(/..(?=.)/g, "$& ");
}

function quoted(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1"));
}
