/** Expressions as JavaScript: operators with unchecked fast paths where the kinds are known, checked helpers elsewhere. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { callExpression, readModuleMember, rowCall } from "./calls.ts";
import type { Code, FunctionContext } from "./context.ts";
import { quote } from "./emit.ts";
import {
  asNumber,
  asText,
  classInstance,
  condition,
  memberTarget,
  newObject,
  numberLiteral,
  operation,
  readVariable,
  waiting,
} from "./operations.ts";
import { ANY, BOOL, NULL, NUMBER, OTHER, STRING } from "./types.ts";

/** An expression as JavaScript, with what it can be. */
export function expression(context: FunctionContext, node: ast.Expression): Code {
  switch (node.kind) {
    case "number":
      return { js: numberLiteral(node.value), kinds: NUMBER };
    case "string":
      return { js: quote(node.value), kinds: STRING };
    case "boolean":
      return { js: String(node.value), kinds: BOOL };
    case "null":
      return { js: "null", kinds: NULL };
    case "interpolation":
      return interpolation(context, node);
    case "name":
      return readName(context, node);
    case "unary":
      return unary(context, node);
    case "binary":
      return binary(context, node);
    case "list":
      return { js: `[${node.items.map((item) => context.value(item)).join(", ")}]`, kinds: OTHER };
    case "dict":
      return {
        js: `dict([${node.entries.map((entry) => `[${quote(entry.key)}, ${context.value(entry.value)}]`).join(", ")}])`,
        kinds: OTHER,
      };
    case "call":
      return callExpression(context, node);
    case "index":
      return {
        js: context.at(node.span, `index(${context.value(node.target)}, ${context.value(node.index)})`),
        kinds: ANY,
      };
    case "member":
      return member(context, node);
    case "eval":
    case "new":
    case "class":
    case "shellCode":
      return special(context, node);
  }
}

function interpolation(context: FunctionContext, node: ast.Interpolation): Code {
  const parts = node.parts.map((part) => (typeof part === "string" ? quote(part) : asText(context.expression(part))));
  const texts = parts.filter((part) => part !== '""');
  if (texts.length === 0) return { js: '""', kinds: STRING };
  return { js: context.at(node.span, `joined("" + ${texts.join(" + ")})`), kinds: STRING };
}

function readName(context: FunctionContext, node: ast.Name): Code {
  const { unit, surface, outside } = context.compilation;
  const key = nameKey(node.name);
  const variable = context.variable(node.name);
  if (variable?.isStored) return readVariable(context, variable, node);
  const routine = unit.routines.get(key);
  if (routine) return { js: `R_${routine.js}`, kinds: OTHER };
  const constant = surface.constants.get(key);
  if (constant) {
    return typeof constant.value === "number"
      ? { js: numberLiteral(constant.value), kinds: NUMBER }
      : { js: quote(constant.value), kinds: STRING };
  }
  const builtin = surface.builtins.get(key);
  if (builtin?.row.kind === "function" && builtin.row.niladic) return rowCall(context, builtin, [], node.span);
  const module = surface.named.get(key);
  if (module) return { js: `moduleObject(${module.index})`, kinds: OTHER };
  if (outside.routines.has(key)) return { js: `outsideRoutine(${quote(key)})`, kinds: OTHER };
  if (variable && unit.hasDynamicCode && context.compilation.isFree(key)) return { js: variable.js, kinds: ANY };
  return { js: "null", kinds: NULL };
}

function unary(context: FunctionContext, node: ast.Unary): Code {
  if (node.operator === "NOT") return { js: `!${condition(context, node.operand)}`, kinds: BOOL };
  const operand = context.expression(node.operand);
  return { js: `(-${asNumber(context, operand, node.span)})`, kinds: NUMBER };
}

function binary(context: FunctionContext, node: ast.Binary): Code {
  const { operator } = node;
  if (operator === "AND" || operator === "OR") {
    const left = condition(context, node.left);
    const right = condition(context, node.right);
    return { js: `(${left} ${operator === "AND" ? "&&" : "||"} ${right})`, kinds: BOOL };
  }
  return operation(context, operator, context.expression(node.left), context.expression(node.right), node.operatorSpan);
}

function member(context: FunctionContext, node: ast.Member): Code {
  const builtIn = readModuleMember(context, node);
  if (builtIn) return builtIn;
  return { js: context.at(node.nameSpan, `member(${memberTarget(context, node)}, ${quote(node.name)})`), kinds: ANY };
}

function special(
  context: FunctionContext,
  node: ast.EvalExpression | ast.NewObject | ast.ClassInstance | ast.ShellExpression,
): Code {
  switch (node.kind) {
    case "eval":
      return { js: context.at(node.span, `(yield* evaluate(${context.value(node.code)}, ${context.file.index}))`), kinds: ANY };
    case "class":
      return { js: classInstance(context, node.file, node.span), kinds: OTHER };
    case "shellCode":
      return { js: waiting(context, node.span, `shell(${context.value(node.command)})`), kinds: NUMBER };
    case "new":
      return { js: newObject(context, node.type, node.arguments, node.span), kinds: OTHER };
  }
}
