/** What the Gearman core needs from the world around it, in one object, so that tests can bring their own. */
import { connect, type Socket } from "node:net";
import type { ServerAddress } from "./address.ts";
import { connectTls } from "./tls.ts";

/** Clock, chance and sockets. */
export interface GearmanHost {
  /** Starts to connect, and looks the name up anew each time. The core waits for the socket's `readyEvent`. */
  connect(address: ServerAddress): Socket;
  /** A number in [0, 1). */
  random(): number;
  /** A clock that never runs backwards, in milliseconds. */
  now(): number;
  /** A key no other job has, at most 63 bytes long. */
  uniqueKey(): string;
}

/** The event after which a socket is usable: a TLS socket emits `connect` before its handshake, in which it may still fail. */
export const readyEvent = (socket: Socket): "connect" | "secureConnect" =>
  "encrypted" in socket && socket.encrypted === true ? "secureConnect" : "connect";

/** The real thing: TCP and TLS, the system's clock and chance. */
export const systemHost: GearmanHost = {
  connect: ({ host, port, tls }) =>
    tls ? connectTls(host, port, tls === true ? {} : tls) : connect({ host, port, noDelay: true }),
  random: () => Math.random(),
  now: () => performance.now(),
  uniqueKey: () => globalThis.crypto.randomUUID(),
};
