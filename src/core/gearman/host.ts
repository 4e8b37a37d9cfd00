/** What the Gearman core needs from the world around it, in one object, so that tests and TLS can bring their own. */
import { connect, type Socket } from "node:net";
import type { ServerAddress } from "./address.ts";

/** Clock, chance and sockets. */
export interface GearmanHost {
  /** Starts to connect. The core waits for `connect` (or `secureConnect` of a TLS socket that emits `connect` as well). */
  connect(address: ServerAddress): Socket;
  /** A number in [0, 1). */
  random(): number;
  /** A clock that never runs backwards, in milliseconds. */
  now(): number;
  /** A key no other job has, at most 63 bytes long. */
  uniqueKey(): string;
}

/** The real thing: TCP, the system's clock and chance. */
export const systemHost: GearmanHost = {
  connect: ({ host, port }) => connect({ host, port, noDelay: true }),
  random: () => Math.random(),
  now: () => performance.now(),
  uniqueKey: () => globalThis.crypto.randomUUID(),
};
