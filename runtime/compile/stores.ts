/** Stores as JavaScript: what `place = value` does to a variable, an element, an entry, a member. */
import type * as ast from "../../grammar/ast.ts";
import type { Code, FunctionContext } from "./context.ts";
import { quote } from "./emit.ts";
import { asText, inRow, memberTarget } from "./operations.ts";
import { ANY, BOOL, isOnly, type Kinds, NUMBER, OTHER, STRING, storedKinds } from "./types.ts";
import type { ArrayShape, Variable } from "./unit.ts";

type Span = ast.Expression["span"];

/** A statement that stores a value, already computed by `value`, to a place. */
export function store(context: FunctionContext, place: ast.Place, value: Code, span: Span): string {
  switch (place.kind) {
    case "name":
      return storeVariable(context, context.variable(place.name)!, value, span);
    case "call":
      return storeElement(context, place, value);
    case "index":
      return `${context.at(place.span, `setIndex(${context.value(place.target)}, ${context.value(place.index)}, ${value.js})`)};`;
    case "member":
      return `${context.at(place.nameSpan, `setMember(${memberTarget(context, place)}, ${quote(place.name)}, ${value.js})`)};`;
  }
}

/** Stores to a variable: `%` truncates, fixed strings pad. */
export function storeVariable(context: FunctionContext, variable: Variable, value: Code, span: Span): string {
  return `${variable.js} = ${coerced(context, variable, value, span)};`;
}

/** The JavaScript value a variable keeps of a stored value. */
export function coerced(context: FunctionContext, variable: Variable, value: Code, span: Span): string {
  if (variable.isFixed) return context.at(span, `fixedStore(${value.js}, ${variable.fixedJs})`);
  if (variable.isStruct) return context.at(span, `storeStruct(${variable.js}, ${value.js})`);
  if (variable.name.endsWith("$") && value.kinds & OTHER && context.compilation.unit.types.size > 0)
    return `packIfStruct(${value.js})`;
  return variable.isInteger ? integer(context, value, span) : value.js;
}

/** A value as a `%` name keeps it. */
function integer(context: FunctionContext, value: Code, span: Span): string {
  if (/^\d{1,15}$/.test(value.js)) return value.js;
  if (isOnly(value.kinds, NUMBER)) return context.at(span, `whole53(${value.js})`);
  if (value.kinds & OTHER) return context.at(span, `toIntegerOrObject(${value.js})`);
  return context.at(span, `toInteger(${value.js})`);
}

/** Kinds that a variable has after a store of `kinds`. */
export function keptKinds(variable: Variable, kinds: Kinds): Kinds {
  if (variable.isFixed) return kinds | STRING;
  if (variable.isStruct) return kinds | OTHER;
  if (variable.name.endsWith("$") && kinds & OTHER) return kinds | STRING;
  return storedKinds(variable.isInteger, kinds);
}

/** Stores a value made for a variable as it is: an array, a struct, an object. */
export const storeMade = (variable: Variable, js: string): string => `${variable.js} = ${js};`;

function storeElement(context: FunctionContext, place: ast.Call, value: Code): string {
  const codes = place.arguments.map((argument) => context.expression(argument));
  const indices = codes.map((code) => code.js);
  const variable = place.target.kind === "name" ? context.variable(place.target.name) : undefined;
  if (place.target.kind === "member") {
    const target = `${memberTarget(context, place.target)}, ${quote(place.target.name)}`;
    return `${context.at(place.span, `setMemberElement(${target}, [${indices.join(", ")}], ${value.js})`)};`;
  }
  if (!variable?.array) {
    const target = variable?.isStored ? variable.js : place.target.kind === "name" ? "null" : context.value(place.target);
    const store =
      indices.length === 1
        ? `setElementAt(${target}, ${indices[0]}, ${value.js})`
        : `setElement(${target}, [${indices.join(", ")}], ${value.js})`;
    return `${context.at(place.span, store)};`;
  }
  const { rank, element } = variable.array;
  const kept = elementValue(context, element, value, place.span);
  if (rank === 1 && place.arguments.length === 1 && isOnly(codes[0]!.kinds, NUMBER)) {
    const index = context.temporary("i");
    const data = variable.dataJs;
    return (
      `if (${data}[${index} = ${indices[0]}] !== undefined) ${data}[${index}] = ${kept}; ` +
      `else ${context.at(place.span, `setElement1(${variable.js}, ${index}, ${value.js})`)};`
    );
  }
  if (rank === 2 && codes.length === 2 && isOnly(codes[0]!.kinds | codes[1]!.kinds, NUMBER)) {
    const [i, j, at, held] = [context.temporary("i"), context.temporary("i"), context.temporary("i"), context.temporary("t")];
    const data = variable.dataJs;
    const heldKept = elementValue(context, element, { js: held, kinds: value.kinds }, place.span);
    return (
      `${i} = ${indices[0]}; ${j} = ${indices[1]}; ${held} = ${value.js};\n` +
      `if (${inRow(variable, i, j)} && ${data}[${at} = ${i} * ${variable.widthJs} + ${j}] !== undefined) ${data}[${at}] = ${heldKept}; ` +
      `else ${context.at(place.span, `setElement2(${variable.js}, ${i}, ${j}, ${held})`)};`
    );
  }
  if (rank === 2 && indices.length === 2) {
    return `${context.at(place.span, `setElement2(${variable.js}, ${indices[0]}, ${indices[1]}, ${kept})`)};`;
  }
  return `${context.at(place.span, `setElement(${variable.js}, [${indices.join(", ")}], ${kept})`)};`;
}

function elementValue(context: FunctionContext, element: ArrayShape["element"], value: Code, span: Span): string {
  if (element === "any") return value.js;
  if (element === "string") return asText(value);
  if (element === "integer") return integer(context, { js: value.js, kinds: value.kinds & ~OTHER || ANY }, span);
  if (isOnly(value.kinds, NUMBER)) return value.js;
  return isOnly(value.kinds, BOOL | NUMBER) ? `Number(${value.js})` : context.at(span, `elementNumber(${value.js})`);
}

/** Whether a place holds text by its name: `a$`, `a$(1)`, `o.a$`. */
export function placeIsText(place: ast.Place): boolean {
  if (place.kind === "name" || place.kind === "member") return place.name.endsWith("$");
  const target = place.target;
  return (target.kind === "name" || target.kind === "member") && target.name.endsWith("$");
}
