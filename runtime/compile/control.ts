/** IF, loops and SELECT as JavaScript, and the jumps that leave loops. */
import type * as ast from "../../grammar/ast.ts";
import type { Code, FunctionContext, LoopFrame } from "./context.ts";
import { asNumber, condition, operation } from "./operations.ts";
import { storeVariable } from "./stores.ts";
import { ANY, isOnly, NUMBER } from "./types.ts";
import { walkStatements } from "./walk.ts";

/** Rounds of a function's loops between two looks at the shared fuel: they count in a local variable. */
const ROUNDS = 128;

/** What every loop does once a round: count against the limits and, in a task that may, let the host have its turn. */
export function backEdge(context: FunctionContext, span: ast.Statement["span"]): string {
  context.hasLoop = true;
  const tick = context.at(span, "tick()");
  const look = context.waits
    ? `if ((S.fuel -= ${ROUNDS}) < 0 && ${tick}) yield TURN;`
    : `if ((S.fuel -= ${ROUNDS}) < 0) ${tick};`;
  return `if (--q < 0) { q = ${ROUNDS}; ${look} }`;
}

/** The declaration that back-edges need. */
export const roundCounter = (context: FunctionContext): string => (context.hasLoop ? `let q = ${ROUNDS};` : "");

export function blockIf(context: FunctionContext, node: ast.If): string {
  const arms = node.arms.map((arm) => `if (${condition(context, arm.condition)}) {\n${context.block(arm.body)}\n}`);
  if (node.otherwise) arms.push(`{\n${context.block(node.otherwise)}\n}`);
  return arms.join(" else ");
}

/** Emits the body of a loop with a fresh label and gives both. */
function loopBody(
  context: FunctionContext,
  word: LoopFrame["word"],
  node: ast.While | ast.Do | ast.For | ast.ForEach,
): { label: string; js: string } {
  const label = context.label("L");
  context.frames.push({ kind: "loop", word, breakJs: `break ${label};`, continueJs: `continue ${label};` });
  const js = context.block(node.body);
  context.frames.pop();
  return { label, js: `${backEdge(context, node.span)}\n${js}` };
}

export function whileLoop(context: FunctionContext, node: ast.While): string {
  const test = condition(context, node.condition);
  const { label, js } = loopBody(context, "WHILE", node);
  return `${label}: while (${test}) {\n${js}\n}`;
}

export const loopTest = (context: FunctionContext, test: ast.LoopTest): string =>
  test.kind === "UNTIL" ? `!${condition(context, test.condition)}` : condition(context, test.condition);

export function doLoop(context: FunctionContext, node: ast.Do): string {
  const before = node.before && loopTest(context, node.before);
  const { label, js } = loopBody(context, "DO", node);
  if (!node.after) return `${label}: while (${before ?? "true"}) {\n${js}\n}`;
  const after = loopTest(context, node.after);
  return `${label}: do {\n${before ? `if (!(${before})) break;\n` : ""}${js}\n} while (${after});`;
}

/** The pieces a FOR is made of, for the structured loop and for one with labels inside. */
export interface ForParts {
  /** Stores the first value. */
  readonly start: string;
  /** Computes the step where its sign is not known before: to run before the first test and before each advance. */
  readonly holdStep: string;
  /** Nothing in the loop can change the step: once before the first test is enough. */
  readonly isStepFixed: boolean;
  readonly test: string;
  /** Steps the variable, as an expression. */
  readonly advance: string;
}

export function forParts(context: FunctionContext, node: ast.For): ForParts {
  const variable = context.variable(node.variable.name)!;
  const from = { js: asNumber(context, context.expression(node.from), node.from.span), kinds: NUMBER };
  const start = storeVariable(context, variable, from, node.variable.span);
  const reading = (): Code => ({ js: variable.js, kinds: variable.kinds });
  const to = { js: asNumber(context, context.expression(node.to), node.to.span), kinds: NUMBER };
  const direction = stepDirection(node.step);
  const step = node.step ? asNumber(context, context.expression(node.step), node.step.span) : "1";
  const isStepFixed = direction === "unknown" && isUntouched(context, node);
  const held = direction === "unknown" ? context.temporary("s") : step;
  const upward = operation(context, "<=", reading(), to, node.variable.span).js;
  const downward = operation(context, ">=", reading(), to, node.variable.span).js;
  const test =
    direction === "up"
      ? upward
      : direction === "down"
        ? downward
        : `(${isStepFixed ? held : `${held} >= 0`} ? ${upward} : ${downward})`;
  const added = { js: `(${asNumber(context, reading(), node.variable.span)} + ${isStepFixed ? step : held})`, kinds: NUMBER };
  const advance = storeVariable(context, variable, added, node.variable.span).slice(0, -1);
  const holdStep = direction === "unknown" ? `${held} = ${step}${isStepFixed ? " >= 0" : ""}` : "";
  return { start, holdStep, isStepFixed, test, advance };
}

/** Whether a step is a variable that holds a number and that neither the loop nor any other code stores to meanwhile. */
function isUntouched(context: FunctionContext, { variable, step, body }: ast.For): boolean {
  if (step?.kind !== "name") return false;
  const known = context.variable(step.name);
  if (!known?.isStored || known.array || known.isShared || context.compilation.unit.hasDynamicCode) return false;
  if (!isOnly(context.kindsOf(known, step), NUMBER)) return false;
  let isStored = context.variable(variable.name) === known;
  walkStatements(body, {
    store: (place) => {
      if (place.kind === "name" && context.variable(place.name) === known) isStored = true;
    },
  });
  return !isStored;
}

export function forLoop(context: FunctionContext, node: ast.For): string {
  const { start, holdStep, isStepFixed, test, advance } = forParts(context, node);
  const { label, js } = loopBody(context, "FOR", node);
  const again = holdStep && !isStepFixed ? `${holdStep}, ` : "";
  return `${start}${holdStep && `\n${holdStep};`}\n${label}: for (; ${test}; ${again}${advance}) {\n${js}\n}`;
}

function stepDirection(step: ast.Expression | null): "up" | "down" | "unknown" {
  if (!step || step.kind === "number") return "up";
  return step.kind === "unary" && step.operator === "-" && step.operand.kind === "number" && step.operand.value > 0
    ? "down"
    : "unknown";
}

export function forEach(context: FunctionContext, node: ast.ForEach): string {
  const variable = context.variable(node.variable.name)!;
  const item = context.label("x");
  const items = context.at(node.collection.span, `itemsOf(${context.value(node.collection)})`);
  const start = storeVariable(context, variable, { js: item, kinds: ANY }, node.variable.span);
  const { label, js } = loopBody(context, "FOR", node);
  return `${label}: for (const ${item} of ${items}) {\n${start}\n${js}\n}`;
}

export function select(context: FunctionContext, node: ast.Select): string {
  const subject = context.expression(node.subject);
  const held: Code = { js: context.temporary("c"), kinds: subject.kinds };
  const arms = node.arms.map((arm) => {
    const tests = arm.tests.map((test) => caseTest(context, held, test));
    return `if (${tests.join(" || ")}) {\n${context.block(arm.body)}\n}`;
  });
  if (node.otherwise) arms.push(`{\n${context.block(node.otherwise)}\n}`);
  return `${held.js} = ${subject.js};\n${arms.join(" else ")}`;
}

export function caseTest(context: FunctionContext, subject: Code, test: ast.CaseTest): string {
  const compare = (operator: "=" | "<>" | "<" | "<=" | ">" | ">=", node: ast.Expression): string =>
    operation(context, operator, subject, context.expression(node), node.span).js;
  if (test.kind === "equal") return compare("=", test.value);
  if (test.kind === "is") return compare(test.operator, test.value);
  return `(${compare(">=", test.low)} && ${compare("<=", test.high)})`;
}

/**
 * Leaves everything down to frame number `target` (−1: the function), running each FINALLY on the way: `js` is what
 * leaves in the end. A FINALLY in between is reached by its label and does the rest when it has run; a region that
 * was made into a function returns, and its caller does the rest.
 */
export function jump(context: FunctionContext, target: number, js: string): string {
  for (let at = context.frames.length - 1; at > target; at--) {
    const frame = context.frames[at]!;
    const stop = frame.kind === "finally" ? frame : frame.kind === "region" ? frame.asFunction : null;
    if (!stop) continue;
    const rest = context.frames.splice(at);
    const after = jump(context, target, js);
    context.frames.push(...rest);
    let number = stop.exits.indexOf(after);
    if (number < 0) number = stop.exits.push(after) - 1;
    return `{ ${stop.how} = ${number + 2}; ${frame.kind === "finally" ? `break ${frame.label};` : "return;"} }`;
  }
  return js;
}

/** BREAK, CONTINUE and EXIT FOR/WHILE/DO: `word` null means the innermost loop of any kind. */
export function exitLoop(context: FunctionContext, word: LoopFrame["word"] | null, how: "break" | "continue"): string {
  const target = context.frames.findLastIndex((frame) => frame.kind === "loop" && (word === null || frame.word === word));
  const frame = context.frames[target];
  return frame?.kind === "loop" ? jump(context, target, how === "break" ? frame.breakJs : frame.continueJs) : "";
}

/** Leaves the routine with a value. A FINALLY on the way keeps the value while it runs. */
export function leave(context: FunctionContext, value: string): string {
  const depth = context.routine && context.countsDepth ? "S.depth--; " : "";
  const isHeld = context.frames.some((frame) => frame.kind === "finally" || (frame.kind === "region" && frame.asFunction));
  if (!isHeld)
    return depth !== "" && value !== "null" ? `{ const r = ${value}; ${depth}return r; }` : `{ ${depth}return ${value}; }`;
  const held = context.temporary("r");
  return `{ ${held} = ${value}; ${jump(context, -1, `{ ${depth}return ${held}; }`)} }`;
}
