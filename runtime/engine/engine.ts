/** One interpreter at run time: module states, output, limits, tasks, and the helpers that generated code calls. */
import { compileFunction } from "node:vm";
import type { Dialect } from "../../grammar/ast.ts";
import { type Body, bodyOf } from "../body.ts";
import { decodeBytes, encodeText } from "../bytes.ts";
import type { Host } from "../capabilities.ts";
import type { CompiledUnit, InnerCompiler, InnerText } from "../compile/compiled.ts";
import { BasilError, LimitError, ProgramEnd } from "../errors.ts";
import type { CallOptions, ModuleContext, SubHandle } from "../host.ts";
import type { Surface } from "../surface.ts";
import type { ObjectValue, Value } from "../values.ts";
import { monotonicMs } from "./clock.ts";
import { asBasilError, type RowCall, throwingErrors } from "./failures.ts";
import { helpersOf } from "./helpers.ts";
import { HEADER_LINES, PositionTable } from "./positions.ts";
import type { CompiledRoutine, EngineServices } from "./services.ts";
import { type Cell, type KeptText, ProgramSpace } from "./space.ts";
import { type AbortReason, type ExecutionState, Scheduler, type Steps, Task, type TaskOutcome } from "./task.ts";

/** What a run may use up. Everything left out is unlimited, except the depth. */
export interface Limits {
  /** Loop rounds, calls, and the work of long built-ins. */
  readonly steps?: number;
  /** Nested routine calls; default 30 000. The JavaScript stack may end before that: both are the same BASIC error. */
  readonly depth?: number;
  /** Size of one string or array, and of what is kept of the output before it is written. */
  readonly bytes?: number;
  /** Wall-clock time of a run, in milliseconds, waits included. */
  readonly deadlineMs?: number;
}

/** Loop rounds and calls between two looks at the limits. */
const FUEL = 10_000;
/** How long BASIC may keep the event loop before it lets it turn, in milliseconds. */
const TURN_MS = 5;
/** Output that is collected before it goes to the host without waiting, in UTF-16 units. */
const OUTPUT_CHUNK = 16_384;
/** Steps that compiling EVAL, EXEC or CLASS text counts as, besides its length. */
const INNER_TEXT_STEPS = 100;
/** How long output may wait while a program computes, in milliseconds. */
const OUTPUT_DELAY_MS = 50;
const DEFAULT_DEPTH = 30_000;

/** What generated code gives back when it is made runnable. */
interface LinkedUnit {
  readonly main: () => Steps | Value;
  readonly routines: Readonly<Record<string, CompiledRoutine>>;
  readonly globals: Readonly<Record<string, Cell>>;
  /** Sets the literal CONSTs that routines read. */
  readonly constants: (() => void) | null;
}

export class Engine implements EngineServices {
  readonly surface: Surface;
  readonly host: Host;
  readonly state: ExecutionState;
  readonly scheduler: Scheduler;
  readonly positions = new PositionTable();
  readonly moduleObjects: readonly ObjectValue[];
  /** Module states by module index. */
  readonly states: readonly unknown[];
  /** Fires with the reason when something ends the whole run: EXIT, END or STOP in any task, or a limit. */
  ending = new AbortController();
  /** Warnings of the current run. */
  readonly warnings: string[] = [];
  /** Called when a module starts or ends work that a stop should let finish. */
  onHoldsWork: (isHolding: boolean) => void = () => undefined;
  readonly #limits: Limits;
  readonly #compileInner: InnerCompiler;
  readonly #report: ModuleContext["report"];
  #output: string[] = [];
  #outputLength = 0;
  #written: Promise<void> | undefined;
  #steps = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #turnedAt = 0;
  #flushedAt = 0;
  #units = 0;
  /** The routines that handles call, and the units they are from, except for those of EVAL and EXEC. */
  readonly #routines = new WeakMap<SubHandle, CompiledRoutine>();
  readonly #homes = new WeakMap<CompiledRoutine, CompiledUnit>();

  constructor(surface: Surface, host: Host, limits: Limits, report: ModuleContext["report"], compileInner: InnerCompiler) {
    this.#compileInner = compileInner;
    this.surface = surface;
    this.host = host;
    this.#limits = limits;
    this.#report = report;
    const nobody = new Task("nobody", 0, this, () => null);
    this.state = { task: nobody, depth: 0, maxDepth: limits.depth ?? DEFAULT_DEPTH, fuel: 0, granted: 0 };
    this.scheduler = new Scheduler(this.state, () => this.flush());
    this.moduleObjects = surface.modules.map((module) => ({ isObject: true, displayName: module.name }));
    this.states = surface.modules.map((module) =>
      module.open({
        host,
        report: (...report) => this.#report(...report),
        placeOf: (error) => this.placeText(error),
        holdsWork: (isHolding) => this.onHoldsWork(isHolding),
        bodyOf: (sub) => this.#bodyOf(sub),
      }),
    );
  }

  // ── Units and tasks ────────────────────────────────────────────────────────────────────────────────────────

  /** Makes a compiled unit runnable in a space: routines and reachable globals are entered there. */
  link(unit: CompiledUnit, space: ProgramSpace): () => Steps | Value {
    return this.#link(unit, space, "program").main;
  }

  /** Makes the routines of another process's program runnable, with its literal CONSTs. */
  linkBody(body: Body): CompiledRoutine {
    const space = new ProgramSpace();
    this.#link(body.unit, space, "body").constants?.();
    return space.routines.get(body.routine)!;
  }

  /** A routine as data for another process. */
  #bodyOf(sub: SubHandle): Body {
    const routine = this.#routines.get(sub);
    const unit = routine && this.#homes.get(routine);
    if (!unit)
      throw new BasilError("ARGUMENT_ERROR", `${sub.name} was made by EXEC: only routines of the program's text can leave it`);
    return bodyOf(
      unit,
      sub.name,
      this.surface.modules.map((module) => module.name),
    );
  }

  /** @param how `inner` is text of EVAL or EXEC: lines of errors are those of the program around it */
  #link(
    unit: CompiledUnit,
    space: ProgramSpace,
    how: "program" | "body" | "inner",
  ): KeptText & { definesRoutines: boolean; constants: LinkedUnit["constants"] } {
    const isInner = how === "inner";
    const helpers = helpersOf(this, unit, space, (text, how, dialect) => this.#compileText(text, how, dialect, space));
    const rows = unit.rows.map((id) => {
      const found = this.surface.byId(id);
      if (!found && how === "body") return { call: () => failForRow(id), state: undefined };
      if (!found) throw new Error(`the program was compiled for a row that is not there: ${id}`);
      const { row } = found;
      const call = (row.kind === "property" ? row.get : row.run) as RowCall;
      const isSafe = this.surface.modules[found.module]!.throwsOnlyErrors === true;
      return { call: isSafe ? call : throwingErrors(call), state: this.states[found.module] };
    });
    this.#units += 1;
    const filename = `basil-unit-${this.#units}`;
    this.positions.add(filename, unit, space, isInner);
    const header = `const {${Object.keys(helpers).join(", ")}} = HELPERS;${"\n".repeat(HEADER_LINES)}`;
    const start = compileFunction(header + unit.code, ["HELPERS", "S", "ROWS"], { filename });
    const linked: LinkedUnit = start(helpers, this.state, rows);
    const routines = Object.entries(linked.routines);
    for (const [key, routine] of routines) {
      space.routines.set(key, routine);
      if (!isInner) this.#homes.set(routine, unit);
    }
    for (const [key, cell] of Object.entries(linked.globals)) space.globals.set(key, cell);
    if (isInner && routines.length > 0) space.namesChanged();
    return { main: linked.main, filename, definesRoutines: routines.length > 0, constants: linked.constants };
  }

  /** Compiles and links EVAL and EXEC text, or a CLASS file in a space of its own. */
  #compileText(
    text: string,
    how: InnerText,
    dialect: Dialect,
    space: ProgramSpace,
  ): { main: () => Steps | Value; space: ProgramSpace } {
    this.spend(INNER_TEXT_STEPS + text.length);
    if (how === "class") {
      const inner = new ProgramSpace();
      return { main: this.link(this.#compileInner(text, how, dialect, inner), inner), space: inner };
    }
    const key = `${how} ${dialect} ${text}`;
    const kept = space.keptText(key);
    if (kept) return { main: kept.main, space };
    const unit = this.#compileInner(text, how, dialect, space);
    const linked = this.#link(unit, space, "inner");
    // DATA is read once through; routines live as long as the program.
    const dropped = linked.definesRoutines || unit.hasData ? undefined : space.keepText(key, linked);
    if (dropped) this.positions.remove(dropped.filename);
    return { main: linked.main, space };
  }

  /** Begins a run: limits count from here. */
  beginRun(): void {
    this.#steps = 0;
    this.warnings.length = 0;
    this.ending = new AbortController();
    const { deadlineMs } = this.#limits;
    this.#deadline = deadlineMs === undefined ? Number.POSITIVE_INFINITY : monotonicMs() + deadlineMs;
    this.#turnedAt = monotonicMs();
    this.#grant();
  }

  /** Ends a run: calls that come later have limits of their own. */
  endRun(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#steps = 0;
    this.#grant();
  }

  /** Starts a routine, or main, as a task. */
  spawn(name: string, begin: () => Steps | Value, depth: number, options: CallOptions = {}): Task {
    const task = new Task(name, depth, this, begin);
    const { signal } = options;
    if (signal?.aborted) this.scheduler.abort(task, abortReason(signal));
    task.unheard = signal;
    options.prepare?.(task);
    this.scheduler.start(task);
    if (signal && !task.isEnded) this.#endWith(signal, task);
    return task;
  }

  /** Ends a task when the signal fires. */
  #endWith(signal: AbortSignal, task: Task): void {
    task.unheard = undefined;
    const abort = (): void => this.scheduler.abort(task, abortReason(signal));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    task.onEnd = () => signal.removeEventListener("abort", abort);
  }

  /** EXIT, END and STOP in any task end the whole run, and so do the limits. */
  failed(error: unknown, task: Task): void {
    const endsRun = error instanceof ProgramEnd || (error instanceof LimitError && error.kind !== "abort");
    if (endsRun && task.abortReason !== error) this.end(error, task);
  }

  /** A routine as the host calls it. Calls made while a task runs count on that task's depth. */
  handle(routine: CompiledRoutine): SubHandle {
    const depth = this.state.depth;
    const run = routine.generator ?? routine.plain!;
    const start: SubHandle["start"] = (args, options) => {
      const values = args.map((value) => (Buffer.isBuffer(value) ? decodeBytes(value) : value));
      if (values.length !== routine.arity) {
        throw new BasilError("ARGUMENT_ERROR", `arity mismatch: expected ${routine.arity}, got ${values.length}`);
      }
      const task = this.spawn(routine.name, () => run(...values), depth + 1, options);
      return task.outcome ? this.#valueOf(task.outcome) : this.#valueWhenDone(task);
    };
    const call: SubHandle["call"] = async (args, options) => await start(args, options);
    const handle: SubHandle = { name: routine.name, arity: routine.arity, start, call };
    this.#routines.set(handle, routine);
    return handle;
  }

  #valueOf(outcome: TaskOutcome): Value {
    if (!("error" in outcome)) return outcome.value;
    throw this.#raised(outcome.error);
  }

  async #valueWhenDone(task: Task): Promise<Value> {
    try {
      return await task.done;
    } catch (error) {
      throw this.#raised(error);
    }
  }

  #raised(error: unknown): unknown {
    return error instanceof ProgramEnd ? error : this.located(error);
  }

  /** Ends the run: for all its tasks but the one that ended it. */
  end(reason: AbortReason, but?: Task): void {
    this.ending.abort(reason);
    this.abortOthers(reason, but);
  }

  /** Ends all tasks but one. */
  abortOthers(reason: AbortReason, but?: Task): void {
    for (const task of [...this.scheduler.tasks]) if (task !== but) this.scheduler.abort(task, reason);
  }

  // ── Output ─────────────────────────────────────────────────────────────────────────────────────────────────

  warn(text: string): void {
    this.warnings.push(text);
  }

  print(text: string): void {
    this.#output.push(text);
    this.#outputLength += text.length;
    if (this.#outputLength >= OUTPUT_CHUNK) this.flush();
  }

  flush(): void | Promise<void> {
    if (this.#outputLength > 0) {
      this.#flushedAt = monotonicMs();
      const bytes = encodeText(this.#output.join(""));
      this.#output = [];
      this.#outputLength = 0;
      const written = this.host.write(bytes);
      if (written) {
        const all = this.#written ? Promise.all([this.#written, written]).then(() => undefined) : written;
        this.#written = all;
        const clear = (): void => {
          if (this.#written === all) this.#written = undefined;
        };
        all.then(clear, clear);
      }
    }
    return this.#written;
  }

  // ── Limits ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The fuel is used up: looks at all limits. True when the event loop should turn now. */
  tick(): boolean {
    this.spend(this.state.granted - this.state.fuel);
    this.#grant();
    const now = monotonicMs();
    if (this.#outputLength > 0 && now - this.#flushedAt > OUTPUT_DELAY_MS) this.flush();
    if (now - this.#turnedAt < TURN_MS) return false;
    this.#turnedAt = now;
    return true;
  }

  /** Fills up the fuel, never beyond the `steps` limit. */
  #grant(): void {
    const { steps } = this.#limits;
    const { state } = this;
    state.granted = steps === undefined ? FUEL : Math.max(0, Math.min(FUEL, steps - this.#steps));
    state.fuel = state.granted;
  }

  spend(steps: number, task: Task = this.state.task): void {
    this.#steps += steps;
    if (task.unheard?.aborted) this.scheduler.abort(task, abortReason(task.unheard));
    if (task.abortReason) throw task.abortReason;
    const limit = this.#limits.steps;
    if (limit !== undefined && this.#steps > limit) throw new LimitError("steps", `the program used up its ${limit} steps`);
    if (monotonicMs() > this.#deadline) throw this.deadlineError();
  }

  deadlineError(): LimitError {
    return new LimitError("deadline", `the program did not end within ${this.#limits.deadlineMs} ms`);
  }

  get maxBytes(): number {
    return this.#limits.bytes ?? MAX_STRING_BYTES;
  }

  claim(bytes: number): void {
    const limit = this.maxBytes;
    if (bytes > limit) throw new LimitError("bytes", `a value of ${bytes} bytes is over the limit of ${limit}`);
  }

  // ── Errors ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** An error with its BASIC place and calls filled in from its JavaScript stack. */
  located(error: unknown): BasilError | LimitError {
    const known =
      error instanceof LimitError ? error : (asBasilError(error) ?? new BasilError("USER_ERROR", "the program ended"));
    if (known.place || known.stack === undefined) return known;
    const calls = this.positions.frames(framesOf(known));
    known.place = calls[0];
    known.calls = calls;
    return known;
  }

  lineOf(error: BasilError): number {
    const { place, calls } = this.located(error);
    const at = calls.find((call) => !call.isInner) ?? place;
    return at ? at.source.position(at.span.start).line : 0;
  }

  /** `file:line:column` of an error, when it has a place. */
  placeText(error: unknown): string | undefined {
    const place = this.located(error).place;
    if (!place) return undefined;
    const { line, column } = place.source.position(place.span.start);
    return `${place.source.name}:${line}:${column}`;
  }
}

/** A body holds the calls of its whole program, of which it may reach few. */
function failForRow(id: string): never {
  throw new BasilError("NAME_ERROR", `${id} is not available here`);
}

/** The stack of an error without its message, which could look like a frame. */
function framesOf({ stack = "", message }: Error): string {
  const at = stack.indexOf(message);
  return at < 0 ? stack : stack.slice(at + message.length);
}

/** Longest string JavaScript can hold. */
const MAX_STRING_BYTES = 0x1fff_ffe8;

/** Why a signal ends a task: its own reason when that is one of ours, else an abort. */
function abortReason(signal: AbortSignal): AbortReason {
  const { reason } = signal;
  if (reason instanceof LimitError || reason instanceof BasilError) return reason;
  return new LimitError("abort", reason instanceof Error ? reason.message : "the run was aborted", { cause: reason });
}
