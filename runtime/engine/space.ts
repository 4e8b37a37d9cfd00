/** The names of one running program that text compiled later can reach: its globals, routines and TYPEs. */
import { BasilError } from "../errors.ts";
import type { Value } from "../values.ts";
import { toIntegerOrObject } from "./operators.ts";
import type { CompiledRoutine } from "./services.ts";
import { type FieldDeclaration, StructType } from "./structs.ts";

/** A global variable as something outside the program's own code reaches it. */
export interface Cell {
  value: Value;
}

/** A program, a CLASS instance: each has a space of its own; EVAL and EXEC share that of the text around them. */
export class ProgramSpace {
  /** Globals by upper-case name; programs without EVAL, EXEC or CLASS keep theirs to themselves. */
  readonly globals = new Map<string, Cell>();
  /** Routines by upper-case name. */
  readonly routines = new Map<string, CompiledRoutine>();
  readonly #types = new Map<string, StructType>();

  /** The cell of a global; made when EXEC names a new one. */
  cell(key: string): Cell {
    const known = this.globals.get(key);
    if (known) return known;
    const cell: Cell = { value: null };
    this.globals.set(key, cell);
    return cell;
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
