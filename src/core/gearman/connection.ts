/** A client's connection to one server: matches replies to requests in order, and job reports to jobs by handle. */
import { Fifo } from "../net/fifo.ts";
import { TextTable } from "../net/text-table.ts";
import { endOfText } from "./codec.ts";
import { GearmanError } from "./errors.ts";
import { HEADER_BYTES, PACKETS, type Packet, type PacketArgs, type PacketName } from "./packets.ts";
import { refusalIn } from "./refusals.ts";
import { Wire, type WireOptions } from "./wire.ts";

/** Packets that answer a request, strictly in the order of the requests; ERROR can take the place of any of them. */
export type RequestReply = "JOB_CREATED" | "ECHO_RES" | "STATUS_RES" | "STATUS_RES_UNIQUE" | "OPTION_RES";

/** Something that waits for the reply to one request. */
export interface Request {
  readonly expects: RequestReply;
  readonly isSettled: boolean;
  /** Kept by the connection: which write the request was part of, and how often it had read by then. */
  sentInBatch: number;
  readsWhenSent: number;
  sent(connection: Connection): void;
  answered(packet: Packet, connection: Connection): void;
  /** The answer to a submit, as the handle alone. */
  accepted(handle: string, connection: Connection): void;
  refused(code: string, text: string): void;
  lost(reason: GearmanError, wasWritten: boolean): void;
}

/** Packets that report on a running job, but for WORK_COMPLETE, which goes a shorter way. */
export type JobReport = Packet<"WORK_DATA" | "WORK_WARNING" | "WORK_STATUS" | "WORK_FAIL" | "WORK_EXCEPTION">;

/** Something that follows a job it has the handle of. */
export interface JobFollower {
  readonly isSettled: boolean;
  reported(report: JobReport): void;
  completed(result: Buffer): void;
  lost(reason: GearmanError, wasWritten: boolean): void;
}

/** What a connection says about itself once it is open. */
export interface ConnectionOptions extends WireOptions {
  /** Name shown by the server's `workers` command; empty for none. */
  readonly clientId: string;
  /** Options asked for as soon as it is open, such as `exceptions`. */
  readonly serverOptions: ReadonlySet<string>;
}

const JOB_REPORTS: Partial<Record<PacketName, "goes on" | "is over">> = {
  WORK_DATA: "goes on",
  WORK_WARNING: "goes on",
  WORK_STATUS: "goes on",
  WORK_FAIL: "is over",
  WORK_EXCEPTION: "is over",
};

/**
 * One connection, from its first connect to its loss. Modes: connecting (requests must wait for `opened`),
 * open, and lost, in which every waiting request has been told. A retired connection takes no new
 * requests and closes itself when the last one is answered or given up.
 */
export class Connection {
  /** Resolves when open, rejects with the reason when that fails. */
  readonly opened: Promise<this>;
  /** Called once, before `opened` resolves. */
  onOpened: (() => void) | null = null;
  /** Called once, after all waiting requests were told. */
  onLost: ((reason: GearmanError) => void) | null = null;
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #replies = new Fifo<Request>();
  readonly #jobs = new TextTable<JobFollower | JobTurns>();
  #resolveOpened!: (connection: this) => void;
  #rejectOpened!: (reason: GearmanError) => void;
  #isRetired = false;
  #isUnneeded = false;
  /** Why the connection was closed in peace; what the socket says of it then does not matter. */
  #goodbye: GearmanError | null = null;
  #isLost = false;
  #reads = 0;
  #greetedWith = 0;

  /** Starts to connect. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => undefined); // whoever waits hears of it; nobody has to
    this.#wire = new Wire(options, {
      opened: () => this.#greet(),
      quick: (bytes, start, end) => this.#quick(bytes, start, end),
      packet: (packet) => this.#received(packet),
      lost: (reason) => this.#lost(reason),
    });
  }

  /** The server's address as text. */
  get server(): string {
    return this.#wire.server;
  }

  /** Open and ready for new requests. */
  get isUsable(): boolean {
    return this.#wire.isOpen && !this.#isRetired;
  }

  /** Connecting, or open and not retired. */
  get isPromising(): boolean {
    return !this.#isLost && !this.#isRetired;
  }

  /** True when no request and no job waits for this connection. */
  get isIdle(): boolean {
    return this.#replies.size === 0 && this.#jobs.size === 0;
  }

  /** True when the server was asked for all options that are wanted by now. */
  get isUpToDate(): boolean {
    return this.#greetedWith === this.#options.serverOptions.size;
  }

  /** Bytes of all requests and of all answers so far. */
  get sentBytes(): number {
    return this.#wire.totalBytes;
  }

  get receivedBytes(): number {
    return this.#wire.receivedBytes;
  }

  get isCongested(): boolean {
    return this.#wire.isCongested;
  }

  drained(): Promise<void> {
    return this.#wire.drained();
  }

  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
    this.#wire.resume();
  }

  /** Sends a request; its reply is matched by its place in line. Throws ARGUMENT when it cannot be encoded. */
  send<N extends PacketName>(request: Request, name: N, ...args: PacketArgs<N>): void {
    request.sentInBatch = this.#wire.batch;
    request.readsWhenSent = this.#reads;
    this.#wire.sendArgs(name, args);
    this.#replies.push(request);
    request.sent(this);
  }

  /**
   * Passes reports on the job with this handle to `follower` until the job is over. Null takes a place for one
   * who gave up before the job was accepted.
   */
  follow(handle: string, follower: JobFollower | null): void {
    const present = this.#jobs.get(handle);
    if (present === undefined) this.#jobs.set(handle, follower ?? new JobTurns(null));
    else if (present instanceof JobTurns) present.add(follower);
    else this.#jobs.set(handle, new JobTurns(present, follower));
  }

  /** Ends following a job. When the server may merge later submits into it, its place is kept empty, so that turns stay right. */
  unfollow(handle: string, follower: JobFollower, mayBeShared: boolean): void {
    const present = this.#jobs.get(handle);
    if (present instanceof JobTurns) present.leave(follower);
    else if (present === follower && mayBeShared) this.#jobs.set(handle, new JobTurns(null));
    else if (present === follower) this.#jobs.delete(handle);
    this.#closeIfUseless();
  }

  /**
   * A request was given up. When that was for want of an answer, and the server has been silent since it was sent,
   * no new request should go there; a caller's change of mind says nothing about the server.
   */
  abandoned(request: Request, isOverdue: boolean): void {
    if (isOverdue && request.readsWhenSent === this.#reads) this.#isRetired = true;
    this.#closeIfUseless();
  }

  /** Takes no new requests, and closes when the last is answered or given up. */
  retire(): void {
    this.#isUnneeded = true;
    this.#isRetired = true;
    this.#closeIfUseless();
  }

  /** Closes; requests still waiting are told `reason`. Resolves when the socket is closed. */
  async close(reason: GearmanError): Promise<void> {
    if (this.#wire.isOpen && this.isIdle) {
      this.#isRetired = true;
      this.#goodbye = reason;
      await this.#wire.end();
    } else this.#wire.destroy(reason);
  }

  #greet(): void {
    const { clientId, serverOptions } = this.#options;
    if (clientId !== "") this.#wire.send("SET_CLIENT_ID", clientId);
    for (const option of serverOptions) this.send(new Unheeded("OPTION_RES"), "OPTION_REQ", option);
    this.#greetedWith = serverOptions.size;
    this.onOpened?.();
    this.#resolveOpened(this);
  }

  /** JOB_CREATED and WORK_COMPLETE, the two packets of every job, without the detour over packet objects. */
  #quick(bytes: Buffer, start: number, end: number): boolean {
    const code = bytes[start + 7];
    if (code !== PACKETS.JOB_CREATED.code && code !== PACKETS.WORK_COMPLETE.code) return false;
    const from = start + HEADER_BYTES;
    const stop = endOfText(bytes, from, end);
    const handle = bytes.toString("latin1", from, stop);
    if (code === PACKETS.JOB_CREATED.code) {
      const request = this.#replies.peek();
      if (request?.expects !== "JOB_CREATED") return false;
      this.#reads++;
      this.#replies.shift();
      request.accepted(handle, this);
    } else {
      if (stop === end) return false;
      this.#reads++;
      const follower = this.#jobs.get(handle);
      if (follower === undefined) return true; // late, repeated or abandoned
      this.#jobs.delete(handle);
      follower.completed(bytes.subarray(stop + 1, end));
    }
    if (this.#isRetired) this.#closeIfUseless();
    return true;
  }

  #received(packet: Packet): void {
    this.#reads++;
    const report = JOB_REPORTS[packet.name];
    if (report !== undefined) this.#report(packet as JobReport, report === "is over");
    else if (packet.name !== "NOOP") this.#reply(packet);
  }

  #reply(packet: Packet): void {
    const refusal = packet.name === "ERROR" ? refusalIn(packet.args, this.server) : null;
    if (refusal !== null) {
      this.#wire.turnedAway(refusal);
      return;
    }
    const request = this.#replies.peek();
    if (request === undefined) {
      if (packet.name === "ERROR") return; // nothing asked, nothing to do
      throw new GearmanError("PROTOCOL", `${packet.name} packet came though nothing was asked`);
    }
    if (packet.name === "ERROR") {
      this.#replies.shift();
      const code = packet.args.code.toString();
      // The server may close after that, and what is sent until then has an unknown outcome.
      if (code === "ARGUMENT_TOO_LARGE") this.retire();
      request.refused(code, packet.args.text.toString());
    } else if (packet.name === request.expects) {
      this.#replies.shift();
      request.answered(packet, this);
    } else throw new GearmanError("PROTOCOL", `${packet.name} packet came where ${request.expects} was due`);
    if (this.#isRetired) this.#closeIfUseless();
  }

  #report(report: JobReport, isOver: boolean): void {
    const handle = report.args.handle.toString("latin1");
    const follower = this.#jobs.get(handle);
    if (follower === undefined) return; // late, repeated or abandoned
    if (isOver) this.#jobs.delete(handle);
    if (follower instanceof JobTurns) follower.report(report, isOver);
    else follower.reported(report);
    if (this.#isRetired) this.#closeIfUseless();
  }

  #lost(reason: GearmanError): void {
    this.#isLost = true;
    this.#rejectOpened(reason);
    for (const request of this.#replies.drain()) request.lost(reason, this.#wire.isWritten(request.sentInBatch));
    for (const follower of this.#jobs.drain()) follower.lost(reason, true);
    this.onLost?.(this.#goodbye ?? reason);
  }

  #closeIfUseless(): void {
    if (!this.#isRetired || this.#isLost || this.#jobs.size > 0) return;
    const waiting = this.#replies.drain();
    for (const request of waiting) this.#replies.push(request);
    if (!waiting.every((request) => request.isSettled)) return;
    this.#wire.destroy(
      this.#isUnneeded && waiting.length === 0
        ? new GearmanError("CLOSED", `connection to ${this.server} closed: it was not needed any more`)
        : new GearmanError("IO", `connection to ${this.server} given up: the server does not answer`),
    );
  }
}

/**
 * Several submits of one connection that the server merged into one job. The server sends every report once
 * for each of them, so each follower gets its own copy in turn, and the first last report ends all.
 */
class JobTurns {
  /** Null where someone gave up, whose copies still come. */
  readonly #followers: (JobFollower | null)[];
  #turn = 0;

  constructor(...followers: (JobFollower | null)[]) {
    this.#followers = followers;
  }

  add(follower: JobFollower | null): void {
    this.#followers.push(follower);
  }

  leave(follower: JobFollower): void {
    const place = this.#followers.indexOf(follower);
    if (place >= 0) this.#followers[place] = null;
  }

  completed(result: Buffer): void {
    for (const follower of this.#followers) follower?.completed(result);
  }

  report(report: JobReport, isOver: boolean): void {
    if (isOver) {
      for (const follower of this.#followers) follower?.reported(report);
      return;
    }
    this.#followers[this.#turn]?.reported(report);
    this.#turn = (this.#turn + 1) % this.#followers.length;
  }

  lost(reason: GearmanError, wasWritten: boolean): void {
    for (const follower of this.#followers) follower?.lost(reason, wasWritten);
  }
}

/** A request whose answer does not matter but has its place in line. */
class Unheeded implements Request {
  readonly expects: RequestReply;
  readonly isSettled = true;
  sentInBatch = 0;
  readsWhenSent = 0;

  constructor(expects: RequestReply) {
    this.expects = expects;
  }

  sent(): void {}
  answered(): void {}
  accepted(): void {}
  refused(): void {}
  lost(): void {}
}
