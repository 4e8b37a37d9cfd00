/** From a JavaScript stack back to BASIC: which text a generated call came from, and the routines that were active. */
import { SourceFile } from "../../grammar/source.ts";
import type { CompiledUnit } from "../compile/compiled.ts";
import type { CallFrame } from "../errors.ts";
import type { ProgramSpace } from "./space.ts";

/** Lines that are put before a unit's own code when it is made runnable: the names of the helpers. */
export const HEADER_LINES = 1;

/** Remembers the marks of every unit that was made runnable, by the name its code carries in stacks. */
export class PositionTable {
  readonly #units = new Map<string, UnitPositions>();

  /** Registers a unit under the script name its JavaScript runs as. */
  add(scriptName: string, unit: CompiledUnit, space: ProgramSpace, isInner: boolean): void {
    this.#units.set(scriptName, new UnitPositions(unit, space, isInner));
  }

  /** Forgets a unit that can no longer run. */
  remove(scriptName: string): void {
    this.#units.delete(scriptName);
  }

  /** The BASIC places of a JavaScript stack, innermost first; at most `limit`. */
  frames(stack: string, limit = 20): CallFrame[] {
    const frames: CallFrame[] = [];
    for (const match of stack.matchAll(/at (?:(?:async )?(\S+) (?:\[[^\]]*\] )?)?\(?(basil-unit-[\w-]+):(\d+):(\d+)\)?/g)) {
      const unit = this.#units.get(match[2]!);
      const frame = unit?.frame(match[1] ?? "main", Number(match[3]), Number(match[4]));
      if (frame) frames.push(frame);
      if (frames.length >= limit) break;
    }
    return frames;
  }
}

class UnitPositions {
  readonly #unit: CompiledUnit;
  readonly #space: ProgramSpace;
  readonly #isInner: boolean;
  readonly #sources: SourceFile[];
  #generated: SourceFile | undefined;

  constructor(unit: CompiledUnit, space: ProgramSpace, isInner: boolean) {
    this.#isInner = isInner;
    this.#unit = unit;
    this.#space = space;
    this.#sources = unit.files.map((file) => new SourceFile(file.name, file.text));
  }

  frame(functionName: string, line: number, column: number): CallFrame | undefined {
    this.#generated ??= new SourceFile("", this.#unit.code);
    const at = this.#markBefore(this.#generated.offset({ line: line - HEADER_LINES, column }));
    if (at < 0) return undefined;
    const { marks } = this.#unit;
    const span = { start: marks[at + 2]!, end: marks[at + 3]! };
    const name = routineName(functionName);
    const routine = this.#space.routines.get(name.toUpperCase())?.name ?? name;
    return { routine, isInner: this.#isInner, source: this.#sources[marks[at + 1]!]!, span };
  }

  /** Index of the last mark at or before an offset of the generated code, −1 when there is none. */
  #markBefore(offset: number): number {
    const { marks } = this.#unit;
    let low = 0;
    let high = marks.length / 4;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (marks[middle * 4]! <= offset) low = middle + 1;
      else high = middle;
    }
    return (low - 1) * 4;
  }
}

/** `f_total$i$task` is the routine total%. */
function routineName(functionName: string): string {
  const bare = functionName.replace(/^.*\.(?=f_|main)/, "").replace(/\$\$(task|any)$/, "");
  if (!bare.startsWith("f_")) return "main";
  return bare.slice(2).replace(/\$([siao])/g, (_, suffix: string) => ({ s: "$", i: "%", o: "@", a: "&" })[suffix]!);
}
