/** Server addresses as people write them: `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
import { GearmanError } from "./errors.ts";
import { DEFAULT_PORT } from "./packets.ts";

/** Where a job server listens. */
export interface ServerAddress {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

const BRACKETED = /^\[([^[\]]*)\](?::(.*))?$/;

/** Reads `127.0.0.1`, `jobs.example:4731`, `[::1]:4730` or `::1`; the port defaults to 4730. */
export function parseServer(text: string): ServerAddress {
  const trimmed = text.trim();
  const bracketed = BRACKETED.exec(trimmed);
  if (bracketed !== null) return address(text, bracketed[1]!, bracketed[2]);
  const colons = trimmed.split(":").length - 1;
  if (colons > 1) return address(text, trimmed, undefined); // a bare IPv6 address
  const [host, port] = trimmed.split(":");
  return address(text, host!, port);
}

/** `host:port`, with brackets around an IPv6 address: the form `parseServer` reads back. */
export function formatServer({ host, port }: ServerAddress): string {
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
  return new GearmanError("CONFIG", `server ${JSON.stringify(text)} ${problem}: write host, host:port or [v6 address]:port`);
}
