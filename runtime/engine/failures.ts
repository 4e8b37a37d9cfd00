/** What generated code does with everything that can be thrown: which errors CATCH sees, and as what. */
import { BasilError, type ErrorName, LimitError, ProgramEnd } from "../errors.ts";

/** An error as BASIC sees it: a BasilError to catch, or undefined for what no CATCH may stop. */
export function asBasilError(error: unknown): BasilError | undefined {
  if (error instanceof BasilError) return error;
  if (error instanceof LimitError || error instanceof ProgramEnd) return undefined;
  const [name, message] = meaning(error);
  const basil = new BasilError(name, message, { cause: error });
  if (error instanceof Error && error.stack) basil.stack = error.stack;
  return basil;
}

/** What a JavaScript error, or anything else that was thrown, is called in BASIC. */
function meaning(error: unknown): [name: ErrorName, message: string] {
  if (!(error instanceof Error)) return ["USER_ERROR", textOf(error)];
  if (!(error instanceof RangeError)) return ["USER_ERROR", error.message];
  if (/call stack/i.test(error.message)) return ["STACK_ERROR", "call stack overflow"];
  if (/string length/i.test(error.message)) return ["ARGUMENT_ERROR", "a string would be longer than 536870888 characters"];
  return ["USER_ERROR", error.message];
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "an error that cannot be shown";
  }
}

/** How generated code calls a row: with its module's state, its arguments, and the task; a property without arguments. */
export type RowCall = (state: unknown, ...rest: unknown[]) => unknown;

/** A row whose throws all have a stack: what is no Error gets one here, while the call that led to it is still on it. */
export const throwingErrors =
  (call: RowCall): RowCall =>
  (state, argumentsOrTask, task) => {
    try {
      return call(state, argumentsOrTask, task);
    } catch (error) {
      throw error instanceof Error || error instanceof ProgramEnd ? error : asBasilError(error);
    }
  };

export function tooDeep(): never {
  throw new BasilError("STACK_ERROR", "call stack overflow");
}

export function returnWithoutGosub(): never {
  throw new BasilError("GOSUB_ERROR", "RETURN without GOSUB");
}

/** @param hint a sentence, or "" */
export function unknownFunction(name: string, hint: string): never {
  throw new BasilError("NAME_ERROR", `Unknown function '${name}'`, { hint: hint || undefined });
}

/** @param hint a sentence, or "" */
export function unknownMember(module: string, name: string, hint: string): never {
  throw new BasilError("NAME_ERROR", `${module} has no member ${name}`, { hint: hint || undefined });
}

/** `NAME.MEMBER` where NAME is no module of this interpreter and nothing the program ever sets. */
export function unknownModule(message: string, hint: string): never {
  throw new BasilError("NAME_ERROR", message, { hint });
}

export function exit(code: number): never {
  throw new ProgramEnd(Math.trunc(code) & 255);
}

/** Most GOSUBs that may be active at once in one activation. */
const MAX_GOSUBS = 4096;

/** GOSUB: remembers the block to come back to. */
export function pushGosub(active: number[], block: number): void {
  if (active.length >= MAX_GOSUBS) throw new BasilError("GOSUB_ERROR", `GOSUB stack overflow (depth limit ${MAX_GOSUBS})`);
  active.push(block);
}

/** RETURN TO: forgets the latest GOSUB, and gives the block it would have come back to. */
export function popGosub(active: number[] | null | undefined): number {
  return active?.pop() ?? returnWithoutGosub();
}
