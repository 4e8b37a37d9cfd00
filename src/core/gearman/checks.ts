/** Refuses values a job server would misread, before they are sent: each limit here was seen to lose or mix up jobs. */
import { types } from "node:util";
import { formatServer, parseServer } from "./address.ts";
import { bytesOf } from "./codec.ts";
import { GearmanError } from "./errors.ts";
import type { PacketArg } from "./packets.ts";

/** Longest function name, in bytes; more than this and C clients cut it. */
export const MAX_FUNCTION_BYTES = 512;

/** Longest unique key, in bytes: with 64 the server stores 63 and shifts the payload by an empty argument. */
export const MAX_UNIQUE_BYTES = 63;

/** Longest handle, in bytes: a question about a longer one is never answered. */
export const MAX_HANDLE_BYTES = 63;

/** Largest payload in bytes that leaves room for the other arguments in the 32-bit size field. */
export const MAX_PAYLOAD_BYTES = 0xffffffff - 2048;

/** `name`, or an ARGUMENT error when no server would take it. */
export function checkFunctionName(name: string): string {
  refuseNoText("function name", name);
  if (name === "") throw new GearmanError("ARGUMENT", "the function name is empty: give the name a worker registered");
  if (name.includes("\0")) throw new GearmanError("ARGUMENT", `function name ${shown(name)} has a NUL character`);
  refuseLoneSurrogates(name, "function name", "use letters, digits and dots");
  const bytes = name.length * 3 <= MAX_FUNCTION_BYTES ? 0 : Buffer.byteLength(name);
  if (bytes > MAX_FUNCTION_BYTES) {
    throw new GearmanError(
      "ARGUMENT",
      `function name ${shown(name)} has ${bytes} bytes, at most ${MAX_FUNCTION_BYTES} are allowed`,
    );
  }
  return name;
}

/** `unique`, or an ARGUMENT error when the server would cut it or refuse it. Empty means none. */
export function checkUnique(unique: string): string {
  refuseNoText("unique key", unique);
  if (unique.includes("\0")) throw new GearmanError("ARGUMENT", `unique key ${shown(unique)} has a NUL character`);
  refuseLoneSurrogates(unique, "unique key", "write the bytes in hex or Base64");
  const bytes = Buffer.byteLength(unique);
  if (bytes > MAX_UNIQUE_BYTES) {
    throw new GearmanError(
      "ARGUMENT",
      `unique key ${shown(unique)} has ${bytes} bytes, at most ${MAX_UNIQUE_BYTES} are allowed: use a hash of it`,
    );
  }
  return unique;
}

/** Halves of characters, which stand for bytes that are not UTF-8, would all be sent as U+FFFD: different names became one. */
function refuseLoneSurrogates(text: string, what: string, wayOut: string): void {
  if (!text.isWellFormed())
    throw new GearmanError("ARGUMENT", `${what} ${shown(text)} is not text: it has bytes that are not UTF-8; ${wayOut}`);
}

/** Programs without types, and data of others, come with anything. What is asked for by type may be of another realm. */
function refuseNoText(what: string, value: unknown): void {
  if (typeof value !== "string") throw new GearmanError("ARGUMENT", `${what} must be text, not ${kindOf(value)}`);
}

/** `at` itself, or an ARGUMENT error when it is no Date. */
export function checkDate(at: Date): Date {
  if (types.isDate(at)) return at;
  throw new GearmanError("ARGUMENT", `at must be a Date, not ${kindOf(at)}`);
}

/** A value of the wrong type in words, such as `the number 5`. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return `the text ${shown(value)}`;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return `the ${typeof value} ${value}`;
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** `payload` itself, or an ARGUMENT error when it is neither text nor bytes, or does not fit a packet. */
export function checkPayload(payload: PacketArg): PacketArg {
  if (typeof payload !== "string" && !types.isUint8Array(payload)) {
    const message = `payload must be text or bytes (a Buffer or other Uint8Array), not ${kindOf(payload)}`;
    throw new GearmanError("ARGUMENT", message);
  }
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new GearmanError("ARGUMENT", `payload of ${payload.length} bytes is over the limit of ${MAX_PAYLOAD_BYTES}`);
  }
  return typeof payload === "string" ? payload : bytesOf(payload);
}

/** A timeout in milliseconds: above 0; `Infinity` for none. */
export function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs !== "number")
    throw new GearmanError("ARGUMENT", `timeoutMs must be a number above 0, not ${kindOf(timeoutMs)}`);
  if (timeoutMs > 0) return timeoutMs;
  throw new GearmanError("ARGUMENT", `timeoutMs ${timeoutMs} must be a number above 0`);
}

/** A whole number from 1. */
export function checkCount(what: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new GearmanError("ARGUMENT", `${what} ${count} must be a whole number from 1`);
}

/** A handle as callers give it: alone, or after the server that issued it. */
export interface HandleRef {
  /** `host:port` of the server, when the caller named it. */
  readonly server: string | null;
  /** The bare handle, such as `H:vm:12`. */
  readonly handle: string;
}

/** Reads `H:vm:12` or `127.0.0.1:4730//H:vm:12`; an ARGUMENT error when it is not a handle. */
export function parseHandle(text: string): HandleRef {
  refuseNoText("job handle", text);
  const slashes = text.indexOf("//");
  const isPlain = slashes < 0 || text.startsWith("H:");
  const handle = isPlain ? text : text.slice(slashes + 2);
  if (handle === "") throw new GearmanError("ARGUMENT", "the job handle is empty");
  if (!handle.startsWith("H:")) throw new GearmanError("ARGUMENT", `${shown(handle)} is not a job handle: handles start with H:`);
  if (/[\s\x00-\x1f\x7f]/.test(handle))
    throw new GearmanError("ARGUMENT", `job handle ${shown(handle)} has a blank or control character`);
  const bytes = Buffer.byteLength(handle);
  if (bytes > MAX_HANDLE_BYTES) {
    throw new GearmanError("ARGUMENT", `job handle ${shown(handle)} has ${bytes} bytes, at most ${MAX_HANDLE_BYTES} are allowed`);
  }
  return { server: isPlain ? null : formatServer(parseServer(text.slice(0, slashes))), handle };
}

/** A value in quotes, cut to a readable length, with control characters escaped. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}
