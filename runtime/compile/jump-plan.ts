/** Looks at a function's labels and jumps before code is made: what takes part, what must be cut into blocks, what is wrong. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { nestedLists } from "../../grammar/bodies.ts";
import { complaints, type Place } from "../../grammar/complaints.ts";
import { closest } from "../../grammar/did-you-mean.ts";
import type { FunctionContext, JumpPlan } from "./context.ts";

/** A place in the tree: the blocks around it that nobody may jump into, outermost first. */
type Closed = readonly ast.Statement[];

interface LabelPlace {
  readonly node: ast.Label;
  readonly closed: Closed;
}

interface JumpPlace {
  readonly label: ast.LabelName;
  readonly at: Place;
  readonly closed: Closed;
}

/** Plans a function's jumps; null when it has none. Complains about labels that are missing, double or out of reach. */
export function planJumps(context: FunctionContext, statements: readonly ast.Statement[]): JumpPlan | null {
  const labels = new Map<string, LabelPlace>();
  const jumps: JumpPlace[] = [];
  let hasGosub = false;
  const collect = (list: readonly ast.Statement[], closed: Closed): void => {
    for (const node of list) {
      context.file = context.compilation.fileOf?.get(node) ?? context.file;
      if (node.kind === "label") addLabel(context, labels, node, closed);
      for (const label of jumpLabels(node)) jumps.push({ label, at: context.place(label.span), closed });
      if (isGosub(node)) hasGosub = true;
      const inner = CLOSED.has(node.kind) ? [...closed, node] : closed;
      for (const nested of nestedLists(node)) collect(nested, inner);
    }
  };
  collect(statements, []);
  if (jumps.length === 0 && !hasGosub) return null;
  const targets = new Set<string>();
  for (const { label, at, closed } of jumps) {
    const found = labels.get(nameKey(label.name));
    if (!found) {
      const names = [...labels.values()].map((place) => place.node.name);
      context.complain(complaints.undefinedLabel(at, label.name, closest(label.name, names)));
      continue;
    }
    targets.add(nameKey(label.name));
    const shut = found.closed.find((block, depth) => closed[depth] !== block);
    if (shut) context.complain(complaints.jumpIntoBlock(at, label.name, CLOSED.get(shut.kind)!));
  }
  return { targets, hasGosub, ...involvedStatements(statements, targets, hasGosub) };
}

/** Blocks whose bodies can only be entered at their head. */
const CLOSED: ReadonlyMap<string, string> = new Map([
  ["forEach", "FOR EACH"],
  ["select", "SELECT CASE"],
  ["try", "TRY"],
  ["with", "WITH"],
]);

function addLabel(context: FunctionContext, labels: Map<string, LabelPlace>, node: ast.Label, closed: Closed): void {
  const key = nameKey(node.name);
  if (labels.has(key)) context.complain(complaints.duplicateLabel(context.place(node.span), node.name));
  else labels.set(key, { node, closed });
}

/** The labels that a statement itself jumps to. */
export function jumpLabels(node: ast.Statement): readonly ast.LabelName[] {
  if (node.kind === "goto" || node.kind === "gosub" || node.kind === "returnTo") return [node.label];
  return node.kind === "onJump" ? node.labels : [];
}

/** Whether a statement calls a subroutine of its own function. */
const isGosub = (node: ast.Statement): boolean => node.kind === "gosub" || (node.kind === "onJump" && node.isGosub);

function involvedStatements(
  statements: readonly ast.Statement[],
  targets: ReadonlySet<string>,
  hasGosub: boolean,
): Pick<JumpPlan, "involved" | "cut"> {
  const involved = new Set<ast.Statement>();
  const cut = new Set<ast.Statement>();
  const visit = (list: readonly ast.Statement[]): { isInvolved: boolean; isCut: boolean } => {
    const all = { isInvolved: false, isCut: false };
    for (const node of list) {
      const isTarget = node.kind === "label" && targets.has(nameKey(node.name));
      const isReturn = node.kind === "return" && node.value === null && hasGosub;
      let isInvolved = isTarget || isReturn || jumpLabels(node).length > 0;
      let isCut = isTarget || isGosub(node);
      for (const nested of nestedLists(node)) {
        const inner = visit(nested);
        isInvolved ||= inner.isInvolved;
        // A TRY keeps its shape: what is inside it is cut in dispatch loops of its own.
        isCut ||= inner.isCut && node.kind !== "try";
      }
      if (isInvolved) involved.add(node);
      if (isCut) cut.add(node);
      all.isInvolved ||= isInvolved;
      all.isCut ||= isCut;
    }
    return all;
  };
  visit(statements);
  return { involved, cut };
}
