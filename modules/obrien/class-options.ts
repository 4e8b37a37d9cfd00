/** Options of DEFINE% and DEFINE_COMMAND% as the core's classes of jobs. */
import { resolve } from "node:path";
import type { Dict } from "../../runtime/values.ts";
import { ObrienError } from "../../src/core/obrien/errors.ts";
import type { JobClass } from "../../src/core/obrien/job-class.ts";
import { ALLOWANCES, type Allowance } from "./frame.ts";
import { KINDS, type OptionsOf, readOptions } from "./options.ts";

const COMMON = {
  mode: KINDS.mode,
  timeout_ms: KINDS.whole,
  kill_after_ms: KINDS.whole,
  max_output_bytes: KINDS.whole,
  max_memory_bytes: KINDS.whole,
  concurrency: KINDS.whole,
  environment: KINDS.textByName,
  inherit: KINDS.texts,
  directory: KINDS.text,
  spares: KINDS.whole,
} as const;

const COMMAND = { ...COMMON, args: KINDS.texts, shell: KINDS.truth } as const;

const BODY = { ...COMMON, modules: KINDS.texts, allow: KINDS.texts } as const;

/** The options of DEFINE_COMMAND%, for its documentation. */
export const COMMAND_OPTIONS = Object.keys(COMMAND).join(", ");

/** The options of DEFINE%, for its documentation. */
export const BODY_OPTIONS = Object.keys(BODY).join(", ");

/** What the options of both say of a class. */
function classOf(name: string, options: OptionsOf<typeof COMMON>, home: string): Omit<JobClass, "command"> {
  return {
    name,
    mode: options.mode,
    timeoutMs: options.timeout_ms,
    killAfterMs: options.kill_after_ms,
    maxOutputBytes: options.max_output_bytes,
    maxConcurrency: options.concurrency,
    environment: options.environment,
    inherit: options.inherit,
    directory: resolve(home, options.directory ?? "."),
    spares: options.spares,
  };
}

/** The class that runs a program. @param home where relative directories start */
export function commandClass(name: string, command: string, options: Dict | undefined, home: string): JobClass {
  const read = readOptions("DEFINE_COMMAND%", options, COMMAND);
  if (read.args === undefined && !read.shell && /\s/.test(command.trim())) {
    throw new ObrienError(
      "ARGUMENT",
      `DEFINE_COMMAND%: ${JSON.stringify(command)} is taken for the name of one program: ` +
        'give the rest as {"args": [...]}, [] when there is none, or run it in a shell with {"shell": TRUE}',
    );
  }
  return {
    ...classOf(name, read, home),
    maxMemoryBytes: read.max_memory_bytes,
    command: { program: command, args: read.args ?? [], isShell: read.shell },
  };
}

/** What the options of DEFINE% say. */
export interface BodyClass {
  readonly jobClass: Omit<JobClass, "command">;
  readonly maxMemoryBytes: number | undefined;
  /** Upper-case names of modules besides the built-ins and JSON. */
  readonly modules: readonly string[];
  readonly allow: readonly Allowance[];
}

/** What a class that runs a SUB is like. @param available the modules a class may name */
export function bodyClass(name: string, options: Dict | undefined, home: string, available: readonly string[]): BodyClass {
  const read = readOptions("DEFINE%", options, BODY);
  const modules = (read.modules ?? []).map((module) => module.toUpperCase()).filter((module) => module !== "JSON");
  for (const module of modules) if (!available.includes(module)) throw noModule(module, available);
  const allow = (read.allow ?? []).map((word) => {
    const known = ALLOWANCES.find((one) => one === word.toLowerCase());
    if (known) return known;
    throw new ObrienError("ARGUMENT", `DEFINE%: allow is ${JSON.stringify(word)}: use ${ALLOWANCES.join(", ")}`);
  });
  return { jobClass: classOf(name, read, home), maxMemoryBytes: read.max_memory_bytes, modules, allow };
}

function noModule(module: string, available: readonly string[]): ObrienError {
  if (module === "OBRIEN") return new ObrienError("ARGUMENT", `DEFINE%: ${NO_OBRIEN}`);
  const known = available.length > 0 ? `use ${available.join(", ")}` : "there is none to name";
  return new ObrienError("ARGUMENT", `DEFINE%: a job cannot have the module ${JSON.stringify(module)}: ${known}`);
}

/** Why a job has no OBRIEN, and what it does instead. */
export const NO_OBRIEN = 'a job has no OBRIEN: it asks for other jobs with its verdict, as in RETURN {"enqueue": ["payload"]}';
