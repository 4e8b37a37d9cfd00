/** Standard input by lines, by characters, and by keys on a terminal; nothing is read before the program asks. */
import type { Readable } from "node:stream";
import type { ReadStream } from "node:tty";
import { decodeBytes, encodeText } from "../../../runtime/bytes.ts";
import type { InputHost } from "../../../runtime/capabilities.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CONTROL_C = 0x03;
const ESCAPE = 0x1b;
const NOTHING = Buffer.alloc(0);

/**
 * Modes: *untouched*, until the first read; *paused*, where the stream keeps what arrives; *reading*, while a call
 * waits; *watching*, on a terminal after the first look for a pressed key, where keys are collected all the time.
 * `close()` leads to *closed* from every mode.
 */
export class StandardInput implements InputHost {
  readonly #stream: Readable;
  readonly #interrupt: () => void;
  /** Arrived and not yet taken. */
  #rest: Buffer = NOTHING;
  #hasEnded = false;
  #isAttached = false;
  #isWatching = false;
  #isRaw = false;
  /** Wakes the call that waits for more. */
  #wake: (() => void) | undefined;
  /** Kept when the call before has taken its share: calls are served in their order. */
  #turn: Promise<void> = Promise.resolve();

  /** @param interrupt what Ctrl-C does while single keys are read; unless given it is the process's SIGINT */
  constructor(stream: Readable, interrupt: () => void = () => process.kill(process.pid, "SIGINT")) {
    this.#stream = stream;
    this.#interrupt = interrupt;
  }

  readLine(signal: AbortSignal): Promise<string | null> {
    return this.#inTurn(signal, async () => {
      this.#setRaw(false);
      return await this.#line(signal);
    });
  }

  readCharacter(signal: AbortSignal): Promise<string | null> {
    return this.#inTurn(signal, async () => {
      const wasRaw = this.#isRaw;
      this.#setRaw(true);
      try {
        return await this.#character(signal);
      } finally {
        this.#setRaw(wasRaw);
      }
    });
  }

  pressedKey(): string {
    if (!this.#terminal) return "";
    this.#setRaw(true);
    if (!this.#isWatching) {
      this.#isWatching = true;
      this.#attach();
      this.#stream.resume();
      this.#hold(false);
    }
    return this.#takeKey() ?? "";
  }

  /** Stops reading and gives the terminal its normal mode back. */
  close(): void {
    this.#setRaw(false);
    this.#isWatching = false;
    this.#hasEnded = true;
    if (this.#isAttached) {
      this.#stream.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd).off("error", this.#onEnd);
      this.#stream.pause();
      this.#hold(false);
    }
    this.#wake?.();
  }

  async #line(signal: AbortSignal): Promise<string | null> {
    const parts: Buffer[] = [];
    for (;;) {
      if (this.#terminal) this.#rest = withLineFeeds(this.#rest);
      const end = this.#rest.indexOf(LINE_FEED);
      if (end >= 0) {
        parts.push(this.#rest.subarray(0, end));
        this.#rest = this.#rest.subarray(end + 1);
        break;
      }
      if (this.#rest.length > 0) parts.push(this.#rest);
      this.#rest = NOTHING;
      if (await this.#more(signal).catch((error) => this.#giveBack(parts, error))) continue;
      if (parts.length === 0) return null;
      break;
    }
    const line = Buffer.concat(parts);
    return decodeBytes(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line);
  }

  /** A line that was not finished stays for whoever reads next. */
  #giveBack(parts: Buffer[], error: unknown): never {
    this.#rest = Buffer.concat([...parts, this.#rest]);
    throw error;
  }

  async #character(signal: AbortSignal): Promise<string | null> {
    for (;;) {
      const key = this.#takeKey();
      if (key !== undefined) return key;
      if (await this.#more(signal)) continue;
      return this.#rest.length > 0 ? this.#take(1) : null;
    }
  }

  /** The next character, on a terminal the next key, or undefined while it has not arrived whole. */
  #takeKey(): string | undefined {
    while (this.#isRaw && this.#rest[0] === CONTROL_C) {
      this.#rest = this.#rest.subarray(1);
      this.#interrupt();
    }
    const first = this.#rest[0];
    if (first === undefined) return undefined;
    if (this.#isRaw && first === ESCAPE) return this.#take(escapeLength(this.#rest));
    const length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return this.#rest.length < length && !this.#hasEnded ? undefined : this.#take(length);
  }

  /** Takes bytes: one character, or all of an escape sequence. */
  #take(length: number): string {
    const text = decodeBytes(this.#rest.subarray(0, length));
    const taken = length > 4 || text.charCodeAt(0) === ESCAPE ? text : String.fromCodePoint(text.codePointAt(0)!);
    this.#rest = this.#rest.subarray(encodeText(taken).length);
    return taken;
  }

  /** Runs a read after those before it. */
  async #inTurn<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    let done = (): void => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#turn = before.then(() => mine);
    try {
      await untilAborted(before, signal);
      return await read();
    } finally {
      done();
    }
  }

  /** Waits for more input; false at its end. */
  async #more(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#hasEnded || this.#stream.readableEnded || this.#stream.destroyed) return false;
    this.#attach();
    const had = this.#rest.length;
    const arrived = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#stream.resume();
    this.#hold(true);
    try {
      await untilAborted(arrived, signal);
    } finally {
      this.#wake = undefined;
      if (!this.#isWatching) this.#stream.pause();
      this.#hold(false);
    }
    return this.#rest.length > had || !this.#hasEnded;
  }

  #attach(): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    this.#stream.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd).on("error", this.#onEnd);
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const bytes = typeof chunk === "string" ? encodeText(chunk) : chunk;
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (!this.#isWatching) this.#stream.pause();
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#wake?.();
  };

  /**
   * Only a call that waits may keep the program alive. Pausing is not enough: a paused pipe goes on reading ahead, and
   * the process would end only when the other side closes it.
   */
  #hold(isHeld: boolean): void {
    const stream = this.#stream as Partial<ReadStream>;
    if (isHeld) stream.ref?.();
    else stream.unref?.();
  }

  get #terminal(): ReadStream | undefined {
    const stream = this.#stream as ReadStream;
    return stream.isTTY === true && typeof stream.setRawMode === "function" ? stream : undefined;
  }

  #setRaw(isRaw: boolean): void {
    if (this.#isRaw === isRaw || !this.#terminal) return;
    this.#isRaw = isRaw;
    this.#terminal.setRawMode(isRaw);
  }
}

/** Length of an escape sequence such as the arrow keys send; 1 for the Escape key itself. */
function escapeLength(bytes: Buffer): number {
  if (bytes[1] !== 0x5b && bytes[1] !== 0x4f) return 1;
  for (let at = 2; at < bytes.length; at++) if (bytes[at]! >= 0x40 && bytes[at]! <= 0x7e) return at + 1;
  return bytes.length;
}

/** Enter that was pressed while single keys were read arrived as CR: here it ends a line all the same. */
const withLineFeeds = (bytes: Buffer): Buffer =>
  bytes.includes(CARRIAGE_RETURN) ? Buffer.from(bytes.map((byte) => (byte === CARRIAGE_RETURN ? LINE_FEED : byte))) : bytes;

/** A promise that also rejects when the signal fires. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
