/** Which statement lists a statement holds: the one place that knows, for everything that looks at programs block by block. */
import type { Statement } from "./ast.ts";

/** The statement lists inside a statement; a routine's body is not one of them. */
export function nestedLists(node: Statement): readonly (readonly Statement[])[] {
  switch (node.kind) {
    case "if":
    case "select":
      return [...node.arms.map((arm) => arm.body), ...(node.otherwise ? [node.otherwise] : [])];
    case "while":
    case "do":
    case "for":
    case "forEach":
    case "block":
    case "with":
      return [node.body];
    case "try":
      return [node.body, node.catchBody, node.finallyBody].filter((list) => list !== null);
    default:
      return [];
  }
}
