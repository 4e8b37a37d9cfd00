/** Statements that reach the host or the task: output, input, waits, DATA, STOP, and what CATCH gets. */
import { SourceFile } from "../../grammar/source.ts";
import { decodeBytes } from "../bytes.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import { BasilError, LimitError, ProgramEnd } from "../errors.ts";
import { BasilArray, Dict, display, type Value } from "../values.ts";
import * as failures from "./failures.ts";
import type { EngineServices } from "./services.ts";
import { Rejection } from "./task.ts";

/** What `readData` reads from. */
interface DataList {
  readonly items: readonly (readonly [text: string, isQuoted: boolean])[];
  next: number;
}

export function programHelpers(engine: EngineServices, unit: CompiledUnit) {
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
    isPromise,
    given,
    raiseUser: (value: Value): never => {
      throw new BasilError("USER_ERROR", display(value, engine));
    },
    got,
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

/** Whether a row gave something to wait for: any thenable, since drivers bring their own. */
export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value;

/** What a task goes on with after a wait; what failed is raised here, so that it has a BASIC place. */
export function got(value: unknown): unknown {
  if (!(value instanceof Rejection)) return value;
  const { error } = value;
  const known = error instanceof BasilError || error instanceof LimitError;
  if (error instanceof ProgramEnd || (known && error.place)) throw error;
  const basil = known ? error : failures.asBasilError(error)!;
  Error.captureStackTrace(basil);
  throw basil;
}

/** What a row without a result type gave, if it is a BASIC value; nothing is NULL. */
export function given(value: unknown, name: string): Value {
  if (value === undefined) return null;
  if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol" && typeof value !== "bigint")
    return value as Value;
  if (Buffer.isBuffer(value)) return decodeBytes(value);
  if (value === null || Array.isArray(value) || value instanceof Dict || value instanceof BasilArray) return value;
  if (typeof value === "object" && ("isRoutine" in value || "isObject" in value)) return value as Value;
  throw new BasilError("TYPE_ERROR", `${name} gave something that is no BASIC value (${typeof value})`);
}

export const notHere = (what: string): BasilError =>
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
