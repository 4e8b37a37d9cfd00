/**
 * The Gearman packet table: every packet of the protocol, with the names of its arguments in wire
 * order. Encoder, decoder and packet types all derive from this table, so a new packet is one new row.
 */
export const PACKETS = {
  CAN_DO: { code: 1, args: ["function"] },
  CANT_DO: { code: 2, args: ["function"] },
  RESET_ABILITIES: { code: 3, args: [] },
  PRE_SLEEP: { code: 4, args: [] },
  // 5 was never given a meaning; a server answers it with ERROR INVALID_COMMAND.
  NOOP: { code: 6, args: [] },
  SUBMIT_JOB: { code: 7, args: ["function", "unique", "payload"] },
  JOB_CREATED: { code: 8, args: ["handle"] },
  GRAB_JOB: { code: 9, args: [] },
  NO_JOB: { code: 10, args: [] },
  JOB_ASSIGN: { code: 11, args: ["handle", "function", "payload"] },
  WORK_STATUS: { code: 12, args: ["handle", "numerator", "denominator"] },
  WORK_COMPLETE: { code: 13, args: ["handle", "payload"] },
  WORK_FAIL: { code: 14, args: ["handle"] },
  GET_STATUS: { code: 15, args: ["handle"] },
  ECHO_REQ: { code: 16, args: ["payload"] },
  ECHO_RES: { code: 17, args: ["payload"] },
  SUBMIT_JOB_BG: { code: 18, args: ["function", "unique", "payload"] },
  ERROR: { code: 19, args: ["code", "text"] },
  STATUS_RES: { code: 20, args: ["handle", "known", "running", "numerator", "denominator"] },
  SUBMIT_JOB_HIGH: { code: 21, args: ["function", "unique", "payload"] },
  SET_CLIENT_ID: { code: 22, args: ["id"] },
  CAN_DO_TIMEOUT: { code: 23, args: ["function", "timeout"] },
  ALL_YOURS: { code: 24, args: [] },
  WORK_EXCEPTION: { code: 25, args: ["handle", "payload"] },
  OPTION_REQ: { code: 26, args: ["option"] },
  OPTION_RES: { code: 27, args: ["option"] },
  WORK_DATA: { code: 28, args: ["handle", "payload"] },
  WORK_WARNING: { code: 29, args: ["handle", "payload"] },
  GRAB_JOB_UNIQ: { code: 30, args: [] },
  JOB_ASSIGN_UNIQ: { code: 31, args: ["handle", "function", "unique", "payload"] },
  SUBMIT_JOB_HIGH_BG: { code: 32, args: ["function", "unique", "payload"] },
  SUBMIT_JOB_LOW: { code: 33, args: ["function", "unique", "payload"] },
  SUBMIT_JOB_LOW_BG: { code: 34, args: ["function", "unique", "payload"] },
  SUBMIT_JOB_SCHED: { code: 35, args: ["function", "unique", "minute", "hour", "dayOfMonth", "month", "dayOfWeek", "payload"] },
  SUBMIT_JOB_EPOCH: { code: 36, args: ["function", "unique", "epoch", "payload"] },
  // The published protocol leaves out the fourth argument, yet every server waits for it.
  SUBMIT_REDUCE_JOB: { code: 37, args: ["function", "unique", "reducer", "unused", "payload"] },
  SUBMIT_REDUCE_JOB_BACKGROUND: { code: 38, args: ["function", "unique", "reducer", "unused", "payload"] },
  GRAB_JOB_ALL: { code: 39, args: [] },
  JOB_ASSIGN_ALL: { code: 40, args: ["handle", "function", "unique", "reducer", "payload"] },
  GET_STATUS_UNIQUE: { code: 41, args: ["unique"] },
  STATUS_RES_UNIQUE: { code: 42, args: ["unique", "known", "running", "numerator", "denominator", "clientCount"] },
} as const satisfies Record<string, { code: number; args: readonly string[] }>;

/** Name of a packet, such as `SUBMIT_JOB`. */
export type PacketName = keyof typeof PACKETS;

/** Names of one packet's arguments, in wire order. */
export type PacketArgNames<N extends PacketName> = (typeof PACKETS)[N]["args"];

/** One packet off the wire. Arguments stay bytes: only the reader knows which are text. */
export type Packet<N extends PacketName = PacketName> = {
  [K in N]: { readonly name: K; readonly args: Record<(typeof PACKETS)[K]["args"][number], Buffer> };
}[N];

/** What an argument of an outgoing packet may be: text is sent as UTF-8, bytes as they are. */
export type PacketArg = string | Uint8Array;

/** The arguments `encodePacket` takes for a packet: one per name in the table, in wire order. */
export type PacketArgs<N extends PacketName> = ArgPerName<PacketArgNames<N>>;

type ArgPerName<Names extends readonly string[]> = { -readonly [I in keyof Names]: PacketArg };

/** Who sends: clients and workers send `REQ`, a server sends `RES`. */
export type Magic = "REQ" | "RES";

/** Bytes before the arguments of every packet: magic (4), type (4), size (4). */
export const HEADER_BYTES = 12;

/** Port a job server listens on unless told otherwise. */
export const DEFAULT_PORT = 4730;
