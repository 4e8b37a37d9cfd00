/** The servers of a client: which to try first, and the connections to each of them. */
import { type BackoffOptions, backoffMs } from "../net/backoff.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { GearmanError } from "./errors.ts";

/** How long a server that could not be reached is tried last. */
const SERVER_BACKOFF: BackoffOptions = { firstMs: 200, maxMs: 15_000, jitter: 0.5 };

/** Idle connections kept for the next streaming jobs, per server. */
const MAX_SPARE_CONNECTIONS = 4;

/** What all connections of a pool have in common. */
export type PoolOptions = Omit<ConnectionOptions, "address">;

/** One server and how it is doing. */
export interface ServerState {
  /** Such as `127.0.0.1:4730`. */
  readonly server: string;
  /** A connection is open. */
  readonly isConnected: boolean;
  /** The last attempt failed a short while ago, so other servers are tried first. */
  readonly isAvoided: boolean;
}

/** One server with its shared connection and those lent to streams. */
export class PooledServer {
  readonly name: string;
  readonly address: ServerAddress;
  readonly #options: PoolOptions;
  readonly #all = new Set<Connection>();
  readonly #spare: Connection[] = [];
  #shared: Connection | null = null;
  #failures = 0;
  #avoidUntil = Number.NEGATIVE_INFINITY;

  constructor(address: ServerAddress, options: PoolOptions) {
    this.address = address;
    this.#options = options;
    this.name = formatServer(address);
  }

  get isAvoided(): boolean {
    return this.#avoidUntil > this.#options.host.now();
  }

  /** The shared connection when it can take a request right now, or null. */
  get ready(): Connection | null {
    return this.#shared?.isUsable ? this.#shared : null;
  }

  /** The shared connection, opened now if need be. */
  shared(): Promise<Connection> {
    if (this.#shared?.isPromising) return this.#shared.opened;
    this.#shared = this.#connect();
    return this.#shared.opened;
  }

  /** A connection for one caller, to be handed back with `release`. */
  borrow(): Promise<Connection> {
    for (let spare = this.#spare.pop(); spare !== undefined; spare = this.#spare.pop()) {
      if (spare.isUsable) return Promise.resolve(spare);
    }
    return this.#connect().opened;
  }

  /** Takes a borrowed connection back. */
  release(connection: Connection): void {
    if (connection.isUsable && connection.isIdle && this.#spare.length < MAX_SPARE_CONNECTIONS) this.#spare.push(connection);
    else connection.retire();
  }

  async close(reason: GearmanError): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection.close(reason)));
  }

  #connect(): Connection {
    const connection = new Connection({ ...this.#options, address: this.address });
    this.#all.add(connection);
    connection.onLost = () => this.#all.delete(connection);
    connection.opened.then(
      () => {
        this.#failures = 0;
        this.#avoidUntil = Number.NEGATIVE_INFINITY;
      },
      () => {
        this.#avoidUntil = this.#options.host.now() + backoffMs(this.#failures++, SERVER_BACKOFF, this.#options.host.random);
      },
    );
    return connection;
  }
}

/** All servers of a client. */
export class ServerPool {
  readonly #servers: readonly PooledServer[];
  #next = 0;

  constructor(addresses: readonly ServerAddress[], options: PoolOptions) {
    const names = new Map(addresses.map((address) => [formatServer(address), address]));
    if (names.size === 0) throw new GearmanError("CONFIG", "no servers given: name at least one, such as 127.0.0.1:4730");
    this.#servers = [...names.values()].map((address) => new PooledServer(address, options));
  }

  get size(): number {
    return this.#servers.length;
  }

  /** The server of that name, or undefined. */
  find(name: string): PooledServer | undefined {
    return this.#servers.find((server) => server.name === name);
  }

  /**
   * Every server, best first. Without a unique key they take turns; with one, the same key always has the same
   * order (rendezvous hashing), because equal keys only meet on one server. Servers that failed lately come last.
   */
  order(unique: string): readonly PooledServer[] {
    if (this.#servers.length === 1) return this.#servers;
    const ordered = unique === "" ? this.#rotated() : byRendezvous(this.#servers, unique);
    return [...ordered.filter((server) => !server.isAvoided), ...ordered.filter((server) => server.isAvoided)];
  }

  states(): ServerState[] {
    return this.order("").map((server) => ({
      server: server.name,
      isConnected: server.ready !== null,
      isAvoided: server.isAvoided,
    }));
  }

  async close(reason: GearmanError): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close(reason)));
  }

  #rotated(): PooledServer[] {
    const first = this.#next++ % this.#servers.length;
    return [...this.#servers.slice(first), ...this.#servers.slice(0, first)];
  }
}

/** Servers by their score for this key, highest first: when a server leaves or joins, few keys change their place. */
function byRendezvous(servers: readonly PooledServer[], unique: string): PooledServer[] {
  const scored = servers.map((server) => ({ server, score: hash(`${server.name}\n${unique}`) }));
  return scored.sort((a, b) => b.score - a.score || (a.server.name < b.server.name ? -1 : 1)).map(({ server }) => server);
}

/** FNV-1a with a final mix (from MurmurHash3), because FNV alone leaves similar keys with similar hashes. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
