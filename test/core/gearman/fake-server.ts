/** A job server that does what a test tells it to, down to the bytes, for the misbehaviour no real server shows on demand. */
import { createServer, type Socket } from "node:net";
import { encodePacket, PacketDecoder } from "../../../src/core/gearman/codec.ts";
import type { Packet, PacketArgs, PacketName } from "../../../src/core/gearman/packets.ts";

/** One accepted connection. */
export interface Peer {
  readonly socket: Socket;
  /** Number of the connection, from 0. */
  readonly index: number;
  send<N extends PacketName>(name: N, ...args: PacketArgs<N>): void;
}

/** What the test does with what comes. */
export interface FakeBehaviour {
  accepted?(peer: Peer): void;
  packet?(packet: Packet, peer: Peer): void;
}

/** A running fake server. */
export interface FakeServer {
  readonly port: number;
  readonly server: string;
  readonly peers: readonly Peer[];
  /** Names of all packets that came, in order. */
  readonly names: readonly PacketName[];
  close(): Promise<void>;
}

/** Listens on a free port, or on `port`. */
export async function startFakeServer(behaviour: FakeBehaviour, port = 0): Promise<FakeServer> {
  const peers: Peer[] = [];
  const names: PacketName[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    const decoder = new PacketDecoder(undefined, "REQ");
    const peer: Peer = {
      socket,
      index: peers.length,
      send: (name, ...args) => {
        for (const buffer of encodePacket("RES", name, ...args)) socket.write(buffer);
      },
    };
    peers.push(peer);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const packet of decoder.push(chunk)) {
        names.push(packet.name);
        behaviour.packet?.(packet, peer);
      }
    });
    behaviour.accepted?.(peer);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, "127.0.0.1", resolve);
  });
  const address = listener.address();
  const bound = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port: bound,
    server: `127.0.0.1:${bound}`,
    peers,
    names,
    close: () =>
      new Promise((resolve) => {
        for (const { socket } of peers) socket.destroy();
        listener.close(() => resolve());
      }),
  };
}

/** Waits until a condition holds; fails after 10 s. */
export async function until(condition: () => boolean | Promise<boolean>, what = "the condition"): Promise<void> {
  const endsAt = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > endsAt) throw new Error(`${what} did not come true within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
