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
export function time(text: string): Date {
  const date = /^\d+(?:\.\d+)?$/.test(text) ? new Date(Number(text) * 1000) : /^\d{4}-/.test(text) ? new Date(text) : null;
  if (date === null || Number.isNaN(date.getTime()))
    throw new InvalidArgumentError("Give seconds since 1970, or a time such as 2030-01-31T12:00:00Z.");
  return date;
}
