/** What a Gearman client or worker needs to know, gathered from flags, environment, `.basil-gearman.toml` and defaults. */
import type { BackoffOptions } from "../net/backoff.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { expandClientId } from "./client-id.ts";
import { GearmanError } from "./errors.ts";
import { DEFAULTS, type GearmanConfig, type PemSetting, type ServerSetting, type Settings, settingsFrom } from "./settings.ts";
import { checkTls, type TlsOptions, type TlsPart } from "./tls.ts";

export { CONFIG_KEYS, type ConfigKey, DEFAULTS, type GearmanConfig, TLS_KEYS } from "./settings.ts";

/** Name of the file looked for, in the start directory, its parents, and the home directory. */
export const CONFIG_FILE = ".basil-gearman.toml";

/** Pauses between tries to connect within one call. */
export const RETRY_BACKOFF: BackoffOptions = { firstMs: 100, maxMs: 2_000, jitter: 0.5 };

/** What the configuration may look at. Nothing else is touched. */
export interface ConfigHost {
  /** The text of a file, or null when there is none. */
  readFile(path: string): Promise<string | null>;
  /** Where the search for the file starts, such as `/srv/app/jobs`; null for no search. */
  readonly startDirectory: string | null;
  /** Searched last; null for none. */
  readonly homeDirectory: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Stands for %HOSTNAME% in the client id. */
  readonly hostname: string;
  /** Stands for %PID% in the client id. */
  readonly processId: number;
}

/** What goes before all that the surroundings set. `tls` is for servers that have nothing of their own. */
export type ConfigOverrides = Partial<GearmanConfig> & { readonly tls?: TlsOptions | undefined };

/** Gathers the configuration: `overrides` go before the environment, that before the nearest file, that before the defaults. */
export async function loadGearmanConfig(host: ConfigHost, overrides: ConfigOverrides = {}): Promise<GearmanConfig> {
  const inFile = await settingsOfNearestFile(host);
  const inEnvironment = settingsFrom(host.environment);
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) as ConfigOverrides;
  const { tls: _, ...config } = { ...DEFAULTS, ...inFile, ...inEnvironment, ...given };
  const clientId = expandClientId(config.clientId, host);
  const tls = { ...inFile.tls, ...inEnvironment.tls, ...given.tls };
  const servers: ServerAddress[] = [];
  for (const server of config.servers) servers.push(await resolved(server, tls, host));
  return { ...config, clientId, servers };
}

/** TLS with PEM that is there already, or still to be read. */
type AnyTls = Omit<TlsOptions, TlsPart> & { readonly [Part in TlsPart]?: PemSetting | string | Buffer | undefined };

/** The server with all that its TLS needs, read and checked. */
async function resolved(server: ServerAddress | ServerSetting, defaults: AnyTls, host: ConfigHost): Promise<ServerAddress> {
  const { tls = false, ...place } = server;
  if (tls === false) return place;
  const merged: AnyTls = { ...defaults, ...(tls !== true && tls) };
  const pem: Partial<Record<TlsPart, string | Buffer>> = {};
  for (const part of ["ca", "cert", "key"] as const) {
    const value = merged[part];
    if (value !== undefined) pem[part] = isSetting(value) ? await pemOf(value, host) : value;
  }
  const { serverName, verify } = merged;
  const options = { ...pem, ...(serverName !== undefined && { serverName }), ...(verify !== undefined && { verify }) };
  checkTls(options, (part) => nameOf(part, merged[part], server));
  return { ...place, tls: options };
}

const isSetting = (value: PemSetting | string | Buffer): value is PemSetting => typeof value === "object" && "text" in value;

const isPem = (text: string): boolean => text.includes("-----BEGIN");

/** `/srv/.basil-gearman.toml: tls.ca "ca.pem"`: where a part was set, and to what. */
function nameOf(part: TlsPart, value: AnyTls[TlsPart], server: ServerSetting | ServerAddress): string {
  if (value === undefined || !isSetting(value)) return `server ${formatServer(server)}: tls.${part}`;
  return isPem(value.text) ? value.name : `${value.name} ${JSON.stringify(value.text)}`;
}

/** The PEM itself, or what the file of that name has. */
async function pemOf({ text, name, directory }: PemSetting, host: ConfigHost): Promise<string> {
  if (isPem(text)) return text;
  const path = /^(?:[/\\]|[A-Za-z]:[/\\])/.test(text) ? text : directory + text;
  let content: string | null;
  try {
    content = await host.readFile(path);
  } catch (error) {
    throw new GearmanError("CONFIG", `${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (content !== null) return content;
  const start = directory === "" ? "the directory it was started in" : "the directory of the configuration file";
  const hint = path === text && directory !== "" ? "" : `, counted from ${start}`;
  throw new GearmanError("CONFIG", `${name}: there is no file ${JSON.stringify(path)}: give the name of a PEM file${hint}`);
}

async function settingsOfNearestFile(host: ConfigHost): Promise<Settings> {
  const file = await nearestFile(host);
  if (file === null) return {};
  const { parseGearmanConfig } = await import("./config-file.ts");
  return parseGearmanConfig(file.text, file.path);
}

async function nearestFile(host: ConfigHost): Promise<{ path: string; text: string } | null> {
  for (const directory of directoriesToSearch(host)) {
    const path = directory.endsWith("/") || directory.endsWith("\\") ? directory + CONFIG_FILE : `${directory}/${CONFIG_FILE}`;
    const text = await host.readFile(path);
    if (text !== null) return { path, text };
  }
  return null;
}

function directoriesToSearch({ startDirectory, homeDirectory }: ConfigHost): string[] {
  const directories: string[] = [];
  for (let at = startDirectory; at !== null; at = parentOf(at)) directories.push(at);
  if (homeDirectory !== null) directories.push(homeDirectory);
  return [...new Set(directories)];
}

/** The directory above, or null at the top: `/a/b` → `/a` → `/` → null; `C:\a` → `C:\` → null. */
function parentOf(directory: string): string | null {
  const trimmed = directory.replace(/(?<=[^/\\:])[/\\]+$/, "");
  const cut = Math.max(trimmed.lastIndexOf("/"), trimmed.lastIndexOf("\\"));
  if (cut < 0 || cut === trimmed.length - 1) return null;
  const parent = trimmed.slice(0, cut);
  return parent === "" || parent.endsWith(":") ? trimmed.slice(0, cut + 1) : parent;
}

/** The servers of a configuration as text, in order. */
export function serverNames(config: Pick<GearmanConfig, "servers">): string[] {
  return config.servers.map(formatServer);
}
