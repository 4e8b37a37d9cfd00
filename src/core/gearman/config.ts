/** What a Gearman client or worker needs to know, gathered from flags, environment, `.basil-gearman.toml` and defaults. */

import { parse, TomlError } from "smol-toml";
import type { BackoffOptions } from "../net/backoff.ts";
import { formatServer, parseServer, type ServerAddress } from "./address.ts";
import { GearmanError } from "./errors.ts";

/** Name of the file looked for, in the start directory, its parents, and the home directory. */
export const CONFIG_FILE = ".basil-gearman.toml";

/** Everything that can be set. */
export interface GearmanConfig {
  readonly servers: readonly ServerAddress[];
  /** Name shown by the server's `workers` command; empty for none. */
  readonly clientId: string;
  /** Longest wait for any call, connecting included, in milliseconds. */
  readonly timeoutMs: number;
  /** How often connecting is tried again within one call. */
  readonly retries: number;
  /** Let the system probe idle connections. */
  readonly keepalive: boolean;
  /** Whether a failed call returns an empty value and sets ERR$, or raises an error. */
  readonly onError: "return" | "raise";
  /** Pass on WORK_EXCEPTION. */
  readonly exceptions: boolean;
}

/** The configuration when nothing is set anywhere. */
export const DEFAULTS: GearmanConfig = {
  servers: [{ host: "127.0.0.1", port: 4730 }],
  clientId: "",
  timeoutMs: 15_000,
  retries: 2,
  keepalive: true,
  onError: "return",
  exceptions: false,
};

/** Pauses between tries to connect within one call. */
export const RETRY_BACKOFF: BackoffOptions = { firstMs: 100, maxMs: 2_000, jitter: 0.5 };

/** Kinds of values, with what each is called in messages, how TOML values are checked, and how environment text is read. */
const KINDS = {
  servers: {
    expected: 'a list of texts such as ["127.0.0.1:4730"], not empty',
    check: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string"),
    fromText: (text: string) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
  },
  text: {
    expected: "a text of at most 127 bytes without control characters",
    check: (value: unknown) => typeof value === "string" && Buffer.byteLength(value) <= 127 && !/[\x00-\x1f\x7f]/.test(value),
    fromText: (text: string) => text,
  },
  milliseconds: {
    expected: "a whole number from 1 to 2147483647",
    check: (value: unknown) => isWhole(value, 1, 0x7fffffff),
    fromText: numberFrom,
  },
  count: { expected: "a whole number from 0 to 100", check: (value: unknown) => isWhole(value, 0, 100), fromText: numberFrom },
  boolean: { expected: "true or false", check: (value: unknown) => typeof value === "boolean", fromText: booleanFrom },
  onError: {
    expected: '"return" or "raise"',
    check: (value: unknown) => value === "return" || value === "raise",
    fromText: (text: string) => text,
  },
} as const;

/** Every key of the file, the field it sets and the environment variable that overrides it. */
export const CONFIG_KEYS = {
  servers: { field: "servers", kind: "servers", variable: "GEARMAN_SERVERS", doc: "Servers to use; a port left out is 4730." },
  client_id: {
    field: "clientId",
    kind: "text",
    variable: "GEARMAN_CLIENT_ID",
    doc: "Name shown by the server; %HOSTNAME% and %PID% are filled in.",
  },
  timeout_ms: {
    field: "timeoutMs",
    kind: "milliseconds",
    variable: "GEARMAN_TIMEOUT_MS",
    doc: "Longest wait for any call, in milliseconds.",
  },
  retries: {
    field: "retries",
    kind: "count",
    variable: "GEARMAN_RETRIES",
    doc: "How often connecting is tried again within one call.",
  },
  keepalive: { field: "keepalive", kind: "boolean", variable: null, doc: "Probe idle connections." },
  on_error: {
    field: "onError",
    kind: "onError",
    variable: null,
    doc: "Whether a failed call returns an empty value or raises an error.",
  },
  exceptions: {
    field: "exceptions",
    kind: "boolean",
    variable: null,
    doc: "Pass on WORK_EXCEPTION, the reason some workers give.",
  },
} as const satisfies Record<
  string,
  { field: keyof GearmanConfig; kind: keyof typeof KINDS; variable: string | null; doc: string }
>;

/** A key of the configuration file, such as `timeout_ms`. */
export type ConfigKey = keyof typeof CONFIG_KEYS;

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

/** Gathers the configuration: `overrides` go before the environment, that before the nearest file, that before the defaults. */
export async function loadGearmanConfig(host: ConfigHost, overrides: Partial<GearmanConfig> = {}): Promise<GearmanConfig> {
  const file = await nearestFile(host);
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const config = {
    ...DEFAULTS,
    ...(file === null ? {} : parseGearmanConfig(file.text, file.path)),
    ...fromEnvironment(host.environment),
    ...given,
  };
  const clientId = config.clientId.replaceAll("%HOSTNAME%", host.hostname).replaceAll("%PID%", String(host.processId));
  return { ...config, clientId };
}

/** The settings in the text of a configuration file. `file` is its name for messages. */
export function parseGearmanConfig(text: string, file: string = CONFIG_FILE): Partial<GearmanConfig> {
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [summary = "not valid TOML"] = error.message.split("\n");
    throw new GearmanError("CONFIG", `${file}:${error.line}:${error.column}: ${summary}`, { cause: error });
  }
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(table)) {
    if (!isKey(key)) throw unknownKey(key, file);
    settings[CONFIG_KEYS[key].field] = checked(key, value, `${file}: ${key}`);
  }
  return settings;
}

/** A server list as the `servers` key takes it, from `a, b:4731`. */
export function parseServerList(text: string, source = "servers"): ServerAddress[] {
  return checked("servers", KINDS.servers.fromText(text), source, text) as ServerAddress[];
}

function fromEnvironment(environment: ConfigHost["environment"]): Partial<GearmanConfig> {
  const settings: Record<string, unknown> = {};
  for (const [key, { field, kind, variable }] of Object.entries(CONFIG_KEYS)) {
    const text = variable === null ? undefined : environment[variable];
    if (text === undefined || text === "" || variable === null) continue;
    settings[field] = checked(key as ConfigKey, KINDS[kind].fromText(text), `environment variable ${variable}`, text);
  }
  return settings;
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

function checked(key: ConfigKey, value: unknown, source: string, original: unknown = value): unknown {
  const { kind } = CONFIG_KEYS[key];
  if (!KINDS[kind].check(value)) {
    throw new GearmanError("CONFIG", `${source} must be ${KINDS[kind].expected}, not ${describe(original)}`);
  }
  if (kind !== "servers") return value;
  try {
    return (value as string[]).map(parseServer);
  } catch (error) {
    throw new GearmanError("CONFIG", `${source}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function unknownKey(key: string, file: string): GearmanError {
  const closest = Object.keys(CONFIG_KEYS).find(
    (known) => distance(known, key.toLowerCase()) <= 2 || known.replace("_", "") === key.toLowerCase(),
  );
  const hint = closest === undefined ? `The keys are ${Object.keys(CONFIG_KEYS).join(", ")}.` : `Did you mean ${closest}?`;
  return new GearmanError("CONFIG", `${file}: unknown key ${JSON.stringify(key)}. ${hint}`);
}

function isKey(key: string): key is ConfigKey {
  return Object.hasOwn(CONFIG_KEYS, key);
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function numberFrom(text: string): unknown {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : text;
}

function booleanFrom(text: string): unknown {
  return text === "true" ? true : text === "false" ? false : text;
}

function describe(value: unknown): string {
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
}

/** How many letters must be changed, added or taken away to get from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** The servers of a configuration as text, in order. */
export function serverNames(config: Pick<GearmanConfig, "servers">): string[] {
  return config.servers.map(formatServer);
}
