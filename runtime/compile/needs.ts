/** What each routine of a program depends on: decides whether it can run in a process in which main does not. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { FunctionRow, PropertyRow } from "../host.ts";
import type { OutsideNeed, RoutineNeeds } from "./compiled.ts";
import type { Compilation } from "./context.ts";
import type { RoutineUnit } from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** One name and value of a CONST statement. */
export type ConstantEntry = ast.Const["entries"][number];

/** Globals that routines read and whose only store is a top-level CONST of literals, by upper-case name. */
export function literalConstants(compilation: Compilation): ReadonlyMap<string, ConstantEntry> {
  const found = new Map<string, ConstantEntry>();
  for (const node of compilation.statements) {
    if (node.kind !== "const") continue;
    for (const entry of node.entries) {
      const key = nameKey(entry.name.name);
      if (compilation.unit.globals.get(key)?.isShared && isLiteral(entry.value)) found.set(key, entry);
    }
  }
  if (found.size > 0) for (const key of storedOften(compilation)) found.delete(key);
  return found;
}

/** Names that some code stores to, besides their first store. */
function storedOften(compilation: Compilation): Set<string> {
  const { unit } = compilation;
  const once = new Set<string>();
  const often = new Set<string>();
  const note = (statements: readonly ast.Statement[], routine: RoutineUnit | null): void =>
    walkStatements(statements, {
      store: (place) => {
        const name = place.kind === "call" ? place.target : place;
        if (name.kind !== "name") return;
        const key = nameKey(name.name);
        if (routine?.locals.has(key)) return;
        if (once.has(key)) often.add(key);
        once.add(key);
      },
    });
  note(compilation.statements, null);
  for (const routine of unit.routines.values()) note(routine.node.body, routine);
  return often;
}

/** Whether an expression's value is known from its text alone, and cannot be changed from elsewhere. */
function isLiteral(node: ast.Expression): boolean {
  if (node.kind === "unary") return isLiteral(node.operand);
  if (node.kind === "binary") return isLiteral(node.left) && isLiteral(node.right);
  return node.kind === "number" || node.kind === "string" || node.kind === "boolean" || node.kind === "null";
}

/** The needs of all routines. @param constants upper-case names of globals that every process has */
export function needsOfRoutines(compilation: Compilation, constants: ReadonlySet<string>): Record<string, RoutineNeeds> {
  const entries = [...compilation.unit.routines].map(([key, routine]) => {
    const finder = new NeedFinder(compilation, constants, routine);
    walkStatements(routine.node.body, finder);
    return [key, finder.needs] as const;
  });
  return Object.fromEntries(entries);
}

/** Statements and expressions that compile text while they run. */
const DYNAMIC_WORDS: Readonly<Record<string, string>> = { eval: "EVAL", exec: "EXEC", class: "CLASS" };

class NeedFinder {
  readonly #compilation: Compilation;
  readonly #constants: ReadonlySet<string>;
  readonly #routine: RoutineUnit;
  readonly #calls = new Set<string>();
  readonly #outside = new Map<string, OutsideNeed>();
  /** Names that are no reads: built-ins that are called, modules whose member is meant. */
  readonly #others = new Set<ast.Expression>();
  #callsAny = false;

  constructor(compilation: Compilation, constants: ReadonlySet<string>, routine: RoutineUnit) {
    this.#compilation = compilation;
    this.#constants = constants;
    this.#routine = routine;
  }

  get needs(): RoutineNeeds {
    return { calls: [...this.#calls], callsAny: this.#callsAny, outside: [...this.#outside.values()] };
  }

  expression(node: ast.Expression): void {
    if (node.kind === "name") this.#name(node);
    else if (node.kind === "call") this.#call(node.target, node.arguments);
    else if (node.kind === "member") this.#member(node);
    else this.#dynamic(node);
  }

  statement(node: ast.Statement): void {
    if (node.kind === "callStatement") this.#call(node.target, node.arguments);
    else if (node.kind === "dim" && node.items.some((item) => item.kind === "class")) this.#need("dynamic", "CLASS", node.span);
    else this.#dynamic(node);
  }

  store(place: ast.Place): void {
    const name = place.kind === "call" ? place.target : place;
    if (name.kind === "name") this.#name(name);
  }

  #dynamic(node: ast.Expression | ast.Statement): void {
    const word = DYNAMIC_WORDS[node.kind];
    if (word !== undefined) this.#need("dynamic", word, node.span);
  }

  #name(node: ast.Name): void {
    if (this.#others.has(node)) return;
    const key = nameKey(node.name);
    const { unit, surface } = this.#compilation;
    if (this.#routine.locals.has(key)) return;
    if (unit.globals.get(key)?.isStored) {
      if (!this.#constants.has(key)) this.#need("global", node.name, node.span);
    } else if (unit.routines.has(key)) this.#calls.add(key);
    else if (surface.named.has(key)) {
      // Which of its functions are called, and with what, is only known when it runs.
      this.#need("module", surface.named.get(key)!.name, node.span);
      this.#callsAny = true;
    }
  }

  #call(target: ast.Expression, args: readonly ast.Expression[]): void {
    const { unit, surface } = this.#compilation;
    if (target.kind === "name") {
      const key = nameKey(target.name);
      const row = surface.builtins.get(key)?.row;
      const isOwn = this.#routine.locals.has(key) || unit.globals.get(key)?.isStored || unit.routines.has(key);
      if (row?.kind !== "function" || (row.yields && isOwn)) return;
      this.#others.add(target);
      this.#subs(row, args);
    } else if (target.kind === "member") {
      const row = this.#moduleRow(target);
      if (row) this.#subs(row, args);
    }
  }

  #member(node: ast.Member): void {
    if (!this.#moduleRow(node)) return;
    const target = node.target as ast.Name;
    this.#others.add(target);
    this.#need("module", this.#compilation.surface.named.get(nameKey(target.name))!.name, node.span);
  }

  /** The row that `MODULE.NAME` means, unless a variable hides the module. */
  #moduleRow({ target, name }: ast.Member): FunctionRow<unknown> | PropertyRow<unknown> | undefined {
    if (target?.kind !== "name") return undefined;
    const key = nameKey(target.name);
    const { unit, surface } = this.#compilation;
    if (this.#routine.locals.has(key) || unit.globals.get(key)?.isStored) return undefined;
    return surface.named.get(key)?.members.get(nameKey(name))?.row;
  }

  /** Routines that a row is given by name. */
  #subs(row: FunctionRow<unknown> | PropertyRow<unknown>, args: readonly ast.Expression[]): void {
    if (row.kind !== "function") return;
    for (const [at, param] of Object.values(row.params).entries()) {
      const given = args[at];
      if (param.type !== "sub" || !given) continue;
      if (given.kind !== "string") this.#callsAny = true;
      else if (this.#compilation.unit.routines.has(nameKey(given.value))) this.#calls.add(nameKey(given.value));
    }
  }

  #need(kind: OutsideNeed["kind"], name: string, span: Span): void {
    const key = `${kind} ${nameKey(name)}`;
    const place = [this.#routine.file.index, span.start, span.end] as const;
    if (!this.#outside.has(key)) this.#outside.set(key, { kind, name, place });
  }
}
