/** What one interpreter's GEARMAN holds: settings, client and worker, each made when a row first needs it. */
import { functionsOf, type ModuleContext, propertiesOf } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { GearmanClient, GearmanConfig, JobReceipt } from "../../src/core/gearman/index.ts";
import type { GearmanOptions } from "./configuration.ts";
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
  #config: Promise<GearmanConfig> | null = null;
  #client: GearmanClient | null = null;
  #worker: ScriptWorker | null = null;
  #isClosed = false;
  #hasSeveralServers = false;
  /** `on_error = "raise"`, once the settings are known. */
  raisesAll = false;

  constructor(context: ModuleContext, options: GearmanOptions) {
    this.#context = context;
    this.#options = options;
  }

  async config(): Promise<GearmanConfig> {
    this.#config ??= this.#readConfiguration();
    const config = await this.#config;
    this.raisesAll = config.onError === "raise";
    this.#hasSeveralServers = config.servers.length > 1;
    return config;
  }

  async client(): Promise<GearmanClient> {
    if (this.#client) return this.#client;
    const config = await this.config();
    const { GearmanClient } = await import("../../src/core/gearman/client.ts");
    this.#mustBeOpen();
    this.#client ??= new GearmanClient(config);
    return this.#client;
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
    this.#worker ??= new ScriptWorker(this.#context, config);
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
    await Promise.all([this.#client?.close(), this.#worker?.close()]);
  }

  async #readConfiguration(): Promise<GearmanConfig> {
    const { loadConfiguration } = await import("./configuration.ts");
    return loadConfiguration(this.#options, this.#context.host.hostName());
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new GearmanError("CLOSED", "the program has ended, and GEARMAN with it");
  }
}

/** Declares one function of GEARMAN. */
export const fn = functionsOf<GearmanState>();

/** Declares one property of GEARMAN. */
export const property = propertiesOf<GearmanState>();
