/**
 * One connection to the job server: bytes in, requests dispatched, replies out, and the state of the
 * client and worker that live on it.
 *
 * Modes: *open* (reads and answers) → *leaving* (its last replies are written; it reads nothing more) →
 * *gone* (socket closed). An end of the stream, bytes that are no request, a stalled reader and the server's
 * close all lead from open to leaving or gone; at that moment its jobs go to other workers. While open
 * it is *held up* whenever a connection it sends to, itself included, does not read fast enough.
 */
import type { Socket } from "node:net";
import { encodePacket } from "../codec.ts";
import { GearmanError } from "../errors.ts";
import type { Magic, PacketArgs, PacketName } from "../packets.ts";
import { answerLine } from "./admin.ts";
import { answerPacket } from "./binary.ts";
import type { Ability, Job } from "./jobs.ts";
import { Outbox, type ReplyArg } from "./outbox.ts";
import type { Connection, ReplaceReply, ReplyArgs, ServerState } from "./state.ts";
import { OverLimitError, RequestReader, type RequestSink } from "./wire.ts";

/** Time a leaving connection has to take its last replies, in milliseconds. */
const LINGER_MS = 5000;

/** How often a worker that is held up gets a sign of life, in milliseconds: it is not answered, and must not think us dead. */
const SIGN_OF_LIFE_MS = 3000;

/** A connected client, worker or administrator, or all of them at once. */
export class Session implements Connection, RequestSink {
  abilities: Ability[] = [];
  readonly watched = new Set<Job>();
  isSleeping = false;
  isNoopSent = false;

  readonly id: number;
  readonly host: string;
  readonly port: number;
  clientId = "-";
  wantsExceptions: boolean;

  readonly #server: ServerState;
  readonly #onGone: (reason: string) => void;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #reader: RequestReader;
  /** Connections that must take what they were sent before this one is read on. */
  readonly #heldUpBy = new Set<Connection>();
  /** Connections held up by this one. */
  readonly #holdsUp = new Set<Connection>();
  #stopSigns: (() => void) | null = null;
  #isOpen = true;
  #isFlushDue = false;
  #reason: string | null = null;

  /** @param onGone called once, with the reason, when the socket is closed */
  constructor(id: number, socket: Socket, server: ServerState, onGone: (reason: string) => void) {
    this.id = id;
    this.host = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
    this.port = socket.remotePort ?? 0;
    this.wantsExceptions = server.exceptions;
    this.#server = server;
    this.#onGone = onGone;
    this.#socket = socket;
    this.#outbox = new Outbox(socket, server.handles);
    this.#reader = new RequestReader(this, server.maxPacketBytes);
    this.#listen();
  }

  send<N extends PacketName>(name: N, ...args: ReplyArgs<N>): void {
    this.forward(this, name, args as readonly ReplyArg[]);
  }

  sendForNow<N extends PacketName>(name: N, ...args: PacketArgs<N>): ReplaceReply {
    const replace = this.#outbox.addForNow(Buffer.concat(encodePacket("RES", name, ...args)));
    this.#noteSent(this);
    return (other, ...others) => replace(Buffer.concat(encodePacket("RES", other, ...others)));
  }

  forward(source: Connection, name: PacketName, args: readonly ReplyArg[]): void {
    if (!this.#isOpen) return;
    this.#outbox.addPacket(name, args);
    this.#noteSent(source);
  }

  waitFor(slow: Connection): void {
    this.#heldUpBy.add(slow);
    this.#socket.pause();
    if (this.#isOpen && this.#stopSigns === null) this.#signLater();
  }

  stopWaitingFor(slow: Connection): void {
    this.#heldUpBy.delete(slow);
    if (this.#heldUpBy.size > 0) return;
    this.#noMoreSigns();
    this.#socket.resume();
  }

  /** Writes what was collected; the server calls it once per turn of the event loop. */
  flush(): void {
    this.#isFlushDue = false;
    this.#outbox.flush();
    this.#letGoWhenRead();
  }

  wake(): void {
    this.send("NOOP");
  }

  fail(job: Job): void {
    this.send("WORK_FAIL", job.number);
  }

  takeLine(line: string): void {
    // Its lists show the jobs that came in this turn too.
    this.#server.queue.commit();
    const reply = answerLine(line, this.#server);
    if (reply === null) this.close(`too many words in the text command: ${line}`);
    else {
      this.#outbox.add(Buffer.from(reply, "latin1"));
      this.#noteSent(this);
    }
  }

  takePacket(name: PacketName | null, magic: Magic, args: readonly Buffer[]): void {
    if (magic === "RES") this.send("ERROR", "INVALID_MAGIC", "Request magic expected");
    else answerPacket(name, args, this, this.#server);
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.#depart(reason);
    this.#socket.setTimeout(LINGER_MS);
    this.#socket.destroySoon();
  }

  /** Ends the connection without waiting for the other side to read. */
  destroy(reason: string): void {
    if (this.#isOpen) this.#depart(reason);
    this.#socket.destroy();
  }

  /** Has what was added written soon. */
  #noteSent(source: Connection): void {
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      this.#server.flushSoon(this);
    }
    if (this.#outbox.pendingBytes > this.#server.maxPendingBytes) this.#holdUp(source);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, this.#server.keepAliveMs);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#letGoWhenRead());
    socket.on("end", () => this.close("the other side ended the connection"));
    socket.on("timeout", () => this.destroy(`nothing was read for ${this.#socket.timeout} ms`));
    socket.on("error", (error) => {
      this.#reason ??= error.message;
    });
    socket.on("close", () => {
      this.destroy("the connection was lost");
      this.#onGone(this.#reason ?? "");
    });
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (error instanceof GearmanError && error.kind === "PROTOCOL") {
        this.#server.onEvent({ type: "refused", id: this.id, host: this.host, port: this.port, error });
        if (error instanceof OverLimitError) this.#refuse(error.message);
        else this.close(error.message);
        return;
      }
      this.destroy(`a bug in the server: ${String(error)}`);
      this.#server.onEvent({ type: "bug", id: this.id, host: this.host, port: this.port, error });
    }
  }

  /**
   * Tells the other side that it sent too much, and leaves. What still comes is read and thrown away for a while: a socket
   * that is closed before resets the connection, and takes the answer with it.
   */
  #refuse(reason: string): void {
    this.send("ERROR", "ARGUMENT_TOO_LARGE", reason);
    this.#depart(reason);
    this.#socket.once(
      "close",
      this.#server.clock.after(LINGER_MS, () => this.#socket.destroy()),
    );
    this.#socket.end();
  }

  /** Leaves the open mode: everything that is known of the connection is undone here, and only here. */
  #depart(reason: string): void {
    this.#reason ??= reason;
    this.#reader.stop();
    this.#server.queue.leave(this);
    // Before its replies go out, what they promise must be written.
    this.#server.queue.commit();
    this.#outbox.flush();
    this.#isOpen = false;
    this.#noMoreSigns();
    this.#letGo();
    this.#socket.resume();
  }

  #signLater(): void {
    this.#stopSigns = this.#server.clock.after(SIGN_OF_LIFE_MS, () => {
      if (this.abilities.length > 0) this.wake();
      this.#signLater();
    });
  }

  #noMoreSigns(): void {
    this.#stopSigns?.();
    this.#stopSigns = null;
  }

  #holdUp(source: Connection): void {
    if (this.#holdsUp.size === 0) this.#socket.setTimeout(this.#server.stallTimeoutMs);
    this.#holdsUp.add(source);
    source.waitFor(this);
  }

  #letGoWhenRead(): void {
    if (this.#holdsUp.size > 0 && this.#outbox.pendingBytes <= this.#server.maxPendingBytes / 2) {
      this.#socket.setTimeout(0);
      this.#letGo();
    }
  }

  #letGo(): void {
    for (const source of this.#holdsUp) source.stopWaitingFor(this);
    this.#holdsUp.clear();
  }
}
