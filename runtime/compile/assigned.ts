/** Finds the reads at which a variable certainly has been stored to, so that it cannot be NULL just for want of a store. */
import type * as ast from "../../grammar/ast.ts";
import type { JumpPlan } from "./context.ts";
import type { Variable } from "./unit.ts";
import { walkExpression, walkStatements } from "./walk.ts";

/** Statements after which nothing of the same list runs. */
const LEAVES: ReadonlySet<string> = new Set([
  "return",
  "exit",
  "end",
  "stop",
  "raise",
  "break",
  "continue",
  "exitLoop",
  "exitRoutine",
]);

/**
 * Adds to `reads` every name of a function's text that is read where its variable certainly has a value of a store.
 * In a function with jumps nothing counts that is stored from the first label or jump on.
 */
export function findAssignedReads(
  statements: readonly ast.Statement[],
  parameters: readonly Variable[],
  find: (name: string) => Variable | undefined,
  jumps: JumpPlan | null,
  reads: Set<ast.Name>,
): void {
  const finder = new AssignedReads(find, reads, parameters);
  const first = jumps ? statements.findIndex((node) => jumps.involved.has(node)) : -1;
  finder.visit(first < 0 ? statements : statements.slice(0, first));
  if (first >= 0) for (const node of statements.slice(first)) finder.visitAlone(node);
}

class AssignedReads {
  readonly #find: (name: string) => Variable | undefined;
  readonly #reads: Set<ast.Name>;
  readonly #assigned: Set<Variable>;
  /** What was assigned, in order: the end is taken back where it may not have run. */
  readonly #trail: Variable[] = [];

  constructor(find: (name: string) => Variable | undefined, reads: Set<ast.Name>, parameters: readonly Variable[]) {
    this.#find = find;
    this.#reads = reads;
    this.#assigned = new Set(parameters);
  }

  visit(statements: readonly ast.Statement[]): void {
    for (const node of statements) this.#statement(node);
  }

  /** A statement that jumps may reach or skip: what it stores counts nowhere, not even inside it. */
  visitAlone(node: ast.Statement): void {
    walkStatements([node], { expression: (expression) => this.#read(expression) });
  }

  #read(node: ast.Expression): void {
    if (node.kind !== "name") return;
    const variable = this.#find(node.name);
    if (variable && this.#assigned.has(variable)) this.#reads.add(node);
  }

  #expression(node: ast.Expression | null): void {
    if (node) walkExpression(node, { expression: (inner) => this.#read(inner) });
  }

  #assign(name: ast.Name): void {
    const variable = this.#find(name.name);
    if (!variable || this.#assigned.has(variable)) return;
    this.#assigned.add(variable);
    this.#trail.push(variable);
  }

  /** Visits what may not run, and gives what it assigned after taking that back. */
  #maybe(visit: () => void): Variable[] {
    const start = this.#trail.length;
    visit();
    const added = this.#trail.splice(start);
    for (const variable of added) this.#assigned.delete(variable);
    return added;
  }

  /** Branches of which one runs: what each that reaches its end assigns is assigned afterwards. */
  #branches(
    branches: readonly { readonly test: () => void; readonly body: readonly ast.Statement[] }[],
    isComplete: boolean,
  ): void {
    const ends: Variable[][] = [];
    for (const { test, body } of branches) {
      test();
      const added = this.#maybe(() => this.visit(body));
      const last = body.at(-1);
      if (!last || !LEAVES.has(last.kind)) ends.push(added);
    }
    if (!isComplete) return;
    const [first, ...others] = ends;
    const sets = others.map((end) => new Set(end));
    for (const variable of first ?? []) {
      if (!sets.every((set) => set.has(variable))) continue;
      this.#assigned.add(variable);
      this.#trail.push(variable);
    }
  }

  #statement(node: ast.Statement): void {
    switch (node.kind) {
      case "if":
        this.#branches(
          [
            ...node.arms.map((arm) => ({ test: () => this.#expression(arm.condition), body: arm.body })),
            ...(node.otherwise ? [{ test: () => undefined, body: node.otherwise }] : []),
          ],
          node.otherwise !== null,
        );
        break;
      case "select":
        this.#expression(node.subject);
        this.#branches(
          [
            ...node.arms.map((arm) => ({ test: () => this.#caseTests(arm.tests), body: arm.body })),
            ...(node.otherwise ? [{ test: () => undefined, body: node.otherwise }] : []),
          ],
          node.otherwise !== null,
        );
        break;
      case "while":
        this.#expression(node.condition);
        this.#maybe(() => this.visit(node.body));
        break;
      case "do":
        this.#expression(node.before?.condition ?? null);
        this.#maybe(() => this.visit(node.body));
        this.#expression(node.after?.condition ?? null);
        break;
      case "for":
        this.#expression(node.from);
        this.#assign(node.variable);
        this.#expression(node.to);
        this.#expression(node.step);
        this.#maybe(() => this.visit(node.body));
        break;
      case "forEach":
        this.#expression(node.collection);
        this.#maybe(() => {
          this.#assign(node.variable);
          this.visit(node.body);
        });
        break;
      case "with":
        this.#expression(node.target);
        this.visit(node.body);
        break;
      case "block":
        this.visit(node.body);
        break;
      case "try":
        this.#try(node);
        break;
      default:
        walkStatements([node], {
          expression: (expression) => this.#read(expression),
          store: (place) => {
            if (place.kind === "name") this.#assign(place);
          },
        });
    }
  }

  #caseTests(tests: readonly ast.CaseTest[]): void {
    for (const test of tests) {
      if (test.kind === "range") {
        this.#expression(test.low);
        this.#expression(test.high);
      } else this.#expression(test.value);
    }
  }

  #try(node: ast.Try): void {
    this.#maybe(() => this.visit(node.body));
    this.#maybe(() => {
      if (node.catchVariable) this.#assign(node.catchVariable);
      this.visit(node.catchBody ?? []);
    });
    this.#maybe(() => this.visit(node.finallyBody ?? []));
  }
}
