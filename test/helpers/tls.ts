/** Certificates for tests, and a TLS front for servers that speak none, as stunnel or a load balancer is one. */
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer, type TlsOptions } from "node:tls";

/** A file of test/fixtures/tls, made by the script there: `pem("ca")`. */
export function pem(name: string): string {
  return readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), "utf8");
}

/** What a server shows: a certificate for localhost, 127.0.0.1 and ::1 from the authority `ca`. */
export const SERVER_TLS = { cert: pem("server"), key: pem("server-key") };

/** What a client needs to trust that. */
export const CLIENT_TLS = { ca: pem("ca") };

/** What a client shows to a server that lets in those of the authority `ca`. */
export const CLIENT_PAIR = { cert: pem("client"), key: pem("client-key") };

/** A running front. */
export interface TlsFront {
  readonly port: number;
  close(): Promise<void>;
}

/** Takes TLS connections and passes their bytes on to a port of this machine. */
export async function startTlsFront(port: number, options: TlsOptions = SERVER_TLS): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  };
  const server = createServer(options, (outer) => {
    const inner = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const socket of [outer, inner]) keep(socket);
    outer.setNoDelay(true).pipe(inner).pipe(outer);
    outer.on("close", () => inner.destroy());
    inner.on("close", () => outer.destroy());
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  server.on("connection", keep);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port: (server.address() as AddressInfo).port, close };
}
