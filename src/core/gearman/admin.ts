/** The text protocol of a job server, typed: lists of functions, connections and jobs, and the commands that change something. */
import { formatServer, type ServerAddress } from "./address.ts";
import { ListReader, notGearman, reasonIn } from "./admin-list.ts";
import { type AdminOptions, replyLines } from "./admin-reply.ts";
import {
  ADMIN_LISTS,
  type AdminList,
  type ConnectionStatus,
  type FunctionPriorities,
  type FunctionStatus,
  type QueuedJob,
} from "./admin-rows.ts";
import { checkFunctionName, checkTimeout, parseHandle, shown } from "./checks.ts";
import { DEFAULTS } from "./config.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import { addressesOf } from "./options.ts";
import type { TlsOptions } from "./tls.ts";

/** How an administrator's connection is made. */
export interface GearmanAdminOptions {
  /** The server to ask, such as `127.0.0.1:4730`, which is the default, or `tls://jobs.example`. */
  readonly server?: string | ServerAddress | undefined;
  /** Certificates and the like for a server with TLS that has none of its own. It does not switch TLS on. */
  readonly tls?: TlsOptions | undefined;
  /** Longest wait for a reply, connecting included, in milliseconds. Default 15 000. */
  readonly timeoutMs?: number | undefined;
  /** How often connecting is tried again within one call; a command that was sent is never sent twice. Default 2. */
  readonly retries?: number | undefined;
  /** Calls off whatever is under way. */
  readonly signal?: AbortSignal | undefined;
  /** Sockets, clock and chance. Default: the real ones. */
  readonly host?: GearmanHost | undefined;
}

/** What bounds one call, in place of what the administrator was made with. */
export interface AdminBounds {
  /** Longest wait in milliseconds: of a list's rows for each next piece, of everything else for the whole reply. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Most jobs a function may have, queued and running: for all priorities alike, or for each; 0 for no limit. */
export type QueueLimit = number | { readonly high: number; readonly normal: number; readonly low: number };

/** Largest limit a server reads. */
const MAX_LIMIT = 0x7fffffff;

/** Most rows a list is gathered from before it is refused: their memory is the caller's, a server's mistake must not take it. */
const MAX_ROWS = 2_000_000;

/**
 * Asks one job server what it is doing, and tells it what to change. Each call has a connection of its own, so calls
 * may overlap. Lists come whole (`status()`) or row by row as they arrive (`statusRows()`), for queues of any length.
 *
 * Modes: *open* → *closed*. In closed, calls under way and later ones fail with CLOSED.
 */
export class GearmanAdmin {
  /** `host:port` of the server. */
  readonly server: string;
  readonly #address: ServerAddress;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #host: GearmanHost;
  readonly #open = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: GearmanAdminOptions = {}) {
    const { server = DEFAULTS.servers[0]!, timeoutMs = DEFAULTS.timeoutMs, retries = DEFAULTS.retries, signal, host } = options;
    this.#address = addressesOf({ servers: [server], tls: options.tls })[0]!;
    this.server = formatServer(this.#address);
    this.#timeoutMs = checkTimeout(timeoutMs);
    this.#retries = retries;
    this.#host = host ?? systemHost;
    this.#signal = signal === undefined ? this.#open.signal : AbortSignal.any([signal, this.#open.signal]);
  }

  /** The functions the server knows, with their jobs and workers. */
  status(bounds?: AdminBounds): Promise<FunctionStatus[]> {
    return this.#list(ADMIN_LISTS.status, bounds);
  }

  /** The rows of `status` as they come. */
  statusRows(bounds?: AdminBounds): AsyncGenerator<FunctionStatus, void> {
    return this.#rows(ADMIN_LISTS.status, bounds);
  }

  /** The functions the server knows, with their waiting jobs by priority. */
  priorityStatus(bounds?: AdminBounds): Promise<FunctionPriorities[]> {
    return this.#list(ADMIN_LISTS.priorityStatus, bounds);
  }

  /** The rows of `prioritystatus` as they come. */
  priorityStatusRows(bounds?: AdminBounds): AsyncGenerator<FunctionPriorities, void> {
    return this.#rows(ADMIN_LISTS.priorityStatus, bounds);
  }

  /** All connections of the server: workers, clients, and the one that asks. */
  workers(bounds?: AdminBounds): Promise<ConnectionStatus[]> {
    return this.#list(ADMIN_LISTS.workers, bounds);
  }

  /** The rows of `workers` as they come. */
  workerRows(bounds?: AdminBounds): AsyncGenerator<ConnectionStatus, void> {
    return this.#rows(ADMIN_LISTS.workers, bounds);
  }

  /** All jobs of the server, queued and running. */
  jobs(bounds?: AdminBounds): Promise<QueuedJob[]> {
    return this.#list(ADMIN_LISTS.jobs, bounds);
  }

  /** The rows of `show jobs` as they come. */
  jobRows(bounds?: AdminBounds): AsyncGenerator<QueuedJob, void> {
    return this.#rows(ADMIN_LISTS.jobs, bounds);
  }

  /** The unique keys of all jobs, empty for jobs without one. Not in the order of `jobs()`. */
  uniqueJobs(bounds?: AdminBounds): Promise<string[]> {
    return this.#list(ADMIN_LISTS.uniqueJobs, bounds);
  }

  /** The rows of `show unique jobs` as they come. */
  uniqueJobRows(bounds?: AdminBounds): AsyncGenerator<string, void> {
    return this.#rows(ADMIN_LISTS.uniqueJobs, bounds);
  }

  /**
   * Cancels a queued job, or detaches the clients that wait for a running one. NOT_FOUND when the server does not know
   * the job, CANCEL_UNSUPPORTED when it does not know the command, ARGUMENT when the handle is another server's.
   * @param handle such as `H:vm:12` or `127.0.0.1:4730//H:vm:12`
   */
  async cancelJob(handle: string, bounds?: AdminBounds): Promise<true> {
    const { server, handle: bare } = parseHandle(handle);
    if (server !== null && server !== this.server) {
      throw new GearmanError("ARGUMENT", `job ${handle} is on ${server}, and ${this.server} was to cancel it: ask that server`);
    }
    return cancelJob(bare, this.#options(bounds));
  }

  /**
   * Limits how many jobs a function may have; further submits are refused. Jobs that are there stay. A server takes
   * limits of functions it does not know and forgets them, so that is NOT_FOUND here: create the function first.
   */
  async maxQueue(name: string, limit: QueueLimit, bounds?: AdminBounds): Promise<void> {
    const word = wordOf(name);
    const limits = typeof limit === "number" ? [limit] : [limit.high, limit.normal, limit.low];
    for (const count of limits) {
      if (!Number.isInteger(count) || count < 0 || count > MAX_LIMIT)
        throw new GearmanError("ARGUMENT", `maximum ${count} must be a whole number from 0, for no limit, to ${MAX_LIMIT}`);
    }
    const known = await this.status(bounds);
    if (!known.some((row) => row.name === name)) {
      throw new GearmanError("NOT_FOUND", `${this.server} knows no function ${shown(name)}: create it before limiting it`);
    }
    await this.#change(`maxqueue ${word} ${limits.join(" ")}`, bounds);
  }

  /** Makes a function known, so that it is listed and can be limited before a worker or job comes. Harmless when it is. */
  async createFunction(name: string, bounds?: AdminBounds): Promise<void> {
    await this.#change(`create function ${wordOf(name)}`, bounds);
  }

  /**
   * Makes the server forget a function, in whatever case its name is written. NOT_FOUND when it knows none, SERVER while
   * workers are connected or jobs run. gearmand drops functions with queued jobs, and these never run: look first.
   */
  async dropFunction(name: string, bounds?: AdminBounds): Promise<void> {
    await this.#change(`drop function ${wordOf(name)}`, bounds);
  }

  /** The server's version, such as `1.1.20+ds`. */
  async version(bounds?: AdminBounds): Promise<string> {
    return this.#change("version", bounds);
  }

  /** The server's process id on its machine. */
  async pid(bounds?: AdminBounds): Promise<number> {
    const text = await this.#change("getpid", bounds);
    if (!/^\d+$/.test(text)) throw notGearman(this.server, "getpid", text);
    return Number(text);
  }

  /** How much the server logs, such as `ERROR`. */
  async verbose(bounds?: AdminBounds): Promise<string> {
    return this.#change("verbose", bounds);
  }

  /** Ends what is under way with CLOSED. May be called at any time and any number of times. */
  async close(): Promise<void> {
    this.#open.abort(new GearmanError("CLOSED", "the administrator's connections were closed"));
  }

  #options(bounds: AdminBounds = {}): AdminOptions {
    const { timeoutMs = this.#timeoutMs, signal } = bounds;
    return {
      address: this.#address,
      timeoutMs: checkTimeout(timeoutMs),
      retries: this.#retries,
      signal: signal === undefined ? this.#signal : AbortSignal.any([signal, this.#signal]),
      host: this.#host,
    };
  }

  #rows<Row>(list: AdminList<Row>, bounds?: AdminBounds): AsyncGenerator<Row, void> {
    return rowsOf(list, { ...this.#options(bounds), isBoundedByWait: true });
  }

  async #list<Row>(list: AdminList<Row>, bounds?: AdminBounds): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const row of rowsOf(list, this.#options(bounds))) {
      if (rows.push(row) > MAX_ROWS)
        throw new GearmanError(
          "PROTOCOL",
          `${this.server}: the list ${list.command} has over ${MAX_ROWS} rows: read it row by row`,
        );
    }
    return rows;
  }

  /** Sends a command that is answered with OK, and gives what stands behind the OK. */
  async #change(command: string, bounds?: AdminBounds): Promise<string> {
    const line = await replyLine(command, this.#options(bounds));
    if (line === null) throw new GearmanError("IO", `${this.server} closed the connection without an answer to ${command}`);
    const isOk = /^OK(?: |$)/.test(line);
    if (isOk) return line.slice(3).trim();
    if (line === "ERR function not found") throw new GearmanError("NOT_FOUND", `${this.server}: ${command}: function not found`);
    if (!line.startsWith("ERR")) throw notGearman(this.server, command, line);
    throw new GearmanError("SERVER", `${this.server} refused ${command}: ${reasonIn(line)}`);
  }
}

/** As `GearmanAdmin.cancelJob`, of a bare handle, without an administrator. */
export async function cancelJob(handle: string, options: AdminOptions): Promise<true> {
  const server = formatServer(options.address);
  const line = await replyLine(`cancel job ${handle}`, options);
  if (line?.startsWith("OK")) return true;
  if (line?.startsWith("ERR UNKNOWN_JOB")) throw new GearmanError("NOT_FOUND", `${server} knows no job ${handle}`);
  if (line === null || line.startsWith("ERR UNKNOWN"))
    throw new GearmanError("CANCEL_UNSUPPORTED", `${server} cannot cancel jobs${line === null ? "" : `: ${line}`}`);
  if (!line.startsWith("ERR")) throw notGearman(server, "cancel job", line);
  throw new GearmanError("SERVER", `${server} did not cancel ${handle}: ${line}`);
}

/** The one line of a reply; null when the server closes without a word. */
async function replyLine(command: string, options: AdminOptions): Promise<string | null> {
  for await (const [line] of replyLines(command, options)) return line!.trimEnd();
  return null;
}

/** The rows of a list as they come. */
async function* rowsOf<Row>(list: AdminList<Row>, options: AdminOptions): AsyncGenerator<Row, void> {
  const reader = new ListReader(list, formatServer(options.address));
  try {
    for await (const lines of replyLines(reader.question, options)) {
      for (const row of reader.take(lines)) yield row;
      if (reader.isOver) return;
    }
  } catch (error) {
    // A server that speaks something else, and then waits, was not too slow.
    if (error instanceof GearmanError && error.kind === "TIMEOUT") reader.refuseOtherProtocols();
    throw error;
  }
  reader.refuseOtherProtocols();
  throw new GearmanError("IO", `${reader.server} closed the connection before its reply to ${list.command} was complete`);
}

/** A function's name as a word of a text command, which divides words by blanks. */
function wordOf(name: string): string {
  checkFunctionName(name);
  if (/[ \r\n]/.test(name))
    throw new GearmanError("ARGUMENT", `function name ${shown(name)} has a blank: the text commands of servers cannot name it`);
  return name;
}
