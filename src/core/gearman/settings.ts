/** Every setting there is: what it is called in files and the environment, what values it takes, and its default. */
import { formatServer, parseServer, parseServerList, SERVER_LIST, type ServerAddress } from "./address.ts";
import { GearmanError } from "./errors.ts";
import { DEFAULT_SERVER, isNamespace, NAMESPACE_FORM } from "./options.ts";
import type { TlsOptions, TlsPart } from "./tls.ts";

/** Everything that can be set, ready to use. */
export interface GearmanConfig {
  /** With the certificates and keys of those that are reached over TLS. */
  readonly servers: readonly ServerAddress[];
  /** Name shown by the server's `workers` command; empty for none. */
  readonly clientId: string;
  /** Stands before the name of every function, at servers only; empty for nothing. */
  readonly namespace: string;
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
  servers: [DEFAULT_SERVER],
  clientId: "",
  namespace: "",
  timeoutMs: 15_000,
  retries: 2,
  keepalive: true,
  onError: "return",
  exceptions: false,
};

/** Where a value stands: what to call it in messages, and the directory that file names in it start from. */
export interface Place {
  readonly name: string;
  /** With its last slash; empty for the process's own directory. */
  readonly directory: string;
}

/** PEM, or the name of the file that has it, and where it was given. */
export interface PemSetting extends Place {
  readonly text: string;
}

/** TLS as it was set, with its files still to be read. */
export type TlsSettings = Omit<TlsOptions, TlsPart> & { readonly [Part in TlsPart]?: PemSetting | undefined };

/** A server as it was set. */
export interface ServerSetting {
  readonly host: string;
  readonly port: number;
  readonly tls?: true | TlsSettings;
}

/** What one place sets. */
export type Settings = Partial<Omit<GearmanConfig, "servers">> & {
  readonly servers?: readonly ServerSetting[];
  readonly tls?: TlsSettings;
};

/** A kind of value: what it is called in messages, how values are checked, and how environment text is read. */
interface Kind {
  readonly expected: string;
  check(value: unknown): boolean;
  fromText?(text: string): unknown;
  /** The setting that a value of the right form stands for. Default: the value itself. */
  convert?(value: unknown, place: Place): unknown;
}

const KINDS = {
  servers: {
    expected: SERVER_LIST,
    check: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" || isTable(item)),
    convert: (value, place): unknown => (value as unknown[]).map((item, index) => serverFrom(item, place, index)),
  },
  text: {
    expected: "a text of at most 127 bytes without control characters",
    check: (value) => typeof value === "string" && Buffer.byteLength(value) <= 127 && !/[\x00-\x1f\x7f]/.test(value),
    fromText: (text) => text,
  },
  name: {
    expected: "a text of at most 253 bytes, not empty and without blanks",
    check: (value) =>
      typeof value === "string" && value !== "" && Buffer.byteLength(value) <= 253 && !/[\s\x00-\x1f\x7f]/.test(value),
  },
  prefix: {
    expected: NAMESPACE_FORM,
    check: (value) => typeof value === "string" && isNamespace(value),
    fromText: (text) => text,
  },
  pem: {
    expected: "the name of a PEM file, or PEM itself",
    check: (value) => typeof value === "string" && value !== "",
    fromText: (text) => text,
    convert: (value, { name, directory }): PemSetting => ({ text: String(value), name, directory }),
  },
  milliseconds: {
    expected: "a whole number from 1 to 2147483647",
    check: (value) => isWhole(value, 1, 0x7fffffff),
    fromText: numberFrom,
  },
  count: { expected: "a whole number from 0 to 100", check: (value) => isWhole(value, 0, 100), fromText: numberFrom },
  port: { expected: "a whole number from 1 to 65535", check: (value) => isWhole(value, 1, 65_535) },
  boolean: { expected: "true or false", check: (value) => typeof value === "boolean", fromText: booleanFrom },
  onError: {
    expected: '"return" or "raise"',
    check: (value) => value === "return" || value === "raise",
    fromText: (text) => text,
  },
  tls: {
    expected: "a table with some of ca, cert, key, server_name, verify",
    check: isTable,
    convert: (value, place): unknown => fieldsOf(value as Table, TLS_KEYS, place, "."),
  },
  serverTls: {
    expected: "true, false or a table with some of ca, cert, key, server_name, verify",
    check: (value) => typeof value === "boolean" || isTable(value),
    convert: (value, place): unknown => (isTable(value) ? fieldsOf(value, TLS_KEYS, place, ".") : value),
  },
} as const satisfies Record<string, Kind>;

/** One key of a table in the file. */
interface Key {
  readonly field: string;
  readonly kind: keyof typeof KINDS;
  /** The environment variable that overrides it. */
  readonly variable: string | null;
  readonly doc: string;
}

/** Every key of the file, the field it sets and the environment variable that overrides it. */
export const CONFIG_KEYS = {
  servers: {
    field: "servers",
    kind: "servers",
    variable: "GEARMAN_SERVERS",
    doc: 'Servers to use, "host", "host:port", "tls://host:port" or { host = …, port = …, tls = true }; a port left out is 4730.',
  },
  client_id: {
    field: "clientId",
    kind: "text",
    variable: "GEARMAN_CLIENT_ID",
    doc: "Name shown by the server; %HOSTNAME% and %PID% are filled in.",
  },
  namespace: {
    field: "namespace",
    kind: "prefix",
    variable: "GEARMAN_NAMESPACE",
    doc: "Put before every function's name on its way to servers, so that environments share them without meeting.",
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
  tls: {
    field: "tls",
    kind: "tls",
    variable: null,
    doc: "Certificates and keys for servers with TLS that have none of their own.",
  },
} as const satisfies Record<string, Key & { field: keyof Settings }>;

/** A key of the configuration file, such as `timeout_ms`. */
export type ConfigKey = keyof typeof CONFIG_KEYS;

/** Every key of a table about TLS: `[tls]`, or `tls = { … }` of a server. */
export const TLS_KEYS = {
  ca: {
    field: "ca",
    kind: "pem",
    variable: "GEARMAN_TLS_CA",
    doc: "Certificates of the authorities to trust; without it, those that Node.js trusts.",
  },
  cert: { field: "cert", kind: "pem", variable: "GEARMAN_TLS_CERT", doc: "Certificate to show to servers that ask for one." },
  key: { field: "key", kind: "pem", variable: "GEARMAN_TLS_KEY", doc: "The private key of cert, not encrypted." },
  server_name: {
    field: "serverName",
    kind: "name",
    variable: null,
    doc: "Name that the server's certificate must have; without it, the host of the server's address.",
  },
  verify: {
    field: "verify",
    kind: "boolean",
    variable: null,
    doc: "false trusts every certificate: whoever sits between can read and change all jobs. For experiments only.",
  },
} as const satisfies Record<string, Key & { field: keyof TlsSettings }>;

/** The keys of a server written as a table. */
const SERVER_KEYS = {
  host: { field: "host", kind: "name", variable: null, doc: "Name or IP address." },
  port: { field: "port", kind: "port", variable: null, doc: "4730 when left out." },
  tls: { field: "tls", kind: "serverTls", variable: null, doc: "Connect over TLS: true, or what differs from [tls]." },
} as const satisfies Record<string, Key & { field: keyof ServerSetting }>;

/** The settings in the top table of a file. `file` is its name for messages. */
export function settingsIn(table: Table, { name, directory }: Place): Settings {
  const settings: Settings = fieldsOf(table, CONFIG_KEYS, { name, directory }, ": ");
  refuseUselessTls(settings, name);
  return settings;
}

/** The settings in environment variables. An empty variable counts as not set. */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  const tls: TlsSettings = fieldsFrom(environment, TLS_KEYS);
  const settings: Settings = fieldsFrom(environment, CONFIG_KEYS);
  if (Object.keys(tls).length === 0) return settings;
  refuseUselessTls({ ...settings, tls }, "environment");
  return { ...settings, tls };
}

type Table = Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The fields that a table sets. `joint` stands between the table's name and a key's. */
function fieldsOf(table: Table, keys: Readonly<Record<string, Key>>, place: Place, joint: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(table)) {
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key === undefined) throw unknownKey(name, keys, place.name);
    fields[key.field] = checked(key, value, { name: `${place.name}${joint}${name}`, directory: place.directory });
  }
  return fields;
}

function fieldsFrom(
  environment: Readonly<Record<string, string | undefined>>,
  keys: Readonly<Record<string, Key>>,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const key of Object.values(keys)) {
    const text = key.variable === null ? undefined : environment[key.variable];
    if (text === undefined || text === "") continue;
    const kind: Kind = KINDS[key.kind];
    const name = `environment variable ${key.variable}`;
    if (key.kind === "servers") fields[key.field] = parseServerList(text, name);
    else fields[key.field] = checked(key, kind.fromText?.(text), { name, directory: "" }, text);
  }
  return fields;
}

function checked(key: Key, value: unknown, place: Place, original: unknown = value): unknown {
  const kind: Kind = KINDS[key.kind];
  if (!kind.check(value)) throw new GearmanError("CONFIG", `${place.name} must be ${kind.expected}, not ${describe(original)}`);
  return kind.convert === undefined ? value : kind.convert(value, place);
}

/** A server from text or a table. */
function serverFrom(item: unknown, place: Place, index: number): ServerSetting {
  if (!isTable(item)) return namedIn(place.name, String(item));
  const name = `${place.name}[${index}]`;
  const {
    host,
    port = DEFAULT_SERVER.port,
    tls,
  } = fieldsOf(item, SERVER_KEYS, { ...place, name }, ".") as Partial<ServerSetting>;
  if (host === undefined) throw new GearmanError("CONFIG", `${name}.host is missing: write { host = "127.0.0.1", tls = true }`);
  return { ...namedIn(`${name}.host`, formatServer({ host, port })), ...(tls && { tls }) };
}

function namedIn(place: string, text: string): ServerSetting {
  try {
    const { host, port, tls } = parseServer(text);
    return { host, port, ...(tls === true && { tls }) };
  } catch (error) {
    throw new GearmanError("CONFIG", `${place}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Whoever sets a certificate next to servers without TLS believes that it protects them. */
function refuseUselessTls({ servers, tls }: Settings, place: string): void {
  if (tls === undefined || servers === undefined || servers.some((server) => server.tls !== undefined)) return;
  const example = `tls://${formatServer(servers[0]!)}`;
  throw new GearmanError("CONFIG", `${place}: tls is set, but no server is reached over TLS: write "${example}", for example`);
}

function unknownKey(key: string, keys: Readonly<Record<string, Key>>, place: string): GearmanError {
  const known = Object.keys(keys);
  const closest = known.find((name) => distance(name, key.toLowerCase()) <= 2 || name.replace("_", "") === key.toLowerCase());
  const hint = closest === undefined ? `The keys are ${known.join(", ")}.` : `Did you mean ${closest}?`;
  return new GearmanError("CONFIG", `${place}: unknown key ${JSON.stringify(key)}. ${hint}`);
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
