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
