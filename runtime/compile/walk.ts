/** Walks a syntax tree in text order: the one place that knows which nodes have which children. */
import type { Expression, Place, Statement } from "../../grammar/ast.ts";

/** What a walk reports. Routine bodies are not entered: they are code of their own. */
export interface Visitor {
  expression?(node: Expression): void;
  statement?(node: Statement): void;
  /** A place that is written to: LET, FOR, READ, SWAP … Its index expressions are reported as expressions. */
  store?(place: Place, by: Statement): void;
}

/** Visits statements, their expressions and nested blocks, in text order. */
export function walkStatements(statements: readonly Statement[], visitor: Visitor): void {
  for (const statement of statements) walkStatement(statement, visitor);
}

/** Visits an expression and everything inside it. */
export function walkExpression(node: Expression, visitor: Visitor): void {
  visitor.expression?.(node);
  switch (node.kind) {
    case "interpolation":
      for (const part of node.parts) if (typeof part !== "string") walkExpression(part, visitor);
      break;
    case "call":
      walkExpression(node.target, visitor);
      for (const argument of node.arguments) walkExpression(argument, visitor);
      break;
    case "index":
      walkExpression(node.target, visitor);
      walkExpression(node.index, visitor);
      break;
    case "member":
      if (node.target) walkExpression(node.target, visitor);
      break;
    case "unary":
      walkExpression(node.operand, visitor);
      break;
    case "binary":
      walkExpression(node.left, visitor);
      walkExpression(node.right, visitor);
      break;
    case "list":
      for (const item of node.items) walkExpression(item, visitor);
      break;
    case "dict":
      for (const entry of node.entries) walkExpression(entry.value, visitor);
      break;
    case "new":
      for (const argument of node.arguments) walkExpression(argument, visitor);
      break;
    case "class":
      walkExpression(node.file, visitor);
      break;
    case "eval":
      walkExpression(node.code, visitor);
      break;
    case "shellCode":
      walkExpression(node.command, visitor);
      break;
    default:
  }
}

function walkPlace(place: Place, by: Statement, visitor: Visitor): void {
  if (place.kind === "call") {
    if (place.target.kind !== "name") walkExpression(place.target, visitor);
    for (const argument of place.arguments) walkExpression(argument, visitor);
  } else if (place.kind === "index") {
    walkExpression(place.target, visitor);
    walkExpression(place.index, visitor);
  } else if (place.kind === "member" && place.target) walkExpression(place.target, visitor);
  visitor.store?.(place, by);
}

function walkStatement(node: Statement, visitor: Visitor): void {
  visitor.statement?.(node);
  const inside = (expression: Expression | null): void => {
    if (expression) walkExpression(expression, visitor);
  };
  const blocks = (...lists: (readonly Statement[] | null)[]): void => {
    for (const list of lists) if (list) walkStatements(list, visitor);
  };
  const store = (place: Place): void => walkPlace(place, node, visitor);
  switch (node.kind) {
    case "print":
      for (const item of node.items) if (item.kind === "value") inside(item.value);
      break;
    case "describe":
    case "expression":
    case "raise":
    case "return":
    case "result":
      inside(node.value);
      break;
    case "assign":
      inside(node.value);
      store(node.target);
      break;
    case "const":
      for (const entry of node.entries) {
        inside(entry.value);
        store(entry.name);
      }
      break;
    case "swap":
      store(node.left);
      store(node.right);
      break;
    case "dim":
      for (const item of node.items) {
        if (item.kind === "array") item.bounds.forEach(inside);
        else if (item.kind === "fixedString") inside(item.bytes);
        else if (item.kind === "typed") item.arguments?.forEach(inside);
        else if (item.kind === "class") inside(item.file);
        else if (item.kind === "value") inside(item.value);
        store(item.name);
      }
      break;
    case "callStatement":
      inside(node.target);
      node.arguments.forEach(inside);
      break;
    case "if":
      for (const arm of node.arms) {
        inside(arm.condition);
        blocks(arm.body);
      }
      blocks(node.otherwise);
      break;
    case "while":
      inside(node.condition);
      blocks(node.body);
      break;
    case "do":
      inside(node.before?.condition ?? null);
      blocks(node.body);
      inside(node.after?.condition ?? null);
      break;
    case "for":
      inside(node.from);
      store(node.variable);
      inside(node.to);
      inside(node.step);
      blocks(node.body);
      break;
    case "forEach":
      inside(node.collection);
      store(node.variable);
      blocks(node.body);
      break;
    case "select":
      inside(node.subject);
      for (const arm of node.arms) {
        for (const test of arm.tests) {
          if (test.kind === "range") {
            inside(test.low);
            inside(test.high);
          } else inside(test.value);
        }
        blocks(arm.body);
      }
      blocks(node.otherwise);
      break;
    case "block":
      blocks(node.body);
      break;
    case "with":
      inside(node.target);
      blocks(node.body);
      break;
    case "try":
      blocks(node.body);
      if (node.catchVariable) store(node.catchVariable);
      blocks(node.catchBody, node.finallyBody);
      break;
    case "onJump":
      inside(node.selector);
      break;
    case "exit":
      inside(node.code);
      break;
    case "sleep":
      inside(node.milliseconds);
      break;
    case "randomize":
      inside(node.seed);
      break;
    case "input":
      inside(node.prompt);
      node.targets.forEach(store);
      break;
    case "read":
      node.targets.forEach(store);
      break;
    case "setEnvironment":
      inside(node.value);
      break;
    case "shell":
      inside(node.command);
      break;
    case "exec":
      inside(node.code);
      break;
    default:
  }
}
