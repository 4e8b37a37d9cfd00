/** A compiled program as plain data: what the code generator makes and the engine runs, also in another process. */
import type { Dialect } from "../../grammar/ast.ts";
import type { RoutineValue } from "../values.ts";

/** A program as data: JavaScript source and its tables. */
export interface CompiledUnit {
  readonly code: string;
  /** Four numbers a mark: offset in `code`, file index, start and end in that file. */
  readonly marks: readonly number[];
  readonly files: readonly { readonly name: string; readonly text: string; readonly dialect: Dialect }[];
  /** Ids of the rows the code calls, in the order of their numbers. */
  readonly rows: readonly string[];
  /** It compiles text while it runs: EVAL, EXEC or CLASS. */
  readonly isDynamic: boolean;
  /** It has DATA, which keeps its place between READs. */
  readonly hasData: boolean;
  /** Where main's code begins and ends in `code`: routines that run in another process do without. */
  readonly main: readonly [start: number, end: number];
  /** What each routine depends on, by upper-case name; empty when no row can be given a SUB. */
  readonly needs: Readonly<Record<string, RoutineNeeds>>;
}

/** What a routine's own code depends on, besides values it is given. */
export interface RoutineNeeds {
  /** Upper-case names of the routines it may call. */
  readonly calls: readonly string[];
  /** It names routines in a way that is only known when it runs: any of them may be called. */
  readonly callsAny: boolean;
  readonly outside: readonly OutsideNeed[];
}

/** Something that a routine finds in the process of its program, and perhaps nowhere else. */
export interface OutsideNeed {
  /** A variable of the main program that no literal CONST is; a row of a module; text compiled while it runs. */
  readonly kind: "global" | "module" | "dynamic";
  /** `total%`, `GEARMAN` or `EVAL`. */
  readonly name: string;
  /** Index of the file, start and end of the text. */
  readonly place: readonly [file: number, start: number, end: number];
}

/** Text that is compiled while a program runs. */
export type InnerText = "expression" | "statements" | "class";

/** The names of a running program that such text can see. */
export interface VisibleNames {
  readonly globals: ReadonlyMap<string, { readonly isStored: boolean }>;
  readonly routines: ReadonlyMap<string, RoutineValue>;
}

/** Compiles such text; raises SYNTAX_ERROR with the first complaint. */
export type InnerCompiler = (text: string, how: InnerText, dialect: Dialect, names: VisibleNames) => CompiledUnit;
