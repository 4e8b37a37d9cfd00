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
  const tailBytes = tailBytesOf(lastOf(args));
  const head = Buffer.allocUnsafe(headBytesOf(name, args, tailBytes));
  writePacket(head, 0, magic, name, args, tailBytes);
  return tailBytes === 0 ? [head] : [head, bytesOf(lastOf(args)!)];
}

/** The last argument, if there is one. */
export function lastOf(args: readonly PacketArg[]): PacketArg | undefined {
  return args[args.length - 1];
}

/** Size of a last argument that is passed on as it is, or 0 when it is small enough to be copied. */
export function tailBytesOf(last: PacketArg = ""): number {
  // No character has more than three bytes for each of its units.
  if (last.length * 3 <= INLINE_BYTES) return 0;
  const bytes = typeof last === "string" ? Buffer.byteLength(last) : last.length;
  return bytes > INLINE_BYTES ? bytes : 0;
}

/** Size of everything in front of a tail of that size, header included; refuses arguments that cannot be sent. */
export function headBytesOf(name: PacketName, args: readonly PacketArg[], tailBytes: number): number {
  const lastIndex = args.length - 1;
  let bytes = HEADER_BYTES + Math.max(0, lastIndex);
  for (let index = 0; index <= lastIndex; index++) {
    const arg = args[index]!;
    if (index < lastIndex) refuseNul(name, index, arg);
    else if (tailBytes > 0) break;
    bytes += typeof arg === "string" ? Buffer.byteLength(arg) : arg.length;
  }
  checkPacketBytes(name, bytes + tailBytes);
  return bytes;
}

/** Refuses a packet whose size the protocol cannot announce. */
export function checkPacketBytes(name: PacketName, bytes: number): void {
  if (bytes - HEADER_BYTES <= MAX_BODY_BYTES) return;
  throw new GearmanError("ARGUMENT", `${name} of ${bytes} bytes is over the protocol's limit of ${MAX_BODY_BYTES}`);
}

/** Writes header and arguments, apart from a payload of `tailBytes` that follows in a buffer of its own; returns the end. */
export function writePacket(
  target: Buffer,
  start: number,
  magic: Magic,
  name: PacketName,
  args: readonly PacketArg[],
  tailBytes: number,
): number {
  const lastIndex = args.length - 1;
  let offset = start + HEADER_BYTES;
  for (let index = 0; index <= lastIndex; index++) {
    if (index < lastIndex || tailBytes === 0) offset = writeArg(target, offset, args[index]!);
    if (index < lastIndex) target[offset++] = 0;
  }
  writeHeader(target, start, magic, name, offset - start - HEADER_BYTES + tailBytes);
  return offset;
}

/** Writes the twelve bytes that every packet starts with. */
export function writeHeader(target: Buffer, start: number, magic: Magic, name: PacketName, bodyBytes: number): void {
  target[start] = 0;
  target[start + 1] = 0x52; // R
  target[start + 2] = 0x45; // E
  target[start + 3] = magic === "REQ" ? 0x51 : 0x53; // Q or S
  target[start + 4] = 0;
  target[start + 5] = 0;
  target[start + 6] = 0;
  target[start + 7] = PACKETS[name].code;
  target[start + 8] = bodyBytes >>> 24;
  target[start + 9] = bodyBytes >>> 16;
  target[start + 10] = bodyBytes >>> 8;
  target[start + 11] = bodyBytes;
}

/** Text up to this length is written character by character, which beats a call into the engine while it is ASCII. */
const SHORT_TEXT = 40;

/** Writes an argument; returns where it ends. */
export function writeArg(target: Buffer, offset: number, arg: PacketArg): number {
  if (typeof arg !== "string") {
    target.set(arg, offset);
    return offset + arg.length;
  }
  if (arg.length > SHORT_TEXT) return offset + target.write(arg, offset);
  for (let index = 0; index < arg.length; index++) {
    const unit = arg.charCodeAt(index);
    if (unit > 0x7f) return offset + target.write(arg, offset);
    target[offset + index] = unit;
  }
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

/** From this size on, a packet gets its room as soon as its size is known, in bytes. */
const LARGE_BYTES = 128 * 1024;

/** Above this size nobody's word for it is taken: the room grows with what has come, in bytes. */
const MAX_LARGE_BYTES = 16 * 1024 * 1024;

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
  /** Room for the large packet that is under way, filled as its pieces come: copying them costs nothing while more are awaited. */
  #large: Buffer | null = null;
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

  /** Bytes held back because their packet is not complete yet; for a visitor of `scan`, all bytes after its packet. */
  get pendingBytes(): number {
    return this.#have;
  }

  /** Takes the next bytes of the stream and yields the packets they complete. Pull all of them before the next push. */
  *push(chunk: Buffer): Generator<Packet, void, undefined> {
    let rest = chunk;
    if (this.#large !== null) {
      const large = this.#fillLarge(this.#large, chunk);
      if (large === null) return;
      rest = large.rest;
      yield this.parse(large.packet, 0, large.packet.length);
    }
    const bytes = this.#join(rest);
    if (bytes === null) return;
    let start = 0;
    for (let end = this.#next(bytes, start); end > 0; end = this.#next(bytes, start)) {
      const packet = this.parse(bytes, start, end);
      start = end;
      yield packet;
    }
    this.#keepFrom(bytes, start);
  }

  /**
   * As `push`, but calls `visit` with each packet as it lies in the bytes, from `start` to `end`, and leaves it to
   * the visitor to take it apart, with `parse` or by hand. Stops when `visit` returns false.
   */
  scan(chunk: Buffer, visit: (bytes: Buffer, start: number, end: number) => boolean): void {
    let rest = chunk;
    if (this.#large !== null) {
      const large = this.#fillLarge(this.#large, chunk);
      if (large === null) return;
      rest = large.rest;
      this.#have = rest.length;
      if (!visit(large.packet, 0, large.packet.length)) return;
      this.#have = 0;
    }
    const bytes = this.#join(rest);
    if (bytes === null) return;
    let start = 0;
    for (let end = this.#next(bytes, start); end > 0; end = this.#next(bytes, start)) {
      this.#have = bytes.length - end;
      if (!visit(bytes, start, end)) return;
      start = end;
    }
    this.#keepFrom(bytes, start);
  }

  /** With `stopAtText`: hands over the bytes from a text command on, or an empty buffer when a packet is next. */
  takeText(): Buffer {
    const first = this.#chunks[0];
    if (first === undefined || first[0] === 0) return Buffer.alloc(0);
    this.#chunks = [];
    this.#have = 0;
    return first;
  }

  /** Puts more bytes into a large packet; null until it is complete, then the packet and what follows it. */
  #fillLarge(packet: Buffer, chunk: Buffer): { packet: Buffer; rest: Buffer } | null {
    const copied = chunk.copy(packet, this.#have);
    this.#have += copied;
    if (this.#have < packet.length) return null;
    this.#large = null;
    this.#have = 0;
    this.#need = HEADER_BYTES;
    return { packet, rest: chunk.subarray(copied) };
  }

  /** All bytes not read yet, or null when they cannot hold the packet that is under way. */
  #join(chunk: Buffer): Buffer | null {
    if (this.#failure !== null) throw this.#failure;
    if (chunk.length === 0) return null;
    this.#chunks.push(chunk);
    this.#have += chunk.length;
    if (this.#have < this.#need && !(this.#stopAtText && this.#need === HEADER_BYTES)) return null;
    this.#need = HEADER_BYTES;
    return this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#have);
  }

  /** End of the packet that starts at `start`, or 0 when it is not complete or a text command is there instead. */
  #next(bytes: Buffer, start: number): number {
    if (bytes.length - start < HEADER_BYTES || (this.#stopAtText && bytes[start] !== 0)) return 0;
    const packetBytes = this.#packetBytes(bytes, start);
    if (start + packetBytes <= bytes.length) return start + packetBytes;
    this.#need = packetBytes;
    return 0;
  }

  #keepFrom(bytes: Buffer, start: number): void {
    this.#have = bytes.length - start;
    if (this.#need >= LARGE_BYTES && this.#need <= MAX_LARGE_BYTES) {
      this.#large = Buffer.allocUnsafeSlow(this.#need);
      bytes.copy(this.#large, 0, start);
      this.#chunks = [];
      return;
    }
    this.#chunks = this.#have === 0 ? [] : [start === 0 ? bytes : bytes.subarray(start)];
  }

  /** Size of the packet that starts at `start`, header included. */
  #packetBytes(bytes: Buffer, start: number): number {
    const magic = bytes.readUInt32BE(start);
    if (magic !== MAGIC_NUMBERS[this.#magic]) this.#refuseMagic(bytes.subarray(start, start + 4), magic);
    const code = bytes.readUInt32BE(start + 4);
    const row = ROWS[code];
    if (row === undefined)
      throw this.#fail("type", `unknown packet type ${code} (bytes ${hex(bytes.subarray(start + 4, start + 8))})`);
    const size = bytes.readUInt32BE(start + 8);
    if (size > this.#maxBytes) {
      const shown = hex(bytes.subarray(start + 8, start + 12));
      throw this.#fail("length", `${row.name} packet of ${size} bytes is over the limit of ${this.#maxBytes} (bytes ${shown})`);
    }
    return HEADER_BYTES + size;
  }

  /** Takes apart the packet from `start` to `end`, as `scan` found it. */
  parse(bytes: Buffer, start: number, end: number): Packet {
    const { name, args: names } = ROWS[bytes[start + 7]!]!;
    const args: Record<string, Buffer> = {};
    const last = names.length - 1;
    let offset = start + HEADER_BYTES;
    for (let index = 0; index < last; index++) {
      const stop = endOfText(bytes, offset, end);
      if (stop === end) {
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

  #refuseMagic(start: Buffer, magic: number): never {
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
    this.#chunks = [];
    this.#large = null;
    this.#have = 0;
    return this.#failure;
  }
}

/** Place of the next NUL, or `end`. Arguments are short, so looking is quicker than asking the engine to look. */
export function endOfText(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0) at++;
  return at;
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex").replace(/..(?=.)/g, "$& ");
}

function quoted(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1"));
}
