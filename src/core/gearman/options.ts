/** What clients and workers are set up with alike. */
import { formatServer, parseServer, type ServerAddress } from "./address.ts";
import { GearmanError } from "./errors.ts";
import type { GearmanHost } from "./host.ts";
import { checkTls, type TlsOptions } from "./tls.ts";

/** Options of everything that connects to servers. */
export interface ConnectingOptions {
  /** Servers to use, as text such as `127.0.0.1:4730` or `tls://jobs.example`, or taken apart. Default: `127.0.0.1:4730`. */
  readonly servers?: readonly (string | ServerAddress)[] | undefined;
  /** Certificates and the like for servers with TLS, as far as they have none of their own. It does not switch TLS on. */
  readonly tls?: TlsOptions | undefined;
  /** Name shown by the server's `workers` command. Default: none. */
  readonly clientId?: string | undefined;
  /** Let the system probe idle connections every 30 s. Default true. */
  readonly keepalive?: boolean | undefined;
  /** Largest packet taken from a server, in bytes. Default 256 MiB. */
  readonly maxPacketBytes?: number | undefined;
  /** Sockets, clock and chance. Default: the real ones. */
  readonly host?: GearmanHost | undefined;
}

/** The only server when none is named. */
export const DEFAULT_SERVER: ServerAddress = { host: "127.0.0.1", port: 4730 };

/** The servers taken apart, with what they need for TLS; a CONFIG error when there is none, or its TLS cannot work. */
export function addressesOf({ servers = [DEFAULT_SERVER], tls }: Pick<ConnectingOptions, "servers" | "tls">): ServerAddress[] {
  const addresses = servers.map((server) => (typeof server === "string" ? parseServer(server) : server));
  if (addresses.length === 0) throw new GearmanError("CONFIG", "no servers given: name at least one, such as 127.0.0.1:4730");
  if (tls !== undefined && !addresses.some((address) => address.tls)) {
    const example = `tls://${formatServer(addresses[0]!)}`;
    throw new GearmanError("CONFIG", `tls is given, but no server is reached over TLS: write ${example}, for example`);
  }
  return addresses.map((address) => withTls(address, tls));
}

function withTls(address: ServerAddress, defaults: TlsOptions = {}): ServerAddress {
  const { host, port, tls = false } = address;
  if (tls === false) return { host, port };
  const merged = { ...defaults, ...(tls !== true && tls) };
  checkTls(merged, (part) => `server ${formatServer(address)}: tls.${part}`);
  return { host, port, tls: merged };
}
