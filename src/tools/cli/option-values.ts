/** How option values are read: a function a kind of value, which refuses what is none. */
import { InvalidArgumentError } from "commander";

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("Give a whole number from 1.");
  return value;
}

/** A whole number from 0. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("Give a whole number from 0.");
  return value;
}

/** A time: seconds since 1970, or a date as in ISO 8601, such as 2030-01-31T12:00:00Z; without a zone it is local. */
export const time = (text: string): Date => timeOr(text, "Give seconds since 1970, or a time such as 2030-01-31T12:00:00Z.");

/** A time as above. @param forms what the refusal says that it may look like */
function timeOr(text: string, forms: string): Date {
  const date = /^\d+(?:\.\d+)?$/.test(text) ? new Date(Number(text) * 1000) : /^\d{4}-/.test(text) ? new Date(text) : null;
  if (date === null || Number.isNaN(date.getTime())) throw new InvalidArgumentError(forms);
  return date;
}

/** Units of a duration, in milliseconds. */
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A duration, such as 90s, 1.5h or 30d, in milliseconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|[smhdw])$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Give a number with its unit: ms, s, m, h, d or w, such as 30d.");
  return Number(number) * UNITS_MS[unit!]!;
}

/** Smaller numbers are no seconds since 1970 that anybody means (this is in 1973), but a duration whose unit is missing. */
const FIRST_SECONDS = 100_000_000;

/** What a time in the past may look like. */
const PAST_FORMS = "Give how long ago, such as 30m, 12h or 30d, seconds since 1970, or a time such as 2030-01-31T12:00:00Z.";

/** A time in the past: how long ago, such as 1h, or as `time` reads it; a small number without a unit is refused. */
export function timePast(text: string): Date {
  if (Number(text) < FIRST_SECONDS) throw new InvalidArgumentError(`A unit is missing. ${PAST_FORMS}`);
  if (!/^[\d.]+[a-z]+$/.test(text)) return timeOr(text, PAST_FORMS);
  const date = new Date(Date.now() - duration(text));
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError("That is before all times.");
  return date;
}
