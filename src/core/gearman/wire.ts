/** One socket that speaks packets: it connects in bounded time, writes once per tick, and tells its owner once when it is gone. */
import type { Socket } from "node:net";
import { bounded } from "../net/deadline.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { DEFAULT_MAX_PACKET_BYTES, PacketDecoder } from "./codec.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, readyEvent } from "./host.ts";
import { PacketWriter } from "./packet-writer.ts";
import type { Packet, PacketArg, PacketArgs, PacketName } from "./packets.ts";
import { CLOSED_IN_HANDSHAKE, isTlsRefusal, tlsReason } from "./tls.ts";

/** How to reach a server. */
export interface WireOptions {
  readonly host: GearmanHost;
  readonly address: ServerAddress;
  /** Longest wait for the connection, the TLS handshake included, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Let the system probe an idle connection every 30 s. */
  readonly keepalive: boolean;
  /** Largest packet taken, in bytes. */
  readonly maxPacketBytes?: number;
  /** After this long without a byte read or written the owner is told `stalled`, in milliseconds. Default: never. */
  readonly stallMs?: number;
}

/** Whom a wire reports to. After `lost`, which comes exactly once, nothing else is called. */
export interface WireOwner {
  opened(): void;
  /** Offered each packet before it is taken apart; true when that settles it. For the few that come by the million. */
  quick?(bytes: Buffer, start: number, end: number): boolean;
  /** May throw a GearmanError, which ends the wire with that reason. */
  packet(packet: Packet): void;
  /** For `stallMs` nothing came, and the system could send nothing. */
  stalled?(): void;
  lost(reason: GearmanError): void;
}

/** Idle time before the system probes a connection, in milliseconds. */
const KEEPALIVE_MS = 30_000;

/** With more bytes than this waiting to be sent, a wire counts as congested. */
const CONGESTED_BYTES = 4 * 1024 * 1024;

/** Longest wait for the other side's goodbye in `end`, in milliseconds. */
const GOODBYE_MS = 2_000;

/** What the system's error codes mean in words. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "unknown host name",
  EAI_AGAIN: "name lookup failed",
  EPIPE: "connection closed",
  ETIMEDOUT: "connection timed out",
};

/**
 * A connection to one server. Modes: connecting → open → lost. `end` and `destroy` lead to lost from
 * everywhere; a lost wire stays lost, its owner makes a new one.
 */
export class Wire {
  /** The server's address as text, such as `127.0.0.1:4730`. */
  readonly server: string;
  readonly #options: WireOptions;
  readonly #owner: WireOwner;
  readonly #socket: Socket;
  readonly #decoder: PacketDecoder;
  readonly #closed: Promise<void>;
  readonly #flush = () => this.#writePending();
  readonly #visit = (bytes: Buffer, start: number, end: number): boolean => {
    if (!this.#owner.quick?.(bytes, start, end)) this.#owner.packet(this.#decoder.parse(bytes, start, end));
    return this.#mode === "open";
  };
  #connectTimer: ReturnType<typeof setTimeout> | null;
  #mode: "connecting" | "open" | "lost" = "connecting";
  readonly #writer = new PacketWriter("REQ");
  #batch = 0;
  #receivedAt = 0;
  #wasTurnedAway = false;
  #sentBytes = 0;
  #receivedBytes = 0;
  #onDrained: (() => void)[] = [];

  /** Starts to connect. The owner hears of success or failure later, never from within the constructor. */
  constructor(options: WireOptions, owner: WireOwner) {
    this.server = formatServer(options.address);
    this.#options = options;
    this.#owner = owner;
    this.#decoder = new PacketDecoder(options.maxPacketBytes ?? DEFAULT_MAX_PACKET_BYTES, "RES");
    const socket = options.host.connect(options.address);
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.#connectTimer = setTimeout(() => this.#connectTimedOut(), Math.min(options.connectTimeoutMs, 0x7fffffff));
    socket.once(readyEvent(socket), () => this.#opened());
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    if (options.stallMs !== undefined) {
      socket.setTimeout(Math.min(options.stallMs, 0x7fffffff));
      // After setImmediate, because a process that was busy lets the timer run before the waiting bytes are read.
      socket.on("timeout", () => setImmediate(() => this.#mode === "open" && owner.stalled?.()));
    }
    socket.on("error", (error) => this.#lose(this.#describe(error)));
    socket.on("end", () => this.#lose(new GearmanError("IO", this.#endMessage())));
    socket.on("close", () => this.#lose(new GearmanError("IO", `connection to ${this.server} closed`)));
  }

  get isOpen(): boolean {
    return this.#mode === "open";
  }

  /** When the last bytes came, on the host's clock in milliseconds; 0 before the first. */
  get receivedAt(): number {
    return this.#receivedAt;
  }

  /** Bytes that the system has not taken yet. */
  get unsentBytes(): number {
    return this.#writer.bytes + this.#socket.writableLength;
  }

  /** Bytes that came of a packet that is not complete yet. */
  get unreadBytes(): number {
    return this.#decoder.pendingBytes;
  }

  /** Bytes that came. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes of all packets up to now, sent or not. */
  get totalBytes(): number {
    return this.#sentBytes + this.#writer.bytes;
  }

  /** True while so much waits to be sent that callers should wait for `drained` first. */
  get isCongested(): boolean {
    return this.unsentBytes > CONGESTED_BYTES;
  }

  /** Number of the write that the next packet will be part of: `isWritten` tells whether it happened. */
  get batch(): number {
    return this.#batch;
  }

  /** Whether the write with that number was handed to the system: from then on the server may have seen its packets. */
  isWritten(batch: number): boolean {
    return batch < this.#batch && !this.#wasTurnedAway;
  }

  /** Queues a packet for this tick's write. Packets for a wire that is not open go nowhere. */
  send<N extends PacketName>(name: N, ...args: PacketArgs<N>): void {
    this.sendArgs(name, args);
  }

  /** As `send`, for callers that have the arguments in an array already. */
  sendArgs<N extends PacketName>(name: N, args: PacketArgs<N>): void {
    if (this.#mode !== "open") return;
    this.#flushSoon();
    this.#writer.add(name, args);
  }

  /** As `send`, for a report on a job whose handle lies in `bytes` from `start` to `end`. */
  sendReport(name: "WORK_COMPLETE" | "WORK_DATA", bytes: Buffer, start: number, end: number, payload: PacketArg): void {
    if (this.#mode !== "open") return;
    this.#flushSoon();
    this.#writer.addReport(name, bytes, start, end, payload);
  }

  /** Resolves when the wire is no longer congested, or lost. */
  drained(): Promise<void> {
    if (this.#mode !== "open" || !this.isCongested) return Promise.resolve();
    return new Promise((resolve) => this.#onDrained.push(resolve));
  }

  /** Stops reading, so that the server's sending stalls instead of our memory growing. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on after `pause`. */
  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is pending, says goodbye and resolves when the socket is closed, at the latest after 2 s. */
  async end(): Promise<void> {
    if (this.#mode === "open") {
      this.#writePending();
      this.#socket.end();
      this.#socket.resume();
    } else this.#socket.destroy();
    await bounded(this.#closed, { timeoutMs: GOODBYE_MS, onTimeout: () => new Error("no goodbye") }).catch(() => undefined);
    this.destroy(new GearmanError("CLOSED", `connection to ${this.server} closed`));
    await this.#closed;
  }

  /** As `destroy`, when the server has said that it did nothing of what was sent. */
  turnedAway(reason: GearmanError): void {
    this.#wasTurnedAway = true;
    this.#lose(reason);
  }

  /** Closes at once. The owner is told `reason` unless it was told one already. */
  destroy(reason: GearmanError): void {
    this.#lose(reason);
  }

  /** nextTick runs after the microtasks: all that the packets of one read set off goes out in one write. */
  #flushSoon(): void {
    if (this.#writer.bytes === 0) process.nextTick(this.#flush);
  }

  #opened(): void {
    if (this.#mode !== "connecting") return;
    this.#stopConnectTimer();
    if (this.#options.keepalive) this.#socket.setKeepAlive(true, KEEPALIVE_MS);
    this.#mode = "open";
    this.#owner.opened();
  }

  #received(chunk: Buffer): void {
    if (this.#mode !== "open") return;
    this.#receivedAt = this.#options.host.now();
    this.#receivedBytes += chunk.length;
    try {
      this.#decoder.scan(chunk, this.#visit);
    } catch (error) {
      if (!(error instanceof GearmanError)) throw error;
      this.#lose(new GearmanError(error.kind, `${this.server}: ${error.message}`, { cause: error }));
    }
  }

  #writePending(): void {
    this.#sentBytes += this.#writer.bytes;
    const buffers = this.#writer.take();
    if (buffers.length === 0 || this.#mode !== "open") return;
    this.#batch++;
    const socket = this.#socket;
    if (buffers.length > 1) socket.cork();
    for (const buffer of buffers) socket.write(buffer);
    if (buffers.length > 1) socket.uncork();
  }

  #drained(): void {
    const waiting = this.#onDrained;
    this.#onDrained = [];
    for (const resolve of waiting) resolve();
  }

  #connectTimedOut(): void {
    const kind = this.#options.address.tls ? "TLS connection" : "connection";
    const reason = `cannot reach ${this.server}: no ${kind} within ${Math.round(this.#options.connectTimeoutMs)} ms`;
    this.#lose(new GearmanError("IO", reason));
  }

  #stopConnectTimer(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }

  #lose(reason: GearmanError): void {
    if (this.#mode === "lost") return;
    this.#stopConnectTimer();
    this.#mode = "lost";
    this.#socket.destroy();
    this.#writer.take();
    this.#owner.lost(reason);
    this.#drained();
  }

  #describe(error: Error): GearmanError {
    const text = reasonOf(error);
    // With TLS 1.3 a server looks at our certificate when we write already: it has read nothing then.
    this.#wasTurnedAway = this.#receivedAt === 0 && isTlsRefusal(error);
    const message =
      this.#mode === "connecting" ? `cannot reach ${this.server}: ${text}` : `connection to ${this.server} lost: ${text}`;
    return new GearmanError("IO", message, { cause: error });
  }

  #endMessage(): string {
    const bytes = this.#decoder.pendingBytes;
    const { tls } = this.#options.address;
    if (this.#mode === "connecting" && tls) return `cannot reach ${this.server}: ${CLOSED_IN_HANDSHAKE}`;
    if (this.#receivedAt === 0 && typeof tls === "object" && tls.cert !== undefined)
      return `${this.server} closed the connection after the TLS handshake: perhaps it does not trust the client certificate`;
    return `${this.server} closed the connection${bytes > 0 ? ` in the middle of a packet, after ${bytes} bytes of it` : ""}`;
  }
}

/** A socket error in a few plain words, such as `connection refused`. */
export function reasonOf(error: Error): string {
  // A name with several addresses fails with one error for each of them.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in first && typeof first.code === "string" ? first.code : "";
  return tlsReason(first) ?? REASONS[code] ?? (first.message || code || "unknown socket error");
}
