/** TLS towards a server: what is trusted and shown, checked before anything connects, and failures of it in words. */
import type { Socket } from "node:net";
import { GearmanError } from "./errors.ts";

/** How one server is reached over TLS. Certificates and keys are PEM, as text or bytes. */
export interface TlsOptions {
  /** Certificates of the authorities to trust. Default: those Node.js trusts, `NODE_EXTRA_CA_CERTS` included. */
  readonly ca?: string | Buffer | undefined;
  /** Certificate to show to servers that ask for one. Default: none. */
  readonly cert?: string | Buffer | undefined;
  /** The private key of `cert`, not encrypted. */
  readonly key?: string | Buffer | undefined;
  /** Name that the server's certificate must have. Default: the host of its address. */
  readonly serverName?: string | undefined;
  /**
   * Whether the server's certificate must be trusted and fit its name. Default true. With `false` whoever sits
   * between can read and change every job unnoticed: for experiments on one machine only.
   */
  readonly verify?: boolean | undefined;
}

/** The oldest version of TLS spoken. */
export const OLDEST_TLS = "TLSv1.2" as const;

/** A part of `TlsOptions` that is PEM. */
export type TlsPart = "ca" | "cert" | "key";

/** Node's TLS, loaded when the first server needs it: programs without TLS start without it. */
export const nodeTls = (): typeof import("node:tls") => process.getBuiltinModule("node:tls");

/** Starts to connect; the socket emits `secureConnect` when the server's certificate was found good. */
export function connectTls(host: string, port: number, tls: TlsOptions): Socket {
  const { connect, checkServerIdentity } = nodeTls();
  const { ca, cert, key, serverName = host, verify = true } = tls;
  const options = {
    host,
    port,
    noDelay: true,
    ca,
    cert,
    key,
    // Only names can be asked for; an IP address is compared below all the same.
    servername: isIpAddress(serverName) ? "" : serverName,
    checkServerIdentity: (_: string, certificate: import("node:tls").PeerCertificate) =>
      checkServerIdentity(serverName, certificate),
    minVersion: OLDEST_TLS,
    rejectUnauthorized: verify,
  };
  return connect(options);
}

/**
 * Refuses PEM that cannot be used with a CONFIG error, so that no connection fails for it later.
 *
 * @param nameOf what a part is called in messages, such as `tls.ca "ca.pem"`
 */
export function checkTls({ ca, cert, key }: TlsOptions, nameOf: (part: TlsPart) => string = (part) => `tls.${part}`): void {
  if (ca !== undefined) checkCertificates(ca, nameOf("ca"));
  if (cert !== undefined && key === undefined)
    throw new GearmanError("CONFIG", `${nameOf("cert")} is given without its private key: give key as well`);
  if (key !== undefined && cert === undefined)
    throw new GearmanError("CONFIG", `${nameOf("key")} is given without its certificate: give cert as well`);
  if (cert !== undefined && key !== undefined) checkPair(cert, key, nameOf);
}

function checkPair(cert: string | Buffer, key: string | Buffer, nameOf: (part: TlsPart) => string): void {
  const certificate = checkCertificates(cert, nameOf("cert"));
  const { createPrivateKey } = process.getBuiltinModule("node:crypto");
  let privateKey: import("node:crypto").KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch (error) {
    const isEncrypted = key.toString().includes("ENCRYPTED");
    const problem = isEncrypted
      ? "is encrypted: store it decrypted, as openssl pkey -in FILE -out FILE does, and let only its owner read it"
      : "is no private key: it must be PEM, with a line such as -----BEGIN PRIVATE KEY-----";
    throw new GearmanError("CONFIG", `${nameOf("key")} ${problem}`, { cause: error });
  }
  if (!certificate.checkPrivateKey(privateKey))
    throw new GearmanError("CONFIG", `${nameOf("key")} does not belong to ${nameOf("cert")}: give the key it was made with`);
}

/** The first of the certificates; all of them must be readable. */
function checkCertificates(pem: string | Buffer, name: string): import("node:crypto").X509Certificate {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  const blocks =
    pem.toString().match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----/gs) ?? [];
  try {
    const [first] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return first;
  } catch (error) {
    throw new GearmanError("CONFIG", `${name} has a damaged certificate: ${(error as Error).message}`, { cause: error });
  }
  throw new GearmanError("CONFIG", `${name} has no certificate: it must be PEM, with a line -----BEGIN CERTIFICATE-----`);
}

/** Failed checks of a certificate, by the code of Node's error: what is wrong, and the way out. */
const CERTIFICATE_FAULTS: Readonly<Record<string, readonly [fault: string, wayOut: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ["is not trusted: it is self-signed", "set ca to it, or to its authority's"],
  SELF_SIGNED_CERT_IN_CHAIN: ["is not trusted: its authority is not known here", "set ca to the authority's certificate"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["is not trusted: its authority is not known here", "set ca to the authority's certificate"],
  UNABLE_TO_GET_ISSUER_CERT: ["is not trusted: its authority is not known here", "set ca to the authority's certificate"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["is not trusted: its authority is not known here", "set ca to the authority's certificate"],
  CERT_SIGNATURE_FAILURE: ["is not trusted: another authority of the same name signed it", "set ca to the right authority"],
  CERT_UNTRUSTED: ["is not trusted for this use", "set ca to the authority's certificate"],
  INVALID_PURPOSE: ["is not made for servers", "give the server another one"],
  INVALID_CA: ["comes from an authority that may not sign", "set ca to the right authority"],
  CERT_REVOKED: ["was revoked", "give the server another one"],
  CERT_HAS_EXPIRED: ["has expired", "renew it, or set this machine's clock"],
  CERT_NOT_YET_VALID: ["is not valid yet", "set this machine's clock"],
};

/** The other side left before the handshake was over, in words. */
export const CLOSED_IN_HANDSHAKE = "it closed the connection in the TLS handshake, as servers without TLS do";

const NO_TLS = "it does not speak TLS: set it up for TLS, or write its address without tls";

/** Failed handshakes, by the code of Node's error. */
const HANDSHAKE_FAULTS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it has no TLS version from 1.2",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it has no TLS version from 1.2",
};

/** Answers of servers that did not like what we showed, by the code of Node's error. */
const REFUSALS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it wants a client certificate: set cert and key",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "it refused the handshake, perhaps for want of a client certificate: set cert and key",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "it does not trust the client certificate: set cert to one from its authority",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "it refused the client certificate: set cert to one from its authority",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the client certificate has expired: renew cert",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "it refused the client certificate: set cert to one from its authority",
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: "it refused the client certificate: set cert to one made for clients",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "the client certificate was revoked: set cert to another one",
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: "it refused the client certificate: set cert to one that it lets in",
};

/** A failure of TLS in plain words and with its way out, or undefined when the error is of another sort. */
export function tlsReason(error: Error): string | undefined {
  const code = codeOf(error);
  const fault = CERTIFICATE_FAULTS[code];
  if (fault !== undefined) return `its certificate ${fault[0]}; ${fault[1]}`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `its certificate is for other names (${namesIn(error)}); set the server name to one of them`;
  if (code === "ECONNRESET" && error.message.includes("before secure TLS connection")) return CLOSED_IN_HANDSHAKE;
  return HANDSHAKE_FAULTS[code] ?? REFUSALS[code];
}

/** The server ended the connection for what we showed in the handshake: it has read nothing of what was sent after that. */
export const isTlsRefusal = (error: Error): boolean => Object.hasOwn(REFUSALS, codeOf(error));

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "");

/** The names in the certificate, such as `DNS:jobs.example, IP Address:10.0.0.1`. */
function namesIn(error: Error): string {
  const names = "cert" in error ? (error.cert as { subjectaltname?: string } | undefined)?.subjectaltname : undefined;
  return names ?? "it names no host";
}

const isIpAddress = (text: string): boolean => /^[\d.]+$/.test(text) || text.includes(":");
