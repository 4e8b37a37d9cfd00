/** Server addresses as people write them: `host`, `host:port`, `[v6]:port` or a bare IPv6 address, perhaps after `tls://`. */
import { GearmanError } from "./errors.ts";
import { DEFAULT_PORT } from "./packets.ts";
import type { TlsOptions } from "./tls.ts";

/** Where a job server listens. */
export interface ServerAddress {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Connect over TLS: `true` with what Node.js trusts, or as said. Default: without TLS. */
  readonly tls?: TlsOptions | boolean | undefined;
}

/** What stands before the address of a server that is reached over TLS. */
const TLS_SCHEME = "tls://";

const BRACKETED = /^\[([^[\]]*)\](?::(.*))?$/;

/** Reads `127.0.0.1`, `jobs.example:4731`, `[::1]:4730`, `::1` or `tls://jobs.example`; the port defaults to 4730. */
export function parseServer(text: string): ServerAddress {
  const written = text.trim();
  const hasTls = written.toLowerCase().startsWith(TLS_SCHEME);
  const place = parsePlace(text, hasTls ? written.slice(TLS_SCHEME.length) : written);
  return hasTls ? { ...place, tls: true } : place;
}

/** A server list such as `a, b:4731, tls://c`. `source` is what it is called in messages. */
export function parseServerList(text: string, source = "servers"): ServerAddress[] {
  const parts = text.split(",").map((part) => part.trim());
  const names = parts.filter((part) => part !== "");
  if (names.length === 0) throw new GearmanError("CONFIG", `${source} must be ${SERVER_LIST}, not ${JSON.stringify(text)}`);
  try {
    return names.map(parseServer);
  } catch (error) {
    throw new GearmanError("CONFIG", `${source}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** What a server list must be, for messages. */
export const SERVER_LIST = 'a list of texts such as ["127.0.0.1:4730"], not empty';

function parsePlace(text: string, trimmed: string): ServerAddress {
  const bracketed = BRACKETED.exec(trimmed);
  if (bracketed !== null) return address(text, bracketed[1]!, bracketed[2]);
  const colons = trimmed.split(":").length - 1;
  if (colons > 1) return address(text, trimmed, undefined); // a bare IPv6 address
  const [host, port] = trimmed.split(":");
  return address(text, host!, port);
}

/** The server's name, `host:port`, with brackets around an IPv6 address: the form `parseServer` reads back, but for TLS. */
export function formatServer({ host, port }: Pick<ServerAddress, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function address(text: string, host: string, portText: string | undefined): ServerAddress {
  const port = portText === undefined ? DEFAULT_PORT : Number(portText);
  if (host === "" || /[\s/[\]\x00-\x1f]/.test(host)) throw malformed(text, "has no usable host name");
  if (portText !== undefined && !/^\d{1,5}$/.test(portText)) throw malformed(text, `has the port ${JSON.stringify(portText)}`);
  if (port < 1 || port > 65535) throw malformed(text, `has port ${port}, which is not in 1 to 65535`);
  return { host, port };
}

function malformed(text: string, problem: string): GearmanError {
  return new GearmanError(
    "CONFIG",
    `server ${JSON.stringify(text)} ${problem}: write host, host:port or [v6 address]:port, after tls:// for TLS`,
  );
}
