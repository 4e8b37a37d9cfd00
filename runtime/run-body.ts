/** Runs a routine that came from another process as data: without parser, compiler, or a main program. */
import type { Body } from "./body.ts";
import type { Host } from "./capabilities.ts";
import { Engine, type Limits } from "./engine/engine.ts";
import { BasilError, type LimitError, ProgramEnd } from "./errors.ts";
import { type AnyModule, defineModule } from "./host.ts";
import { Surface } from "./surface.ts";
import type { Value } from "./values.ts";

/** What a body may reach. */
export interface BodyOptions {
  /** The modules it may use; those it was compiled for besides are there by name only. */
  readonly modules: readonly AnyModule[];
  readonly host: Host;
  readonly limits?: Limits;
  /** Ends the body. */
  readonly signal?: AbortSignal;
}

/** How a body ended. */
export type BodyOutcome =
  | { readonly kind: "returned"; readonly value: Value }
  /** EXIT, END or STOP. */
  | { readonly kind: "ended"; readonly exitCode: number }
  | { readonly kind: "failed"; readonly error: BasilError | LimitError };

/** Calls the body with the payload, if it takes one, and closes its modules. Resolves in every case. */
export async function runBody(body: Body, payload: Value | Buffer, options: BodyOptions): Promise<BodyOutcome> {
  const modules = body.modules.map((name) => options.modules.find((module) => module.name === name) ?? absent(name));
  const surface = new Surface(modules);
  const { host } = options;
  const report = (error: unknown): void => host.writeError(`${error instanceof Error ? error.message : String(error)}\n`);
  const engine = new Engine(surface, host, options.limits ?? {}, report, (_, how) => {
    throw new BasilError("NAME_ERROR", `${how === "class" ? "CLASS" : "EVAL"}: this process has no compiler`);
  });
  try {
    const routine = engine.linkBody(body);
    engine.beginRun();
    const call = engine
      .handle(routine)
      .call(routine.arity === 0 ? [] : [payload], options.signal ? { signal: options.signal } : {});
    const value = await Promise.race([call, ended(engine)]);
    await engine.flush();
    return { kind: "returned", value };
  } catch (error) {
    if (error instanceof ProgramEnd) return { kind: "ended", exitCode: error.exitCode };
    return { kind: "failed", error: engine.located(error) };
  } finally {
    engine.abortOthers(new ProgramEnd(0));
    await Promise.allSettled(modules.map((module, at) => module.close?.(engine.states[at])));
    await flushed(engine);
  }
}

/** The body has its outcome already: output that nobody can take any more does not change it. */
async function flushed(engine: Engine): Promise<void> {
  try {
    await engine.flush();
  } catch {
    // Raised where the body printed, when it still ran.
  }
}

/** Rejects when something else than the body ends the run: a limit, EXIT in a handler. */
const ended = (engine: Engine): Promise<never> =>
  new Promise((_, reject) => {
    engine.ending.signal.addEventListener("abort", () => reject(engine.ending.signal.reason), { once: true });
  });

/** A module that the body was compiled beside and may not use. */
const absent = (name: string): AnyModule => defineModule({ name, doc: "", rows: [], open: () => null });
