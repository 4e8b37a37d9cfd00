/** Where GEARMAN's settings come from: what the host passes, then the environment, then the nearest file, then defaults. */
import { readFile } from "node:fs/promises";
import { formatServer, parseServerList } from "../../src/core/gearman/address.ts";
import { type GearmanConfig, loadGearmanConfig } from "../../src/core/gearman/config.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { TlsOptions } from "../../src/core/gearman/tls.ts";

/** What a host may set. Everything left out comes from the environment and files it names, or has a default. */
export interface GearmanOptions {
  /** `"127.0.0.1:4730, tls://10.0.0.12"` or a list; a port left out is 4730. Default `127.0.0.1:4730`. */
  readonly servers?: string | readonly string[] | undefined;
  /** Certificates and the like for servers written with `tls://`. Default: what Node.js trusts. */
  readonly tls?: TlsOptions | undefined;
  /** Put before every function's name on its way to servers, such as `staging.`. Default: nothing. */
  readonly namespace?: string | undefined;
  /** Name shown by a server's `workers` command; `%HOSTNAME%` and `%PID%` are filled in. Default: none. */
  readonly clientId?: string | undefined;
  /** Longest wait of any call, connecting included, in milliseconds. Default 15 000. */
  readonly timeoutMs?: number | undefined;
  /** How often connecting is tried again within one call. Default 2. */
  readonly retries?: number | undefined;
  /** Let the system probe idle connections. Default true. */
  readonly keepalive?: boolean | undefined;
  /** Whether an ordinary failure returns "" or 0, or raises GEARMAN_ERROR as fatal ones do. Default `return`. */
  readonly onError?: "return" | "raise" | undefined;
  /** Workers report failures as WORK_EXCEPTION, and clients ask for it. Default false. */
  readonly exceptions?: boolean | undefined;
  /** How long running jobs may go on when the program ends, in milliseconds. Default: until they are finished. */
  readonly graceMs?: number | undefined;
  /** `.basil-gearman.toml` is looked for here, then in the directories above. Default: no file. */
  readonly directory?: string | undefined;
  /** Looked at last for the file. Default: not at all. */
  readonly homeDirectory?: string | undefined;
  /** Where `GEARMAN_SERVERS` and the other variables are read. Default: no variables. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Gives the text of a file, or null when there is none. Default: the file system. */
  readonly readFile?: ((path: string) => Promise<string | null>) | undefined;
}

/** Gathers the settings. CONFIG errors name the file, the key and what it should be. */
export async function loadConfiguration(options: GearmanOptions, hostname: string): Promise<GearmanConfig> {
  const { servers, tls, namespace, clientId, timeoutMs, retries, keepalive, onError, exceptions } = options;
  const given = { tls, namespace, clientId, timeoutMs, retries, keepalive, onError, exceptions };
  const overrides = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const world = {
    readFile: options.readFile ?? readTextFile,
    startDirectory: options.directory ?? null,
    homeDirectory: options.homeDirectory ?? null,
    environment: options.environment ?? {},
    hostname,
    processId: process.pid,
  };
  const config = await loadGearmanConfig(
    world,
    servers === undefined ? overrides : { ...overrides, servers: serversOf(servers) },
  );
  return { ...config, servers: distinct(config.servers) };
}

/** Each server once, at its first place: twice in a list, it would get two connections and each job's place doubly. */
const distinct = (servers: GearmanConfig["servers"]): GearmanConfig["servers"] => [
  ...new Map(servers.map((server) => [formatServer(server).toLowerCase(), server])).values(),
];

const serversOf = (servers: string | readonly string[]): GearmanConfig["servers"] =>
  parseServerList(typeof servers === "string" ? servers : servers.join(","));

/** Errors that say a file is not there. */
const ABSENT = new Set(["ENOENT", "ENOTDIR"]);

async function readTextFile(path: string): Promise<string | null> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (ABSENT.has(code)) return null;
    const reason = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : message;
    throw new GearmanError("CONFIG", `${path} cannot be read: ${reason}`, { cause: error });
  }
}
