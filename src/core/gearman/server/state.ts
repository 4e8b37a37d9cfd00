/** What the parts of a job server share: settings, the queue, the open sessions, and how to report. */
import type { GearmanError } from "../errors.ts";
import type { PacketArgs, PacketName } from "../packets.ts";
import type { Handles } from "./handles.ts";
import type { Peer } from "./jobs.ts";
import type { ReplyArg } from "./outbox.ts";
import type { JobQueue } from "./queue.ts";
import type { Clock } from "./schedule.ts";

/** Something worth knowing about a running server. */
export type GearmanServerEvent =
  | { readonly type: "listening"; readonly host: string; readonly port: number }
  | { readonly type: "connected"; readonly id: number; readonly host: string; readonly port: number }
  | { readonly type: "disconnected"; readonly id: number; readonly host: string; readonly port: number; readonly reason: string }
  /** The connection sent bytes that are not Gearman, or failed in its TLS handshake (then it never was `connected`), and is being closed. */
  | {
      readonly type: "refused";
      readonly id: number;
      readonly host: string;
      readonly port: number;
      readonly error: GearmanError;
    }
  /** A connection was not accepted: there are `maxConnections` already, or the system has no place for more. */
  | { readonly type: "notAccepted"; readonly error: Error }
  /** A job was lost with its worker as often as `jobRetries` allows. */
  | { readonly type: "dropped"; readonly handle: string; readonly function: string; readonly retries: number }
  /** Background jobs of an earlier run were found in the queue file, and wait again. */
  | { readonly type: "restored"; readonly jobs: number }
  /** The queue file could not be written: background jobs are refused until `stored`. Told once, not for each job. */
  | { readonly type: "notStored"; readonly error: Error }
  /** The queue file can be written again. */
  | { readonly type: "stored" }
  /** A request could not be handled because of a mistake in this server; only its connection is closed. */
  | { readonly type: "bug"; readonly id: number; readonly host: string; readonly port: number; readonly error: unknown };

/** The arguments of a reply, one for each in the packet table. */
export type ReplyArgs<N extends PacketName> = OnePerArgument<PacketArgs<N>>;

type OnePerArgument<Args extends readonly unknown[]> = { -readonly [I in keyof Args]: ReplyArg };

/** Takes back a reply that has not been written, and sends another in its place. */
export type ReplaceReply = <N extends PacketName>(name: N, ...args: PacketArgs<N>) => void;

/** A connection as the commands see it. */
export interface Connection extends Peer {
  /** Number of the connection, which stands in for gearmand's file descriptor. */
  readonly id: number;
  /** Address of the other side, such as `127.0.0.1`. */
  readonly host: string;
  /** What SET_CLIENT_ID said, its bytes as Latin-1 text; `-` before. */
  clientId: string;
  /** The client wants WORK_EXCEPTION as such, instead of as a WORK_FAIL. */
  wantsExceptions: boolean;
  /** Sends a packet made here. */
  send<N extends PacketName>(name: N, ...args: ReplyArgs<N>): void;
  /** Sends a packet that may be replaced by another until the end of this turn of the event loop. */
  sendForNow<N extends PacketName>(name: N, ...args: PacketArgs<N>): ReplaceReply;
  /** Sends a packet; `source`, whose request led to it, is held up while too much waits to be read here. */
  forward(source: Connection, name: PacketName, args: readonly ReplyArg[]): void;
  /** Reads nothing more until `slow` has taken what it was sent. */
  waitFor(slow: Connection): void;
  /** Reads on, unless it waits for another connection too. */
  stopWaitingFor(slow: Connection): void;
  /** Ends the connection; what was sent before is still written. Its jobs go to other workers at once. */
  close(reason: string): void;
}

/** The inside of one server, as its sessions and their commands see it. */
export interface ServerState {
  readonly queue: JobQueue;
  readonly handles: Handles;
  /** Open connections, the oldest first. */
  readonly connections: ReadonlySet<Connection>;
  readonly exceptions: boolean;
  readonly version: string;
  readonly maxPacketBytes: number;
  readonly maxPendingBytes: number;
  readonly stallTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly clock: Clock;
  readonly onEvent: (event: GearmanServerEvent) => void;
  /** Has `flush` called at the end of this turn of the event loop. */
  flushSoon(connection: { flush(): void }): void;
}
