/** Which server a unique key belongs to: equal keys only meet when every client sends them to the same server. */
import { crc32 } from "node:zlib";

/**
 * How servers are chosen for jobs with a unique key. `rendezvous` moves few keys when a server joins or leaves, and
 * goes to the next server when one is down. `perl` chooses as the Perl client does, for clients of both kinds beside
 * each other: by the key's checksum and the place in the list of servers, which must be the same everywhere, and
 * without another choice when that server is down.
 */
export type Placement = "rendezvous" | "perl";

interface Named {
  readonly name: string;
}

/** Servers by their score for this key, highest first: when a server leaves or joins, few keys change their place. */
export function byRendezvous<S extends Named>(servers: readonly S[], unique: string): S[] {
  const scored = servers.map((server) => ({ server, score: hash(`${server.name}\n${unique}`) }));
  return scored.sort((a, b) => b.score - a.score || (a.server.name < b.server.name ? -1 : 1)).map(({ server }) => server);
}

/** The one server for this key, or for this payload when the key is `-`. */
export function perlServer<S extends Named>(servers: readonly S[], unique: string, payload: string | Uint8Array): S {
  const checksum = crc32(unique === "-" ? payload : unique);
  return servers[((checksum >>> 16) & 0x7fff) % servers.length]!;
}

/** FNV-1a with a final mix (from MurmurHash3), because FNV alone leaves similar keys with similar hashes. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
