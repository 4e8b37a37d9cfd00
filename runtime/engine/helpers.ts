/** The names generated code can use, and nothing else: put together here from operators, elements, calls, arguments, output. */
import { encodeText } from "../bytes.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import { isTrue, toInteger, type Value } from "../values.ts";
import { ArgumentChecks, argumentHelpers } from "./argument-helpers.ts";
import { callHelpers, innerTextHelpers, memberHelpers, structHelpers, type TextCompiler } from "./call-helpers.ts";
import * as collections from "./collections.ts";
import * as failures from "./failures.ts";
import { ModuleMembers } from "./module-members.ts";
import * as operators from "./operators.ts";
import { programHelpers } from "./program-helpers.ts";
import type { EngineServices } from "./services.ts";
import type { ProgramSpace } from "./space.ts";
import { TURN } from "./task.ts";

/** The helpers of one unit in one engine, by the names generated code calls them. */
export function helpersOf(
  engine: EngineServices,
  unit: CompiledUnit,
  space: ProgramSpace,
  compile: TextCompiler,
): Record<string, unknown> {
  const checks = new ArgumentChecks(engine, space);
  const members = new ModuleMembers(engine, checks);
  const { boundedOperators, ...plainOperators } = operators;
  return {
    ...plainOperators,
    ...boundedOperators(engine, engine.maxBytes),
    ...failures,
    ...collections,
    isTrue,
    toInteger,
    encodeText,
    TURN,
    ...memberHelpers(members),
    ...callHelpers(engine, space, members),
    ...structHelpers(engine, space),
    ...innerTextHelpers(engine, unit, compile),
    ...argumentHelpers(checks, engine, unit),
    ...programHelpers(engine, unit),
    newArray: (kind: "number", bounds: number[], storage?: "int8" | "int32") =>
      collections.newArray(kind, bounds, (bytes) => engine.claim(bytes), storage),
    arrayOf: (kind: "string", items: Value[]) => collections.arrayOf(kind, items, (bytes) => engine.claim(bytes)),
  };
}
