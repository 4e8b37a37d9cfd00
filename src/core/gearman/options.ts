/** What clients and workers are set up with alike. */
import type { ServerAddress } from "./address.ts";
import type { GearmanHost } from "./host.ts";

/** Options of everything that connects to servers. */
export interface ConnectingOptions {
  /** Servers to use, as text or taken apart. Default: `127.0.0.1:4730`. */
  readonly servers?: readonly (string | ServerAddress)[] | undefined;
  /** Name shown by the server's `workers` command. Default: none. */
  readonly clientId?: string | undefined;
  /** Let the system probe idle connections every 30 s. Default true. */
  readonly keepalive?: boolean | undefined;
  /** Largest packet taken from a server, in bytes. Default 256 MiB. */
  readonly maxPacketBytes?: number | undefined;
  /** Sockets, clock and chance. Default: the real ones. */
  readonly host?: GearmanHost | undefined;
}
