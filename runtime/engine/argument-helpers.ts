/** Arguments of rows, checked and converted as their parameters declare, with the texts of the errors. */
import { encodeText } from "../bytes.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import { BasilError } from "../errors.ts";
import type { FunctionRow, Param } from "../host.ts";
import { type SurfaceRow, wrongCount } from "../surface.ts";
import { BasilArray, Dict, display, isRoutine, isTrue, toNumber, type Value } from "../values.ts";
import type { CompiledRoutine, EngineServices } from "./services.ts";
import type { ProgramSpace } from "./space.ts";

/** The words of an argument error, as in `LEFT$ arg 1 must be string`. */
const KIND_WORDS = {
  text: "string",
  bytes: "string",
  number: "a number",
  list: "a list",
  dict: "a dictionary",
  array: "an array",
} as const;

/** The checks of one program: a module may turn what they find into errors of its own. */
export class ArgumentChecks {
  readonly #engine: EngineServices;
  readonly #space: ProgramSpace;

  constructor(engine: EngineServices, space: ProgramSpace) {
    this.#engine = engine;
    this.#space = space;
  }

  /** Raises an argument error of a row. */
  fail({ module }: SurfaceRow, message: string, name = "TYPE_ERROR"): never {
    const { surface, states, state } = this.#engine;
    throw surface.modules[module]!.argumentError?.(states[module], message, state.task) ?? new BasilError(name, message);
  }

  text(found: SurfaceRow, value: Value, at: number): string {
    return typeof value === "string" ? value : this.#wrong(found, at, "text");
  }

  bytes(found: SurfaceRow, value: Value, at: number): Buffer {
    return encodeText(this.text(found, value, at));
  }

  number(found: SurfaceRow, value: Value, at: number): number {
    return typeof value === "number" || typeof value === "boolean" ? toNumber(value) : this.#wrong(found, at, "number");
  }

  list(found: SurfaceRow, value: Value, at: number): Value[] {
    return Array.isArray(value) ? value : this.#wrong(found, at, "list");
  }

  dict(found: SurfaceRow, value: Value, at: number): Dict {
    return value instanceof Dict ? value : this.#wrong(found, at, "dict");
  }

  array(found: SurfaceRow, value: Value, at: number): BasilArray {
    return value instanceof BasilArray ? value : this.#wrong(found, at, "array");
  }

  /** A SUB given by name or as a value, with a number of parameters the row can call. */
  sub(found: SurfaceRow, value: Value, at: number) {
    const row = found.row as FunctionRow<unknown>;
    const routine = this.#routine(value);
    if (!routine) {
      const names = [...this.#space.routines.values()].map((known) => known.name);
      const shown = typeof value === "string" ? `'${value}'` : display(value);
      const others = names.length > 0 ? ` (there are: ${names.slice(0, 8).join(", ")})` : "";
      return this.fail(found, `${row.name}: there is no SUB ${shown}${others}`);
    }
    const { arity } = Object.values(row.params)[at - 1] as Param;
    if (arity && !arity.includes(routine.arity)) {
      const wanted = `${arity.join(" or ")} argument${arity.at(-1) === 1 ? "" : "s"}`;
      return this.fail(found, `${row.name}: SUB ${routine.name} must take ${wanted}, it takes ${routine.arity}`);
    }
    return this.#engine.handle(routine);
  }

  /** All arguments of a call that is only known when it runs, such as one through `g = GEARMAN`. */
  all(found: SurfaceRow, values: readonly Value[]): Record<string, unknown> {
    const count = wrongCount(found, values.length);
    if (count) this.fail(found, count, "ARGUMENT_ERROR");
    const params = Object.entries((found.row as FunctionRow<unknown>).params);
    return Object.fromEntries(
      params.map(([name, param], at) => {
        if (param.rest) return [name, values.slice(at).map((value, i) => this.#converted(found, param, value, at + i + 1))];
        return [name, at < values.length ? this.#converted(found, param, values[at]!, at + 1) : undefined];
      }),
    );
  }

  #converted(found: SurfaceRow, { type }: Param, value: Value, at: number): unknown {
    switch (type) {
      case "any":
        return value;
      case "truth":
        return isTrue(value);
      case "display":
        return display(value, this.#engine);
      case "integer":
        return Math.trunc(this.number(found, value, at));
      default:
        return this[type](found, value, at);
    }
  }

  #routine(value: Value): CompiledRoutine | undefined {
    if (typeof value === "string") return this.#space.routines.get(value.toUpperCase());
    return isRoutine(value) ? (value as CompiledRoutine) : undefined;
  }

  #wrong(found: SurfaceRow, at: number, kind: keyof typeof KIND_WORDS): never {
    return this.fail(found, `${found.id} arg ${at} must be ${KIND_WORDS[kind]}`);
  }
}

/** The checks as generated code calls them: rows have numbers there. */
export function argumentHelpers(checks: ArgumentChecks, engine: EngineServices, unit: CompiledUnit) {
  const rowOf = (number: number): SurfaceRow => engine.surface.byId(unit.rows[number]!)!;
  return {
    textArgument: (value: Value, row: number, at: number) =>
      typeof value === "string" ? value : checks.text(rowOf(row), value, at),
    bytesArgument: (value: Value, row: number, at: number) => checks.bytes(rowOf(row), value, at),
    numberArgument: (value: Value, row: number, at: number) => checks.number(rowOf(row), value, at),
    listArgument: (value: Value, row: number, at: number) => (Array.isArray(value) ? value : checks.list(rowOf(row), value, at)),
    dictArgument: (value: Value, row: number, at: number) => (value instanceof Dict ? value : checks.dict(rowOf(row), value, at)),
    arrayArgument: (value: Value, row: number, at: number) => checks.array(rowOf(row), value, at),
    subArgument: (value: Value, row: number, at: number) => checks.sub(rowOf(row), value, at),
    badArguments: (row: number, message: string): never => checks.fail(rowOf(row), message, "ARGUMENT_ERROR"),
  };
}
