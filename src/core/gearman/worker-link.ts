/** A worker's line to one server: it connects and reconnects for ever, announces what the worker can do, and asks for jobs. */
import { type BackoffOptions, backoffMs } from "../net/backoff.ts";
import { bounded } from "../net/deadline.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { GearmanError } from "./errors.ts";
import type { GearmanHost } from "./host.ts";
import { PACKETS, type Packet } from "./packets.ts";
import { Wire } from "./wire.ts";
import { findAssigned, GearmanJob, type JobOwner, NameCache } from "./worker-job.ts";
import type { LinkCounters } from "./worker-metrics.ts";

/** Waits between tries to connect. */
const RECONNECT: BackoffOptions = { firstMs: 200, maxMs: 10_000, jitter: 0.5 };

/** Longest wait for a connection, in milliseconds. */
const MAX_CONNECT_MS = 5_000;

/** Bytes that cannot keep a server or a slow line busy for long. */
const LIGHT_BYTES = 64 * 1024;

const JOB_ASSIGN_UNIQ = PACKETS.JOB_ASSIGN_UNIQ.code;

/** What a link needs to know. */
export interface LinkOptions {
  readonly host: GearmanHost;
  readonly address: ServerAddress;
  readonly keepalive: boolean;
  readonly clientId: string;
  /** Stands before the names of functions at the server; empty for nothing. */
  readonly namespace: string;
  readonly maxPacketBytes: number;
  /** Mean time between signs of life, and between looks for jobs the server did not announce, in milliseconds. */
  readonly regrabMs: number;
  /** Longest time a server may take nothing of what is being sent to it, in milliseconds. */
  readonly stallMs: number;
  /** Most grabs that may be under way. */
  readonly maxGrabs: number;
  /** Where its doings are counted. */
  readonly counters: LinkCounters;
}

/** Whom a link reports to. */
export interface LinkOwner {
  functions(): Iterable<string>;
  /** Grab as often as there is room: there may be jobs. */
  schedule(): void;
  /** Whom the link's jobs report to. */
  readonly jobs: JobOwner;
  assigned(job: GearmanJob): void;
  connected(link: WorkerLink): void;
  lost(link: WorkerLink, reason: GearmanError, wasOpen: boolean, retryMs: number): void;
  refused(link: WorkerLink, code: string, text: string): void;
  /** The server has read all up to some point, or is gone. */
  confirmed(): void;
}

/**
 * Modes: off → connecting ⇄ waiting (to connect again) → open → waiting …, and off again after `close`.
 *
 * While open it is *hungry* (there may be jobs: after connecting, NOOP, an assigned job, a new function, or a
 * while asleep) or not (the server said NO_JOB). It goes to sleep with PRE_SLEEP when it is not hungry and no
 * grab is under way; the server wakes it with NOOP. How many grabs go out at once doubles with each job
 * assigned and halves with each NO_JOB, so a quiet queue costs one packet and a full one fills all places.
 */
export class WorkerLink {
  readonly server: string;
  readonly #options: LinkOptions;
  readonly #owner: LinkOwner;
  #wire: Wire | null = null;
  #isOn = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  #grabs = 0;
  #window = 1;
  #isHungry = false;
  #probedAt: number | null = null;
  /** Echoes under way: when they were asked for, and what the server has read when they are back. */
  #echoes: { readonly askedAt: number; readonly bytes: number }[] = [];
  /** Bytes the server is known to have read, and since when they had been sent. */
  #readBytes = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #onConfirmed: (() => void)[] = [];
  #isPaused = false;
  #isClosing = false;
  readonly #names = new NameCache();
  readonly #namespaceBytes: number;

  constructor(options: LinkOptions, owner: LinkOwner) {
    this.#options = options;
    this.#namespaceBytes = Buffer.byteLength(options.namespace);
    this.#owner = owner;
    this.server = formatServer(options.address);
  }

  get isOpen(): boolean {
    return this.#wire?.isOpen ?? false;
  }

  /** Bytes of a packet that is not complete yet. */
  get unreadBytes(): number {
    return this.#wire?.unreadBytes ?? 0;
  }

  /** Grabs the server has not answered yet. */
  get grabs(): number {
    return this.#grabs;
  }

  /** A further grab makes sense. */
  get wantsGrab(): boolean {
    return this.#isHungry && this.isOpen && this.#grabs < this.#window;
  }

  /** Starts to connect. */
  open(): void {
    this.#isOn = true;
    this.#connect();
  }

  /** Neither sleeps nor connects again from now on; what is under way goes on. */
  retire(): void {
    this.#isOn = false;
    if (!this.isOpen) this.#stopTimer();
  }

  /** Asks for one job, in the same write as whatever else this tick sends. */
  grab(): void {
    this.#grabs++;
    this.#options.counters.grabs++;
    this.#wire?.send("GRAB_JOB_UNIQ");
  }

  /** The server has read all that was sent, and so answered every grab; or it is gone. */
  get isConfirmed(): boolean {
    return !this.isOpen || this.#readBytes >= this.#wire!.totalBytes;
  }

  /** Everything sent over this connection up to then was read, on the host's clock in milliseconds. */
  get readAt(): number {
    return this.isOpen ? this.#readAt : Number.POSITIVE_INFINITY;
  }

  /** Bytes wait here to be sent. */
  get isSending(): boolean {
    return this.isOpen && this.#wire!.unsentBytes > 0;
  }

  /** Asks the server whether it has read all that was sent, unless that was asked already; the owner is told `confirmed`. */
  confirm(): void {
    const wire = this.#wire;
    if (!wire?.isOpen || this.isConfirmed || this.#echoes.at(-1)?.bytes === wire.totalBytes) return;
    wire.send("ECHO_REQ", "");
    this.#echoes.push({ askedAt: this.#options.host.now(), bytes: wire.totalBytes });
  }

  /** Stops reading, so that further jobs wait at the server. Its silence proves nothing until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#probedAt = null;
    this.#wire?.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#isPaused = false;
    this.#wire?.resume();
  }

  /** Announces one more function, and looks for its jobs: the server does not wake a sleeping worker for it. */
  canDo(name: string): void {
    if (!this.isOpen) return;
    this.#wire?.send("CAN_DO", this.#options.namespace + name);
    this.#isHungry = true;
  }

  /**
   * Makes sure the server has read all that was sent, for at most `lastWordMs`, then closes. Resolves when closed,
   * in bounded time, from every mode.
   */
  async close(lastWordMs: number): Promise<void> {
    this.retire();
    this.#stopTimer();
    this.#isClosing = true;
    const wire = this.#wire;
    if (!this.isConfirmed && lastWordMs > 0) await this.#lastWord(lastWordMs);
    await wire?.end();
  }

  #connect(): void {
    this.#timer = null;
    const { host, address, keepalive, maxPacketBytes, stallMs } = this.#options;
    let wasOpen = false;
    this.#wire = new Wire(
      { host, address, keepalive, maxPacketBytes, stallMs, connectTimeoutMs: MAX_CONNECT_MS },
      {
        opened: () => {
          wasOpen = true;
          this.#opened();
        },
        quick: (bytes, start, end) => this.#quick(bytes, start, end),
        packet: (packet) => this.#received(packet),
        stalled: () => this.#stalled(),
        lost: (reason) => this.#lost(reason, wasOpen),
      },
    );
  }

  #opened(): void {
    const wire = this.#wire!;
    this.#options.counters.connects++;
    if (this.#isPaused) wire.pause();
    if (this.#options.clientId !== "") wire.send("SET_CLIENT_ID", this.#options.clientId);
    for (const name of this.#owner.functions()) wire.send("CAN_DO", this.#options.namespace + name);
    this.#grabs = 0;
    this.#window = 1;
    this.#readBytes = 0;
    this.#readAt = this.#options.host.now();
    this.#isHungry = true;
    this.#startPulse();
    this.#owner.connected(this);
    this.#owner.schedule();
    this.#sleepIfSated();
  }

  /** Jobs come by the million, so they are read straight from the bytes. */
  #quick(bytes: Buffer, start: number, end: number): boolean {
    if (bytes[start + 7] !== JOB_ASSIGN_UNIQ) return false;
    const packet = findAssigned(bytes, start, end);
    if (packet === null) return false;
    this.#failures = 0;
    this.#grabs--;
    this.#isHungry = true;
    this.#window = Math.min(this.#options.maxGrabs, this.#window * 2);
    // All names begin with the namespace, because the server was told no others.
    const nameStart = packet.handleEnd + 1 + this.#namespaceBytes;
    const name = this.#names.read(bytes, Math.min(nameStart, packet.nameEnd), packet.nameEnd);
    this.#owner.assigned(new GearmanJob(packet, name, this.#wire!, this.#owner.jobs));
    this.#owner.schedule();
    return true;
  }

  #received(packet: Packet): void {
    // A server that only refuses what we want gets longer pauses too.
    if (packet.name !== "ERROR") this.#failures = 0;
    switch (packet.name) {
      case "NO_JOB":
        this.#grabs--;
        this.#isHungry = false;
        this.#window = Math.max(1, this.#window >> 1);
        this.#sleepIfSated();
        // The place is free again: another server may have jobs that there was no place for.
        this.#owner.schedule();
        break;
      case "NOOP":
        this.#isHungry = true;
        this.#owner.schedule();
        break;
      case "ECHO_RES":
        this.#echoed(this.#echoes.shift());
        break;
      case "ERROR":
        this.#owner.refused(this, packet.args.code.toString(), packet.args.text.toString());
        break;
      default:
        throw new GearmanError("PROTOCOL", `${packet.name} packet sent to a worker`);
    }
  }

  /** With no function to offer, a grab would only bring NO_JOB, and sleep is all there is as well. */
  #sleepIfSated(): void {
    if (this.#grabs === 0 && !this.#isHungry && this.#isOn) this.#wire?.send("PRE_SLEEP");
  }

  #lost(reason: GearmanError, wasOpen: boolean): void {
    this.#stopTimer();
    this.#grabs = 0;
    this.#isHungry = false;
    this.#echoes = [];
    if (!wasOpen) this.#options.counters.connectFailures++;
    else if (!this.#isClosing) this.#options.counters.losses++;
    const retryMs = backoffMs(this.#failures++, RECONNECT, this.#options.host.random);
    if (this.#isOn) this.#timer = setTimeout(() => this.#connect(), retryMs);
    this.#owner.lost(this, reason, wasOpen, retryMs);
    this.#tellConfirmed();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #startPulse(): void {
    const { regrabMs, host } = this.#options;
    this.#probedAt = null;
    const beat = () => {
      this.#timer = setTimeout(() => setImmediate(pulse), Math.min(0x7fffffff, regrabMs * (0.75 + 0.5 * host.random())));
    };
    // After setImmediate, because a handler that kept the process busy lets the timer run before the waiting bytes are read.
    const wire = this.#wire!;
    const pulse = () => {
      if (!wire.isOpen || wire !== this.#wire) return;
      if (this.#isPaused) return beat();
      if (!this.#isProbing) this.#probe(wire);
      // A slow reader is not dead; `stalled` tells when it is.
      else if (!this.#isUploading(wire)) return this.#giveUp("no sign of life");
      beat();
    };
    beat();
  }

  /** A probe was sent, and nothing came since. */
  get #isProbing(): boolean {
    return this.#probedAt !== null && this.#wire !== null && this.#wire.receivedAt < this.#probedAt;
  }

  /** Much is on its way, here or in the systems between: silence proves nothing, the server answers when it has read it. */
  #isUploading(wire: Wire): boolean {
    return wire.unsentBytes > 0 || wire.totalBytes - this.#readBytes > LIGHT_BYTES;
  }

  #probe(wire: Wire): void {
    this.#probedAt = this.#options.host.now();
    wire.send("ECHO_REQ", "");
    this.#echoes.push({ askedAt: this.#probedAt, bytes: wire.totalBytes });
    this.#isHungry = true;
    this.#owner.schedule();
  }

  #stalled(): void {
    if (this.#isProbing && this.#isUploading(this.#wire!)) this.#giveUp("it took nothing of what was being sent");
  }

  #giveUp(why: string): void {
    const silentMs = Math.round(this.#options.host.now() - this.#probedAt!);
    this.#wire?.destroy(new GearmanError("IO", `connection to ${this.server} lost: ${why} for ${silentMs} ms`));
  }

  #echoed(echo: { readonly askedAt: number; readonly bytes: number } | undefined): void {
    if (echo === undefined) return;
    this.#readBytes = echo.bytes;
    this.#readAt = echo.askedAt;
    this.#tellConfirmed();
  }

  #tellConfirmed(): void {
    for (const tell of this.#onConfirmed.splice(0)) tell();
    this.#owner.confirmed();
  }

  async #lastWord(timeoutMs: number): Promise<void> {
    this.confirm();
    const confirmed = new Promise<void>((resolve) => this.#onConfirmed.push(resolve));
    await bounded(confirmed, { timeoutMs, onTimeout: () => new Error("no echo") }).catch(() => undefined);
  }
}
