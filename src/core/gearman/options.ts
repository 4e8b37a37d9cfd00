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
  /**
   * Put before the name of every function on its way to servers and taken off on its way back, such as `staging.`, so
   * that environments share servers without meeting. At most 64 bytes. Default: nothing.
   */
  readonly namespace?: string | undefined;
  /** Let the system probe idle connections every 30 s. Default true. */
  readonly keepalive?: boolean | undefined;
  /** Largest packet taken from a server, in bytes. Default 256 MiB. */
  readonly maxPacketBytes?: number | undefined;
  /** Sockets, clock and chance. Default: the real ones. */
  readonly host?: GearmanHost | undefined;
}

/** The only server when none is named. */
export const DEFAULT_SERVER: ServerAddress = { host: "127.0.0.1", port: 4730 };

/** The servers taken apart, each once, with what they need for TLS; a CONFIG error when there is none, or its TLS cannot work. */
export function addressesOf({ servers = [DEFAULT_SERVER], tls }: Pick<ConnectingOptions, "servers" | "tls">): ServerAddress[] {
  const addresses = servers.map((server) => (typeof server === "string" ? parseServer(server) : server));
  if (addresses.length === 0) throw new GearmanError("CONFIG", "no servers given: name at least one, such as 127.0.0.1:4730");
  if (tls !== undefined && !addresses.some((address) => address.tls)) {
    const example = `tls://${formatServer(addresses[0]!)}`;
    throw new GearmanError("CONFIG", `tls is given, but no server is reached over TLS: write ${example}, for example`);
  }
  const distinct = new Map(addresses.map((address) => [formatServer(address), address]));
  return [...distinct.values()].map((address) => withTls(address, tls));
}

/** What a namespace must be, for messages. */
export const NAMESPACE_FORM = "a text of at most 64 bytes without blanks and control characters, such as staging.";

/** Whether a text may stand before function names. */
export function isNamespace(text: string): boolean {
  return Buffer.byteLength(text) <= 64 && text.isWellFormed() && !/[\s\x00-\x1f\x7f]/.test(text);
}

/** The namespace, empty for none; a CONFIG error when servers would misread it. */
export function namespaceOf({ namespace = "" }: Pick<ConnectingOptions, "namespace">): string {
  if (isNamespace(namespace)) return namespace;
  throw new GearmanError("CONFIG", `namespace must be ${NAMESPACE_FORM}, not ${JSON.stringify(namespace)}`);
}

function withTls(address: ServerAddress, defaults: TlsOptions = {}): ServerAddress {
  const { host, port, tls = false } = address;
  if (tls === false) return { host, port };
  const merged = { ...defaults, ...(tls !== true && tls) };
  checkTls(merged, (part) => `server ${formatServer(address)}: tls.${part}`);
  return { host, port, tls: merged };
}
