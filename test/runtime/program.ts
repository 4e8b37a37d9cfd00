/** Programs for the tests of the engine: an interpreter on a bare host, and a module HOST whose waits the test decides. */
import { expect } from "vitest";
import { nameKey } from "../../grammar/ast.ts";
import { parseProgram } from "../../grammar/parse.ts";
import { json } from "../../modules/json/index.ts";
import { standard } from "../../modules/standard/index.ts";
import { decodeBytes } from "../../runtime/bytes.ts";
import type { FileHost, Host } from "../../runtime/capabilities.ts";
import { compileProgram, NOTHING_OUTSIDE } from "../../runtime/compile/compile.ts";
import type { Limits } from "../../runtime/engine/engine.ts";
import type { BasilError, LimitError } from "../../runtime/errors.ts";
import {
  type AnyModule,
  defineModule,
  functionsOf,
  type HostModule,
  required,
  rest,
  type SubHandle,
} from "../../runtime/host.ts";
import { createInterpreter, type Interpreter, type Outcome, type RunOptions } from "../../runtime/interpreter.ts";
import { Surface } from "../../runtime/surface.ts";
import type { Value } from "../../runtime/values.ts";
import { pause } from "../../src/core/net/deadline.ts";
import { bareHost } from "../helpers/call-row.ts";

/** How long a condition may take to come true, in milliseconds. */
const PATIENCE_MS = 20_000;

/** The places where programs wait until the test says what for. */
export class Gates {
  readonly #waiting = new Map<string, { resolve: (value: Value) => void; reject: (error: unknown) => void }[]>();
  readonly #arrivals = new Map<string, (() => void)[]>();

  wait(name: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), { resolve, reject }]);
      for (const arrived of this.#arrivals.get(name) ?? []) arrived();
      this.#arrivals.delete(name);
    });
  }

  /** Resolves when a task waits at the gate. */
  async reached(name: string): Promise<void> {
    if (this.#waiting.get(name)?.length) return;
    const arrived = new Promise<void>((resolve) => {
      this.#arrivals.set(name, [...(this.#arrivals.get(name) ?? []), resolve]);
    });
    const late = pause(PATIENCE_MS).then(() => {
      throw new Error(`no task came to wait at ${name}`);
    });
    late.catch(() => undefined);
    await Promise.race([arrived, late]);
  }

  /** Lets the task go on that waits longest at the gate. */
  open(name: string, value: Value = null): void {
    this.#first(name).resolve(value);
  }

  /** The same, with an error. */
  refuse(name: string, error: unknown): void {
    this.#first(name).reject(error);
  }

  #first(name: string): { resolve: (value: Value) => void; reject: (error: unknown) => void } {
    const first = this.#waiting.get(name)?.shift();
    if (!first) throw new Error(`no task waits at ${name}`);
    return first;
  }
}

const fn = functionsOf<Gates>();

/** Rows for every way in which the host and a program can meet. */
export const hostModule = (gates: Gates): HostModule<Gates> =>
  defineModule<Gates>({
    name: "HOST",
    doc: "What the test does to the program.",
    rows: [
      fn({
        name: "WAIT",
        doc: "Waits until the test opens the gate, and gives what the test says.",
        params: { gate: required("text", "Its name.") },
        waits: true,
        run: (state, { gate }) => state.wait(gate),
      }),
      fn({
        name: "SOON",
        doc: "May wait, but gives its argument at once.",
        params: { value: required("any", "What to give.") },
        waits: true,
        run: (_, { value }): Value | Promise<Value> => value,
      }),
      fn({
        name: "LATER",
        doc: "Gives its argument by a promise that is kept at once.",
        params: { value: required("any", "What to give.") },
        waits: true,
        run: async (_, { value }) => value,
      }),
      fn({
        name: "FAIL",
        doc: "Throws before it gives a promise.",
        params: { message: required("text", "What the error says.") },
        waits: true,
        run: (_, { message }): Promise<Value> => {
          throw new Error(message);
        },
      }),
      fn({
        name: "REJECT",
        doc: "Gives a promise that is not kept.",
        params: { message: required("text", "What the error says.") },
        waits: true,
        run: async (_, { message }): Promise<Value> => {
          throw new Error(message);
        },
      }),
      fn({
        name: "PLAIN",
        doc: "Never waits.",
        params: {},
        run: (): Value => 1,
      }),
      fn({
        name: "APPLY",
        doc: "Calls a SUB with the other arguments and gives its result.",
        params: { routine: required("sub", "The SUB."), values: rest("any", "Its arguments.") },
        waits: true,
        run: (_, { routine, values }) => routine.call(values),
      }),
      fn({
        name: "START%",
        doc: "Calls a SUB with the other arguments without waiting for it.",
        params: { routine: required("sub", "The SUB."), values: rest("any", "Its arguments.") },
        run: (_, { routine, values }) => {
          started(routine, values);
          return 1;
        },
      }),
    ],
    open: () => gates,
  });

const started = (routine: SubHandle, values: Value[]): void => {
  routine.call(values).catch(() => undefined);
};

/** One interpreter, what it has written so far, and the gates of its programs. */
export interface Trial {
  readonly interpreter: Interpreter;
  readonly gates: Gates;
  output(): string;
  errors(): string;
  run(source: string, options?: RunOptions): Promise<Outcome>;
  /** Resolves when the program has printed this. */
  printed(text: string): Promise<void>;
}

export interface TrialOptions {
  readonly limits?: Limits;
  readonly modules?: readonly AnyModule[];
  readonly host?: Partial<Host>;
  /** Files INCLUDE and CLASS find, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** An interpreter with the built-ins, JSON and HOST. Nothing has to be given back when no program waits. */
export function trial(options: TrialOptions = {}): Trial {
  let output = "";
  let errors = "";
  const gates = new Gates();
  const host: Host = {
    ...bareHost,
    now: () => Date.now(),
    sleep: (milliseconds, signal) => pause(milliseconds, signal),
    write: (bytes) => {
      output += decodeBytes(bytes);
    },
    writeError: (text) => {
      errors += text;
    },
    ...(options.files && { files: filesOf(options.files) }),
    ...options.host,
  };
  const interpreter = createInterpreter({
    modules: [standard(), json(), hostModule(gates), ...(options.modules ?? [])],
    host,
    ...(options.limits && { limits: options.limits }),
  });
  return {
    interpreter,
    gates,
    output: () => output,
    errors: () => errors,
    run: (source, runOptions) => interpreter.run(source, { file: "test.basil", ...runOptions }),
    printed: (text) => eventually(() => output.includes(text), `the program prints ${JSON.stringify(text)}, not ${output}`),
  };
}

/** A file system that only has these files, by name. */
export function filesOf(texts: Readonly<Record<string, string>>): FileHost {
  const refuse = (): never => {
    throw Object.assign(new Error("this file system is only read"), { code: "EROFS" });
  };
  return {
    readFile(path) {
      const text = Object.hasOwn(texts, path) ? texts[path] : undefined;
      if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
      return Buffer.from(text);
    },
    resolve: (path) => path,
    list: () => Object.keys(texts),
    writeFile: refuse,
    appendFile: refuse,
    copy: refuse,
    move: refuse,
    rename: refuse,
    delete: refuse,
    makeDirectories: refuse,
    open: refuse,
  };
}

/** Looks until a condition is true. */
export async function eventually(isTrue: () => boolean, what: string): Promise<void> {
  const endsAt = Date.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (Date.now() > endsAt) throw new Error(`waited in vain until ${what}`);
    await pause(2);
  }
}

/** What a program prints that must end by itself. */
export async function outputOf(source: string, options: TrialOptions = {}): Promise<string> {
  const { run, output } = trial(options);
  expect(await run(source)).toMatchObject({ kind: "ended", exitCode: 0 });
  return output();
}

/** The error that ends a program, and what it printed before. */
export async function failureOf(
  source: string,
  options: TrialOptions & RunOptions = {},
): Promise<{ error: BasilError | LimitError; output: string }> {
  const { run, output } = trial(options);
  const outcome = await run(source, options);
  if (outcome.kind !== "failed") throw new Error(`the program did not fail: ${JSON.stringify(outcome)}, it printed ${output()}`);
  return { error: outcome.error, output: output() };
}

/** `line:column` of each frame of an error with its routine, innermost first, and the file when it is another one. */
export const framesOf = (error: BasilError | LimitError): string[] =>
  error.calls.map(({ source, span, routine }) => {
    const { line, column } = source.position(span.start);
    return `${source.name === "test.basil" ? "" : `${source.name}:`}${line}:${column} ${routine}`;
  });

/** The BASIC text an error points at. */
export const textAt = (error: BasilError | LimitError): string | undefined =>
  error.place?.source.text.slice(error.place.span.start, error.place.span.end);

/** The JavaScript a program becomes. */
export function generated(source: string): string {
  const { program } = parseProgram(source, { file: "test.basil" });
  const { unit, complaints } = compileProgram(program, {
    surface: new Surface([standard(), json(), hostModule(new Gates())]),
    readInclude: () => ({ reason: "there are no files" }),
    outside: NOTHING_OUTSIDE,
    mainGivesWay: false,
  });
  if (!unit) throw new Error(complaints.map(({ message }) => message).join("\n"));
  return unit.code;
}

/** Whether a routine (or `main`) of a program became a generator, in the form for calls from the program. */
export function isGenerator(source: string, routine: string): boolean {
  const name = routine === "main" ? "main" : `f_${nameKey(routine).toLowerCase()}`;
  const found = new RegExp(`function(\\*?) ${name}\\(`).exec(generated(source));
  if (!found) throw new Error(`there is no function ${name}`);
  return found[1] === "*";
}
