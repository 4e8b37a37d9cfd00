/** What one interpreter's GEARMAN holds: settings, client and worker, each made when a row first needs it. */
import { functionsOf, type ModuleContext, propertiesOf } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { ClientEvent, GearmanAdmin, GearmanClient, GearmanConfig, JobReceipt } from "../../src/core/gearman/index.ts";
import type { GearmanOptions } from "./configuration.ts";
import { ProgramEvents } from "./events.ts";
import { shownHandle } from "./handle.ts";
import type { ScriptWorker } from "./script-worker.ts";

/**
 * Client and worker are loaded at their first use: a program that submits no job starts without them.
 *
 * Modes: open → closed. Settings are read once; when they are bad, every row that needs them says so.
 */
export class GearmanState {
  readonly #context: ModuleContext;
  readonly #options: GearmanOptions;
  /** The SUBs of ON_EVENT%. */
  readonly events: ProgramEvents;
  #config: Promise<GearmanConfig> | null = null;
  #client: GearmanClient | null = null;
  #admins: readonly GearmanAdmin[] | null = null;
  #worker: ScriptWorker | null = null;
  #isClosed = false;
  #hasSeveralServers = false;
  /** `on_error = "raise"`, once the settings are known. */
  raisesAll = false;

  constructor(context: ModuleContext, options: GearmanOptions) {
    this.#context = context;
    this.#options = options;
    this.events = new ProgramEvents(context);
  }

  async config(): Promise<GearmanConfig> {
    this.#config ??= this.#readConfiguration();
    const config = await this.#config;
    this.raisesAll = config.onError === "raise";
    this.#hasSeveralServers = config.servers.length > 1;
    return config;
  }

  client(): Promise<GearmanClient> {
    return this.#client ? Promise.resolve(this.#client) : this.#newClient();
  }

  async #newClient(): Promise<GearmanClient> {
    const config = await this.config();
    const { GearmanClient } = await import("../../src/core/gearman/client.ts");
    this.#mustBeOpen();
    this.#client ??= new GearmanClient({ ...config, onEvent: (event) => this.#clientEvent(event) });
    return this.#client;
  }

  /** The client, or null when no row has needed one yet. */
  get presentClient(): GearmanClient | null {
    return this.#client;
  }

  /** Who asks the server of that name, which must be one in use, or all servers. */
  async admins(server: string | undefined): Promise<readonly GearmanAdmin[]> {
    const config = await this.config();
    const { formatServer, GearmanAdmin, parseServer } = await import("../../src/core/gearman/index.ts");
    this.#mustBeOpen();
    this.#admins ??= config.servers.map((address) => new GearmanAdmin({ ...config, server: address }));
    if (server === undefined) return this.#admins;
    const wanted = formatServer(parseServer(server));
    const found = this.#admins.find((admin) => admin.server === wanted);
    if (found) return [found];
    const known = this.#admins.map((admin) => admin.server).join(", ");
    throw new GearmanError("ARGUMENT", `${wanted} is not one of this program's servers: ${known}`);
  }

  /** The worker, or null when no row has needed one yet. */
  get presentWorker(): ScriptWorker | null {
    return this.#worker;
  }

  async worker(): Promise<ScriptWorker> {
    if (this.#worker) return this.#worker;
    const config = await this.config();
    const { ScriptWorker } = await import("./script-worker.ts");
    this.#mustBeOpen();
    this.#worker ??= new ScriptWorker(this.#context, config, this.events);
    return this.#worker;
  }

  /** A submitted job's handle as the program sees it: with several servers it says which one knows the job. */
  handleText({ server, handle }: JobReceipt): string {
    return shownHandle(this.#hasSeveralServers, server, handle);
  }

  /** Lets the worker finish its jobs; `signal` cuts that short. */
  async drain(signal: AbortSignal): Promise<void> {
    await this.#worker?.drain(signal, this.#options.graceMs ?? Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#client?.close(), this.#worker?.close(), ...(this.#admins ?? []).map((admin) => admin.close())]);
  }

  async #readConfiguration(): Promise<GearmanConfig> {
    const { loadConfiguration } = await import("./configuration.ts");
    return loadConfiguration(this.#options, this.#context.host.hostName());
  }

  #clientEvent(event: ClientEvent): void {
    const side = "client";
    switch (event.type) {
      case "connected":
      case "reconnected":
        this.events.emit(event.type, { side, server: event.server });
        break;
      case "lost":
        this.events.emit("lost", { side, server: event.server, message: event.reason.message });
        break;
      case "unreachable":
        this.events.emit("unreachable", { side, server: event.server, message: event.reason.message, retry_ms: event.retryMs });
        break;
      case "jobFailed":
        this.events.emit("job_failed", { side, function: event.name, message: messageOf(event.reason) });
        break;
    }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new GearmanError("CLOSED", "the program has ended, and GEARMAN with it");
  }
}

const messageOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** Declares one function of GEARMAN. */
export const fn = functionsOf<GearmanState>();

/** Declares one property of GEARMAN. */
export const property = propertiesOf<GearmanState>();
