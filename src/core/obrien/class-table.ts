/** The classes a manager can run: what each must be like, and how many more jobs of each may start now. */
import { ObrienError } from "./errors.ts";
import type { JobClass, WorkerCommand } from "./job-class.ts";
import { checkClassName, JOB_LIMITS } from "./new-job.ts";

/** Most jobs at once, of a manager or of a class. */
const MAX_CONCURRENCY = 10_000;

/** Most warm workers of a class. */
const MAX_SPARES = 1_000;

/** One check for each key of a class: there are no other keys. */
const CHECKS: { readonly [Key in keyof Required<JobClass>]: (value: Exclude<JobClass[Key], undefined>) => void } = {
  name: checkClassName,
  command: checkCommand,
  input: (value) => expect(typeof value === "function", "input", value, "a function"),
  mode: (value) => expect(value === "implicit" || value === "positive", "mode", value, "implicit or positive"),
  timeoutMs: (value) => checkWhole("timeoutMs", value, 1, JOB_LIMITS.timeoutMs),
  killAfterMs: (value) => checkWhole("killAfterMs", value, 0, JOB_LIMITS.timeoutMs),
  maxOutputBytes: (value) => checkWhole("maxOutputBytes", value, 1, Number.MAX_SAFE_INTEGER),
  maxMemoryBytes: (value) => checkWhole("maxMemoryBytes", value, 1, Number.MAX_SAFE_INTEGER),
  maxConcurrency: (value) => checkWhole("maxConcurrency", value, 1, MAX_CONCURRENCY),
  environment: checkEnvironment,
  inherit: (value) => checkTexts("inherit", value),
  directory: (value) => checkTexts("directory", [value]),
  spares: (value) => checkWhole("spares", value, 0, MAX_SPARES),
};

/** The classes of one manager, by name. */
export class ClassTable {
  readonly #classes = new Map<string, JobClass>();

  /** Adds a class, or replaces the one of that name for jobs that start later. Throws `ARGUMENT`. */
  define(jobClass: JobClass): void {
    checkJobClass(jobClass);
    this.#classes.set(jobClass.name, jobClass);
  }

  get(name: string): JobClass | undefined {
    return this.#classes.get(name);
  }

  all(): Iterable<JobClass> {
    return this.#classes.values();
  }

  /** How many jobs of each class may start when `free` places are free and `running` jobs of a class run already. */
  rooms(free: number, running: (name: string) => number): Map<string, number> {
    const rooms = new Map<string, number>();
    if (free <= 0) return rooms;
    for (const { name, maxConcurrency } of this.#classes.values()) {
      const room = maxConcurrency === undefined ? free : Math.min(free, maxConcurrency - running(name));
      if (room > 0) rooms.set(name, room);
    }
    return rooms;
  }
}

/** Throws `ARGUMENT` for what is no number of jobs at once. */
export function checkConcurrency(concurrency: number): void {
  checkWhole("concurrency", concurrency, 1, MAX_CONCURRENCY);
}

/** Throws `ARGUMENT` for what is no number of milliseconds to wait; Infinity is one. */
export function checkWait(name: string, ms: number): void {
  if (ms !== Number.POSITIVE_INFINITY) checkWhole(name, ms, 0, Number.MAX_SAFE_INTEGER);
}

/** Throws `ARGUMENT` for a class whose jobs could not run. */
function checkJobClass(jobClass: JobClass): void {
  expect(typeof jobClass === "object" && jobClass !== null, "a class of jobs", jobClass, "an object");
  checkClassName(jobClass.name);
  try {
    checkCommand(jobClass.command);
    for (const [key, value] of Object.entries(jobClass)) {
      if (!Object.hasOwn(CHECKS, key)) {
        throw new ObrienError("ARGUMENT", `there is no ${JSON.stringify(key)}: use ${Object.keys(CHECKS).join(", ")}`);
      }
      if (value !== undefined) CHECKS[key as "name"](value as never);
    }
  } catch (error) {
    if (!(error instanceof ObrienError)) throw error;
    throw new ObrienError(error.kind, `class ${jobClass.name}: ${error.message}`, { cause: error });
  }
}

function checkCommand(command: WorkerCommand): void {
  expect(typeof command === "object" && command !== null, "command", command, "an object with program and args");
  checkTexts("program", [command.program]);
  expect(command.program !== "", "program", command.program, "a path, or a name to look up in PATH");
  checkTexts("args", command.args);
}

function checkEnvironment(environment: Readonly<Record<string, string>>): void {
  expect(typeof environment === "object" && environment !== null, "environment", environment, "an object of texts");
  checkTexts("environment", Object.keys(environment));
  checkTexts("environment", Object.values(environment));
  const wrong = Object.keys(environment).find((name) => name === "" || name.includes("="));
  expect(wrong === undefined, "environment", wrong, "names without =");
}

/** What goes to another process as text ends at a NUL. */
function checkTexts(name: string, texts: readonly string[]): void {
  expect(Array.isArray(texts), name, texts, "an array of texts");
  for (const text of texts) expect(typeof text === "string" && !text.includes("\0"), name, text, "texts without NUL");
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  expect(Number.isSafeInteger(value) && value >= least && value <= most, name, value, `a whole number from ${least} to ${most}`);
}

function expect(isFine: boolean, name: string, value: unknown, wanted: string): void {
  if (isFine) return;
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  throw new ObrienError("ARGUMENT", `${name} is ${shown}: use ${wanted}`);
}
