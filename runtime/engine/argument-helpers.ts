/** Arguments of rows as generated code checks and converts them, with the texts of their errors. */
import { encodeText } from "../bytes.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import { BasilError } from "../errors.ts";
import type { FunctionRow, Param } from "../host.ts";
import { BasilArray, Dict, display, isRoutine, toNumber, type Value } from "../values.ts";
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
  sub: "the name of a SUB",
} as const;

export function argumentHelpers(engine: EngineServices, unit: CompiledUnit, space: ProgramSpace) {
  const rowOf = (number: number) => engine.surface.byId(unit.rows[number]!)!;
  const fail = (number: number, message: string): never => {
    const found = rowOf(number);
    const module = engine.surface.modules[found.module]!;
    throw (
      module.argumentError?.(engine.states[found.module], message, engine.state.task) ?? new BasilError("TYPE_ERROR", message)
    );
  };
  const wrong = (number: number, at: number, kind: keyof typeof KIND_WORDS): never =>
    fail(number, `${rowOf(number).id} arg ${at} must be ${KIND_WORDS[kind]}`);
  const text = (value: Value, number: number, at: number): string =>
    typeof value === "string" ? value : wrong(number, at, "text");
  return {
    textArgument: text,
    bytesArgument: (value: Value, number: number, at: number): Buffer => encodeText(text(value, number, at)),
    numberArgument: (value: Value, number: number, at: number): number =>
      typeof value === "number" || typeof value === "boolean" ? toNumber(value) : wrong(number, at, "number"),
    listArgument: (value: Value, number: number, at: number): Value[] =>
      Array.isArray(value) ? value : wrong(number, at, "list"),
    dictArgument: (value: Value, number: number, at: number): Dict => (value instanceof Dict ? value : wrong(number, at, "dict")),
    arrayArgument: (value: Value, number: number, at: number): BasilArray =>
      value instanceof BasilArray ? value : wrong(number, at, "array"),
    subArgument: (value: Value, number: number, at: number) =>
      subArgument(engine, space, value, rowOf(number).row as FunctionRow<unknown>, at, (message) => fail(number, message)),
    badArguments: (number: number, message: string): never => {
      const found = rowOf(number);
      const module = engine.surface.modules[found.module]!;
      throw (
        module.argumentError?.(engine.states[found.module], message, engine.state.task) ??
        new BasilError("ARGUMENT_ERROR", message)
      );
    },
  };
}

/** A SUB given by name or as a value, with a number of parameters the row can call. */
function subArgument(
  engine: EngineServices,
  space: ProgramSpace,
  value: Value,
  row: FunctionRow<unknown>,
  at: number,
  fail: (message: string) => never,
) {
  const routine =
    typeof value === "string"
      ? space.routines.get(value.toUpperCase())
      : isRoutine(value)
        ? (value as CompiledRoutine)
        : undefined;
  if (!routine) {
    const names = [...space.routines.values()].map((routine) => routine.name);
    const shown = typeof value === "string" ? `'${value}'` : display(value);
    return fail(
      `${row.name}: there is no SUB ${shown}${names.length > 0 ? ` (there are: ${names.slice(0, 8).join(", ")})` : ""}`,
    );
  }
  const handle = engine.handle(routine);
  const { arity } = Object.values(row.params)[at - 1] as Param;
  if (arity && !arity.includes(handle.arity)) {
    return fail(
      `${row.name}: SUB ${handle.name} must take ${arity.join(" or ")} argument${arity.at(-1) === 1 ? "" : "s"}, it takes ${handle.arity}`,
    );
  }
  return handle;
}
