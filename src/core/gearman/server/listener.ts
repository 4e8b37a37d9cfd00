/** What accepts a job server's connections: plain sockets, or those that came through a TLS handshake. */
import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { encodePacket } from "../codec.ts";
import { GearmanError } from "../errors.ts";
import type { ConnectionRefusal } from "../refusals.ts";
import { checkTls, nodeTls, OLDEST_TLS } from "../tls.ts";

/** How a server speaks TLS. Certificates and keys are PEM, as text or bytes. */
export interface ServerTlsOptions {
  /** The server's certificate, followed by those between it and its authority. */
  readonly cert: string | Buffer;
  /** The private key of `cert`, not encrypted. */
  readonly key: string | Buffer;
  /** Certificates of the authorities whose clients are let in. */
  readonly ca?: string | Buffer | undefined;
  /** Lets in only clients with a certificate from `ca`. Default false. */
  readonly requestClientCertificate?: boolean | undefined;
}

/** Who is told what comes. */
export interface ListenerOwner {
  accepted(socket: Socket): void;
  /** A connection failed in its handshake, and is closed. */
  turnedAway(host: string, port: number, error: GearmanError): void;
}

/** Longest time that a client which is turned away has to hear why, in milliseconds, and most of them who are told at once. */
const FAREWELL_MS = 1000;
const MAX_FAREWELLS = 100;

/** Longest TLS handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000;

const NO_TLS = "it does not speak TLS";

/** What clients do wrong in handshakes, by the code of Node's error. */
const FAULTS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "it has no client certificate",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "it does not trust this server's certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it has no TLS version from 1.2",
  ERR_TLS_HANDSHAKE_TIMEOUT: `it took longer than ${HANDSHAKE_MS} ms`,
  ECONNRESET: "the other side closed the connection",
};

/** Accepts connections once told to listen. */
export class Listener {
  readonly server: Server;
  /** Connections in their handshake, by the address of the other side. */
  readonly #handshakes = new Map<string, Socket>();
  /** Connections that are being told why they are turned away. */
  readonly #farewells = new Set<Socket>();
  readonly #owner: ListenerOwner;

  constructor(tls: ServerTlsOptions | undefined, owner: ListenerOwner) {
    this.#owner = owner;
    // Half-open sockets let the last replies out before the connection ends.
    this.server =
      tls === undefined ? createServer({ allowHalfOpen: true }, (socket) => owner.accepted(socket)) : this.#secure(tls);
  }

  /** Ends all handshakes under way, and farewells. */
  abandon(): void {
    for (const socket of [...this.#handshakes.values(), ...this.#farewells]) socket.destroy();
  }

  /**
   * Tells a connection why it is not served, and closes it. What it sends is read and thrown away: closing a socket with
   * unread bytes resets the connection, and takes the answer with it.
   */
  turnAway(socket: Socket, code: ConnectionRefusal, text: string): void {
    socket.on("error", () => socket.destroy());
    if (this.#farewells.size >= MAX_FAREWELLS) {
      socket.destroy();
      return;
    }
    this.#farewells.add(socket);
    const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#farewells.delete(socket);
    });
    socket.end(Buffer.concat(encodePacket("RES", "ERROR", code, text)));
    socket.resume();
  }

  #secure(tls: ServerTlsOptions): Server {
    checkServerTls(tls);
    const { cert, key, ca, requestClientCertificate = false } = tls;
    const server = nodeTls().createServer({
      cert,
      key,
      ca,
      requestCert: requestClientCertificate,
      rejectUnauthorized: requestClientCertificate,
      minVersion: OLDEST_TLS,
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on("connection", (socket: Socket) => this.#began(socket));
    server.on("secureConnection", (socket) => {
      this.#handshakes.delete(nameOf(socket));
      // As above, but not before: half a handshake would stay open.
      socket.allowHalfOpen = true;
      this.#owner.accepted(socket);
    });
    server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
    return server;
  }

  #began(socket: Socket): void {
    const name = nameOf(socket);
    this.#handshakes.set(name, socket);
    const forget = () => this.#handshakes.get(name) === socket && this.#handshakes.delete(name);
    // Not at once: the failure of the handshake is told after that.
    socket.once("close", () => setImmediate(forget));
  }

  #failed(error: Error, socket: TLSSocket): void {
    const [host, port] = this.#whoFailed(socket);
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    // Set by Node when a client's certificate was not found good, whatever its types say.
    const unfit = socket.authorizationError as unknown as string | null | undefined;
    const fault = unfit ? `its certificate is not trusted (${unfit})` : (FAULTS[code] ?? error.message);
    const plainSocket = this.#handshakes.get(nameOf(socket));
    socket.destroy();
    if (fault === NO_TLS && plainSocket !== undefined)
      this.turnAway(plainSocket, "TLS_REQUIRED", "This server speaks TLS only: write its address as tls://host:port");
    this.#owner.turnedAway(host, port, new GearmanError("IO", `no TLS connection with ${host}: ${fault}`, { cause: error }));
  }

  /** A socket that is closed does not know any more who the other side was; of those in a handshake, it is one that closed. */
  #whoFailed({ remoteAddress, remotePort }: Socket): [host: string, port: number] {
    if (remoteAddress !== undefined) return [plain(remoteAddress), remotePort ?? 0];
    const [name = "an unknown client 0"] = [...this.#handshakes].find(([, socket]) => socket.destroyed) ?? [];
    this.#handshakes.delete(name);
    const blank = name.lastIndexOf(" ");
    return [plain(name.slice(0, blank)), Number(name.slice(blank + 1))];
  }
}

/** IPv4 addresses as such, also on a server that listens to IPv6 as well. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");

const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

function checkServerTls(tls: ServerTlsOptions): void {
  checkTls(tls);
  const { ca, requestClientCertificate = false } = tls;
  if (requestClientCertificate && ca === undefined)
    throw new GearmanError("CONFIG", "tls.requestClientCertificate needs tls.ca: the authorities whose clients are let in");
  if (ca !== undefined && !requestClientCertificate)
    throw new GearmanError(
      "CONFIG",
      "tls.ca keeps nobody out without tls.requestClientCertificate: set it to true, or leave ca out",
    );
}
