/** What `basil check` says about legal programs: names that nothing sets, and statements that do nothing. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { type Complaint, complaints } from "../../grammar/complaints.ts";
import { closest } from "../../grammar/did-you-mean.ts";
import { foreignStatementHint } from "../../grammar/foreign.ts";
import type { Compilation } from "./context.ts";
import { isLibrary, type RoutineUnit, type UnitFile, type Variable } from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** The warnings, the main program's first. Where text that is only known at run time could give a name a meaning, nothing is said of names. */
export function lint(compilation: Compilation): Complaint[] {
  const { unit } = compilation;
  const linter = new Linter(compilation);
  for (const { file, statements } of unit.segments) linter.code(null, file, statements);
  for (const routine of unit.routines.values()) linter.code(routine, routine.file, routine.node.body);
  return linter.found;
}

class Linter {
  readonly found: Complaint[] = [];
  readonly #compilation: Compilation;
  readonly #isLibrary: boolean;
  /** Names that were reported: each is worth one report. */
  readonly #reported = new Set<string>();

  constructor(compilation: Compilation) {
    this.#compilation = compilation;
    this.#isLibrary = isLibrary(compilation.statements);
  }

  /** Looks at the main program's statements in one file, or at a routine's. */
  code(routine: RoutineUnit | null, file: UnitFile, statements: readonly ast.Statement[]): void {
    const isOpen = this.#compilation.unit.hasDynamicCode;
    /** Names that are no reads: of what is called, of modules, of types. */
    const others = new Set<ast.Expression>();
    walkStatements(statements, {
      statement: (node) => {
        if (node.kind === "return" && node.value && !routine)
          this.found.push(complaints.valueDropped({ source: file.source, span: node.value.span }));
        if (node.kind !== "callStatement") return;
        if (node.target.kind === "name") others.add(node.target);
        if (node.form === "bare" && node.target.kind === "name" && !isOpen) this.#bareName(node.target, routine, file);
      },
      expression: (node) => {
        if (node.kind === "call" || node.kind === "member") {
          if (node.target) others.add(node.target);
        } else if (node.kind === "name" && !others.has(node) && !isOpen && !this.#isLibrary) this.#read(node, routine, file);
      },
    });
  }

  #variable(name: string, routine: RoutineUnit | null): Variable | undefined {
    return routine?.locals.get(nameKey(name)) ?? this.#compilation.unit.globals.get(nameKey(name));
  }

  #read(node: ast.Name, routine: RoutineUnit | null, file: UnitFile): void {
    const { unit, surface } = this.#compilation;
    const key = nameKey(node.name);
    if (this.#reported.has(key) || this.#variable(node.name, routine)?.isStored) return;
    if ([unit.routines, unit.types, surface.constants, surface.named].some((known) => known.has(key))) return;
    const builtin = surface.builtins.get(key)?.row;
    if (builtin?.kind === "function" && builtin.niladic) return;
    this.#reported.add(key);
    const hint = builtin ? `Write ${builtin.name}(…) to call the function.` : this.#readHint(node.name, routine);
    this.found.push(complaints.neverSet({ source: file.source, span: node.span }, node.name, hint));
  }

  #readHint(name: string, routine: RoutineUnit | null): string | undefined {
    const { unit, surface } = this.#compilation;
    const key = nameKey(name);
    const owner = [...unit.routines.values()].find((other) => other.locals.has(key));
    if (owner) return `${owner.name} has its own ${name}. Mention ${name} above ${owner.name} to share it.`;
    const stored = [...(routine?.locals.values() ?? []), ...unit.globals.values()].filter((variable) => variable.isStored);
    const names = stored.map((variable) => variable.name);
    const functions = [...surface.builtins.values()].flatMap(({ row }) =>
      row.kind === "function" && row.niladic ? [row.name] : [],
    );
    const meant =
      names.find((other) => stem(other) === stem(name)) ??
      closest(name, [...names, ...[...unit.routines.values()].map((other) => other.name), ...functions]);
    return meant && `Did you mean ${meant}?`;
  }

  #bareName(node: ast.Name, routine: RoutineUnit | null, file: UnitFile): void {
    const { unit, surface } = this.#compilation;
    const key = nameKey(node.name);
    const at = { source: file.source, span: node.span };
    if (this.#variable(node.name, routine)?.isStored) {
      this.found.push(complaints.doesNothing(at, `${node.name} is a variable`, undefined));
      return;
    }
    if (unit.routines.has(key) || surface.builtins.has(key)) return;
    const isLabel = /^[ \t]+:/.test(file.source.text.slice(node.span.end, node.span.end + 20));
    const names = [...unit.routines.values(), ...[...surface.builtins.values()].map(({ row }) => row)].map(({ name }) => name);
    const meant = closest(node.name, names);
    const guess = meant === undefined ? undefined : `Did you mean ${meant}?`;
    const hint = isLabel
      ? `A label has its colon directly behind the name: ${node.name}:`
      : (foreignStatementHint(node.name) ?? guess);
    this.found.push(complaints.doesNothing(at, `${node.name} is neither a routine nor a function`, hint));
  }
}

/** A name without its suffix, in upper case. */
const stem = (name: string): string => nameKey(name).replace(/[$%@&]+$/, "");
