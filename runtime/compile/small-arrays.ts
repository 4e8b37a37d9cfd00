/**
 * Finds `%` arrays that only ever hold small constants, such as flags: they take one or four bytes an element. An array
 * qualifies when every store to an element is a number as written, and nothing but built-ins sees the array as a whole.
 */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { FunctionContext } from "./context.ts";
import type { Variable } from "./unit.ts";
import { walkStatements } from "./walk.ts";

const INT8 = { least: -0x80, most: 0x7f } as const;
const INT32 = { least: -0x80000000, most: 0x7fffffff } as const;

/** Sets the storage of every array variable that qualifies, over all functions of a unit. */
export function findSmallArrays(
  codes: readonly { readonly context: FunctionContext; readonly statements: readonly ast.Statement[] }[],
): void {
  const ranges = new Map<Variable, { least: number; most: number }>();
  const refused = new Set<Variable>();
  for (const { context, statements } of codes) lookAt(context, statements, ranges, refused);
  for (const [variable, { least, most }] of ranges) {
    if (refused.has(variable) || !variable.array) continue;
    const fits = (range: { least: number; most: number }): boolean => least >= range.least && most <= range.most;
    if (fits(INT8)) variable.array = { ...variable.array, storage: "int8" };
    else if (fits(INT32)) variable.array = { ...variable.array, storage: "int32" };
  }
}

function lookAt(
  context: FunctionContext,
  statements: readonly ast.Statement[],
  ranges: Map<Variable, { least: number; most: number }>,
  refused: Set<Variable>,
): void {
  const arrayOf = (node: ast.Expression): Variable | undefined => {
    const variable = node.kind === "name" ? context.variable(node.name) : undefined;
    return variable?.array?.element === "integer" ? variable : undefined;
  };
  /** Names that are reached through an element, or seen by a built-in. */
  const harmless = new Set<ast.Expression>();
  const store = (variable: Variable, value: number | undefined): void => {
    if (value === undefined || !Number.isInteger(value)) {
      refused.add(variable);
      return;
    }
    const range = ranges.get(variable) ?? { least: 0, most: 0 };
    ranges.set(variable, { least: Math.min(range.least, value), most: Math.max(range.most, value) });
  };
  walkStatements(statements, {
    expression: (node) => {
      if (node.kind === "call") {
        if (node.arguments.length > 0) harmless.add(node.target);
        if (isBuiltin(context, node.target)) for (const argument of node.arguments) harmless.add(wholeName(argument));
      } else if (!harmless.has(node)) {
        const variable = arrayOf(node);
        if (variable) refused.add(variable);
      }
    },
    store: (place, by) => {
      if (place.kind !== "call") return;
      const variable = arrayOf(place.target);
      if (variable) store(variable, by.kind === "assign" ? constant(by.value) : undefined);
    },
  });
}

const isBuiltin = (context: FunctionContext, target: ast.Expression): boolean => {
  if (target.kind !== "name" || context.variable(target.name)?.isStored) return false;
  const key = nameKey(target.name);
  return context.compilation.surface.builtins.has(key) && !context.compilation.unit.routines.has(key);
};

/** The name in `a` or `a()`. */
const wholeName = (node: ast.Expression): ast.Expression =>
  node.kind === "call" && node.arguments.length === 0 ? node.target : node;

/** A number as written, perhaps with a sign, or TRUE and FALSE as 1 and 0. */
function constant(node: ast.Expression): number | undefined {
  if (node.kind === "number") return node.value;
  if (node.kind === "boolean") return Number(node.value);
  if (node.kind !== "unary" || node.operator !== "-" || node.operand.kind !== "number") return undefined;
  return 0 - node.operand.value;
}
