/** A server that answers text commands as a test says and echoes packets, for states no real server can be brought into. */
import { createServer, type Socket } from "node:net";
import { encodePacket, PacketDecoder } from "../../../../src/core/gearman/codec.ts";

/** Replies by command line; what is left out is that of an idle gearmand. */
export type Replies = Readonly<Record<string, string>>;

const IDLE: Replies = {
  version: "OK 1.1.20+ds\n",
  getpid: "OK 123\n",
  verbose: "OK ERROR\n",
  status: ".\n",
  prioritystatus: ".\n",
  workers: "30 127.0.0.1 - :\n.\n",
  "show jobs": ".\n",
  "show unique jobs": ".\n",
};

/** A running text server. */
export interface TextServer {
  readonly server: string;
  /** Lines that came, in order. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

/** Listens on a free port. @param echoDelayMs how long each echo takes */
export async function startTextServer(replies: Replies = {}, echoDelayMs = 0): Promise<TextServer> {
  const sockets = new Set<Socket>();
  const lines: string[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const decoder = new PacketDecoder(undefined, "REQ");
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      if (chunk[0] === 0) {
        for (const packet of decoder.push(chunk))
          if (packet.name === "ECHO_REQ") setTimeout(() => echo(socket, packet.args.payload), echoDelayMs);
        return;
      }
      for (const line of chunk.toString().trimEnd().split("\r\n")) {
        lines.push(line);
        socket.write(replies[line] ?? IDLE[line] ?? `ERR UNKNOWN_COMMAND Unknown+server+command${line}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  return {
    server: `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    lines,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        listener.close(() => resolve());
      }),
  };
}

function echo(socket: Socket, data: Buffer): void {
  for (const buffer of encodePacket("RES", "ECHO_RES", data)) if (!socket.destroyed) socket.write(buffer);
}
