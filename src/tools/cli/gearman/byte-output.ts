/** Standard output for bytes that may be many: each write waits for the reader, and a reader that has gone ends the work. */
import type { Writable } from "node:stream";

/** Whoever read the output has gone, or the disk is full: nothing more can be written. */
export class OutputGone extends Error {
  override readonly name = "OutputGone";
}

/** Writes in order, at the reader's pace. */
export class ByteOutput {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Resolves when the system has taken the bytes. Rejects with OutputGone when it never will. */
  write(bytes: string | Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => {
        if (error) reject(new OutputGone(error.message, { cause: error }));
        else resolve();
      });
    });
  }
}

/** Puts a text in front of every line of a stream of bytes, wherever the bytes are cut. */
export function linePrefixer(prefix: string): (chunk: Buffer) => Buffer {
  const mark = Buffer.from(prefix);
  let isAtStart = true;
  return (chunk) => {
    const parts: Buffer[] = [];
    for (let from = 0; from < chunk.length; ) {
      if (isAtStart) parts.push(mark);
      const newline = chunk.indexOf(0x0a, from);
      const end = newline < 0 ? chunk.length : newline + 1;
      parts.push(chunk.subarray(from, end));
      isAtStart = newline >= 0;
      from = end;
    }
    return Buffer.concat(parts);
  };
}
