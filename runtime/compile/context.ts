/** What the code generator knows while it makes one JavaScript function: names in scope, loops, open TRYs. */

import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { Complaint, Place } from "../../grammar/complaints.ts";
import type { Span } from "../../grammar/source.ts";
import type { Surface, SurfaceRow } from "../surface.ts";
import { mark } from "./emit.ts";
import { type Kinds, NULL } from "./types.ts";
import type { Outside, RoutineUnit, Unit, UnitFile, Variable } from "./unit.ts";

/** JavaScript for an expression and what it can be. */
export interface Code {
  readonly js: string;
  readonly kinds: Kinds;
}

/** How nodes become code: handed in, so that the parts of the generator need not import each other in circles. */
export interface Emitters {
  readonly expression: (context: FunctionContext, node: ast.Expression) => Code;
  readonly statement: (context: FunctionContext, node: ast.Statement) => string;
  /** A list of statements of a function with labels or jumps. */
  readonly jumpingBlock: (context: FunctionContext, statements: readonly ast.Statement[]) => string;
}

/** The whole compilation: shared by all functions of a unit. */
export interface Compilation {
  readonly emit: Emitters;
  readonly unit: Unit;
  readonly surface: Surface;
  readonly outside: Outside;
  readonly found: Complaint[];
  /** Rows the code calls, in order of their numbers in it: `r0`, `s0` … */
  readonly rows: SurfaceRow[];
  readonly rowNumbers: Map<string, number>;
  /** Top-level statements of all files, in order. */
  readonly statements: readonly ast.Statement[];
  /** Names that are read where their variable certainly was stored to. */
  readonly assignedReads: Set<ast.Name>;
  /** The jumps of each function's text that has any. */
  readonly jumpPlans: Map<readonly ast.Statement[], JumpPlan>;
  /** Any call through a value may reach a waiting routine. */
  readonly dynamicCallsWait: boolean;
  /** DATA items of the whole unit in text order. */
  readonly data: { readonly text: string; readonly isQuoted: boolean }[];
  /** First DATA item at or after each label, for RESTORE, by `dataLabel`. */
  readonly dataLabels: Map<string, number>;
  /** Whether a name, in upper case, means nothing but what the program stores under it. */
  readonly isFree: (key: string) => boolean;
  /** The file of each top-level statement; null when all are from one. */
  readonly fileOf: ReadonlyMap<ast.Statement, UnitFile> | null;
}

/** An enclosing loop, as BREAK, CONTINUE and EXIT see it: the JavaScript that leaves it or starts its next round. */
export interface LoopFrame {
  readonly kind: "loop";
  readonly word: "FOR" | "WHILE" | "DO";
  readonly breakJs: string;
  readonly continueJs: string;
}

/** An enclosing stretch of code with labels: jumps inside it go through its dispatch loop. */
export interface RegionFrame {
  readonly kind: "region";
  /** The variable that names the block to run next, and the label of the dispatch loop. */
  readonly next: string;
  readonly label: string;
  /** Numbers of the blocks that labels start, by upper-case label. */
  readonly blocks: ReadonlyMap<string, number>;
  /** Blocks that a RETURN can come back to. */
  readonly returns: number[];
  /** The function the region was made into, when GOSUB leaves a TRY inside it; its ways out, numbered from 2. */
  readonly asFunction: { readonly name: string; readonly how: string; readonly target: string; readonly exits: string[] } | null;
}

/** Which statements of a function take part in jumps. */
export interface JumpPlan {
  /** Upper-case labels that something jumps to. */
  readonly targets: ReadonlySet<string>;
  /** Statements that are a jump or a target, or hold one. */
  readonly involved: ReadonlySet<ast.Statement>;
  /** Statements that must be cut into blocks: they hold a target or a GOSUB. */
  readonly cut: ReadonlySet<ast.Statement>;
  readonly hasGosub: boolean;
}

/** An enclosing TRY with FINALLY: jumps out of it must run FINALLY first. */
export interface FinallyFrame {
  readonly kind: "finally";
  readonly label: string;
  /** The variables that say how the body was left and with what value. */
  readonly how: string;
  readonly value: string;
  /** Ways to leave, in order of their numbers from 2 on: what to do after FINALLY ran. */
  readonly exits: string[];
}

/** Names a label of a routine, or of the top level (""), among all labels of a unit. */
export const dataLabel = (routine: string, label: string): string => `${routine} ${nameKey(label)}`;

/** One function under construction. */
export class FunctionContext {
  readonly compilation: Compilation;
  readonly routine: RoutineUnit | null;
  /** It is a generator: waiting calls are allowed, and its loops give way. */
  readonly waits: boolean;
  file: UnitFile;
  readonly frames: (LoopFrame | FinallyFrame | RegionFrame)[] = [];
  /** Set when the function has labels or jumps. */
  jumps: JumpPlan | null = null;
  /** Expressions that were computed before and are read from where they are kept. */
  readonly held = new Map<ast.Expression, Code>();
  /** The call was counted: what leaves the routine takes that back. */
  countsDepth = true;
  /** A loop was generated: its rounds are counted. */
  hasLoop = false;
  /** The variable with the return points of active GOSUBs. */
  gosubs: string | null = null;
  #blocks = 0;
  /** JavaScript names that hold the objects of the open WITH blocks. */
  readonly withs: string[] = [];
  /** Names of caught errors of the open CATCH blocks, for bare RAISE. */
  readonly caught: string[] = [];
  readonly declarations: string[] = [];
  /** A placeholder for the compiler's own use of one name at once. */
  #counter = 0;

  constructor(compilation: Compilation, routine: RoutineUnit | null, file: UnitFile, waits: boolean) {
    this.compilation = compilation;
    this.routine = routine;
    this.file = file;
    this.waits = waits;
  }

  /** An expression as JavaScript, with what it can be. */
  expression(node: ast.Expression): Code {
    return this.held.get(node) ?? this.compilation.emit.expression(this, node);
  }

  /** The JavaScript of an expression where any value will do. */
  value(node: ast.Expression): string {
    return this.expression(node).js;
  }

  /** A list of statements, one generated line or more each. */
  block(statements: readonly ast.Statement[]): string {
    const { emit } = this.compilation;
    return this.jumps ? emit.jumpingBlock(this, statements) : statements.map((node) => emit.statement(this, node)).join("\n");
  }

  /** The number of a new block of a dispatch loop: unique in the function. */
  newBlock(): number {
    this.#blocks += 1;
    return this.#blocks;
  }

  /** A fresh JavaScript name; declared at the top of the function. */
  temporary(prefix = "t"): string {
    const name = this.label(prefix);
    this.declarations.push(name);
    return name;
  }

  /** A fresh JavaScript name that is not declared: for labels and block-scoped constants. */
  label(prefix: string): string {
    this.#counter += 1;
    return `${prefix}${this.#counter}`;
  }

  /** The variable a name means here, if the program has one. */
  variable(name: string): Variable | undefined {
    const key = nameKey(name);
    return this.routine?.locals.get(key) ?? this.compilation.unit.globals.get(key);
  }

  /** Marks code with the BASIC text it comes from. */
  at(span: Span, js: string): string {
    return mark(this.file.index, span, js);
  }

  /** What a variable can hold where this name reads it. */
  kindsOf(variable: Variable, read: ast.Name): Kinds {
    return variable.kinds | (this.compilation.assignedReads.has(read) ? 0 : NULL);
  }

  /** The form of a routine that code here calls: generic code stays among generic forms. */
  callee(routine: RoutineUnit): RoutineUnit {
    return this.routine?.isGeneric ? routine.generic : routine;
  }

  /** The number of a row in the generated code. */
  rowNumber(row: SurfaceRow): number {
    const { rows, rowNumbers } = this.compilation;
    const known = rowNumbers.get(row.id);
    if (known !== undefined) return known;
    rows.push(row);
    rowNumbers.set(row.id, rows.length - 1);
    return rows.length - 1;
  }

  complain(complaint: Complaint): void {
    this.compilation.found.push(complaint);
  }

  /** Something that will fail when it runs: `basil check` says so beforehand. The code is that of the error to come. */
  foresee(code: string, message: string, span: Span, hint?: string): void {
    const place = { source: this.file.source, span };
    this.compilation.found.push({ code, severity: "warning", message, ...place, ...(hint !== undefined && { hint }) });
  }

  /** Where a complaint about this text points. */
  place(span: Span): Place {
    return { source: this.file.source, span };
  }
}
