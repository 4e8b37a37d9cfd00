/** A SUB as a class of jobs: the command of its process, and what that process reads. */
import type { Body } from "../../runtime/body.ts";
import { ObrienError } from "../../src/core/obrien/errors.ts";
import type { JobRecord } from "../../src/core/obrien/job.ts";
import type { JobClass, WorkerCommand } from "../../src/core/obrien/job-class.ts";
import { type BodyClass, NO_OBRIEN } from "./class-options.ts";
import { headerBytes, type ModuleSettings } from "./frame.ts";

/** How SUBs run, as whoever makes the module decides. */
export interface SubWorker {
  /** Starts a process that runs one SUB. */
  readonly command: WorkerCommand;
  /** Goes in front of the command's arguments for SUBs whose calls may nest deeply; it makes starting slower. */
  readonly deepStackFlag: string;
  /** Settings of the modules that a class may name. */
  readonly modules: Readonly<Record<string, ModuleSettings>>;
}

const MEBIBYTE = 1024 * 1024;

/** The class whose jobs run a SUB. Throws `ARGUMENT` when the SUB uses a module that its class does not name. */
export function subClass(worker: SubWorker, body: Body, { jobClass, modules, allow, maxMemoryBytes }: BodyClass): JobClass {
  const stranger = body.uses.find(({ module }) => module !== "JSON" && !modules.includes(module));
  if (stranger) throw notNamed(stranger.module, stranger.routine, stranger.place);
  const settings = modules.map((module) => [module, worker.modules[module] ?? {}] as const);
  const directory = jobClass.directory ?? ".";
  const forClass = headerBytes({ body, modules: Object.fromEntries(settings), allow, directory });
  return {
    ...jobClass,
    command: commandOf(worker, body, maxMemoryBytes),
    input: (job) => [forClass, jobHeader(job, jobClass.mode), job.payload],
  };
}

const jobHeader = (job: JobRecord, mode: JobClass["mode"] = "implicit"): Buffer =>
  headerBytes({ mode: job.mode ?? mode, managerPid: process.pid, payloadBytes: job.payload.length });

/** Node needs far more address space than memory, so its own limit does what the system's would do for programs. */
function commandOf({ command, deepStackFlag }: SubWorker, body: Body, maxMemoryBytes: number | undefined): WorkerCommand {
  const flags = [
    ...(body.isRecursive ? [deepStackFlag] : []),
    ...(maxMemoryBytes === undefined ? [] : [`--max-old-space-size=${Math.max(1, Math.floor(maxMemoryBytes / MEBIBYTE))}`]),
  ];
  return { ...command, args: [...flags, ...command.args] };
}

function notNamed(module: string, routine: string, place: string): ObrienError {
  const wayOut = module === "OBRIEN" ? NO_OBRIEN : `name it with {"modules": [${JSON.stringify(module)}]}`;
  return new ObrienError("ARGUMENT", `DEFINE%: ${routine} uses ${module} (${place}), which its jobs do not have: ${wayOut}`);
}
