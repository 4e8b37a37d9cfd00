/** The names generated code can use, and nothing else: operators, element access, calls, output, failures. */

import type { Dialect } from "../../grammar/ast.ts";
import { SourceFile } from "../../grammar/source.ts";
import { decodeBytes, encodeText } from "../bytes.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import { BasilError, ProgramEnd } from "../errors.ts";
import type { FunctionRow, Param } from "../host.ts";
import {
  BasilArray,
  Dict,
  display,
  isRoutine,
  isTrue,
  toInteger,
  toNumber,
  typeName,
  type Value,
  ValueArray,
} from "../values.ts";
import * as collections from "./collections.ts";
import * as failures from "./failures.ts";
import * as operators from "./operators.ts";
import type { CompiledRoutine, EngineServices } from "./services.ts";
import { ClassObject, type ProgramSpace } from "./space.ts";
import * as structs from "./structs.ts";
import { isSteps, Rejection, type Steps, TURN } from "./task.ts";

/** What `readData` reads from. */
interface DataList {
  readonly items: readonly (readonly [text: string, isQuoted: boolean])[];
  next: number;
}

/** The helpers of one unit in one engine, by the names generated code calls them. */
export function helpersOf(
  engine: EngineServices,
  unit: CompiledUnit,
  space: ProgramSpace,
  compile: TextCompiler,
): Record<string, unknown> {
  const {
    element,
    element1,
    element2,
    setElement,
    setElement1,
    setElement2,
    setElementAt,
    index,
    setIndex,
    itemsOf,
    whole,
    dict,
  } = collections;
  return {
    ...operators,
    ...failures,
    NO_NUMBERS: collections.NO_NUMBERS,
    NO_VALUES: collections.NO_VALUES,
    element,
    element1,
    element2,
    setElement,
    setElement1,
    setElement2,
    setElementAt,
    index,
    setIndex,
    itemsOf,
    whole,
    dict,
    fixedStore: collections.fixedStore,
    fixedLength: collections.fixedLength,
    isTrue,
    toInteger,
    encodeText,
    TURN,
    ...memberHelpers(),
    ...callHelpers(engine, space),
    ...structHelpers(engine, space),
    ...innerTextHelpers(engine, unit, compile),
    ...argumentHelpers(engine, unit, space),
    ...programHelpers(engine, unit),
    newArray: (kind: "number", bounds: number[]) => collections.newArray(kind, bounds, (bytes) => engine.claim(bytes)),
    arrayOf: (kind: "string", items: Value[]) => collections.arrayOf(kind, items, (bytes) => engine.claim(bytes)),
  };
}

// ── Members ────────────────────────────────────────────────────────────────────────────────────────────────────

const noMember = (target: Value, name: string): BasilError =>
  new BasilError("TYPE_ERROR", `${display(typeName(target))} has no member ${name}`);

function memberHelpers() {
  const member = (target: Value, name: string): Value => {
    if (target instanceof Dict) return collections.dictMember(target, name);
    if (target instanceof ClassObject) return target.member(name);
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

function callHelpers(engine: EngineServices, space: ProgramSpace) {
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
    callMember: (target: Value, name: string, args: readonly Value[]): Value => callValue(callable(target, name), args),
    callMemberWaiting: function* (target: Value, name: string, args: readonly Value[]): Steps {
      return yield* callValueWaiting(callable(target, name), args);
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
    moduleObject: (at: number) => ({ isObject: true, displayName: engine.surface.modules[at]!.name }),
    outsideRoutine: (key: string) => space.routines.get(key) ?? failures.unknownFunction(key, ""),
    lateFunction: (key: string, name: string, hint: string) =>
      space.globals.get(key)?.value ?? space.routines.get(key) ?? failures.unknownFunction(name, hint),
  };
}

function failMember(target: Value, name: string): never {
  throw noMember(target, name);
}

// ── Structs, EVAL, EXEC and CLASS ──────────────────────────────────────────────────────────────────────────────

function structHelpers(engine: EngineServices, space: ProgramSpace) {
  return {
    ...structs,
    defineType: (name: string, declare: () => readonly structs.FieldDeclaration[]) => space.defineType(name, declare),
    typeSize: (name: string) => space.type(name).size,
    newObject: (name: string, args: readonly Value[]): Value => {
      if (args.length > 0) throw new BasilError("ARGUMENT_ERROR", `${name} takes no arguments`);
      return space.type(name).create();
    },
    newStructArray: (name: string, bounds: readonly number[]): Value => {
      const type = space.type(name);
      const { upper } = collections.newArray("any", bounds, (bytes) => engine.claim(bytes * Math.max(1, type.size / 8)));
      return new ValueArray("struct", upper, () => type.create(), type.name);
    },
    globalCell: (key: string) => space.cell(key),
  };
}

/** Compiles text of the running program; CLASS files get a space of their own. */
export type TextCompiler = (
  text: string,
  how: "expression" | "statements" | "class",
  dialect: Dialect,
) => { readonly main: () => Steps | Value; readonly space: ProgramSpace };

function innerTextHelpers(engine: EngineServices, unit: CompiledUnit, compile: TextCompiler) {
  const run = function* (main: () => Steps | Value): Steps {
    const started = main();
    return isSteps(started) ? yield* started : started;
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

// ── Arguments of rows ──────────────────────────────────────────────────────────────────────────────────────────

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

function argumentHelpers(engine: EngineServices, unit: CompiledUnit, space: ProgramSpace) {
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

// ── Program, output, waits ─────────────────────────────────────────────────────────────────────────────────────

function programHelpers(engine: EngineServices, unit: CompiledUnit) {
  const { state } = engine;
  const sources = unit.files.map((file) => new SourceFile(file.name, file.text));
  const caught = (error: unknown, depth: number): BasilError => {
    const basil = failures.asBasilError(error);
    if (!basil) throw error;
    state.depth = depth;
    return basil;
  };
  return {
    caught,
    handle: (error: unknown, depth: number): BasilError => {
      const basil = caught(error, depth);
      state.task.caught = basil;
      return basil;
    },
    tick: () => engine.tick(),
    print: (text: string) => engine.print(text),
    text: (value: string | Buffer): string => (typeof value === "string" ? value : decodeBytes(value)),
    isPromise: (value: unknown): boolean => value instanceof Promise,
    got: (value: unknown): unknown => {
      if (!(value instanceof Rejection)) return value;
      const { error } = value;
      if (error instanceof Error && !("place" in error && error.place)) Error.captureStackTrace(error);
      throw error;
    },
    stop: (file: number, start: number, end: number): never => {
      throw new ProgramEnd(0, { source: sources[file]!, span: { start, end } });
    },
    sleep: (milliseconds: number) => engine.host.sleep(Math.max(0, milliseconds), state.task.signal),
    shell: (command: Value) => shell(engine, display(command)),
    setEnvironment: (name: string, value: string, isExported: boolean) => {
      if (!engine.host.environment) throw notHere("environment variables");
      engine.host.environment.set(name, value, isExported);
    },
    inputFields: (prompt: string, wanted: readonly number[], isLine: boolean) => inputFields(engine, prompt, wanted, isLine),
    pendingGosubs: (active: readonly number[] | undefined): void => {
      if (active && active.length > 0)
        engine.warn(`program terminated with ${active.length} pending GOSUB frames (missing RETURN?)`);
    },
    dataList: (items: DataList["items"]): DataList => ({ items, next: 0 }),
    readData,
  };
}

const notHere = (what: string): BasilError =>
  new BasilError("IO_ERROR", `this program may not use ${what}`, { hint: "The host that runs it gave it no access." });

async function shell(engine: EngineServices, command: string): Promise<number> {
  if (!engine.host.shell) throw notHere("the shell");
  const { signal } = engine.state.task;
  await engine.flush();
  return engine.host.shell.run(command, signal);
}

/** INPUT and LINE INPUT: one line, cut into as many fields as there are places. */
async function inputFields(engine: EngineServices, prompt: string, wanted: readonly number[], isLine: boolean): Promise<Value[]> {
  const { input } = engine.host;
  if (!input) throw notHere("standard input");
  const { signal } = engine.state.task;
  engine.print(prompt);
  await engine.flush();
  const line = await input.readLine(signal);
  if (line === null) throw new BasilError("EOF_ERROR", "input past end");
  const fields = isLine || wanted.length === 1 ? [line] : line.split(",").map((field) => field.trim());
  return wanted.map((isText, at) => {
    const field = fields[at] ?? "";
    return isText || isLine ? field : inputNumber(field);
  });
}

function inputNumber(field: string): number {
  const number = field.trim() === "" ? Number.NaN : Number(field);
  if (Number.isNaN(number)) throw new BasilError("TYPE_ERROR", "INPUT: expected a number");
  return number;
}

/** READ: `$` places get the text, others the number of an unquoted numeric item. */
function readData(data: DataList, isText: boolean): Value {
  const item = data.items[data.next];
  if (!item) throw new BasilError("DATA_ERROR", "out of DATA");
  data.next += 1;
  const [text, isQuoted] = item;
  if (isText || isQuoted || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return text;
  return Number(text);
}
