/** Standard output that slows the writer down when the reader is slow, and ends the program when the reader is gone. */
import type { Writable } from "node:stream";
import { BasilError, ProgramEnd } from "../../../runtime/errors.ts";
import { listenShared, unlistenShared } from "./shared-listeners.ts";

/** What a shell reports for a program whose reader went away: 128 + SIGPIPE. */
const BROKEN_PIPE_EXIT_CODE = 141;

/**
 * Modes: *open*; *broken*, after the stream failed: the next write, or the one that waits, raises the failure,
 * unless the program goes on without its reader; *deaf*, after it was raised: further output is dropped.
 */
export class OutputStream {
  readonly #stream: Writable;
  readonly #outlivesReader: boolean;
  #failure: Error | undefined;
  #isDeaf = false;
  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
  };

  /** @param outlivesReader whether the program goes on, unheard, when its reader is gone */
  constructor(stream: Writable, outlivesReader = false) {
    this.#stream = stream;
    this.#outlivesReader = outlivesReader;
    listenShared(stream, "error", this.#onError);
  }

  /** Takes bytes; the promise is kept when the stream wants more. */
  write(bytes: Buffer): void | Promise<void> {
    if (this.#isDeaf) return undefined;
    // A loop that never waits lets no event through, so the stream itself is asked as well.
    this.#failure ??= this.#stream.errored ?? undefined;
    if (this.#failure || this.#stream.destroyed) return this.#fail();
    if (!this.#stream.write(bytes)) return this.#drained();
    return undefined;
  }

  /** Listens to failures no longer. */
  close(): void {
    // A failure of bytes on their way still needs a listener, or it would end the process with a stack trace.
    if (this.#stream.writableLength === 0) unlistenShared(this.#stream, "error", this.#onError);
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        for (const event of EVENTS) unlistenShared(this.#stream, event, done);
        try {
          resolve(this.#failure || this.#stream.destroyed ? this.#fail() : undefined);
        } catch (error) {
          reject(error);
        }
      };
      for (const event of EVENTS) listenShared(this.#stream, event, done);
    });
  }

  #fail(): void {
    this.#isDeaf = true;
    const failure = this.#failure as NodeJS.ErrnoException | undefined;
    if (!failure || failure.code === "EPIPE" || failure.code === "ERR_STREAM_DESTROYED") {
      if (this.#outlivesReader) return;
      throw new ProgramEnd(BROKEN_PIPE_EXIT_CODE);
    }
    throw new BasilError("IO_ERROR", `PRINT: ${failure.message}`, { cause: failure });
  }
}

const EVENTS = ["drain", "error", "close"] as const;
