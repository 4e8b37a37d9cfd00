/** The pieces all generated code is made of: conversions that check only what is not known, operators, waits. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { foreignTypeHint } from "../../grammar/foreign.ts";
import type { Code, FunctionContext } from "./context.ts";
import { quote } from "./emit.ts";
import { ANY, BOOL, binaryKinds, isOnly, type Kinds, NULL, NUMBER, OTHER, STRING } from "./types.ts";
import { isLibrary, type Variable } from "./unit.ts";

type Span = ast.Expression["span"];

/** A number as JavaScript writes it. */
export const numberLiteral = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "(1/0)" : Object.is(value, -0) ? "-0" : value < 0 ? `(${value})` : String(value);

/** A condition as a JavaScript boolean. */
export function condition(context: FunctionContext, node: ast.Expression): string {
  return asCondition(context.expression(node));
}

function asCondition(code: Code): string {
  if (isOnly(code.kinds, BOOL)) return code.js;
  if (isOnly(code.kinds, NUMBER)) return `(${code.js} !== 0)`;
  if (isOnly(code.kinds, STRING)) return `(${code.js} !== "")`;
  return `isTrue(${code.js})`;
}

/** An expression as a JavaScript number; raises `expected number` at `span` for anything else. */
export function asNumber(context: FunctionContext, code: Code, span: Span): string {
  if (isOnly(code.kinds, NUMBER)) return code.js;
  return context.at(span, `num(${code.js})`);
}

/** An expression's display form as a JavaScript string. */
export function asText(code: Code): string {
  if (isOnly(code.kinds, STRING)) return code.js;
  return isOnly(code.kinds, NUMBER) ? `showNumber(${code.js})` : `show(${code.js})`;
}

/** The JavaScript that reads a variable as a value. */
export function readVariable(context: FunctionContext, variable: Variable, name: ast.Name): Code {
  if (variable.array) return { js: `whole(${variable.js})`, kinds: OTHER | NULL };
  return { js: variable.js, kinds: context.kindsOf(variable, name) };
}

const ARITHMETIC = { "-": "-", "*": "*", "/": "/", MOD: "%", "^": "**" } as const;
const ORDER = { "<": "less", "<=": "lessEqual", ">": "more", ">=": "moreEqual" } as const;

/** A binary operation other than AND and OR on two computed values. `span` is where errors point. */
export function operation(
  context: FunctionContext,
  operator: Exclude<ast.BinaryOperator, "AND" | "OR">,
  left: Code,
  right: Code,
  span: Span,
): Code {
  const kinds = binaryKinds(operator, left.kinds, right.kinds);
  const bothNumbers = isOnly(left.kinds | right.kinds, NUMBER) && left.kinds !== 0 && right.kinds !== 0;
  const helper = (name: string): Code => ({
    js: context.at(span, `${name}(${left.js}, ${right.js})`),
    kinds,
  });
  switch (operator) {
    case "+":
      if (bothNumbers) return { js: sum(left.js, right.js), kinds };
      if (isOnly(kinds, STRING)) return { js: context.at(span, joined(asText(left), asText(right))), kinds };
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

/** `left + right` in parentheses; a sum on the left is taken into them, so that long chains do not nest. */
const sum = (left: string, right: string): string =>
  left.startsWith(SUM) ? `${left.slice(0, -1)} + ${right})` : `${SUM}${left} + ${right})`;
/** A string made of two: checked once against the limit, however long the chain. */
function joined(left: string, right: string): string {
  const chain = /^\u0001[^;]*;joined\(/.exec(left)?.[0];
  return `joined(${sum(chain ? left.slice(chain.length, -1) : left, right)})`;
}
/** How generated sums begin; no other generated code does. */
const SUM = "(0, ";

/**
 * Whether two numbers can be the indices of an element of a two-dimensional array, as far as its data does not tell by
 * itself: the column lies in a row, and the row number is whole. A row out of range misses the data.
 */
export const inRow = (array: Variable, row: string, column: string): string =>
  `${column} >= 0 && ${column} < ${array.widthJs} && (${row} | 0) === ${row}`;

/** The object a member belongs to: its own target, or the innermost WITH. */
export const memberTarget = (context: FunctionContext, node: ast.Member): string =>
  node.target ? context.value(node.target) : (context.withs.at(-1) ?? "null");

/** A call that may give a promise: the task waits for it, and a rejection is raised right here. */
export function waiting(context: FunctionContext, span: Span, js: string): string {
  if (!context.declarations.includes("w")) context.declarations.push("w");
  return context.at(span, `(isPromise(w = ${context.at(span, js)}) ? ${context.at(span, "got(yield w)")} : w)`);
}

/** `CLASS(file)`: runs the file's program and gives the object. */
export const classInstance = (context: FunctionContext, file: ast.Expression, span: Span): string =>
  context.at(span, `(yield* classInstance(${asText(context.expression(file))}, ${context.file.index}))`);

/** A TYPE that the program names, quoted; one that it does not have is foreseen. */
export function typeReference(context: FunctionContext, type: string, span: Span): string {
  const { unit, statements } = context.compilation;
  if (!unit.types.has(nameKey(type)) && !unit.hasDynamicCode && !isLibrary(statements))
    context.foresee("B1004", `Unknown TYPE '${type}'`, span, foreignTypeHint(type));
  return quote(type);
}

/** An instance of a TYPE. */
export const newObject = (context: FunctionContext, type: string, args: readonly ast.Expression[], span: Span): string =>
  context.at(span, `newObject(${typeReference(context, type, span)}, [${args.map((node) => context.value(node)).join(", ")}])`);

/** What a row's suffix promises of its result. */
export const rowKinds = (name: string): Kinds => (name.endsWith("$") ? STRING : /[%&]$/.test(name) ? NUMBER : ANY);
