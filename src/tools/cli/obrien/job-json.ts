/** A job as the JSON that `list` and `show` print. */
import { isUtf8 } from "node:buffer";
import type { JobRecord } from "../../../core/obrien/index.ts";

/** All of a job. Its payload is text, or base64 when it is no UTF-8; what is not there is left out. */
export function jobJson({ payload, ...job }: JobRecord): Record<string, unknown> {
  const all = { ...job, ...(isUtf8(payload) ? { payload: payload.toString() } : { payloadBase64: payload.toString("base64") }) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
