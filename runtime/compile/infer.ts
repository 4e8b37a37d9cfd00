/** Finds out what each variable can hold, from everything the program stores to it, whatever the order things run in. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { arrayVariable } from "./calls.ts";
import type { FunctionContext } from "./context.ts";
import { dimKinds } from "./dim.ts";
import { rowKinds } from "./operations.ts";
import { findSmallArrays } from "./small-arrays.ts";
import { keptKinds, placeIsText } from "./stores.ts";
import { ANY, BOOL, binaryKinds, type Kinds, NULL, NUMBER, OTHER, STRING } from "./types.ts";
import type { ArrayShape, RoutineUnit, Variable } from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** One store, or one value returned: where it goes, and what it is as far as is known when asked. */
interface Flow {
  readonly into: Variable | RoutineUnit;
  readonly kinds: () => Kinds;
}

/** The text of one function, with names resolved as that function sees them. */
export interface InferredCode {
  readonly context: FunctionContext;
  readonly statements: readonly ast.Statement[];
}

/**
 * Sets `kinds` of every variable and `resultKinds` of every routine: grows the sets until nothing changes. Forms of
 * routines that main does not reach by direct calls stay out.
 */
export function inferVariables(codes: readonly InferredCode[]): void {
  findSmallArrays(codes);
  findArrayParameters(codes);
  const flows = codes.map((code) => ({ routine: code.context.routine, flows: flowsOf(code) }));
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const { routine, flows: list } of flows) {
      if (routine && !routine.isGeneric && !routine.isCalled) continue;
      for (const { into, kinds } of list) if (grow(into, kinds())) isStable = false;
    }
  }
}

function grow(into: Variable | RoutineUnit, kinds: Kinds): boolean {
  if ("resultKinds" in into) {
    const grown = into.resultKinds | kinds;
    if (grown === into.resultKinds && into.isCalled) return false;
    into.resultKinds = grown;
    into.isCalled = true;
    return true;
  }
  const grown = into.kinds | keptKinds(into, kinds);
  if (grown === into.kinds) return false;
  into.kinds = grown;
  return true;
}

function flowsOf(code: InferredCode): Flow[] {
  const { context, statements } = code;
  const flows: Flow[] = storesOf(code);
  const { routine } = context;
  if (routine && reachesEnd(statements)) flows.push({ into: routine, kinds: () => NULL });
  const called = (target: ast.Expression, args: readonly ast.Expression[]): void => {
    const callee = calledRoutine(context, target);
    if (!callee) return;
    flows.push({ into: callee, kinds: () => 0 });
    for (const [at, parameter] of callee.parameters.entries()) {
      const argument = args[at];
      if (argument) flows.push({ into: parameter, kinds: () => inferKinds(context, argument) });
    }
  };
  walkStatements(statements, {
    expression: (node) => {
      if (node.kind === "call") called(node.target, node.arguments);
    },
    statement: (node) => {
      if (node.kind === "callStatement") called(node.target, node.arguments);
      else if (!routine) return;
      else if (node.kind === "return")
        flows.push({ into: routine, kinds: () => (node.value ? inferKinds(context, node.value) : NULL) });
      else if (node.kind === "exitRoutine") flows.push({ into: routine, kinds: () => NULL });
    },
  });
  return flows;
}

/**
 * Finds parameters that get the same shape of array in every call by name, and that their routine never stores to: in
 * the form for such calls their elements are reached like those of any array.
 */
function findArrayParameters(codes: readonly InferredCode[]): void {
  const calls: { parameter: Variable; argument: Variable | undefined }[] = [];
  for (const { context, statements } of codes) {
    if (context.routine?.isGeneric) continue;
    const called = (target: ast.Expression, args: readonly ast.Expression[]): void => {
      for (const [at, parameter] of (calledRoutine(context, target)?.parameters ?? []).entries()) {
        const argument = args[at];
        if (parameter.isFinal) calls.push({ parameter, argument: argument && arrayVariable(context, argument) });
      }
    };
    walkStatements(statements, {
      expression: (node) => {
        if (node.kind === "call") called(node.target, node.arguments);
      },
      statement: (node) => {
        if (node.kind === "callStatement") called(node.target, node.arguments);
      },
    });
  }
  const refused = new Set<Variable>();
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const { parameter, argument } of calls) {
      if (refused.has(parameter)) continue;
      const shape = argument && !refused.has(argument) ? argument.array : undefined;
      // A parameter that is passed on and whose own shape is not known yet.
      if (shape === null) continue;
      if (shape && isSameShape(parameter.array ?? shape, shape)) {
        if (parameter.array) continue;
        parameter.array = shape;
      } else {
        refused.add(parameter);
        parameter.array = null;
      }
      isStable = false;
    }
  }
}

const isSameShape = (one: ArrayShape, other: ArrayShape): boolean => one.rank === other.rank && one.element === other.element;

/** Whether control can come to the end of a list of statements; true when in doubt. */
export function reachesEnd(statements: readonly ast.Statement[]): boolean {
  const last = statements.findLast((node) => node.kind !== "label" && node.kind !== "data");
  if (!last) return true;
  if (statements.some((node) => node.kind === "label")) return true;
  if (last.kind === "if")
    return last.otherwise === null || reachesEnd(last.otherwise) || last.arms.some((arm) => reachesEnd(arm.body));
  return !(last.kind === "return" && last.value !== null) && last.kind !== "raise";
}

/** The form of a routine that a call by name reaches from here. */
function calledRoutine(context: FunctionContext, target: ast.Expression): RoutineUnit | undefined {
  if (target.kind !== "name" || context.variable(target.name)?.isStored) return undefined;
  const key = nameKey(target.name);
  const builtin = context.compilation.surface.builtins.get(key)?.row;
  if (builtin?.kind === "function" && !builtin.yields) return undefined;
  const routine = context.compilation.unit.routines.get(key);
  return routine && context.callee(routine);
}

function storesOf({ context, statements }: InferredCode): Flow[] {
  const stores: Flow[] = [];
  const add = (place: ast.Place, kinds: () => Kinds): void => {
    const variable = place.kind === "name" ? context.variable(place.name) : undefined;
    if (variable) stores.push({ into: variable, kinds });
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
  if (variable?.isStored) return variable.array ? OTHER | NULL : context.kindsOf(variable, node);
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
  const routine = calledRoutine(context, node.target);
  if (routine) return routine.resultKinds;
  if (variable?.array && node.arguments.length > 0) {
    const { element } = variable.array;
    return element === "string" ? STRING : element === "any" ? ANY : NUMBER;
  }
  return ANY;
}
