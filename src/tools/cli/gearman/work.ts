/** `basil gearman work`: a worker whose jobs are processes, or that prints what it is sent. */
import { GearmanError } from "../../../core/gearman/errors.ts";
import { GearmanWorker } from "../../../core/gearman/worker.ts";
import type { GearmanJob } from "../../../core/gearman/worker-job.ts";
import type { WorkerEvent } from "../../../core/gearman/worker-options.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { StopSignals } from "../signals.ts";
import { ByteOutput, OutputGone } from "./byte-output.ts";
import { asUsage, type SettingFlags, settingsFor } from "./job-settings.ts";
import { ProcessGroups, type ProcessOptions, runProcess } from "./work-process.ts";
import { findProgram } from "./work-program.ts";

/** What stands on the command line besides functions and command. */
export interface WorkOptions extends Omit<SettingFlags, "timeoutMs"> {
  /** Jobs at once. Default 1. */
  readonly concurrency?: number;
  /** End after so many jobs. */
  readonly count?: number;
  /** Longest run of one job, in milliseconds. */
  readonly timeoutMs?: number;
  readonly output?: ProcessOptions["output"];
  readonly maxBytes?: number;
  readonly exceptions?: boolean;
  readonly verbose?: boolean;
}

/** Largest result unless told otherwise, in bytes: what clients take by default. */
const MAX_RESULT_BYTES = 256 * 1024 * 1024;

/** Works until it is told to stop or has done its count. @param command the program and its arguments; empty to print payloads */
export async function work(
  functions: readonly string[],
  command: readonly string[],
  options: WorkOptions,
  context: CliContext,
): Promise<number> {
  const { timeoutMs, ...flags } = options;
  const settings = await settingsFor(flags, context);
  const groups = new ProcessGroups();
  const run =
    command.length === 0 ? printer(options, context) : processRunner(command, options, context, groups, settings.namespace);
  const events = new EventLines(options.verbose ?? false, context);
  const worker = new GearmanWorker({
    ...settings,
    ...(options.exceptions && { exceptions: true }),
    concurrency: Math.min(options.concurrency ?? 1, options.count ?? Number.POSITIVE_INFINITY),
    onEvent: (event) => events.take(event),
  });
  try {
    for (const name of functions) worker.add(settings.namespace + name);
  } catch (error) {
    throw asUsage(error);
  }
  return new Shift(worker, run, options, context, groups).run();
}

/** Does one job; rejects when it failed. */
type Runner = (job: GearmanJob) => Promise<Buffer | string>;

function processRunner(
  command: readonly string[],
  options: WorkOptions,
  context: CliContext,
  groups: ProcessGroups,
  namespace: string,
): Runner {
  const [name = "", ...args] = command;
  const how: ProcessOptions = {
    program: findProgram(name, context),
    args,
    directory: context.directory,
    environment: context.environment,
    output: options.output ?? "whole",
    maxBytes: options.maxBytes ?? MAX_RESULT_BYTES,
    namespace,
  };
  return (job) => runProcess(job, how, groups);
}

/** Without a command the payload goes to standard output, each in one piece. */
function printer({ output }: WorkOptions, context: CliContext): Runner {
  const target = new ByteOutput(context.stdout);
  const isLines = output === "lines" || output === "stripped";
  return async (job) => {
    await target.write(isLines ? Buffer.concat([job.payload, Buffer.from("\n")]) : job.payload);
    return "";
  };
}

/** From start to stop of one worker. */
class Shift {
  readonly #worker: GearmanWorker;
  readonly #run: Runner;
  readonly #options: WorkOptions;
  readonly #context: CliContext;
  readonly #groups: ProcessGroups;
  /** Jobs that may still be taken. */
  #left: number;

  constructor(worker: GearmanWorker, run: Runner, options: WorkOptions, context: CliContext, groups: ProcessGroups) {
    this.#worker = worker;
    this.#run = run;
    this.#options = options;
    this.#context = context;
    this.#groups = groups;
    this.#left = options.count ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<number> {
    const signals = new StopSignals(
      () => void this.#stop(),
      (code) => {
        this.#groups.killAll();
        process.exit(code);
      },
    );
    signals.arm();
    try {
      this.#worker.start();
      const places = Math.min(this.#options.concurrency ?? 1, this.#left);
      await Promise.all(Array.from({ length: places }, () => this.#takeJobs()));
      await this.#worker.stop({ graceMs: Number.POSITIVE_INFINITY });
      return signals.exitCode ?? EXIT_CODES.ok;
    } finally {
      signals.close();
    }
  }

  /** Jobs are taken one by one, so that no more are taken from the server than will be done. */
  async #takeJobs(): Promise<void> {
    while (this.#left > 0) {
      this.#left--;
      const job = await this.#worker.next({ timeoutMs: Number.POSITIVE_INFINITY });
      if (job === null) return;
      await this.#do(job);
    }
  }

  async #do(job: GearmanJob): Promise<void> {
    const { timeoutMs } = this.#options;
    const tooLong = () => job.callOff(new GearmanError("TIMEOUT", `${job.name} took longer than ${timeoutMs} ms`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(tooLong, Math.min(timeoutMs, 0x7fffffff));
    try {
      job.complete(await this.#run(job));
    } catch (error) {
      if (error instanceof OutputGone) return await this.#leave();
      const reason = job.signal.aborted ? job.signal.reason : error;
      const text = reason instanceof Error ? reason.message : String(reason);
      this.#context.stderr.write(`${job.name} failed: ${text} (job ${job.handle})\n`);
      job.fail(text);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nobody reads the output any more: the job at hand goes to another worker. */
  async #leave(): Promise<void> {
    this.#left = 0;
    await this.#worker.stop({ graceMs: 0 });
  }

  async #stop(): Promise<void> {
    this.#context.stderr.write("stopping: running jobs are finished first; once more ends at once\n");
    await this.#worker.stop({ graceMs: Number.POSITIVE_INFINITY });
  }
}

/** Tells of servers on stderr, of each state once. */
class EventLines {
  readonly #isVerbose: boolean;
  readonly #context: CliContext;
  readonly #states = new Map<string, WorkerEvent["type"]>();

  constructor(isVerbose: boolean, context: CliContext) {
    this.#isVerbose = isVerbose;
    this.#context = context;
  }

  take(event: WorkerEvent): void {
    switch (event.type) {
      case "connected":
        if (this.#isNew(event.server, event.type) || this.#isVerbose) this.#tell(`connected to ${event.server}`);
        break;
      case "lost":
      case "unreachable": {
        const isNew = this.#isNew(event.server, event.type);
        if (isNew || this.#isVerbose) this.#tell(`${event.reason.message}; trying again until it is there`);
        break;
      }
      case "refused":
        this.#tell(`${event.server} refused: ${event.text} (${event.code})`);
        break;
    }
  }

  #isNew(server: string, state: WorkerEvent["type"]): boolean {
    const isNew = this.#states.get(server) !== state;
    this.#states.set(server, state);
    return isNew;
  }

  #tell(line: string): void {
    this.#context.stderr.write(`${line}\n`);
  }
}
