/** A job as the worker that holds it sees it: what to do, and the ways to report on it and end it. */
import { checkPayload } from "./checks.ts";
import type { GearmanError } from "./errors.ts";
import type { Packet, PacketArg } from "./packets.ts";
import type { Wire } from "./wire.ts";

/** What a job tells its worker. */
export interface JobOwner {
  /** Report failures as WORK_EXCEPTION, which only some clients and servers understand. */
  readonly exceptions: boolean;
  /** The job was completed or failed, or its connection was lost. */
  over(job: GearmanJob): void;
}

/** Largest number a server keeps in a status. */
const MAX_STATUS = 0xffffffff;

/** One assigned job. Modes: held → over (completed, failed or lost); what is sent after that is dropped. */
export class GearmanJob {
  /** The server's name for the job, such as `H:vm:12`. */
  readonly handle: string;
  /** The function to run. */
  readonly name: string;
  /** The key the client gave it, or empty. */
  readonly unique: string;
  /** What to work on, byte for byte. */
  readonly payload: Buffer;
  /** The server that assigned it, such as `127.0.0.1:4730`. */
  readonly server: string;
  readonly #wire: Wire;
  readonly #owner: JobOwner;
  #abort: AbortController | null = null;
  #abortReason: GearmanError | null = null;
  #isOver = false;

  constructor({ args }: Packet<"JOB_ASSIGN_UNIQ">, wire: Wire, owner: JobOwner) {
    this.handle = args.handle.toString("latin1");
    this.name = args.function.toString();
    this.unique = args.unique.toString();
    this.payload = args.payload;
    this.server = wire.server;
    this.#wire = wire;
    this.#owner = owner;
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

  /** Sends a piece of the result to whoever waits. Wait for the promise to go at the server's pace. */
  sendData(data: PacketArg): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#wire.send("WORK_DATA", this.handle, checkPayload(data));
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
    this.#wire.send("WORK_COMPLETE", this.handle, checkPayload(result));
    this.#end();
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
    this.#end();
    return true;
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
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#owner.over(this);
  }
}

function statusNumber(value: number): string {
  return value >= 1 ? String(Math.min(Math.trunc(value), MAX_STATUS)) : "0";
}
