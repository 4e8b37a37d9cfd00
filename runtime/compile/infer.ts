/** Finds out what each variable can hold, from everything the program stores to it, whatever the order things run in. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { FunctionContext } from "./context.ts";
import { dimKinds } from "./dim.ts";
import { rowKinds } from "./operations.ts";
import { keptKinds, placeIsText } from "./stores.ts";
import { ANY, BOOL, binaryKinds, type Kinds, NULL, NUMBER, OTHER, STRING } from "./types.ts";
import type { Variable } from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** One store: the variable and what is stored, as far as is known when asked. */
interface Store {
  readonly variable: Variable;
  readonly kinds: () => Kinds;
}

/** The text of one function, with names resolved as that function sees them. */
export interface InferredCode {
  readonly context: FunctionContext;
  readonly statements: readonly ast.Statement[];
}

/** Sets `kinds` of every variable: grows the sets until nothing changes. */
export function inferVariables(codes: readonly InferredCode[]): void {
  const stores = codes.flatMap((code) => storesOf(code));
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const { variable, kinds } of stores) {
      const grown = variable.kinds | keptKinds(variable, kinds());
      if (grown !== variable.kinds) {
        variable.kinds = grown;
        isStable = false;
      }
    }
  }
}

function storesOf({ context, statements }: InferredCode): Store[] {
  const stores: Store[] = [];
  const add = (place: ast.Place, kinds: () => Kinds): void => {
    const variable = place.kind === "name" ? context.variable(place.name) : undefined;
    if (variable) stores.push({ variable, kinds });
  };
  walkStatements(statements, {
    statement: (node) => {
      switch (node.kind) {
        case "assign":
          add(node.target, () => inferKinds(context, node.value));
          break;
        case "const":
          for (const entry of node.entries) add(entry.name, () => inferKinds(context, entry.value));
          break;
        case "swap":
          add(node.left, () => inferKinds(context, node.right));
          add(node.right, () => inferKinds(context, node.left));
          break;
        case "dim":
          for (const item of node.items) add(item.name, () => dimKinds(item));
          break;
        case "for":
          add(node.variable, () => NUMBER);
          break;
        case "forEach":
          add(node.variable, () => ANY);
          break;
        case "try":
          if (node.catchVariable) add(node.catchVariable, () => STRING);
          break;
        case "input":
          for (const target of node.targets) add(target, () => (placeIsText(target) || node.isLine ? STRING : NUMBER));
          break;
        case "read":
          for (const target of node.targets) add(target, () => (placeIsText(target) ? STRING : NUMBER | STRING));
          break;
        default:
      }
    },
  });
  return stores;
}

/** Kinds of an expression for inference, before any code is made: never less than what code generation will see. */
function inferKinds(context: FunctionContext, node: ast.Expression): Kinds {
  switch (node.kind) {
    case "number":
      return NUMBER;
    case "string":
    case "interpolation":
      return STRING;
    case "boolean":
      return BOOL;
    case "null":
      return NULL;
    case "unary":
      return node.operator === "NOT" ? BOOL : NUMBER;
    case "binary":
      return node.operator === "+"
        ? binaryKinds("+", inferKinds(context, node.left), inferKinds(context, node.right))
        : binaryKinds(node.operator, ANY, ANY);
    case "list":
    case "dict":
    case "new":
    case "class":
      return OTHER;
    case "shellCode":
      return NUMBER;
    case "name":
      return inferName(context, node);
    case "call":
      return inferCall(context, node);
    default:
      return ANY;
  }
}

function inferName(context: FunctionContext, node: ast.Name): Kinds {
  const variable = context.variable(node.name);
  if (variable?.isStored) return variable.array ? OTHER | NULL : variable.kinds | NULL;
  const constant = context.compilation.surface.constants.get(nameKey(node.name));
  if (constant) return typeof constant.value === "number" ? NUMBER : STRING;
  return ANY;
}

function inferCall(context: FunctionContext, node: ast.Call): Kinds {
  if (node.target.kind !== "name") return ANY;
  const { surface } = context.compilation;
  const builtin = surface.builtins.get(nameKey(node.target.name));
  const variable = context.variable(node.target.name);
  const isHidden = variable?.isStored || context.compilation.unit.routines.has(nameKey(node.target.name));
  if (builtin?.row.kind === "function" && !(builtin.row.yields && isHidden))
    return builtin.row.givesAny ? ANY : rowKinds(builtin.row.name);
  if (variable?.array && node.arguments.length > 0) {
    return variable.array.element === "number" ? NUMBER : variable.array.element === "string" ? STRING : ANY;
  }
  return ANY;
}
