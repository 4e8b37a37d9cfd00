/**
 * Numbers as gearmand reads them: with C's atoi and strtoll, because workers and clients rely on
 * what those make of odd text.
 */

const INTEGER = /^[ \t\n\v\f\r]*([+-]?\d+)/;
const MAX_INT64 = (1n << 63n) - 1n;
const MIN_INT64 = -(1n << 63n);

/** A whole number and whether it was cut to 64 bits. */
export interface ParsedInteger {
  /** 0 when the text does not start with a number. */
  readonly value: bigint;
  readonly isOverflow: boolean;
}

/** The leading whole number of a text: blanks and a sign are allowed, whatever follows the digits is ignored. */
export function parseInt64(text: string): ParsedInteger {
  const digits = INTEGER.exec(text)?.[1];
  if (digits === undefined) return { value: 0n, isOverflow: false };
  const value = BigInt(digits.startsWith("+") ? digits.slice(1) : digits);
  if (value > MAX_INT64) return { value: MAX_INT64, isOverflow: true };
  if (value < MIN_INT64) return { value: MIN_INT64, isOverflow: true };
  return { value, isOverflow: false };
}

/** The number a worker's status text is stored as, in 32 bits without sign: `-1` becomes 4 294 967 295. */
export function parseUint32(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return Number(BigInt.asUintN(32, parseInt64(text).value));
}

/** The number an administrator's argument is read as, in 32 bits with sign. */
export function parseInt32(text: string): number {
  return Number(BigInt.asIntN(32, parseInt64(text).value));
}
