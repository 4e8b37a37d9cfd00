/** Job handles: a prefix that names the server and a number, written and read without making text of them. */

/** Most digits that are read as a number: all that one has can be counted exactly. */
const MAX_DIGITS = 15;

/** The handles of one server, such as `H:myhost:17`. */
export class Handles {
  /** What all of them start with, such as `H:myhost:`. */
  readonly prefix: string;
  readonly #prefixBytes: Buffer;

  /** @param prefix Latin-1 text */
  constructor(prefix: string) {
    this.prefix = prefix;
    this.#prefixBytes = Buffer.from(prefix, "latin1");
  }

  /** Length of a job's handle. */
  bytesOf(number: number): number {
    let bytes = this.#prefixBytes.length + 1;
    for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) bytes++;
    return bytes;
  }

  /** Writes a job's handle into `target`; returns where it ends. */
  write(target: Buffer, start: number, number: number): number {
    const prefix = this.#prefixBytes;
    for (let index = 0; index < prefix.length; index++) target[start + index] = prefix[index]!;
    const end = start + this.bytesOf(number);
    let rest = number;
    for (let at = end - 1; at >= start + prefix.length; at--) {
      const tenth = Math.floor(rest / 10);
      target[at] = 0x30 + rest - 10 * tenth;
      rest = tenth;
    }
    return end;
  }

  /** The number in a handle, or 0 when it is none of this server. A NUL ends the handle, as in gearmand. */
  numberOf(handle: Buffer): number {
    const prefix = this.#prefixBytes;
    for (let index = 0; index < prefix.length; index++) if (handle[index] !== prefix[index]) return 0;
    let number = 0;
    let at = prefix.length;
    if (handle[at] === 0x30) return 0;
    for (; at < handle.length && handle[at] !== 0; at++) {
      const digit = handle[at]! - 0x30;
      if (digit < 0 || digit > 9 || at - prefix.length >= MAX_DIGITS) return 0;
      number = 10 * number + digit;
    }
    return number;
  }
}
