/** How a server turns a whole connection away: an ERROR packet in place of any answer, which also those see who asked in text. */
import { PacketDecoder } from "./codec.ts";
import { GearmanError } from "./errors.ts";
import { HEADER_BYTES, type Packet } from "./packets.ts";

/** Codes of such packets, and what they say. Nothing that came over the connection was done. */
export const CONNECTION_REFUSALS = {
  TOO_MANY_CONNECTIONS: "The server has as many connections as it takes.",
  TLS_REQUIRED: "The server speaks TLS only.",
} as const satisfies Record<string, string>;

/** Name of one reason to turn a connection away. */
export type ConnectionRefusal = keyof typeof CONNECTION_REFUSALS;

/** Longest text reply that may be such a packet, in bytes. */
const MAX_REFUSAL_BYTES = 1024;

/** Why `server` turned the connection away, or null for an ERROR that answers a request. */
export function refusalIn({ code, text }: Packet<"ERROR">["args"], server: string): GearmanError | null {
  const name = code.toString();
  if (!Object.hasOwn(CONNECTION_REFUSALS, name)) return null;
  return new GearmanError("IO", `${server} turned the connection away: ${name} (${text.toString()})`);
}

/** The same, for what came first where text was due. */
export function refusalInText(bytes: Buffer, server: string): GearmanError | null {
  if (bytes[0] !== 0 || bytes.length < HEADER_BYTES || bytes.length > MAX_REFUSAL_BYTES) return null;
  try {
    for (const packet of new PacketDecoder(MAX_REFUSAL_BYTES, "RES").push(bytes))
      if (packet.name === "ERROR") return refusalIn(packet.args, server);
  } catch {
    // It is something else; who reads it will tell.
  }
  return null;
}
