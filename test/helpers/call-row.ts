/** Calls rows of a module directly, with arguments converted the way the runtime converts them. */
import { decodeBytes, encodeText } from "../../runtime/bytes.ts";
import type { Host } from "../../runtime/capabilities.ts";
import { BasilError } from "../../runtime/errors.ts";
import type { FunctionRow, HostModule, ModuleContext, Param, TaskContext, TaskKey } from "../../runtime/host.ts";
import { BasilArray, Dict, display, isTrue, toNumber, type Value } from "../../runtime/values.ts";

/** A host that has nothing but a clock that stands still at 2024-03-09 05:06:07.089 local time. */
export const bareHost: Host = {
  write() {},
  writeError() {},
  now: () => new Date(2024, 2, 9, 5, 6, 7, 89).getTime(),
  randomSeed: () => 42,
  sleep: async () => {},
  uuid: () => "11111111-2222-4333-8444-555555555555",
  hostName: () => "box",
  arguments: [],
};

/** A task that counts what rows claim and spend. */
export class CountingTask implements TaskContext {
  readonly name = "main";
  readonly signal: AbortSignal;
  readonly isEnded = false;
  lastError = { code: 0, line: 0, name: "" };
  /** Greatest size claimed at once. */
  claimed = 0;
  spent = 0;
  flushes = 0;
  readonly #maxBytes: number;
  readonly #locals = new Map<TaskKey<unknown>, unknown>();

  constructor(options: { maxBytes?: number; signal?: AbortSignal } = {}) {
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.signal = options.signal ?? new AbortController().signal;
  }

  local<T>(key: TaskKey<T>): T {
    if (!this.#locals.has(key)) this.#locals.set(key, key.create());
    return this.#locals.get(key) as T;
  }

  claim(bytes: number): void {
    this.claimed = Math.max(this.claimed, bytes);
    if (bytes > this.#maxBytes) throw new Error(`${bytes} bytes are over the limit of ${this.#maxBytes}`);
  }

  spend(steps: number): void {
    this.spent += steps;
  }

  flush(): void {
    this.flushes += 1;
  }
}

/** What a module gets where no program runs. */
export const contextOn = (host: Host): ModuleContext => ({
  host,
  report() {},
  placeOf: () => undefined,
  holdsWork() {},
  bodyOf() {
    throw new Error("there is no program");
  },
});

/** Calls a row by the name scripts use; bytes come back as text. */
export interface Caller {
  (name: string, ...args: Value[]): Value;
  /** For rows that wait. */
  wait(name: string, ...args: Value[]): Promise<Value>;
  readonly task: CountingTask;
  close(): Promise<void>;
}

/** Opens a module on a host and gives a function that calls its rows. */
export function callerOf<State>(module: HostModule<State>, host: Host = bareHost, task = new CountingTask()): Caller {
  const state = module.open(contextOn(host));
  const run = (name: string, values: Value[]): unknown => {
    const row = findRow(module, name);
    return row.run(state, converted(row, values) as never, task);
  };
  const call = (name: string, ...values: Value[]): Value => asValue(run(name, values));
  return Object.assign(call, {
    wait: async (name: string, ...values: Value[]): Promise<Value> => asValue(await run(name, values)),
    task,
    close: async (): Promise<void> => module.close?.(state),
  });
}

function findRow<State>(module: HostModule<State>, name: string): FunctionRow<State> {
  const row = module.rows.find((candidate) => candidate.name === name);
  if (row?.kind === "alias") return findRow(module, row.of);
  if (row?.kind !== "function") throw new Error(`there is no function row ${name}`);
  return row;
}

function converted<State>(row: FunctionRow<State>, values: Value[]): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  let taken = 0;
  for (const [name, param] of Object.entries(row.params)) {
    if (param.rest) {
      args[name] = values.slice(taken).map((value, index) => convert(row.name, param, value, taken + index + 1));
      return args;
    }
    if (taken >= values.length && !param.optional) throw new Error(`${row.name} needs an argument ${name}`);
    args[name] = taken < values.length ? convert(row.name, param, values[taken]!, taken + 1) : undefined;
    taken += 1;
  }
  if (taken < values.length) throw new Error(`${row.name} takes ${taken} arguments`);
  return args;
}

function convert(row: string, param: Param, value: Value, position: number): unknown {
  const expect = (fits: boolean, what: string): void => {
    if (!fits) throw new BasilError("TYPE_ERROR", `${row} arg ${position} must be ${what}`);
  };
  switch (param.type) {
    case "text":
    case "bytes":
      expect(typeof value === "string", "string");
      return param.type === "text" ? value : encodeText(value as string);
    case "number":
      return toNumber(value);
    case "integer":
      return Math.trunc(toNumber(value));
    case "truth":
      return isTrue(value);
    case "display":
      return display(value);
    case "list":
      expect(Array.isArray(value), "a list");
      return value;
    case "dict":
      expect(value instanceof Dict, "a dictionary");
      return value;
    case "array":
      expect(value instanceof BasilArray, "an array");
      return value;
    default:
      return value;
  }
}

const asValue = (result: unknown): Value => (Buffer.isBuffer(result) ? decodeBytes(result) : (result as Value));
