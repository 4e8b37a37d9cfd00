/** A program after its names are resolved: files, routines, TYPEs, variables, as the rest of the compiler reads them. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { Complaint } from "../../grammar/complaints.ts";
import type { SourceFile } from "../../grammar/source.ts";
import type { Kinds } from "./types.ts";

/** One text of the program; `index` names it in generated code. */
export interface UnitFile {
  readonly index: number;
  readonly source: SourceFile;
  readonly dialect: ast.Dialect;
}

/** Consecutive top-level statements from one file. */
export interface Segment {
  readonly file: UnitFile;
  readonly statements: readonly ast.Statement[];
}

/** What is known of a name that only ever holds arrays. */
export interface ArrayShape {
  readonly rank: number;
  readonly element: "number" | "integer" | "string" | "any";
  /** Bytes an element takes, where less than a double will do. */
  readonly storage?: "int8" | "int32";
}

/** A global or local variable. */
export interface Variable {
  readonly key: string;
  /** As first written. */
  readonly name: string;
  /** Its name in the generated code. */
  readonly js: string;
  readonly isGlobal: boolean;
  /** `%` names truncate what is stored. */
  readonly isInteger: boolean;
  /** Set when every store is a DIM of an array of this rank: elements can be reached without looking at the kind. */
  array: ArrayShape | null;
  /** The JavaScript name of such an array's data. */
  readonly dataJs: string;
  /** The JavaScript name of the length of its rows, when it has two dimensions. */
  readonly widthJs: string;
  /** A parameter that its routine never stores to. */
  isFinal: boolean;
  /** Some DIM makes it a fixed string: stores pad and cut. */
  isFixed: boolean;
  /** The JavaScript name of the fixed string's length, 0 before its DIM. */
  readonly fixedJs: string;
  /** Some DIM makes it a struct: a string stored to it is unpacked. */
  isStruct: boolean;
  /** Some store is more than a DIM of an array. */
  hasPlainStore: boolean;
  /** The program stores to it somewhere: otherwise the name may mean a built-in or nothing. */
  isStored: boolean;
  isConstant: boolean;
  /** A routine reads or writes this global. */
  isShared: boolean;
  /** What is stored to it, found by inference; before the first store it is NULL. */
  kinds: Kinds;
}

/** A FUNC or SUB. */
export interface RoutineUnit {
  readonly key: string;
  readonly name: string;
  readonly js: string;
  readonly node: ast.Routine;
  readonly file: UnitFile;
  readonly parameters: readonly Variable[];
  /** Parameters and locals by key. */
  readonly locals: Map<string, Variable>;
  /** It can reach a waiting call. */
  waits: boolean;
  /** Some code stores to its name: calls must look at the variable. */
  isReplaced: boolean;
  /** This is the form for callers that can pass anything: the host, and calls through values. */
  readonly isGeneric: boolean;
  /** The generic form of the same routine; a generic form's is itself. */
  generic: RoutineUnit;
  /** Something that main reaches calls it by name: the form made for those calls is needed. */
  isCalled: boolean;
  /** What calls of this form give, found by inference. */
  resultKinds: Kinds;
}

/** A TYPE. */
export interface TypeUnit {
  readonly node: ast.TypeDefinition;
  readonly file: UnitFile;
}

/** A whole program, resolved. */
export interface Unit {
  readonly segments: readonly Segment[];
  readonly files: readonly UnitFile[];
  readonly routines: Map<string, RoutineUnit>;
  readonly globals: Map<string, Variable>;
  readonly types: Map<string, TypeUnit>;
  /** EVAL, EXEC or CLASS occurs: globals must be reachable by name and any call may wait. */
  readonly hasDynamicCode: boolean;
}

/** How to read an INCLUDEd file, or why it cannot be read. `name` is as written, `from` the including file's name, `dialect` that file's. */
export type IncludeReader = (
  name: string,
  from: string,
  dialect: ast.Dialect,
) => { readonly program: ast.Program; readonly complaints: readonly Complaint[] } | { readonly reason: string };

/** Names that exist before this unit: what EXEC text sees of the running program. */
export interface Outside {
  /** The text is part of a running program: globals are that program's, reached through cells. */
  readonly isInner: boolean;
  /** Globals must be reachable by name: the text is a CLASS, or part of a running program. */
  readonly isOpen: boolean;
  readonly globals: ReadonlySet<string>;
  readonly routines: ReadonlyMap<string, { readonly name: string; readonly arity: number }>;
}

/** Spells a BASIC name as a JavaScript identifier: `total%` becomes `total$i`. Two names never collide. */
export const mangle = (name: string): string =>
  nameKey(name)
    .toLowerCase()
    .replace(/[$%@&]/g, (suffix) => ({ $: "$s", "%": "$i", "@": "$o", "&": "$a" })[suffix]!);

/** What the suffix of a DIMmed name says of elements or of the first value. */
export const elementOf = (name: string): ArrayShape["element"] =>
  name.endsWith("$") ? "string" : name.endsWith("%") ? "integer" : name.endsWith("@") ? "any" : "number";

const DECLARATIONS: ReadonlySet<ast.Statement["kind"]> = new Set(["routine", "type", "const", "use", "data", "label"]);

/** Whether top-level statements only declare: they are for other files, which may set what the routines read. */
export const isLibrary = (statements: readonly ast.Statement[]): boolean =>
  statements.every((node) => DECLARATIONS.has(node.kind));
