/** The servers of a client: which to try first, and the connections to each of them. */
import { type BackoffOptions, backoffMs } from "../net/backoff.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { GearmanError } from "./errors.ts";
import type { ClientEventListener } from "./events.ts";
import { SERVER_METRICS, type ServerMetrics, sumOf } from "./metrics.ts";
import type { PacketArg } from "./packets.ts";
import { byRendezvous, type Placement, perlServer } from "./placement.ts";

/** How long a server that could not be reached is tried last. */
const SERVER_BACKOFF: BackoffOptions = { firstMs: 200, maxMs: 15_000, jitter: 0.5 };

/** Idle connections kept for the next streaming jobs, per server. */
const MAX_SPARE_CONNECTIONS = 4;

/** What all connections of a pool have in common, how servers are chosen, and who is told of them. */
export interface PoolOptions extends Omit<ConnectionOptions, "address"> {
  readonly placement: Placement;
  readonly onEvent: ClientEventListener;
}

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
  #open = 0;
  #hasBeenOpen = false;
  #connects = 0;
  #connectFailures = 0;
  #losses = 0;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(address: ServerAddress, options: PoolOptions) {
    this.address = address;
    this.#options = options;
    this.name = formatServer(address);
  }

  get isAvoided(): boolean {
    return this.#failures > 0 && this.#avoidUntil > this.#options.host.now();
  }

  metrics(): ServerMetrics {
    let [bytesSent, bytesReceived] = [this.#bytesSent, this.#bytesReceived];
    for (const connection of this.#all) {
      bytesSent += connection.sentBytes;
      bytesReceived += connection.receivedBytes;
    }
    return {
      connects: this.#connects,
      connectFailures: this.#connectFailures,
      losses: this.#losses,
      bytesSent,
      bytesReceived,
      connections: this.#all.size,
    };
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
      if (spare.isUsable && spare.isUpToDate) return Promise.resolve(spare);
      spare.retire();
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
    let wasOpen = false;
    this.#all.add(connection);
    connection.onOpened = () => {
      wasOpen = true;
      this.#opened();
    };
    connection.onLost = (reason) => {
      this.#all.delete(connection);
      this.#bytesSent += connection.sentBytes;
      this.#bytesReceived += connection.receivedBytes;
      if (wasOpen) this.#lost(reason);
      else if (reason.kind !== "CLOSED") this.#unreachable(reason);
    };
    return connection;
  }

  #opened(): void {
    this.#connects++;
    this.#failures = 0;
    if (this.#open++ === 0) this.#options.onEvent({ type: this.#hasBeenOpen ? "reconnected" : "connected", server: this.name });
    this.#hasBeenOpen = true;
  }

  /** A connection that was open is gone: broken, unless the client itself had no more use for it. */
  #lost(reason: GearmanError): void {
    this.#open--;
    if (reason.kind !== "IO" && reason.kind !== "PROTOCOL") return;
    this.#losses++;
    if (this.#open === 0) this.#options.onEvent({ type: "lost", server: this.name, reason });
  }

  #unreachable(reason: GearmanError): void {
    const retryMs = backoffMs(this.#failures++, SERVER_BACKOFF, this.#options.host.random);
    this.#connectFailures++;
    this.#avoidUntil = this.#options.host.now() + retryMs;
    this.#options.onEvent({ type: "unreachable", server: this.name, reason, retryMs });
  }
}

/** All servers of a client. */
export class ServerPool {
  readonly #servers: readonly PooledServer[];
  readonly #placement: Placement;
  #next = 0;

  /** @param addresses each server once, at least one */
  constructor(addresses: readonly ServerAddress[], options: PoolOptions) {
    this.#placement = options.placement;
    this.#servers = addresses.map((address) => new PooledServer(address, options));
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
   * order, because equal keys only meet on one server. Servers that failed lately come last. With Perl's placement
   * a key has one server only.
   */
  order(unique: string, payload: PacketArg = ""): readonly PooledServer[] {
    if (this.#servers.length === 1) return this.#servers;
    if (unique !== "" && this.#placement === "perl") return [perlServer(this.#servers, unique, payload)];
    const ordered = unique === "" ? this.#rotated() : byRendezvous(this.#servers, unique);
    if (!ordered.some((server) => server.isAvoided)) return ordered;
    return [...ordered.filter((server) => !server.isAvoided), ...ordered.filter((server) => server.isAvoided)];
  }

  /** All servers as they were given. */
  all(): readonly PooledServer[] {
    return this.#servers;
  }

  /** What was exchanged with all servers, and with each by its name. */
  metrics(): ServerMetrics & { readonly servers: Readonly<Record<string, ServerMetrics>> } {
    const servers = Object.fromEntries(this.#servers.map((server) => [server.name, server.metrics()]));
    return { ...sumOf(SERVER_METRICS, Object.values(servers)), servers };
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
