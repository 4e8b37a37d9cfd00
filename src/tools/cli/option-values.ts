/** How option values are read: a function a kind of value, which refuses what is none. */
import { InvalidArgumentError } from "commander";

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("Give a whole number from 1.");
  return value;
}
