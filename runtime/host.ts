/**
 * The row contract: how a module declares its functions, properties and constants as data. Argument checks, coercion,
 * reference pages, completion and hover all derive from these rows.
 */
import type { Body } from "./body.ts";
import type { Host } from "./capabilities.ts";
import type { BasilArray, Dict, Value } from "./values.ts";

/** What a parameter kind means to a row's `run`, and what it accepts, in words for messages and docs. */
export interface TypeMap {
  /** A STRING. */
  text: string;
  /** A STRING, handed over as its bytes. */
  bytes: Buffer;
  /** A number, or BOOL as 1 and 0. */
  number: number;
  /** A number truncated toward zero. */
  integer: number;
  /** Any value, by its truth. */
  truth: boolean;
  /** Any value, as its display form. */
  display: string;
  any: Value;
  list: Value[];
  dict: Dict;
  array: BasilArray;
  /** The name of a SUB as text, or a FUNCTION value: something the host can call. */
  sub: SubHandle;
}
export type ParamType = keyof TypeMap;

/** One declared parameter. */
export interface Param<T extends ParamType = ParamType, O extends boolean = boolean, R extends boolean = boolean> {
  readonly type: T;
  readonly doc: string;
  readonly optional: O;
  /** Takes all remaining arguments, as an array. Only the last parameter may. */
  readonly rest: R;
  /** For `sub`: how many parameters the SUB may have. */
  readonly arity?: readonly number[];
  /** For `rest`: how many arguments it needs at least. */
  readonly least?: number;
}
export type Params = Readonly<Record<string, Param>>;

/** A parameter every call must give. @param arity for `sub`: the parameter counts that fit */
export const required = <T extends ParamType>(type: T, doc: string, arity?: readonly number[]): Param<T, false, false> => ({
  type,
  doc,
  optional: false,
  rest: false,
  ...(arity && { arity }),
});

/** A parameter a call may leave out; `run` then sees undefined. */
export const optional = <T extends ParamType>(type: T, doc: string, arity?: readonly number[]): Param<T, true, false> => ({
  type,
  doc,
  optional: true,
  rest: false,
  ...(arity && { arity }),
});

/** All remaining arguments, at least `least` of them. */
export const rest = <T extends ParamType>(type: T, doc: string, least = 0): Param<T, false, true> => ({
  type,
  doc,
  optional: false,
  rest: true,
  least,
});

/** The arguments `run` receives: one property a parameter, already checked and converted. */
export type ArgsOf<P extends Params> = {
  readonly [K in keyof P]: P[K]["rest"] extends true
    ? TypeMap[P[K]["type"]][]
    : TypeMap[P[K]["type"]] | (P[K]["optional"] extends true ? undefined : never);
};

/** A name's suffix is its result type, as everywhere in BASIC: `$` string, `%` or `&` integer, none any value. */
export type ResultOf<Name extends string> = Name extends `${string}$`
  ? string | Buffer
  : Name extends `${string}%` | `${string}&`
    ? number
    : Value;

/** What a task is to a row: whose call this is, what it may use, and what belongs to it alone. */
export interface TaskContext {
  /** For people: `main`, or the SUB the host called. */
  readonly name: string;
  /** Fires when the task must end: deadline, abort, the program's end. Pass it to every wait. */
  readonly signal: AbortSignal;
  /** It has run to its end, or was ended. */
  readonly isEnded: boolean;
  /** The task's own piece of state for a key, made at its first use. */
  local<T>(key: TaskKey<T>): T;
  /** Refuses a string or collection of this size when it is over the host's `bytes` limit. Call before allocating. */
  claim(bytes: number): void;
  /** Counts work done in one long built-in against the `steps` limit and looks at the deadline. */
  spend(steps: number): void;
  /** Sends what PRINT has collected to the host. */
  flush(): void | Promise<void>;
  /** What TRY caught last in this task: 0, 0 and "" before any. */
  readonly lastError: { readonly code: number; readonly line: number; readonly name: string };
}

/** Names a piece of task state and makes its first value. Create one per module with `taskKey`. */
export interface TaskKey<T> {
  readonly create: () => T;
}
export const taskKey = <T>(create: () => T): TaskKey<T> => ({ create });

/** A routine of the script as the host calls it: each call is a task of its own. */
export interface SubHandle {
  readonly name: string;
  /** Number of parameters. */
  readonly arity: number;
  /**
   * Runs the routine as a new task and gives what it RETURNs (NULL without).
   * Rejects with the routine's BasilError when it raises; a Buffer argument arrives as text.
   */
  call(args: readonly (Value | Buffer)[], options?: CallOptions): Promise<Value>;
  /**
   * As `call`, and sooner: when no task runs and the routine ends without a wait, gives its value, or throws, at once.
   * What comes later comes as a promise.
   */
  start(args: readonly (Value | Buffer)[], options?: CallOptions): Value | Promise<Value>;
}
export interface CallOptions {
  /** Ends the task when it fires. */
  readonly signal?: AbortSignal;
  /** Runs before the routine starts: sets the new task's own state. */
  readonly prepare?: (task: TaskContext) => void;
}

/** A function of a module. */
export interface FunctionRow<State> {
  readonly kind: "function";
  readonly name: string;
  readonly doc: string;
  readonly params: Params;
  /** May give a promise: the script waits, other tasks run. Rows with a `sub` parameter always may. */
  readonly waits: boolean;
  /** New in this Basil (†): hidden when the program uses the name itself. Only for built-ins. */
  readonly yields: boolean;
  /** Its direct call counts as INTEGER for TYPE$ (ᴵ). */
  readonly isInteger: boolean;
  /** May be written without parentheses: `TIMER`. */
  readonly niladic: boolean;
  /** Its name promises nothing of its result. */
  readonly givesAny: boolean;
  /** The built-in in whose place the compiler calls it in the basil dialect: programs write that one's name. */
  readonly basilFormOf?: string;
  readonly run: (state: State, args: never, task: TaskContext) => unknown;
}

/** A value read without parentheses, from the task's or the module's state. */
export interface PropertyRow<State> {
  readonly kind: "property";
  readonly name: string;
  readonly doc: string;
  readonly get: (state: State, task: TaskContext) => Value | Buffer;
}

/** A constant: a plain global name, such as `GEARMAN_OK%`. */
export interface ConstantRow {
  readonly kind: "constant";
  readonly name: string;
  readonly doc: string;
  readonly value: number | string;
}

/** A second spelling of a function row; its suffix promises nothing. */
export interface AliasRow {
  readonly kind: "alias";
  readonly name: string;
  readonly doc: string;
  /** The name of the row it stands for. */
  readonly of: string;
}

export type Row<State> = FunctionRow<State> | PropertyRow<State> | ConstantRow | AliasRow;

/** What an author writes for a function; `waits`, `yields`, `isInteger` and `niladic` are false unless said. */
export interface FunctionSpec<State, Name extends string, P extends Params, W extends boolean> {
  readonly name: Name;
  readonly doc: string;
  readonly params: P;
  readonly waits?: W;
  readonly yields?: boolean;
  readonly isInteger?: boolean;
  readonly niladic?: boolean;
  readonly basilFormOf?: string;
  readonly run: (
    state: State,
    args: ArgsOf<P>,
    task: TaskContext,
  ) => ResultOf<Name> | (W extends true ? Promise<ResultOf<Name>> : never);
}

/** A row builder that knows the module's state: `const fn = functionsOf<GearmanHost>()`. */
export const functionsOf =
  <State>() =>
  <const Name extends string, const P extends Params, const W extends boolean = false>(
    spec: FunctionSpec<State, Name, P, W>,
  ): FunctionRow<State> => ({
    yields: false,
    isInteger: false,
    niladic: false,
    ...spec,
    givesAny: !/[$%&]$/.test(spec.name),
    kind: "function",
    waits: spec.waits === true || Object.values(spec.params).some((param) => param.type === "sub"),
    run: spec.run as FunctionRow<State>["run"],
  });

/** A property row builder that knows the module's state; the suffix must fit what `get` gives. */
export const propertiesOf =
  <State>() =>
  <const Name extends string>(spec: {
    name: Name;
    doc: string;
    get: (state: State, task: TaskContext) => ResultOf<Name>;
  }): PropertyRow<State> => ({ kind: "property", ...spec });

export const constant = (spec: { name: string; doc: string; value: number | string }): ConstantRow => ({
  kind: "constant",
  ...spec,
});

export const alias = (name: string, of: string, doc: string): AliasRow => ({ kind: "alias", name, of, doc });

/** What a module gets when an interpreter takes it in. */
export interface ModuleContext {
  readonly host: Host;
  /**
   * Reports an error to people that has no call to raise it in, such as that of a failed handler; as a warning, one that
   * may pass by itself.
   */
  report(error: unknown, about?: string, severity?: "error" | "warning"): void;
  /** The BASIC place of an error that came out of a SUB, such as `resize.basil:12:3`; undefined when it has none. */
  placeOf(error: unknown): string | undefined;
  /** Says that work goes on which a stop should let finish (a worker runs), and that it no longer does. */
  holdsWork(isHolding: boolean): void;
  /**
   * A SUB as data, to run in another process without the program's main part. Throws a BasilError with the way out when
   * it, or what it calls, reads a variable of the main program that no literal CONST is, or compiles text.
   */
  bodyOf(sub: SubHandle): Body;
}

/** A module: rows over one state per interpreter. */
export interface HostModule<State = unknown> {
  /** `GEARMAN`: members are `GEARMAN.SUBMIT$`. The empty name makes rows plain built-ins: `LEFT$`. */
  readonly name: string;
  readonly doc: string;
  readonly rows: readonly Row<State>[];
  /** Says that rows throw Errors and nothing else; default false, and anything thrown is told its BASIC place, for about a nanosecond a call. */
  readonly throwsOnlyErrors?: boolean;
  /** Makes the state for one interpreter. Must not wait, connect or read anything that can fail. */
  open(context: ModuleContext): State;
  /** The main program ended normally: finish what was started (workers drain). Bounded by the module itself. */
  drain?(state: State, signal: AbortSignal): Promise<void>;
  /** Gives back everything at once: sockets, timers. Called once, in every case. */
  close?(state: State): Promise<void>;
  /**
   * Turns wrong arguments to a row into the module's own error; without it TYPE_ERROR and ARGUMENT_ERROR are raised.
   */
  argumentError?(state: State, message: string, task: TaskContext): Error;
}

/** A module whose state nobody but its own rows looks into. */
// biome-ignore lint/suspicious/noExplicitAny: the erased state of a module in a list of modules
export type AnyModule = HostModule<any>;

/** Declares a module. The identity function, for its types. */
export const defineModule = <State>(module: HostModule<State>): HostModule<State> => module;

/** `GEARMAN.SUBMIT$(function$, payload$ [, unique$])`: for messages, hover, docs and completion. */
export function signature(moduleName: string, row: FunctionRow<never>): string {
  const prefix = moduleName === "" ? "" : `${moduleName}.`;
  let text = "";
  for (const [name, param] of Object.entries(row.params)) {
    const shown = name + PARAM_SUFFIX[param.type] + (param.rest ? ", …" : "");
    if (param.optional) text += text === "" ? `[${shown}]` : ` [, ${shown}]`;
    else text += text === "" ? shown : `, ${shown}`;
  }
  return `${prefix}${row.name}(${text})`;
}

const PARAM_SUFFIX: Record<ParamType, string> = {
  text: "$",
  bytes: "$",
  number: "",
  integer: "%",
  truth: "",
  display: "",
  any: "",
  list: "@",
  dict: "@",
  array: "()",
  sub: "$",
};
