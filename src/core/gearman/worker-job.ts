/** A job as the worker that holds it sees it: what to do, and the ways to report on it and end it. */
import { checkPayload } from "./checks.ts";
import { endOfText } from "./codec.ts";
import type { GearmanError } from "./errors.ts";
import { HEADER_BYTES, type PacketArg } from "./packets.ts";
import type { Wire } from "./wire.ts";

/** What a job tells its worker. */
export interface JobOwner {
  /** Report failures as WORK_EXCEPTION, which only some clients and servers understand. */
  readonly exceptions: boolean;
  /** The job was completed or failed, or its connection was lost. */
  over(job: GearmanJob, ending: "completed" | "failed" | "lost"): void;
}

/** Largest number a server keeps in a status. */
const MAX_STATUS = 0xffffffff;

/** The last function name that came, because the next is most often the same: comparing bytes is cheaper than decoding them. */
export class NameCache {
  #bytes: Buffer = Buffer.alloc(0);
  #name = "";

  /** The text from `start` to `end`. */
  read(bytes: Buffer, start: number, end: number): string {
    if (!this.#isLast(bytes, start, end)) {
      this.#bytes = Buffer.from(bytes.subarray(start, end));
      this.#name = this.#bytes.toString();
    }
    return this.#name;
  }

  #isLast(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#bytes;
    if (last.length !== end - start) return false;
    for (let at = 0; at < last.length; at++) if (last[at] !== bytes[start + at]) return false;
    return true;
  }
}

/** Where the arguments of a JOB_ASSIGN_UNIQ packet lie in the bytes read: most handlers never look at some of them. */
export interface AssignedPacket {
  readonly bytes: Buffer;
  readonly start: number;
  readonly handleEnd: number;
  readonly nameEnd: number;
  readonly uniqueEnd: number;
  readonly end: number;
}

/** The arguments of the JOB_ASSIGN_UNIQ packet from `start` to `end`, or null when some are missing. */
export function findAssigned(bytes: Buffer, start: number, end: number): AssignedPacket | null {
  const handleEnd = endOfText(bytes, start + HEADER_BYTES, end);
  const nameEnd = endOfText(bytes, handleEnd + 1, end);
  const uniqueEnd = endOfText(bytes, nameEnd + 1, end);
  return uniqueEnd < end ? { bytes, start: start + HEADER_BYTES, handleEnd, nameEnd, uniqueEnd, end } : null;
}

/** One assigned job. Modes: held → over (completed, failed or lost); what is sent after that is dropped. */
export class GearmanJob {
  /** The function to run. */
  readonly name: string;
  /** Size of the payload, in bytes. */
  readonly payloadBytes: number;
  /** Where it is among the jobs its worker is busy with, or -1. For the worker only. */
  place = -1;
  /** A handler does it. For the worker only. */
  isHandled = false;
  readonly #wire: Wire;
  readonly #owner: JobOwner;
  readonly #packet: AssignedPacket;
  #handle: string | null = null;
  #payload: Buffer | null = null;
  #abort: AbortController | null = null;
  #abortReason: GearmanError | null = null;
  #isOver = false;

  constructor(packet: AssignedPacket, name: string, wire: Wire, owner: JobOwner) {
    this.name = name;
    this.payloadBytes = packet.end - packet.uniqueEnd - 1;
    this.#packet = packet;
    this.#wire = wire;
    this.#owner = owner;
  }

  /** The server's name for the job, such as `H:vm:12`. */
  get handle(): string {
    const { bytes, start, handleEnd } = this.#packet;
    this.#handle ??= bytes.toString("latin1", start, handleEnd);
    return this.#handle;
  }

  /** The key the client gave it, or empty. */
  get unique(): string {
    const { bytes, nameEnd, uniqueEnd } = this.#packet;
    return bytes.toString("utf8", nameEnd + 1, uniqueEnd);
  }

  /** What to work on, byte for byte. */
  get payload(): Buffer {
    const { bytes, uniqueEnd, end } = this.#packet;
    this.#payload ??= bytes.subarray(uniqueEnd + 1, end);
    return this.#payload;
  }

  /** The server that assigned it, such as `127.0.0.1:4730`. */
  get server(): string {
    return this.#wire.server;
  }

  /** Fires when the work is in vain: the connection was lost, the time is over or the worker stops now. The reason says which. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#abortReason !== null) this.#abort.abort(this.#abortReason);
    return this.#abort.signal;
  }

  /** Completed, failed or lost. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Its connection is gone. For the worker only. */
  get isStranded(): boolean {
    return !this.#wire.isOpen;
  }

  /**
   * Sends a piece of the result to whoever waits. The promise resolves when less than 4 MiB wait to be sent: a handler
   * that awaits it after each piece can stream any amount in bounded memory. Pieces of 64 KiB to 1 MiB are best. A piece
   * over 2 KiB is not copied, so fill a new buffer for each. It resolves at once when the job is over, which `signal` tells.
   */
  sendData(data: PacketArg): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#report("WORK_DATA", data);
    return this.#wire.drained();
  }

  /** Sends a warning to whoever waits. The last one before a failure is its reason. */
  sendWarning(text: PacketArg): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#wire.send("WORK_WARNING", this.handle, checkPayload(text));
    return this.#wire.drained();
  }

  /** Reports progress. Numbers become whole and are kept between 0 and 4294967295. */
  sendStatus(numerator: number, denominator: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#wire.send("WORK_STATUS", this.handle, statusNumber(numerator), statusNumber(denominator));
    return this.#wire.drained();
  }

  /** Ends the job with its result. False when it was over already. */
  complete(result: PacketArg = ""): boolean {
    if (this.#isOver) return false;
    this.#report("WORK_COMPLETE", result);
    this.#end("completed");
    return true;
  }

  /** Ends the job as failed, for the reason given. False when it was over already. */
  fail(reason: PacketArg = ""): boolean {
    if (this.#isOver) return false;
    const hasReason = reason.length > 0;
    if (hasReason && this.#owner.exceptions) this.#wire.send("WORK_EXCEPTION", this.handle, checkPayload(reason));
    else {
      if (hasReason) this.#wire.send("WORK_WARNING", this.handle, checkPayload(reason));
      this.#wire.send("WORK_FAIL", this.handle);
    }
    this.#end("failed");
    return true;
  }

  /** Its time was over. For the worker only. */
  get isOverdue(): boolean {
    return this.#abortReason?.kind === "TIMEOUT";
  }

  /** Fires the signal; the job stays held until its handler ends. For the worker only. */
  callOff(reason: GearmanError): void {
    this.#abortReason ??= reason;
    this.#abort?.abort(this.#abortReason);
  }

  /** The connection is gone, and the job with it. For the worker only. */
  lost(reason: GearmanError): void {
    if (this.#isOver) return;
    this.callOff(reason);
    this.#end("lost");
  }

  #report(name: "WORK_COMPLETE" | "WORK_DATA", payload: PacketArg): void {
    const { bytes, start, handleEnd } = this.#packet;
    this.#wire.sendReport(name, bytes, start, handleEnd, checkPayload(payload));
  }

  #end(ending: "completed" | "failed" | "lost"): void {
    this.#isOver = true;
    this.#owner.over(this, ending);
  }
}

function statusNumber(value: number): string {
  return value >= 1 ? String(Math.min(Math.trunc(value), MAX_STATUS)) : "0";
}
