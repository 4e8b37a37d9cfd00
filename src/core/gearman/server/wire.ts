/** Cuts what a connection sends into requests: binary packets and administrators' text lines, mixed as they come. */
import { DEFAULT_MAX_PACKET_BYTES, endOfText } from "../codec.ts";
import { GearmanError } from "../errors.ts";
import { HEADER_BYTES, type Magic, PACKETS, type PacketName } from "../packets.ts";

/** Longest text line and longest argument other than a payload, in bytes, ending included: gearmand's buffer size. */
export const MAX_ARGUMENT_BYTES = 8192;

/** A packet that is too large for this server, by its header or by one of its arguments: its sender may be told so. */
export class OverLimitError extends GearmanError {
  constructor(message: string) {
    super("PROTOCOL", message);
  }
}

/** Takes requests in the order in which they were sent. */
export interface RequestSink {
  /** A text line without its ending, its bytes as Latin-1 text. */
  takeLine(line: string): void;
  /** A packet with all its arguments; `name` is null for the type the protocol leaves unused. */
  takePacket(name: PacketName | null, magic: Magic, args: readonly Buffer[]): void;
}

interface Row {
  readonly name: PacketName | null;
  readonly argCount: number;
  /** The last argument is a payload: of any length, and with NULs. */
  readonly hasPayload: boolean;
  /** Perl's worker leaves out an empty payload together with the NUL before it. */
  readonly mayLackPayload: boolean;
}

/** What a worker says of a job: a handle alone is taken for one with an empty payload. */
const REPORTS: readonly string[] = ["WORK_COMPLETE", "WORK_DATA", "WORK_WARNING", "WORK_EXCEPTION"];

/** Type 5 is known to gearmand and does nothing. */
const UNUSED_TYPE = 5;

const ROWS: readonly (Row | undefined)[] = rowsByCode();

const REQUEST_MAGIC = 0x00524551;
const RESPONSE_MAGIC = 0x00524553;
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

function rowsByCode(): readonly (Row | undefined)[] {
  const rows: (Row | undefined)[] = [];
  for (const [name, { code, args }] of Object.entries(PACKETS)) {
    const last: string | undefined = args[args.length - 1];
    const mayLackPayload = REPORTS.includes(name);
    rows[code] = { name: name as PacketName, argCount: args.length, hasPayload: last === "payload", mayLackPayload };
  }
  rows[UNUSED_TYPE] = { name: null, argCount: 0, hasPayload: false, mayLackPayload: false };
  return Array.from(rows);
}

/**
 * Reads one connection. Bytes are joined when a header and again when a body completes, never once per
 * chunk; packets that arrive whole are not copied. Bytes that cannot be a request throw a PROTOCOL error, too many of them an
 * OverLimitError,
 * after which the connection is of no use: there is no way back into step.
 */
export class RequestReader {
  readonly #sink: RequestSink;
  readonly #maxPacketBytes: number;
  #chunks: Buffer[] = [];
  #have = 0;
  #need = 1;
  #isStopped = false;

  constructor(sink: RequestSink, maxPacketBytes: number = DEFAULT_MAX_PACKET_BYTES) {
    this.#sink = sink;
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** Ignores everything from here on, the rest of the current chunk included. */
  stop(): void {
    this.#isStopped = true;
    this.#chunks = [];
  }

  /** Takes the next bytes and hands on the requests they complete. */
  push(chunk: Buffer): void {
    if (this.#isStopped) return;
    let bytes = chunk;
    if (this.#have > 0) {
      this.#chunks.push(chunk);
      this.#have += chunk.length;
      if (this.#have < this.#need) return;
      bytes = Buffer.concat(this.#chunks, this.#have);
    }
    let offset = 0;
    while (!this.#isStopped && offset < bytes.length) {
      const end = bytes[offset] === 0 ? this.#takePacket(bytes, offset) : this.#takeLine(bytes, offset);
      if (end < 0) break;
      offset = end;
    }
    this.#keep(bytes, offset);
  }

  #keep(bytes: Buffer, offset: number): void {
    this.#have = this.#isStopped ? 0 : bytes.length - offset;
    this.#chunks = this.#have === 0 ? [] : [bytes.subarray(offset)];
  }

  /** Where the line ends, or -1 when its end has not arrived. */
  #takeLine(bytes: Buffer, start: number): number {
    const end = bytes.indexOf(NEWLINE, start);
    if ((end < 0 ? bytes.length : end + 1) - start > MAX_ARGUMENT_BYTES) {
      throw new GearmanError("PROTOCOL", `a text command is over the limit of ${MAX_ARGUMENT_BYTES} bytes`);
    }
    if (end < 0) {
      this.#need = bytes.length - start + 1;
      return -1;
    }
    const hasReturn = end > start && bytes[end - 1] === 0x0d;
    this.#sink.takeLine(bytes.toString("latin1", start, hasReturn ? end - 1 : end));
    return end + 1;
  }

  /** Where the packet ends, or -1 when its end has not arrived. */
  #takePacket(bytes: Buffer, start: number): number {
    const available = bytes.length - start;
    if (available < HEADER_BYTES) {
      this.#need = HEADER_BYTES;
      return -1;
    }
    const magic = bytes.readUInt32BE(start);
    if (magic !== REQUEST_MAGIC && magic !== RESPONSE_MAGIC) {
      throw new GearmanError("PROTOCOL", `not a Gearman packet: starts with bytes ${bytes.toString("hex", start, start + 4)}`);
    }
    const code = bytes.readUInt32BE(start + 4);
    const row = ROWS[code];
    if (row === undefined) throw new GearmanError("PROTOCOL", `unknown packet type ${code}`);
    const size = bytes.readUInt32BE(start + 8);
    this.#checkSize(row, size);
    if (available < HEADER_BYTES + size) {
      this.#need = HEADER_BYTES + size;
      return -1;
    }
    const end = start + HEADER_BYTES + size;
    this.#sink.takePacket(row.name, magic === REQUEST_MAGIC ? "REQ" : "RES", argsOf(row, bytes, start + HEADER_BYTES, end));
    return end;
  }

  #checkSize(row: Row, size: number): void {
    const limit = row.hasPayload || row.argCount === 0 ? this.#maxPacketBytes : row.argCount * MAX_ARGUMENT_BYTES;
    if (size <= limit) return;
    throw new OverLimitError(`${row.name ?? "packet"} of ${size} bytes is over the limit of ${limit}`);
  }
}

/** All arguments but the last end at a NUL; the last one takes the rest. What an argless packet carries is ignored. */
function argsOf(row: Row, bytes: Buffer, start: number, end: number): Buffer[] {
  const args: Buffer[] = [];
  const last = row.argCount - 1;
  for (let index = 0; index < last; index++) {
    const stop = endOfText(bytes, start, end);
    if (stop === end) {
      if (row.mayLackPayload) return [bytes.subarray(start, end), NOTHING];
      throw new GearmanError("PROTOCOL", `${row.name} has ${index + 1} of ${row.argCount} arguments`);
    }
    checkArgument(row, stop + 1 - start);
    args.push(stop === start ? NOTHING : bytes.subarray(start, stop));
    start = stop + 1;
  }
  if (last >= 0) {
    if (!row.hasPayload) checkArgument(row, end - start);
    args.push(bytes.subarray(start, end));
  }
  return args;
}

function checkArgument(row: Row, length: number): void {
  if (length <= MAX_ARGUMENT_BYTES) return;
  throw new OverLimitError(`an argument of ${row.name} has ${length} bytes, over the limit of ${MAX_ARGUMENT_BYTES}`);
}
