/** Where `basil gearman submit` finds its payloads: words of the command line, all of standard input, or its lines. */
import type { Readable } from "node:stream";

/** Where payloads come from, and whether lines keep the newline that ends them. */
export type LineKind = "stripped" | "whole";

const NEWLINE = 0x0a;

/** The lines of a stream as bytes, as they come. A last line without a newline counts, unless it is empty. */
export async function* linesOf(input: Readable, kind: LineKind): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const piece of input) {
    const chunk = bytesOf(piece);
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, kind === "whole" ? at + 1 : at));
      yield Buffer.concat(parts);
      parts = [];
      from = at + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** Everything a stream gives, as one payload. */
export async function* wholeOf(input: Readable): AsyncGenerator<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of input) parts.push(bytesOf(piece));
  yield Buffer.concat(parts);
}

const bytesOf = (piece: unknown): Buffer => (Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece)));
