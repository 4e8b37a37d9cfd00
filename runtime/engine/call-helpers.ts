/** Calls and members as generated code makes them: values, routines, classes, structs, and text compiled while it runs. */
import type { Dialect } from "../../grammar/ast.ts";
import { decodeBytes } from "../bytes.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import { BasilError } from "../errors.ts";
import { BasilArray, Dict, display, isRoutine, typeName, type Value, ValueArray } from "../values.ts";
import * as collections from "./collections.ts";
import * as failures from "./failures.ts";
import type { ModuleMembers } from "./module-members.ts";
import { given, got, isPromise, notHere } from "./program-helpers.ts";
import type { CompiledRoutine, EngineServices } from "./services.ts";
import { ClassObject, type ProgramSpace } from "./space.ts";
import * as structs from "./structs.ts";
import { isSteps, type Steps } from "./task.ts";

const noMember = (target: Value, name: string): BasilError =>
  new BasilError("TYPE_ERROR", `${display(typeName(target))} has no member ${name}`);

export function memberHelpers(members: ModuleMembers) {
  const member = (target: Value, name: string): Value => {
    if (target instanceof Dict) return collections.dictMember(target, name);
    if (target instanceof ClassObject) return target.member(name);
    const found = members.find(target, name);
    if (found) return members.read(found);
    throw noMember(target, name);
  };
  const setMember = (target: Value, name: string, value: Value): void => {
    if (target instanceof ClassObject) return target.setMember(name, value);
    if (!(target instanceof Dict)) throw noMember(target, name);
    target.set(target.memberKey(name) ?? name, value);
  };
  const setMemberElement = (target: Value, name: string, indices: readonly Value[], value: Value): void =>
    collections.setElement(member(target, name), indices, value);
  return { member, setMember, setMemberElement };
}

// ── Calls ──────────────────────────────────────────────────────────────────────────────────────────────────────

function checkArity(routine: CompiledRoutine, given: number): void {
  if (routine.arity !== given) throw new BasilError("ARGUMENT_ERROR", `arity mismatch: expected ${routine.arity}, got ${given}`);
}

/** What `x(args)` gives when x is no routine: an element, or the array itself without arguments. */
function elementOf(target: Value, args: readonly Value[]): Value {
  if (target instanceof BasilArray && args.length === 0) return target;
  if (args.length === 0) return target;
  return collections.element(target, args);
}

export function callHelpers(engine: EngineServices, space: ProgramSpace, members: ModuleMembers) {
  const callValue = (target: Value, args: readonly Value[]): Value => {
    if (!isRoutine(target)) return elementOf(target, args);
    const routine = target as CompiledRoutine;
    checkArity(routine, args.length);
    if (!routine.plain) throw new BasilError("TYPE_ERROR", `${routine.name} waits and cannot be called from here`);
    return routine.plain(...args);
  };
  const callValueWaiting = function* (target: Value, args: readonly Value[]): Steps {
    if (!isRoutine(target)) return elementOf(target, args);
    const routine = target as CompiledRoutine;
    checkArity(routine, args.length);
    return routine.plain ? routine.plain(...args) : yield* routine.generator!(...args);
  };
  const callable = (target: Value, name: string): Value => {
    if (target instanceof ClassObject) return target.routine(name) ?? target.member(name);
    return target instanceof Dict ? collections.dictMember(target, name) : failMember(target, name);
  };
  return {
    callValue,
    callValueWaiting,
    call1: (target: Value, argument: Value): Value =>
      target instanceof BasilArray ? collections.element(target, [argument]) : callValue(target, [argument]),
    callMember: (target: Value, name: string, args: readonly Value[]): unknown => {
      const found = members.find(target, name);
      if (!found) return callValue(callable(target, name), args);
      const { row } = found;
      if (row.kind === "function" && row.waits)
        throw new BasilError("TYPE_ERROR", `${found.id} waits and cannot be called from here`);
      return given(members.call(found, args), found.id);
    },
    callMemberWaiting: function* (target: Value, name: string, args: readonly Value[]): Steps {
      const found = members.find(target, name);
      if (!found) return yield* callValueWaiting(callable(target, name), args);
      const result = members.call(found, args);
      return given(isPromise(result) ? got(yield result) : result, found.id);
    },
    routineValue: (
      name: string,
      arity: number,
      plain: CompiledRoutine["plain"],
      generator: CompiledRoutine["generator"],
    ): CompiledRoutine => ({
      isRoutine: true,
      name,
      arity,
      plain,
      generator,
    }),
    moduleObject: (at: number) => engine.moduleObjects[at],
    outsideRoutine: (key: string) => space.routines.get(key) ?? failures.unknownFunction(key, ""),
    lateFunction: (key: string, name: string, hint: string) =>
      space.globals.get(key)?.value ?? space.routines.get(key) ?? failures.unknownFunction(name, hint),
  };
}

function failMember(target: Value, name: string): never {
  throw noMember(target, name);
}

export function structHelpers(engine: EngineServices, space: ProgramSpace) {
  return {
    ...structs,
    defineType: (name: string, declare: () => readonly structs.FieldDeclaration[]) => space.defineType(name, declare),
    typeSize: (name: string) => space.type(name).size,
    newObject: (name: string, args: readonly Value[]): Value => {
      const type = space.type(name);
      if (args.length > 0) throw new BasilError("ARGUMENT_ERROR", `${type.name} takes no arguments`);
      return type.create();
    },
    newStructArray: (name: string, bounds: readonly number[]): Value => {
      const type = space.type(name);
      const { upper } = collections.newArray("any", bounds, (bytes) => engine.claim(bytes * Math.max(1, type.size / 8)));
      return new ValueArray("struct", upper, () => type.create(), type.name);
    },
    globalCell: (key: string, isStored: boolean) => space.cell(key, isStored),
  };
}

/** Compiles text of the running program; CLASS files get a space of their own. */
export type TextCompiler = (
  text: string,
  how: "expression" | "statements" | "class",
  dialect: Dialect,
) => { readonly main: () => Steps | Value; readonly space: ProgramSpace };

export function innerTextHelpers(engine: EngineServices, unit: CompiledUnit, compile: TextCompiler) {
  const run = function* (main: () => Steps | Value): Steps {
    if (++engine.state.depth > engine.state.maxDepth) failures.tooDeep();
    const started = main();
    const value = isSteps(started) ? yield* started : started;
    engine.state.depth--;
    return value;
  };
  const text = (value: Value, name: string): string => {
    if (typeof value === "string") return value;
    throw new BasilError("TYPE_ERROR", `${name} arg 1 must be string`);
  };
  const dialectOf = (file: number): Dialect => unit.files[file]!.dialect;
  return {
    evaluate: (code: Value, file: number): Steps => run(compile(text(code, "EVAL"), "expression", dialectOf(file)).main),
    execute: (code: Value, file: number): Steps => run(compile(text(code, "EXEC"), "statements", dialectOf(file)).main),
    classInstance: function* (file: string, at: number): Steps {
      const { main, space } = compile(classText(engine, file), "class", dialectOf(at));
      yield* run(main);
      return new ClassObject(space);
    },
  };
}

/** The text of a CLASS file: `.basil` is appended when the name has no such file. */
function classText(engine: EngineServices, file: string): string {
  const { files } = engine.host;
  if (!files) throw notHere("files");
  for (const path of [file, `${file}.basil`]) {
    try {
      return decodeBytes(files.readFile(files.resolve(path)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        throw new BasilError("IO_ERROR", (error as Error).message, { cause: error });
    }
  }
  throw new BasilError("IO_ERROR", "Class file not found.");
}
