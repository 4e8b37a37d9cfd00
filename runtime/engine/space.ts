/** The names of one running program that text compiled later can reach: its globals, routines and TYPEs. */
import { BasilError } from "../errors.ts";
import type { Value } from "../values.ts";
import { toIntegerOrObject } from "./operators.ts";
import type { CompiledRoutine } from "./services.ts";
import { type FieldDeclaration, StructType } from "./structs.ts";
import type { Steps } from "./task.ts";

/** A global variable as something outside the program's own code reaches it. */
export interface Cell {
  value: Value;
  /** Some text stores to it: a name that is only mentioned is no variable. */
  isStored: boolean;
}

/** Text that EVAL or EXEC compiled and that may come again. */
export interface KeptText {
  readonly main: () => Steps | Value;
  /** The script name of its JavaScript. */
  readonly filename: string;
}

/** Texts of EVAL and EXEC that are kept per program. */
const MAX_TEXTS = 100;

/** A program, a CLASS instance: each has a space of its own; EVAL and EXEC share that of the text around them. */
export class ProgramSpace {
  /** Globals by upper-case name; programs without EVAL, EXEC or CLASS keep theirs to themselves. */
  readonly globals = new Map<string, Cell>();
  /** Routines by upper-case name. */
  readonly routines = new Map<string, CompiledRoutine>();
  readonly #types = new Map<string, StructType>();
  readonly #texts = new Map<string, KeptText>();
  #version = 0;

  /** The cell of a global; made when EXEC names a new one. */
  cell(key: string, isStored: boolean): Cell {
    const known = this.globals.get(key) ?? { value: null, isStored: false };
    this.globals.set(key, known);
    if (isStored && !known.isStored) {
      known.isStored = true;
      this.namesChanged();
    }
    return known;
  }

  /** New variables or routines can change what a text means: nothing that was compiled before is used again. */
  namesChanged(): void {
    this.#version += 1;
  }

  /** What was compiled for a text, if its names still mean the same. */
  keptText(key: string): KeptText | undefined {
    return this.#texts.get(`${this.#version} ${key}`);
  }

  /** Keeps what was compiled for a text. Gives what had to go for it. */
  keepText(key: string, text: KeptText): KeptText | undefined {
    this.#texts.set(`${this.#version} ${key}`, text);
    if (this.#texts.size <= MAX_TEXTS) return undefined;
    const [oldest, dropped] = this.#texts.entries().next().value!;
    this.#texts.delete(oldest);
    return dropped;
  }

  defineType(name: string, declare: () => readonly FieldDeclaration[]): void {
    this.#types.set(name.toUpperCase(), new StructType(name, declare, (other) => this.type(other)));
  }

  /** A TYPE by name in any case. */
  type(name: string): StructType {
    const found = this.#types.get(name.toUpperCase());
    if (!found) throw new BasilError("NAME_ERROR", `Unknown TYPE '${name}'`);
    return found;
  }
}

/** A CLASS instance: its program's space is what its members reach. */
export class ClassObject {
  readonly isObject = true;
  readonly displayName = "CLASS";
  readonly space: ProgramSpace;

  constructor(space: ProgramSpace) {
    this.space = space;
  }

  /** A property or routine, else the error every class gives. */
  member(name: string): Value {
    const key = name.toUpperCase();
    const found = this.space.globals.get(key)?.value ?? this.space.routines.get(key);
    if (found === undefined && !this.space.globals.has(key)) throw unknownInClass();
    return found ?? null;
  }

  routine(name: string): CompiledRoutine | undefined {
    return this.space.routines.get(name.toUpperCase());
  }

  setMember(name: string, value: Value): void {
    const cell = this.space.globals.get(name.toUpperCase());
    if (!cell) throw unknownInClass();
    cell.value = name.endsWith("%") ? toIntegerOrObject(value) : value;
  }
}

const unknownInClass = (): BasilError => new BasilError("NAME_ERROR", "Unknown property or function in class.");
