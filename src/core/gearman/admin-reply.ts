/** One question in the text protocol: a connection of its own, the line sent once, the reply's lines as they come. */
import type { Socket } from "node:net";
import { backoffMs } from "../net/backoff.ts";
import { bounded, pause } from "../net/deadline.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { shown } from "./checks.ts";
import { RETRY_BACKOFF } from "./config.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, readyEvent, systemHost } from "./host.ts";
import { refusalInText } from "./refusals.ts";
import { reasonOf } from "./wire.ts";

/** How to reach the server, and how long to wait for it. */
export interface AdminOptions {
  readonly address: ServerAddress;
  /** Bounds connecting, its retries and the reply, in milliseconds. */
  readonly timeoutMs: number;
  /** How often connecting is tried again; a command that was sent is never sent twice. Default 0. */
  readonly retries?: number;
  readonly signal?: AbortSignal | undefined;
  readonly host?: GearmanHost;
  /** Whether `timeoutMs` bounds each wait for more of the reply instead of the whole. Default false. */
  readonly isBoundedByWait?: boolean;
}

/** Longest line of a reply, in bytes: a worker with very many functions has one such line. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LF = 10;

/**
 * Sends a command and gives the reply's lines, in batches as they arrive, without their line ends. A reader that is
 * slow slows the server down. Ends when the server closes; leaving the loop closes the connection.
 */
export async function* replyLines(command: string, options: AdminOptions): AsyncGenerator<readonly string[], void> {
  const question = new Question(command, options);
  try {
    yield* question.lines();
  } finally {
    question.close();
  }
}

/** Modes: *connecting* → *reading* → *closed*. `close` leads to closed from everywhere and destroys the socket. */
class Question {
  readonly #command: string;
  readonly #options: AdminOptions;
  readonly #host: GearmanHost;
  readonly #server: string;
  readonly #over = new AbortController();
  readonly #endsAtMs: number;
  #unreached: GearmanError | null = null;
  /** What has come of a line that has not ended. */
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(command: string, options: AdminOptions) {
    this.#command = command;
    this.#options = options;
    this.#host = options.host ?? systemHost;
    this.#server = formatServer(options.address);
    this.#endsAtMs = this.#host.now() + options.timeoutMs;
  }

  async *lines(): AsyncGenerator<readonly string[], void> {
    const socket = await this.#wait(this.#connect());
    socket.write(`${this.#command}\r\n`);
    const chunks: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
    for (let isFirst = true; ; isFirst = false) {
      const { done, value } = await this.#wait(chunks.next().catch((error: Error) => Promise.reject(this.#lost(error))));
      if (done) return;
      const refusal = isFirst ? refusalInText(value, this.#server) : null;
      if (refusal !== null) throw refusal;
      const lines = this.#split(value);
      if (lines.length > 0) yield lines;
    }
  }

  close(): void {
    this.#over.abort();
  }

  #wait<T>(promise: Promise<T>): Promise<T> {
    const { timeoutMs, signal, isBoundedByWait } = this.#options;
    const command = firstLine(this.#command);
    return bounded(promise, {
      timeoutMs: isBoundedByWait ? timeoutMs : Math.max(1, this.#endsAtMs - this.#host.now()),
      signal,
      onTimeout: () =>
        this.#unreached ??
        new GearmanError("TIMEOUT", `no answer from ${this.#server} to ${command} within ${timeoutMs} ms${this.#heard()}`),
      onAbort: (cause) =>
        cause instanceof GearmanError ? cause : new GearmanError("ABORTED", `${command} was called off`, { cause }),
    });
  }

  /** The beginning of a line that never ended: it tells what kind of server answered. */
  #heard(): string {
    return this.#restBytes === 0 ? "" : `, only the beginning ${shown(Buffer.concat(this.#rest).toString())}`;
  }

  /** A connected socket, after as many tries as retries allow; it is destroyed when the question is over. */
  async #connect(): Promise<Socket> {
    const { address, retries = 0 } = this.#options;
    const over = this.#over.signal;
    for (let round = 0; ; round++) {
      const socket = this.#host.connect(address);
      const giveUp = () => void socket.destroy();
      over.addEventListener("abort", giveUp, { once: true });
      const error = await new Promise<Error | null>((resolve) => {
        socket.once(readyEvent(socket), () => resolve(null));
        socket.on("error", resolve);
        socket.once("close", () => resolve(new Error("closed")));
      });
      if (error === null) return socket;
      over.removeEventListener("abort", giveUp);
      const isLast = round >= retries || over.aborted;
      const after = isLast && retries > 0 ? ` (after ${retries + 1} tries)` : "";
      const failure = this.#lost(error, after);
      if (isLast) throw failure;
      this.#unreached = failure;
      await pause(backoffMs(round, RETRY_BACKOFF, this.#host.random), over);
      if (over.aborted) throw failure;
    }
  }

  #lost(cause: Error, after = ""): GearmanError {
    return new GearmanError("IO", `cannot ask ${this.#server}: ${reasonOf(cause)}${after}`, { cause });
  }

  /** The lines that are complete with this chunk. Bytes are decoded by whole lines: a chunk may end inside a character. */
  #split(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(LF);
    const bytes = end < 0 ? chunk : Buffer.concat([...this.#rest, chunk.subarray(0, end + 1)]);
    if (end >= 0) this.#rest = [];
    const rest = end < 0 ? bytes : chunk.subarray(end + 1);
    if (rest.length > 0) this.#rest.push(rest);
    this.#restBytes = (end < 0 ? this.#restBytes : 0) + rest.length;
    if (this.#restBytes > MAX_LINE_BYTES) {
      const text = `${this.#server}: a line of the reply to ${firstLine(this.#command)} is over ${MAX_LINE_BYTES} bytes`;
      throw new GearmanError("PROTOCOL", text);
    }
    return end < 0 ? [] : bytes.toString().split(/\r?\n/).slice(0, -1);
  }
}

/** A command without what else was sent along with it, for messages. */
const firstLine = (command: string): string => command.split("\r\n", 1)[0]!;
