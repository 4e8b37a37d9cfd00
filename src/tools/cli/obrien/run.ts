/** `basil obrien run`: a manager for as long as there are jobs, or until somebody ends it. */
import { basename } from "node:path";
import type { Manager, ManagerEvent } from "../../../core/obrien/index.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { shownText } from "../gearman/table.ts";
import { StopSignals } from "../signals.ts";
import { type ClassFlags, classesOf } from "./classes.ts";
import { ProgressLine } from "./progress.ts";
import type { ScriptOutcome } from "./script-classes.ts";
import { type StoreFlags, withStore } from "./store-use.ts";

/** What stands on the command line. */
export interface RunFlags extends StoreFlags, ClassFlags {
  readonly script?: string;
  readonly concurrency?: number;
  readonly drainMs: number;
  readonly watch?: boolean;
}

/** Failed jobs that are told one by one; of more, the list tells. */
const MAX_TOLD = 10;

/** Does jobs to the exit code. */
export async function runJobs(flags: RunFlags, context: CliContext): Promise<number> {
  const classes = classesOf(flags, context);
  const script = flags.script === undefined ? undefined : await scriptOutcome(flags.script, flags, context);
  if (script && script.exitCode !== EXIT_CODES.ok) return script.exitCode;
  classes.push(...(script?.classes ?? []));
  if (classes.length === 0)
    throw new CliError(EXIT_CODES.usage, "no class is defined: give --class NAME=COMMAND, or --script FILE");
  const store = flags.store ?? script?.store;
  return withStore(store === undefined ? {} : { store }, context, { mayCreate: flags.watch ?? false }, async (manager) => {
    for (const jobClass of classes) manager.define(jobClass);
    return new JobShift(manager, flags, context).run();
  });
}

/** What a program says of classes and store. Programs need much that loads only here. */
async function scriptOutcome(script: string, flags: RunFlags, context: CliContext): Promise<ScriptOutcome> {
  const { runScript } = await import("./script-classes.ts");
  return runScript(script, flags, context);
}

/** One run of a manager, from its lock to its last verdict. */
class JobShift {
  readonly #manager: Manager;
  readonly #flags: RunFlags;
  readonly #context: CliContext;
  readonly #count = { running: 0, done: 0, failed: 0 };
  #left: ReadonlyMap<string, number> = new Map();
  #line: ProgressLine | null = null;

  constructor(manager: Manager, flags: RunFlags, context: CliContext) {
    this.#manager = manager;
    this.#flags = flags;
    this.#context = context;
  }

  async run(): Promise<number> {
    const signals = this.#signals();
    const forget = this.#manager.onEvent((event) => this.#take(event));
    signals.arm();
    try {
      await this.#work();
    } finally {
      this.#line?.close();
      forget();
      signals.close();
    }
    this.#tellResult();
    const isFailure = this.#count.failed > 0 && !this.#flags.watch;
    return signals.exitCode ?? (isFailure ? EXIT_CODES.error : EXIT_CODES.ok);
  }

  /** The second signal ends the workers, the third leaves them to the next start's sweep. */
  #signals(): StopSignals {
    let isHurried = false;
    return new StopSignals(
      () => {
        this.#tell("stopping: running jobs are finished first; once more ends them now");
        this.#stop(this.#flags.drainMs);
      },
      (code) => {
        if (isHurried) process.exit(code);
        isHurried = true;
        this.#stop(0);
      },
    );
  }

  /** What goes wrong with the store is told by the work itself. */
  #stop(drainMs: number): void {
    this.#manager.stop({ drainMs }).catch(() => undefined);
  }

  async #work(): Promise<void> {
    const { concurrency, watch } = this.#flags;
    const options = concurrency === undefined ? {} : { concurrency };
    if (!watch) return void (await this.#manager.run(options));
    const stopped = new Promise<unknown>((resolve) => {
      this.#manager.onEvent((event) => event.type === "stopped" && resolve(event.error));
    });
    await this.#manager.start(options);
    const error = await stopped;
    if (error !== null) throw error;
  }

  #take(event: ManagerEvent): void {
    switch (event.type) {
      case "started":
        this.#line = this.#progressLine();
        if (this.#flags.watch) this.#tell(`${basename(this.#manager.path)}: waiting for jobs, Ctrl-C stops`);
        break;
      case "jobStarted":
        this.#count.running++;
        break;
      case "jobEnded":
        this.#count.running--;
        this.#count[event.state]++;
        if (event.state === "failed") this.#tellFailed(event.id, event.class, event.errorClass);
        break;
      default:
        this.#takeOther(event);
    }
  }

  #takeOther(event: ManagerEvent): void {
    if (event.type === "left") this.#left = event.classes;
    else if (event.type === "swept")
      this.#tell(`a manager before this one was killed: ${counted(event.jobs.length, "job")} it ran failed`);
    else if (event.type === "storeFailed")
      this.#tell(`${messageOf(event.error)}; trying again in ${event.retryMs} ms, ${event.waiting} ends wait to be recorded`);
    else if (event.type === "storeWorks") this.#tell("the store works again");
    else if (event.type === "notRecorded") this.#tell(`the verdict on ${event.id} cannot be stored: ${messageOf(event.error)}`);
  }

  #progressLine(): ProgressLine | null {
    const { stderr: output, environment } = this.#context;
    if (!("isTTY" in output) || output.isTTY !== true || environment["TERM"] === "dumb") return null;
    const take = () => ({ ...this.#count, pending: this.#pending() });
    return new ProgressLine({ output, take, now: () => performance.now() });
  }

  /** A store that fails for a moment is told of elsewhere. */
  #pending(): number {
    try {
      return this.#manager.counts().total.pending;
    } catch {
      return 0;
    }
  }

  #tellFailed(id: string, name: string, errorClass: string | null): void {
    const { failed } = this.#count;
    if (failed <= MAX_TOLD) this.#tell(`failed: ${id}  ${shownText(name)}  ${shownText(errorClass ?? "")}`.trimEnd());
    if (failed === MAX_TOLD + 1) this.#tell("more have failed: basil obrien list --state failed");
  }

  #tellResult(): void {
    const { done, failed } = this.#count;
    for (const [name, jobs] of this.#left)
      this.#context.stderr.write(`${counted(jobs, "job")} of class ${shownText(name)} left: no --class defines it\n`);
    const left = Object.fromEntries(this.#left);
    this.#context.stdout.write(
      this.#flags.json ? `${JSON.stringify({ done, failed, left })}\n` : `${done} done, ${failed} failed\n`,
    );
  }

  #tell(text: string): void {
    if (this.#line) this.#line.above(text);
    else this.#context.stderr.write(`${text}\n`);
  }
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
