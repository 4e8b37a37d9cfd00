/** Keeps few bytes of many jobs side by side: an object of the engine for each would cost more than they do. */

/** Size of the buffers that bytes are copied into, one after the other. One job that stays keeps its buffer, but no more. */
const SLAB_BYTES = 16 * 1024;

/** Bytes are copied one by one up to this length: that is cheaper than a call into the engine. */
const SHORT_BYTES = 48;

/** Copies bytes out of network buffers, so that they do not keep all of those alive. */
export class Slab {
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;

  /** The buffer that the last `keep` wrote into. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Keeps two pieces with a NUL between them; returns where in `bytes` they start. */
  keep(first: Buffer, second: Buffer): number {
    const length = first.length + 1 + second.length;
    if (this.#bytes.length - this.#end < length) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      this.#end = 0;
    }
    const start = this.#end;
    this.#copy(first, start);
    this.#bytes[start + first.length] = 0;
    this.#copy(second, start + first.length + 1);
    this.#end += length;
    return start;
  }

  #copy(source: Buffer, start: number): void {
    if (source.length > SHORT_BYTES) this.#bytes.set(source, start);
    else for (let at = 0; at < source.length; at++) this.#bytes[start + at] = source[at]!;
  }
}
