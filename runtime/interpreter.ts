/** The interpreter that hosts embed: compiles a program, runs it as a task, calls its routines, stops it gracefully. */
import type { Dialect } from "../grammar/ast.ts";
import { type Complaint, complaints } from "../grammar/complaints.ts";
import { formatComplaint } from "../grammar/report.ts";
import { SourceFile } from "../grammar/source.ts";
import type { Host } from "./capabilities.ts";
import type { CompiledUnit } from "./compile/compiled.ts";
import type { Compiler } from "./compile/front.ts";
import { Engine, type Limits } from "./engine/engine.ts";
import { ProgramSpace } from "./engine/space.ts";
import type { Steps, Task } from "./engine/task.ts";
import { BasilError, LimitError, ProgramEnd, type SourcePlace } from "./errors.ts";
import type { AnyModule } from "./host.ts";
import { type KeptProgram, type ProgramCache, programKey, readProgram, writeProgram } from "./program-cache.ts";
import { Surface } from "./surface.ts";
import type { Value } from "./values.ts";

export interface InterpreterOptions {
  /** Everything scripts can name: `[standard(), json(), gearman()]`. */
  readonly modules: readonly AnyModule[];
  /** The world as scripts see it. */
  readonly host: Host;
  readonly limits?: Limits;
  /** Keeps compiled programs between runs; without it every run compiles. */
  readonly cache?: ProgramCache;
  /** For texts without a `#DIALECT` line; default classic. */
  readonly dialect?: Dialect;
  /** Called with true when work begins that a stop should let finish (a worker started), with false when it is over. */
  readonly onGracefulStop?: (isNeeded: boolean) => void;
}

/** How a run ended. */
export type Outcome =
  | { readonly kind: "ended"; readonly exitCode: number; readonly stoppedAt?: SourcePlace; readonly warnings: readonly string[] }
  | { readonly kind: "failed"; readonly error: BasilError | LimitError; readonly exitCode: 1 }
  | { readonly kind: "rejected"; readonly complaints: readonly Complaint[]; readonly exitCode: 1 }
  | { readonly kind: "stopped" };

export interface RunOptions {
  /** The program's name in messages; INCLUDE is relative to it. */
  readonly file?: string;
  /** Ends the run with a LimitError of kind `abort`. */
  readonly signal?: AbortSignal;
}

export interface Interpreter {
  /** Compiles and runs a program. Resolves in every case; one run at a time. */
  run(source: string, options?: RunOptions): Promise<Outcome>;
  /** Calls a routine of the program that ran or runs, as a task of its own. Rejects with its BasilError. */
  call(name: string, args: readonly (Value | Buffer)[], options?: { readonly signal?: AbortSignal }): Promise<Value>;
  /** Compiles only. Warnings tell what will fail for sure when it runs (B1…) and what is legal but suspicious (B03…). */
  check(source: string, options?: { readonly file?: string }): Promise<readonly Complaint[]>;
  /** Graceful stop: modules finish their work, then the run ends as `stopped`. */
  stop(): Promise<void>;
  /** Ends everything at once and gives back sockets and timers. Idempotent. */
  close(): Promise<void>;
}

/** Makes an interpreter. Nothing starts before `run`. */
export const createInterpreter = (options: InterpreterOptions): Interpreter => new BasilInterpreter(options);

/** A run that `stop` or `close` ended. */
const STOPPED = new ProgramEnd(0);

class BasilInterpreter implements Interpreter {
  readonly #options: InterpreterOptions;
  readonly #surface: Surface;
  readonly #engine: Engine;
  #loaded: Compiler | undefined;
  #isRunning = false;
  /** A stop was asked for; main may not even have started. */
  #isStopping = false;
  /** Calls from the host that go on. */
  #calls = 0;
  /** The names of the latest program. */
  #space = new ProgramSpace();
  #closed: Promise<void> | undefined;

  constructor(options: InterpreterOptions) {
    this.#options = options;
    this.#surface = new Surface(options.modules);
    this.#engine = new Engine(
      this.#surface,
      options.host,
      options.limits ?? {},
      (...report) => this.#report(...report),
      (text, how, dialect, names) => this.#loaded!.inner(text, how, dialect, names),
    );
    this.#engine.onHoldsWork = (isHolding) => options.onGracefulStop?.(isHolding);
  }

  async check(source: string, options: { file?: string } = {}): Promise<readonly Complaint[]> {
    const { file = "program.basil" } = options;
    return (await this.#compiler()).program(source, {
      file,
      dialect: this.#options.dialect,
      mainGivesWay: false,
      lints: true,
    }).complaints;
  }

  async run(source: string, options: RunOptions = {}): Promise<Outcome> {
    if (this.#closed) throw new Error("this interpreter is closed");
    if (this.#isRunning) throw new Error("this interpreter already runs a program");
    this.#isRunning = true;
    this.#isStopping = false;
    try {
      return await this.#run(source, options);
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(source: string, options: RunOptions): Promise<Outcome> {
    const prepared = await this.#prepare(source, options.file ?? "program.basil", options.signal !== undefined);
    if ("complaints" in prepared) return { kind: "rejected", complaints: prepared.complaints, exitCode: 1 };
    const { unit, warnings } = prepared;
    if (unit.isDynamic) await this.#compiler();
    const engine = this.#engine;
    if (this.#isStopping || this.#closed) return { kind: "stopped" };
    this.#space = new ProgramSpace();
    const begin = this.#link(unit);
    if (!begin)
      return {
        kind: "rejected",
        complaints: [complaints.tooLong({ source: new SourceFile(unit.files[0]!.name, source), span: { start: 0, end: 1 } })],
        exitCode: 1,
      };
    engine.beginRun();
    for (const warning of warnings) engine.warn(warning);
    const main = engine.spawn("main", begin, 0, options.signal ? { signal: options.signal } : {});
    const timer = this.#startDeadline();
    try {
      return await this.#outcome(main, options.signal);
    } finally {
      clearTimeout(timer);
      await this.#flushWhatIsLeft();
    }
  }

  async call(name: string, args: readonly (Value | Buffer)[], options: { signal?: AbortSignal } = {}): Promise<Value> {
    if (this.#closed) throw new Error("this interpreter is closed");
    const routine = this.#space.routines.get(name.toUpperCase());
    if (!routine) throw new BasilError("NAME_ERROR", `Unknown function '${name}'`);
    const isAlone = !this.#isRunning && this.#calls === 0;
    if (isAlone) this.#engine.beginRun();
    const timer = isAlone ? this.#startDeadline() : undefined;
    this.#calls += 1;
    try {
      return await this.#engine.handle(routine).call(args, options);
    } catch (error) {
      if (!(error instanceof ProgramEnd)) throw error;
      throw new BasilError("USER_ERROR", `the program ended before ${routine.name} did`, { cause: error });
    } finally {
      this.#calls -= 1;
      clearTimeout(timer);
      if (isAlone) this.#engine.endRun();
      await this.#engine.flush();
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#drain(new AbortController().signal);
    this.#engine.abortOthers(STOPPED);
    await Promise.allSettled([...this.#engine.scheduler.tasks].map((task) => task.done));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#engine.abortOthers(STOPPED);
    await Promise.allSettled(this.#surface.modules.map((module, at) => module.close?.(this.#engine.states[at])));
    await this.#flushWhatIsLeft();
  }

  /** The run has its outcome already: output that nobody can take any more does not change it. */
  async #flushWhatIsLeft(): Promise<void> {
    try {
      await this.#engine.flush();
    } catch {
      // Raised where the program printed, when it still ran.
    }
  }

  /** The compiler, loaded at its first use: a program that was compiled before does without. */
  async #compiler(): Promise<Compiler> {
    if (!this.#loaded) {
      const { Compiler } = await import("./compile/front.ts");
      this.#loaded ??= new Compiler(this.#surface, this.#options.host.files);
    }
    return this.#loaded;
  }

  /** A program from the cache, or compiled now and kept. */
  async #prepare(
    source: string,
    file: string,
    mainGivesWay: boolean,
  ): Promise<KeptProgram | { complaints: readonly Complaint[] }> {
    const { cache, dialect, host } = this.#options;
    const key = cache && programKey(source, file, dialect, mainGivesWay, this.#surface);
    const kept = cache && readProgram(cache, key!, source, host.files);
    if (kept) return kept;
    const { unit, complaints } = (await this.#compiler()).program(source, { file, dialect, mainGivesWay });
    if (!unit) return { complaints };
    // What will fail when it runs is not told twice: those codes are of run-time errors.
    const warnings = complaints.filter((one) => !one.code.startsWith("B1")).map((one) => one.message);
    const program = { unit, warnings };
    if (cache) writeProgram(cache, key!, program);
    return program;
  }

  /** Makes main runnable; undefined when the JavaScript engine's own parser runs out of stack on a huge expression. */
  #link(unit: CompiledUnit): (() => Steps | Value) | undefined {
    try {
      return this.#engine.link(unit, this.#space);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #startDeadline(): NodeJS.Timeout | undefined {
    const { deadlineMs } = this.#options.limits ?? {};
    if (deadlineMs === undefined) return undefined;
    return setTimeout(() => this.#engine.end(this.#engine.deadlineError()), deadlineMs);
  }

  /** Waits for main; when it ended by itself, lets started workers finish. Limits and the signal count until then. */
  async #outcome(main: Task, signal: AbortSignal | undefined): Promise<Outcome> {
    const engine = this.#engine;
    const ending = engine.ending.signal;
    const abort = (): void => engine.end(new LimitError("abort", "the run was aborted", { cause: signal?.reason }));
    try {
      await main.done;
      await engine.flush();
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted) abort();
      await this.#drain(ending);
      if (ending.aborted) throw ending.reason;
      return { kind: "ended", exitCode: 0, warnings: [...engine.warnings] };
    } catch (error) {
      if (error === STOPPED) return { kind: "stopped" };
      if (!(error instanceof ProgramEnd)) return { kind: "failed", error: engine.located(error), exitCode: 1 };
      return {
        kind: "ended",
        exitCode: error.exitCode,
        warnings: [...engine.warnings],
        ...(error.stoppedAt && { stoppedAt: error.stoppedAt }),
      };
    } finally {
      signal?.removeEventListener("abort", abort);
      engine.abortOthers(STOPPED);
      engine.endRun();
    }
  }

  async #drain(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#surface.modules.map((module, at) => module.drain?.(this.#engine.states[at], signal)));
  }

  /** An error nobody can catch any more: to the host's error output. EXIT and STOP in a task end the whole program. */
  #report(error: unknown, about?: string, severity: "error" | "warning" = "error"): void {
    if (error instanceof ProgramEnd) return;
    const located = this.#engine.located(error);
    const message = about ? `${about}: ${located.message}` : located.message;
    void this.#flushWhatIsLeft();
    const text = formatComplaint({ ...reportOf(located), message, severity });
    this.#options.host.writeError(`${text}\n`);
  }
}

/** An error in the form reports are made of. */
export function reportOf(error: BasilError | LimitError): {
  code: string;
  message: string;
  source?: SourcePlace["source"];
  span?: SourcePlace["span"];
  hint?: string | undefined;
} {
  const code = error instanceof BasilError ? `B${error.code}` : "B1000";
  const hint = error instanceof BasilError ? error.hint : undefined;
  return { code, message: error.message, ...(error.place && { source: error.place.source, span: error.place.span }), hint };
}
