/** Finds out what each variable can hold, from everything the program stores to it, whatever the order things run in. */
import type * as ast from "../../grammar/ast.ts";
import type { FunctionContext } from "./context.ts";
import { dimKinds } from "./dim.ts";
import { inferKinds } from "./expressions.ts";
import { placeIsText } from "./statements.ts";
import { keptKinds } from "./stores.ts";
import { ANY, type Kinds, NUMBER, STRING } from "./types.ts";
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
