/**
 * Exact decimal rounding, judged on the shortest decimal form of a number, as people read it: 1.005 is 1.005 here, not
 * the binary fraction a little below it.
 */

/** A finite number's size as decimal digits: 0.digits × 10^point. Zero has no digits. */
export interface Decimal {
  /** Without leading and trailing zeros. */
  readonly digits: string;
  /** How many digits stand before the decimal point; negative for zeros behind it. 1234.5 has 4, 0.05 has -1. */
  readonly point: number;
}

/** The shortest decimal that reads back as the number's absolute value. */
export function decimalOf(value: number): Decimal {
  if (value === 0) return { digits: "", point: 0 };
  const text = Math.abs(value).toExponential();
  const exponent = text.indexOf("e");
  const digits = exponent === 1 ? text[0]! : text[0] + text.slice(2, exponent);
  return { digits, point: Number(text.slice(exponent + 1)) + 1 };
}

/** Rounds half away from zero to so many places behind the point, or before it when negative. */
export function roundDecimal({ digits, point }: Decimal, places: number): Decimal {
  const kept = point + places;
  if (kept >= digits.length) return { digits, point };
  if (kept < 0) return { digits: "", point: 0 };
  const isUp = digits.charCodeAt(kept) >= 0x35;
  let end = kept;
  if (!isUp) {
    while (end > 0 && digits[end - 1] === "0") end -= 1;
    return end === 0 ? { digits: "", point: 0 } : { digits: digits.slice(0, end), point };
  }
  while (end > 0 && digits[end - 1] === "9") end -= 1;
  if (end === 0) return { digits: "1", point: point + 1 };
  const last = digits.charCodeAt(end - 1) + 1;
  return { digits: digits.slice(0, end - 1) + String.fromCharCode(last), point };
}

/** No double has a digit that far from its point. */
const MAX_PLACES = 400;

/** A number rounded half away from zero, never −0: `round(1.005, 2)` is 1.01, `round(1234, -2)` is 1200. */
export function round(value: number, places = 0): number {
  if (!Number.isFinite(value)) return value;
  if (Number.isInteger(value) && !(places < 0)) return value + 0;
  const wanted = Math.trunc(Math.max(-MAX_PLACES, Math.min(MAX_PLACES, places || 0)));
  if (wanted === 0) return roundWhole(value);
  const { digits, point } = roundDecimal(decimalOf(value), wanted);
  if (digits === "") return 0;
  return Math.sign(value) * Number(`0.${digits}e${point}`);
}

/** Halves are exact in binary, so no decimal form is needed. */
function roundWhole(value: number): number {
  const whole = Math.trunc(value);
  return (Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole) + 0;
}
