/** Finds the reads at which a variable certainly has been stored to, so that it cannot be NULL just for want of a store. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { nestedLists } from "../../grammar/bodies.ts";
import type { JumpPlan } from "./context.ts";
import { jumpLabels } from "./jump-plan.ts";
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
 * At a label only what was stored before the first label or jump of its list counts: jumps come from behind that point.
 */
export function findAssignedReads(
  statements: readonly ast.Statement[],
  parameters: readonly Variable[],
  find: (name: string) => Variable | undefined,
  jumps: JumpPlan | null,
  reads: Set<ast.Name>,
): void {
  new AssignedReads(find, reads, parameters, jumps && new JumpCounts(jumps, statements)).visit(statements);
}

/** How often each label is jumped to, in all and from inside a statement. */
class JumpCounts {
  readonly plan: JumpPlan;
  readonly #all: ReadonlyMap<string, number>;

  constructor(plan: JumpPlan, statements: readonly ast.Statement[]) {
    this.plan = plan;
    this.#all = countJumps(statements).jumps;
  }

  /** Whether jumps from outside lead into a statement, and whether jumps lead out of it. */
  of(node: ast.Statement): { isEntered: boolean; isLeft: boolean } {
    const { labels, jumps } = countJumps([node]);
    return {
      isEntered: [...labels].some((label) => (this.#all.get(label) ?? 0) > (jumps.get(label) ?? 0)),
      isLeft: [...jumps.keys()].some((label) => !labels.has(label)),
    };
  }
}

function countJumps(
  statements: readonly ast.Statement[],
  counted = { labels: new Set<string>(), jumps: new Map<string, number>() },
): { labels: ReadonlySet<string>; jumps: ReadonlyMap<string, number> } {
  for (const node of statements) {
    if (node.kind === "label") counted.labels.add(nameKey(node.name));
    for (const { name } of jumpLabels(node)) counted.jumps.set(nameKey(name), (counted.jumps.get(nameKey(name)) ?? 0) + 1);
    for (const list of nestedLists(node)) countJumps(list, counted);
  }
  return counted;
}

class AssignedReads {
  readonly #find: (name: string) => Variable | undefined;
  readonly #reads: Set<ast.Name>;
  readonly #assigned: Set<Variable>;
  /** What was assigned, in order: the end is taken back where it may not have run. */
  readonly #trail: Variable[] = [];

  readonly #jumps: JumpCounts | null;

  constructor(
    find: (name: string) => Variable | undefined,
    reads: Set<ast.Name>,
    parameters: readonly Variable[],
    jumps: JumpCounts | null,
  ) {
    this.#jumps = jumps;
    this.#find = find;
    this.#reads = reads;
    this.#assigned = new Set(parameters);
  }

  visit(statements: readonly ast.Statement[]): void {
    if (this.#jumps) this.#visitWithJumps(statements, this.#jumps);
    else for (const node of statements) this.#statement(node);
  }

  /** What holds at the list's labels is what holds at its first label or jump; between labels things go in order. */
  #visitWithJumps(statements: readonly ast.Statement[], jumps: JumpCounts): void {
    const { plan } = jumps;
    let atLabels: number | undefined;
    for (const node of statements) {
      if (!plan.involved.has(node)) {
        this.#statement(node);
        continue;
      }
      const { isEntered, isLeft } = jumps.of(node);
      if (isEntered || isLeft) atLabels ??= this.#trail.length;
      if (isEntered && atLabels !== undefined) this.#takeBack(atLabels);
      if (isEntered) this.#visitAlone(node);
      else this.#statement(node);
    }
  }

  /** A statement that jumps lead into: what it stores counts nowhere, not even inside it. */
  #visitAlone(node: ast.Statement): void {
    walkStatements([node], { expression: (expression) => this.#read(expression) });
  }

  /** Forgets what was assigned since the trail had a length. Gives what it was. */
  #takeBack(length: number): Variable[] {
    const added = this.#trail.splice(length);
    for (const variable of added) this.#assigned.delete(variable);
    return added;
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
    return this.#takeBack(start);
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
