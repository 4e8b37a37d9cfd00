/** What one interpreter's OBRIEN holds: the store and its manager, opened when a row first needs them. */
import { BasilError } from "../../runtime/errors.ts";
import { functionsOf, type ModuleContext, propertiesOf, type SubHandle } from "../../runtime/host.ts";
import type { Dict } from "../../runtime/values.ts";
import { ObrienError } from "../../src/core/obrien/errors.ts";
import type { ManagerEvent } from "../../src/core/obrien/events.ts";
import type { Manager } from "../../src/core/obrien/index.ts";
import type { JobClass } from "../../src/core/obrien/job-class.ts";
import { type SubWorker, subClass } from "./body-class.ts";
import { bodyClass } from "./class-options.ts";

/** What whoever makes the module decides. */
export interface ObrienOptions {
  /** Says how SUBs run, or undefined where they cannot; asked when a program first defines one. */
  readonly worker?: (() => SubWorker | undefined) | undefined;
  /** Where relative paths start: the script's directory. */
  readonly directory: string;
  /** The store of programs that open none themselves. Default `.basil-obrien.db`. */
  readonly store?: string | undefined;
  /** Sees the path of the store before it is opened, and may refuse it by throwing. */
  readonly onOpen?: ((path: string) => void) | undefined;
  /** Sees each class that a program defines. */
  readonly onDefine?: ((jobClass: JobClass) => void) | undefined;
}

/**
 * Modes: unopened → open (OPEN%, or the first call that needs the store) → closed. The manager works while RUN% or
 * START% says so; as long as it does, a stop of the program is graceful.
 */
export class ObrienState {
  readonly options: ObrienOptions;
  readonly #context: ModuleContext;
  readonly #classes = new Map<string, JobClass>();
  #opening: Promise<Manager> | null = null;
  #manager: Manager | null = null;
  #path: string | undefined;
  #isClosed = false;

  constructor(context: ModuleContext, options: ObrienOptions) {
    this.#context = context;
    this.options = options;
  }

  /** Opens a store. Throws `STATE` when another one is open. */
  async open(path: string | undefined): Promise<void> {
    const { resolve } = await import("node:path");
    const { DEFAULT_STORE } = await import("../../src/core/obrien/index.ts");
    const name = path ?? this.options.store ?? DEFAULT_STORE;
    const wanted = name === ":memory:" ? name : resolve(this.options.directory, name);
    if (this.#opening && wanted !== this.#path) {
      throw new ObrienError("STATE", `OPEN%: ${this.#path} is open already, and a program has one store`);
    }
    this.options.onOpen?.(wanted);
    this.#path = wanted;
    await this.manager();
  }

  /** The manager of the store, opened now when it was not. A store that cannot be opened may be tried again. */
  async manager(): Promise<Manager> {
    if (this.#isClosed) throw closed();
    if (this.#path === undefined) await this.open(undefined);
    this.#opening ??= this.#open(this.#path!).catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return await this.#opening;
  }

  /** The manager, or null when no row has needed one yet. */
  get presentManager(): Manager | null {
    return this.#manager;
  }

  /** Says how the jobs of a class run, now or when the store is opened. */
  async define(jobClass: JobClass): Promise<void> {
    const { ClassTable } = await import("../../src/core/obrien/class-table.ts");
    new ClassTable().define(jobClass);
    this.#classes.set(jobClass.name, jobClass);
    this.#manager?.define(jobClass);
    this.options.onDefine?.(jobClass);
  }

  /** Makes a SUB the body of a class. */
  async defineSub(name: string, sub: SubHandle, options: Dict | undefined): Promise<void> {
    const worker = this.options.worker?.();
    if (!worker) throw new ObrienError("STATE", "DEFINE%: there is nothing here to run SUBs in; use DEFINE_COMMAND%");
    const read = bodyClass(name, options, this.options.directory, Object.keys(worker.modules));
    await this.define(subClass(worker, this.#bodyOf(sub), read));
  }

  /** Works in the background, or changes how many jobs run at once. */
  async start(concurrency: number | undefined): Promise<void> {
    const manager = await this.manager();
    if (manager.isAlive) {
      if (concurrency !== undefined) manager.setConcurrency(concurrency);
      return;
    }
    await manager.start({ concurrency });
  }

  /** Lets running jobs finish, or ends them when the signal fires. */
  async drain(signal: AbortSignal): Promise<void> {
    const manager = this.#manager;
    if (!manager?.isAlive) return;
    const hurry = (): void => void manager.stop({ drainMs: 0 }).catch(() => undefined);
    signal.addEventListener("abort", hurry, { once: true });
    try {
      if (signal.aborted) hurry();
      await manager.stop();
    } finally {
      signal.removeEventListener("abort", hurry);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const manager = await this.#opening?.catch(() => null);
    await manager?.close();
  }

  async #open(path: string): Promise<Manager> {
    const { Manager } = await import("../../src/core/obrien/index.ts");
    const manager = await Manager.open({ path, mayReadOnly: true });
    if (this.#isClosed) {
      await manager.close();
      throw closed();
    }
    for (const jobClass of this.#classes.values()) manager.define(jobClass);
    manager.onEvent((event) => this.#noted(event));
    this.#manager = manager;
    return manager;
  }

  #bodyOf(sub: SubHandle) {
    try {
      return this.#context.bodyOf(sub);
    } catch (error) {
      if (!(error instanceof BasilError)) throw error;
      throw new ObrienError("ARGUMENT", `DEFINE%: ${error.message}${error.hint ? `: ${error.hint}` : ""}`, { cause: error });
    }
  }

  /** What has no call to be told by. While the manager works, a stop of the program should let jobs finish. */
  #noted(event: ManagerEvent): void {
    if (event.type === "started") this.#context.holdsWork(true);
    else if (event.type === "stopped") this.#context.holdsWork(false);
    else if (event.type === "storeFailed")
      this.#context.report(event.error, `OBRIEN tries again in ${event.retryMs} ms`, "warning");
    else if (event.type === "notRecorded") this.#context.report(event.error, `OBRIEN, job ${event.id}`);
    else if (event.type === "left") {
      const classes = [...event.classes].map(([name, count]) => `${name} (${count})`).join(", ");
      this.#context.report(new Error(`classes that are not defined have pending jobs: ${classes}`), "OBRIEN", "warning");
    }
  }
}

const closed = (): ObrienError => new ObrienError("CLOSED", "the program has ended, and OBRIEN with it");

/** Declares one function of OBRIEN. */
export const fn = functionsOf<ObrienState>();

/** Declares one property of OBRIEN. */
export const property = propertiesOf<ObrienState>();
