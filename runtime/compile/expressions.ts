/** Expressions as JavaScript: operators with unchecked fast paths where the kinds are known, checked helpers elsewhere. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { callExpression, readModuleMember, rowCall } from "./calls.ts";
import type { Code, FunctionContext } from "./context.ts";
import { quote } from "./emit.ts";
import { ANY, BOOL, binaryKinds, isOnly, type Kinds, NULL, NUMBER, OTHER, STRING } from "./types.ts";
import type { Variable } from "./unit.ts";

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
      return { js: `[${node.items.map((item) => valueOf(context, item)).join(", ")}]`, kinds: OTHER };
    case "dict":
      return {
        js: `dict([${node.entries.map((entry) => `[${quote(entry.key)}, ${valueOf(context, entry.value)}]`).join(", ")}])`,
        kinds: OTHER,
      };
    case "call":
      return callExpression(context, node);
    case "index":
      return {
        js: context.at(node.span, `index(${valueOf(context, node.target)}, ${valueOf(context, node.index)})`),
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

/** The JavaScript of an expression where any value will do. */
export const valueOf = (context: FunctionContext, node: ast.Expression): string => expression(context, node).js;

const numberLiteral = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "(1/0)" : Object.is(value, -0) ? "-0" : value < 0 ? `(${value})` : String(value);

/** A condition as a JavaScript boolean. */
export function condition(context: FunctionContext, node: ast.Expression): string {
  return asCondition(expression(context, node));
}

function asCondition(code: Code): string {
  if (isOnly(code.kinds, BOOL)) return code.js;
  if (isOnly(code.kinds, NUMBER)) return `(${code.js} !== 0)`;
  if (isOnly(code.kinds, STRING)) return `(${code.js} !== "")`;
  return `isTrue(${code.js})`;
}

/** An expression as a JavaScript number; raises `expected number` at `span` for anything else. */
export function asNumber(context: FunctionContext, code: Code, span: ast.Expression["span"]): string {
  if (isOnly(code.kinds, NUMBER)) return code.js;
  return context.at(span, `num(${code.js})`);
}

/** An expression's display form as a JavaScript string. */
export function asText(code: Code): string {
  if (isOnly(code.kinds, STRING)) return code.js;
  return isOnly(code.kinds, NUMBER) ? `showNumber(${code.js})` : `show(${code.js})`;
}

function interpolation(context: FunctionContext, node: ast.Interpolation): Code {
  const parts = node.parts.map((part) => (typeof part === "string" ? quote(part) : asText(expression(context, part))));
  return { js: `("" + ${parts.filter((part) => part !== '""').join(" + ") || '""'})`, kinds: STRING };
}

/** The JavaScript that reads a variable as a value. */
export function readVariable(context: FunctionContext, variable: Variable): Code {
  if (variable.array) return { js: `whole(${variable.js})`, kinds: OTHER | NULL };
  return { js: variable.js, kinds: context.kindsOf(variable) };
}

function readName(context: FunctionContext, node: ast.Name): Code {
  const { unit, surface, outside } = context.compilation;
  const key = nameKey(node.name);
  const variable = context.variable(node.name);
  if (variable?.isStored) return readVariable(context, variable);
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
  if (variable && unit.hasDynamicCode) return { js: variable.js, kinds: ANY };
  return { js: "null", kinds: NULL };
}

function unary(context: FunctionContext, node: ast.Unary): Code {
  if (node.operator === "NOT") return { js: `!${condition(context, node.operand)}`, kinds: BOOL };
  const operand = expression(context, node.operand);
  return { js: `(-${asNumber(context, operand, node.span)})`, kinds: NUMBER };
}

const ARITHMETIC = { "-": "-", "*": "*", "/": "/", MOD: "%", "^": "**" } as const;
const ORDER = { "<": "less", "<=": "lessEqual", ">": "more", ">=": "moreEqual" } as const;

function binary(context: FunctionContext, node: ast.Binary): Code {
  const { operator } = node;
  if (operator === "AND" || operator === "OR") {
    const left = condition(context, node.left);
    const right = context.maybe(() => condition(context, node.right));
    return { js: `(${left} ${operator === "AND" ? "&&" : "||"} ${right})`, kinds: BOOL };
  }
  return operation(context, operator, expression(context, node.left), expression(context, node.right), node.operatorSpan);
}

/** A binary operation other than AND and OR on two computed values. `span` is where errors point. */
export function operation(
  context: FunctionContext,
  operator: Exclude<ast.BinaryOperator, "AND" | "OR">,
  left: Code,
  right: Code,
  span: ast.Expression["span"],
): Code {
  const kinds = binaryKinds(operator, left.kinds, right.kinds);
  const bothNumbers = isOnly(left.kinds | right.kinds, NUMBER) && left.kinds !== 0 && right.kinds !== 0;
  const helper = (name: string): Code => ({
    js: context.at(span, `${name}(${left.js}, ${right.js})`),
    kinds,
  });
  switch (operator) {
    case "+":
      if (bothNumbers) return { js: `(${left.js} + ${right.js})`, kinds };
      if (isOnly(kinds, STRING)) return { js: `(${asText(left)} + ${asText(right)})`, kinds };
      return helper("add");
    case "-":
    case "*":
    case "/":
    case "MOD":
    case "^": {
      const a = asNumber(context, left, span);
      const b = asNumber(context, right, span);
      return { js: `(${a} ${ARITHMETIC[operator]} ${b})`, kinds };
    }
    case "\\":
      return {
        js: `(Math.trunc(${asNumber(context, left, span)} / ${asNumber(context, right, span)}) + 0)`,
        kinds,
      };
    case "=":
    case "<>": {
      const sameKind = bothNumbers || (isOnly(left.kinds, STRING) && isOnly(right.kinds, STRING));
      if (sameKind) return { js: `(${left.js} ${operator === "=" ? "===" : "!=="} ${right.js})`, kinds };
      const equal = helper("equal");
      return operator === "=" ? equal : { js: `!${equal.js}`, kinds };
    }
    default:
      return bothNumbers ? { js: `(${left.js} ${operator} ${right.js})`, kinds } : helper(ORDER[operator]);
  }
}

function member(context: FunctionContext, node: ast.Member): Code {
  const builtIn = readModuleMember(context, node);
  if (builtIn) return builtIn;
  return { js: context.at(node.nameSpan, `member(${memberTarget(context, node)}, ${quote(node.name)})`), kinds: ANY };
}

/** The object a member belongs to: its own target, or the innermost WITH. */
export const memberTarget = (context: FunctionContext, node: ast.Member): string =>
  node.target ? valueOf(context, node.target) : (context.withs.at(-1) ?? "null");

function special(context: FunctionContext, node: ast.EvalExpression | ast.NewObject | ast.ClassInstance | ast.ShellExpression): Code {
  switch (node.kind) {
    case "eval":
      return { js: waiting(context, node.span, `evaluate(${valueOf(context, node.code)}, ${context.file.index})`), kinds: ANY };
    case "class":
      return { js: waiting(context, node.span, `classInstance(${valueOf(context, node.file)}, ${context.file.index})`), kinds: OTHER };
    case "shellCode":
      return { js: waiting(context, node.span, `shell(${valueOf(context, node.command)})`), kinds: NUMBER };
    case "new":
      return {
        js: context.at(node.span, `newObject(${quote(node.type)}, [${node.arguments.map((item) => valueOf(context, item)).join(", ")}])`),
        kinds: OTHER,
      };
  }
}

/** A call that may give a promise: the task waits for it, and a rejection is raised right here. */
export function waiting(context: FunctionContext, span: ast.Expression["span"], js: string): string {
  if (!context.declarations.includes("w")) context.declarations.push("w");
  return context.at(span, `(isPromise(w = ${context.at(span, js)}) ? ${context.at(span, "got(yield w)")} : w)`);
}

/** Kinds of an expression for inference, before any code is made: never less than what code generation will see. */
export function inferKinds(context: FunctionContext, node: ast.Expression): Kinds {
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
  if (builtin?.row.kind === "function" && !(builtin.row.yields && isHidden)) return rowKinds(builtin.row.name);
  if (variable?.array && node.arguments.length > 0) {
    return variable.array.element === "number" ? NUMBER : variable.array.element === "string" ? STRING : ANY;
  }
  return ANY;
}

/** What a row's suffix promises of its result. */
export const rowKinds = (name: string): Kinds => (name.endsWith("$") ? STRING : /[%&]$/.test(name) ? NUMBER : ANY);
