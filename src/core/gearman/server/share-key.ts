/** What makes jobs equal, so that a submission joins one that is there instead of making another. */
import { createHash } from "node:crypto";

/** What equal jobs have in common, or null when the job is never shared. `-` shares by equal payload: its key starts with a NUL, which no unique key can hold. */
export function shareKeyOf(unique: Buffer, payload: Buffer): Buffer | null {
  if (unique.length === 0) return null;
  if (unique.length > 1 || unique[0] !== 0x2d) return unique;
  return payload.length === 0 ? null : Buffer.concat([Buffer.alloc(1), createHash("sha256").update(payload).digest()]);
}
