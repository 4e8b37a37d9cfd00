/** A TCP proxy that misbehaves on request: late, in pieces, silent, stuck, cut. It shows what networks do to a client, a worker and a server. */
import { connect, createServer, type Socket } from "node:net";
import { Fifo } from "../../src/core/net/fifo.ts";

/** How a connection is treated while it lives. */
export interface Faults {
  /** Each piece is passed on this much later, in milliseconds. Default 0. */
  readonly latencyMs?: number;
  /** Up to this much is added to the latency of each piece, by the seed; order is kept. Default 0. */
  readonly jitterMs?: number;
  /** Longest piece that is passed on in one write, in bytes: 1 for byte by byte. Default: as it came. */
  readonly maxPieceBytes?: number;
}

/** Which way bytes go. */
export type Direction = "toServer" | "toClient";

/** What happens to what comes from one side: passed on, thrown away (a half-dead line), or not even read. */
export type Flow = "forward" | "swallow" | "hold";

/** One client's connection through the proxy. */
export interface ProxiedConnection {
  /** Number of the connection, from 0. */
  readonly index: number;
  readonly isOpen: boolean;
  /** Bytes that came for each side, whatever became of them. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** Replaces the faults of this connection. */
  setFaults(faults: Faults): void;
  /** Changes what happens to the bytes of one direction, or of both. */
  setFlow(flow: Flow, direction?: Direction): void;
  /** Closes both sides as a process that ends does (FIN). What has not been passed on is lost. */
  drop(): void;
  /** Resets both sides (RST), as a crashed machine or a firewall does. */
  reset(): void;
}

/** How a proxy is set up. */
export interface FaultProxyOptions {
  /** Port to pass connections on to, on this machine. Nobody needs to listen there yet. */
  readonly port: number;
  /** Faults of new connections. Default: none. */
  readonly faults?: Faults;
  /** Makes jitter and choices repeatable. Default 1. */
  readonly seed?: number;
  /** Told of each new connection, before the first byte. */
  readonly onConnection?: (connection: ProxiedConnection) => void;
}

/** A running proxy. */
export interface FaultProxy {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly server: string;
  /** Connections that are open, oldest first. */
  readonly open: readonly ProxiedConnection[];
  /** Connections taken so far. */
  readonly accepted: number;
  /** One of the open connections, by the seed; undefined when there is none. */
  pick(): ProxiedConnection | undefined;
  /** The next number in [0, 1) by the seed. */
  random(): number;
  /** Faults of connections that come from now on. */
  setFaults(faults: Faults): void;
  /** Stops listening and resets what is open. May be called again. */
  close(): Promise<void>;
}

/** Starts a proxy on a free port. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const random = seeded(options.seed ?? 1);
  const open = new Set<Connection>();
  let faults = options.faults ?? {};
  let accepted = 0;
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const server = connect({ port: options.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    const connection: Connection = new Connection(accepted++, client, server, faults, random, () => open.delete(connection));
    open.add(connection);
    options.onConnection?.(connection);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const closed = new Promise<void>((resolve) => listener.once("close", () => resolve()));
  return {
    port,
    server: `127.0.0.1:${port}`,
    get open() {
      return [...open];
    },
    get accepted() {
      return accepted;
    },
    pick: () => [...open][Math.floor(random() * open.size)],
    random,
    setFaults: (next) => {
      faults = next;
    },
    close: () => {
      if (listener.listening) listener.close();
      for (const connection of open) connection.reset();
      return closed;
    },
  };
}

/** Modes: open → closing (one side said goodbye, the rest is passed on) → closed. */
class Connection implements ProxiedConnection {
  readonly index: number;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #lanes: Readonly<Record<Direction, Lane>>;
  readonly #onClosed: () => void;
  #isOpen = true;

  constructor(index: number, client: Socket, server: Socket, faults: Faults, random: () => number, onClosed: () => void) {
    this.index = index;
    this.#client = client;
    this.#server = server;
    this.#onClosed = onClosed;
    this.#lanes = { toServer: new Lane(client, server, faults, random), toClient: new Lane(server, client, faults, random) };
    for (const socket of [client, server]) {
      socket.on("error", () => this.reset());
      socket.on("close", () => this.#socketClosed());
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get bytes(): Readonly<Record<Direction, number>> {
    return { toServer: this.#lanes.toServer.bytes, toClient: this.#lanes.toClient.bytes };
  }

  setFaults(faults: Faults): void {
    for (const lane of Object.values(this.#lanes)) lane.faults = faults;
  }

  setFlow(flow: Flow, direction?: Direction): void {
    if (direction !== "toClient") this.#lanes.toServer.setFlow(flow);
    if (direction !== "toServer") this.#lanes.toClient.setFlow(flow);
  }

  drop(): void {
    this.#end((socket) => socket.destroy());
  }

  reset(): void {
    this.#end((socket) => socket.resetAndDestroy());
  }

  /** Both sides have said goodbye, or one of them is gone. */
  #socketClosed(): void {
    if (this.#client.destroyed && this.#server.destroyed) this.#end(() => undefined);
    else if (this.#client.errored !== null || this.#server.errored !== null) this.reset();
  }

  #end(how: (socket: Socket) => void): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const lane of Object.values(this.#lanes)) lane.stop();
    for (const socket of [this.#client, this.#server]) how(socket);
    this.#onClosed();
  }
}

interface Piece {
  readonly bytes: Buffer | null;
  readonly dueAt: number;
}

/** Reading pauses above this many bytes that wait to be passed on. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Carries the bytes of one direction; null stands for the goodbye after the last of them. */
class Lane {
  faults: Faults;
  bytes = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #random: () => number;
  #flow: Flow = "forward";
  readonly #pieces = new Fifo<Piece>();
  #waitingBytes = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #soon: ReturnType<typeof setImmediate> | null = null;
  #isStopped = false;

  constructor(from: Socket, to: Socket, faults: Faults, random: () => number) {
    this.#from = from;
    this.#to = to;
    this.faults = faults;
    this.#random = random;
    from.on("data", (chunk: Buffer) => this.#arrived(chunk));
    from.on("end", () => this.#add(null));
    to.on("drain", () => this.#pass());
  }

  setFlow(flow: Flow): void {
    this.#flow = flow;
    if (flow === "hold") this.#from.pause();
    else this.#from.resume();
  }

  stop(): void {
    this.#isStopped = true;
    this.#pieces.drain();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#soon !== null) clearImmediate(this.#soon);
  }

  #arrived(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.#flow === "swallow") return;
    const size = this.faults.maxPieceBytes ?? chunk.length;
    for (let at = 0; at < chunk.length; at += size) this.#add(chunk.subarray(at, at + size));
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#from.pause();
  }

  #add(bytes: Buffer | null): void {
    if (this.#flow === "swallow" || this.#isStopped) return;
    const { latencyMs = 0, jitterMs = 0 } = this.faults;
    const dueAt = latencyMs + jitterMs === 0 ? 0 : performance.now() + latencyMs + jitterMs * this.#random();
    this.#pieces.push({ bytes, dueAt });
    this.#waitingBytes += bytes?.length ?? 0;
    this.#pass();
  }

  /** Passes on what is due: with pieces of bounded length one a turn of the event loop, so that they travel alone. */
  #pass(): void {
    if (this.#timer !== null || this.#soon !== null) return;
    for (let piece = this.#pieces.peek(); piece !== undefined; piece = this.#pieces.peek()) {
      const { bytes, dueAt } = piece;
      const waitMs = dueAt === 0 ? 0 : dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#again(), waitMs);
        break;
      }
      if (this.#to.writableNeedDrain) break;
      this.#pieces.shift();
      this.#waitingBytes -= bytes?.length ?? 0;
      if (bytes === null) this.#to.end();
      else this.#to.write(bytes);
      if (this.faults.maxPieceBytes !== undefined) {
        this.#soon = setImmediate(() => this.#again());
        break;
      }
    }
    if (this.#waitingBytes <= MAX_WAITING_BYTES && this.#flow !== "hold" && this.#from.isPaused()) this.#from.resume();
  }

  #again(): void {
    this.#timer = null;
    this.#soon = null;
    this.#pass();
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
