/** Calls as JavaScript: what `name(…)` means (language.md 7), rows with their argument checks, routines, methods. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { complaints } from "../../grammar/complaints.ts";
import { closest, misspeltKeyword } from "../../grammar/did-you-mean.ts";
import { foreignStatementHint } from "../../grammar/foreign.ts";
import type { FunctionRow, Param } from "../host.ts";
import { type SurfaceRow, wrongCount } from "../surface.ts";
import type { Code, FunctionContext } from "./context.ts";
import { quote } from "./emit.ts";
import { asNumber, asText, inRow, memberTarget, readVariable, rowKinds, waiting } from "./operations.ts";
import { ANY, isOnly, NUMBER, STRING } from "./types.ts";
import { isLibrary, type RoutineUnit, type Variable } from "./unit.ts";

type Span = ast.Expression["span"];

/** `target(arguments)` in an expression or as a statement. */
export function callExpression(context: FunctionContext, node: ast.Call): Code {
  const { target } = node;
  if (target.kind === "member") return methodCall(context, target, node.arguments, node.span);
  if (target.kind === "name") return namedCall(context, target, node.arguments, node.span);
  return dynamicCall(context, context.value(target), node.arguments, node.span);
}

/** `name(arguments)`, with the arguments of a parenthesis-free call as well. */
export function namedCall(context: FunctionContext, name: ast.Name, args: readonly ast.Expression[], span: Span): Code {
  const { unit, surface, outside } = context.compilation;
  const key = nameKey(name.name);
  const builtin = surface.builtins.get(key);
  if (builtin && !(builtin.row.kind === "function" && builtin.row.yields)) return builtinCall(context, builtin, args, span);
  const variable = context.variable(name.name);
  if (variable?.isStored) {
    if (args.length === 0 && !unit.routines.has(key)) return wholeOrCall(context, variable, name, span);
    if (variable.array) return readElement(context, variable, args, span);
    return dynamicCall(context, variable.js, args, span);
  }
  const routine = unit.routines.get(key);
  if (routine) return routineCall(context, routine, args, span);
  if (builtin) return builtinCall(context, builtin, args, span);
  const known = outside.routines.get(key);
  if (known) {
    if (known.arity !== args.length)
      context.complain(complaints.argumentCount(context.place(span), known.name, known.arity, args.length));
    return dynamicCall(context, `outsideRoutine(${quote(key)})`, args, span);
  }
  if (unit.hasDynamicCode) return lateCall(context, name, args, span);
  const hint = functionHint(context, name.name);
  context.foresee("B1004", `Unknown function '${name.name}'`, span, hint);
  return { js: context.at(span, `unknownFunction(${quote(name.name)}, ${quote(hint ?? "")})`), kinds: ANY };
}

/** A name nothing in this unit explains, in a program with EXEC: looked up when the call runs. */
function lateCall(context: FunctionContext, name: ast.Name, args: readonly ast.Expression[], span: Span): Code {
  const hint = functionHint(context, name.name) ?? "";
  return dynamicCall(context, `lateFunction(${quote(nameKey(name.name))}, ${quote(name.name)}, ${quote(hint)})`, args, span);
}

/** `a()` denotes a whole array; of a FUNCTION value it is a call without arguments. */
function wholeOrCall(context: FunctionContext, variable: Variable, name: ast.Name, span: Span): Code {
  if (variable.array) return readVariable(context, variable, name);
  return dynamicCall(context, variable.js, [], span);
}

/** The way out for an unknown function: what another BASIC's word is here, or the name it is most like. */
function functionHint(context: FunctionContext, name: string): string | undefined {
  const foreign = foreignStatementHint(name);
  if (foreign !== undefined) return foreign;
  const { unit, surface } = context.compilation;
  const keyword = misspeltKeyword(name);
  const meant = closest(name, [
    ...(keyword ? [keyword] : []),
    ...[...unit.routines.values()].map((routine) => routine.name),
    ...[...surface.builtins.values()].map((row) => row.row.name),
    ...[...unit.globals.values()].filter((variable) => variable.array).map((variable) => variable.name),
  ]);
  return meant && `Did you mean ${meant}?`;
}

function list(context: FunctionContext, args: readonly ast.Expression[]): string {
  return `[${args.map((argument) => context.value(argument)).join(", ")}]`;
}

/** A call through a value: an array's element, or a routine somebody stored. */
function dynamicCall(context: FunctionContext, js: string, args: readonly ast.Expression[], span: Span): Code {
  if (context.compilation.dynamicCallsWait && context.waits) {
    return { js: context.at(span, `(yield* callValueWaiting(${js}, ${list(context, args)}))`), kinds: ANY };
  }
  if (args.length === 1) return dynamicElement(context, js, context.expression(args[0]!), span);
  return { js: context.at(span, `callValue(${js}, ${list(context, args)})`), kinds: ANY };
}

/** `x(i)` of something unknown: a whole-number index into a one-dimensional array hits its data directly. */
function dynamicElement(context: FunctionContext, js: string, index: Code, span: Span): Code {
  const call = (at: string): string => context.at(span, `call1(${js}, ${at})`);
  if (!/^[\w$]+$/.test(js) || !isOnly(index.kinds, NUMBER)) return { js: call(index.js), kinds: ANY };
  const [found, at] = [context.temporary("e"), context.temporary("i")];
  const hit = `(${found} = ${js}?.line?.[${at}]) !== undefined`;
  return { js: `(${at} = ${index.js}, ${hit} ? ${found} : ${call(at)})`, kinds: ANY };
}

// ── Arrays ─────────────────────────────────────────────────────────────────────────────────────────────────────

const ELEMENT_KINDS = { number: NUMBER, integer: NUMBER, string: STRING, any: ANY } as const;

/** Reads an element of a name that is only ever an array. In range, the whole-number index hits the data directly. */
function readElement(context: FunctionContext, variable: Variable, args: readonly ast.Expression[], span: Span): Code {
  const { rank, element } = variable.array!;
  const kinds = ELEMENT_KINDS[element];
  const indices = args.map((argument) => context.expression(argument));
  if (rank === 1 && indices.length === 1 && isOnly(indices[0]!.kinds, NUMBER)) {
    const index = indices[0]!;
    const simple = /^[\w$]+$/.test(index.js) ? index.js : context.temporary("i");
    const set = simple === index.js ? index.js : `${simple} = ${index.js}`;
    const found = context.temporary("e");
    return {
      js: `((${found} = ${variable.dataJs}[${set}]) !== undefined ? ${found} : ${context.at(span, `element1(${variable.js}, ${simple})`)})`,
      kinds,
    };
  }
  if (rank === 2 && indices.length === 2) {
    const [row, column] = indices as [Code, Code];
    if (!isOnly(row.kinds | column.kinds, NUMBER)) {
      return { js: context.at(span, `element2(${variable.js}, ${row.js}, ${column.js})`), kinds };
    }
    const [i, j, found] = [context.temporary("i"), context.temporary("i"), context.temporary("e")];
    const hit = `${inRow(variable, i, j)} && (${found} = ${variable.dataJs}[${i} * ${variable.widthJs} + ${j}]) !== undefined`;
    const miss = context.at(span, `element2(${variable.js}, ${i}, ${j})`);
    return { js: `(${i} = ${row.js}, ${j} = ${column.js}, ${hit} ? ${found} : ${miss})`, kinds };
  }
  return { js: context.at(span, `element(${variable.js}, [${indices.map((index) => index.js).join(", ")}])`), kinds };
}

// ── Routines ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The variable of an argument that is a whole array: `a` or `a()`. */
export function arrayVariable(context: FunctionContext, node: ast.Expression): Variable | undefined {
  const name = node.kind === "call" && node.arguments.length === 0 ? node.target : node;
  const variable = name.kind === "name" ? context.variable(name.name) : undefined;
  return variable && (variable.array || variable.isFinal) ? variable : undefined;
}

/** A call of a routine by its name: checked here, direct at run time. */
function routineCall(context: FunctionContext, routine: RoutineUnit, args: readonly ast.Expression[], span: Span): Code {
  if (args.length !== routine.parameters.length) {
    context.complain(complaints.argumentCount(context.place(span), routine.name, routine.parameters.length, args.length));
  }
  const callee = context.callee(routine);
  const values = args.map((argument, at) => {
    const array = callee.parameters[at]?.array ? arrayVariable(context, argument) : undefined;
    return array?.js ?? context.value(argument);
  });
  const call = context.at(span, `${callee.js}(${values.join(", ")})`);
  return { js: callee.waits ? context.at(span, `(yield* ${call})`) : call, kinds: callee.resultKinds };
}

// ── Methods and module members ─────────────────────────────────────────────────────────────────────────────────

/** The module a member access names, unless the program uses the name itself. */
function moduleOf(context: FunctionContext, node: ast.Member) {
  if (node.target?.kind !== "name") return undefined;
  if (context.variable(node.target.name)?.isStored) return undefined;
  return context.compilation.surface.named.get(nameKey(node.target.name));
}

/** `NAME.MEMBER` where NAME is no module here and nothing that the program could give a value: fails when it runs. */
function missingModule(context: FunctionContext, node: ast.Member): Code | undefined {
  const { target } = node;
  if (target?.kind !== "name") return undefined;
  const { unit, surface, outside } = context.compilation;
  const key = nameKey(target.name);
  if (unit.hasDynamicCode || context.variable(target.name)?.isStored) return undefined;
  if ([unit.routines, outside.routines, surface.builtins, surface.constants].some((known) => known.has(key))) return undefined;
  const names = [...surface.named.values()].map((module) => module.name);
  const variables = [...unit.globals.values(), ...(context.routine?.locals.values() ?? [])].filter(({ isStored }) => isStored);
  const meant = closest(target.name, [...names, ...variables.map(({ name }) => name)]);
  const available =
    names.length === 0 ? "This interpreter has no modules." : `The modules of this interpreter: ${names.join(", ")}.`;
  const message = `there is no module ${target.name} here, and nothing in the program sets that name`;
  const hint = meant ? `Did you mean ${meant}?` : available;
  if (!isLibrary(context.compilation.statements)) context.foresee("B1004", message, target.span, hint);
  return { js: context.at(target.span, `unknownModule(${quote(message)}, ${quote(hint)})`), kinds: ANY };
}

/** A member of a module as a value: a property, or a function called without arguments. Undefined when it is no module. */
export function readModuleMember(context: FunctionContext, node: ast.Member): Code | undefined {
  const module = moduleOf(context, node);
  if (!module) return missingModule(context, node);
  const found = module.members.get(nameKey(node.name));
  if (!found) return unknownMember(context, node);
  if (found.row.kind === "function") return rowCall(context, found, [], node.span);
  const number = context.rowNumber(found);
  const js = context.at(node.nameSpan, `p${number}(s${number}, S.task)`);
  return found.row.name.endsWith("$") ? { js: `text(${js})`, kinds: STRING } : { js, kinds: rowKinds(found.row.name) };
}

function unknownMember(context: FunctionContext, node: ast.Member): Code {
  const module = moduleOf(context, node)!;
  const meant = closest(
    node.name,
    [...module.members.values()].map((member) => member.row.name),
  );
  const hint = meant && `Did you mean ${meant}?`;
  context.foresee("B1004", `${module.name} has no member ${node.name}`, node.nameSpan, hint);
  return {
    js: context.at(node.nameSpan, `unknownMember(${quote(module.name)}, ${quote(node.name)}, ${quote(hint ?? "")})`),
    kinds: ANY,
  };
}

/** `o.m(arguments)`: a row of a module, else whatever the object has under that name. */
export function methodCall(context: FunctionContext, node: ast.Member, args: readonly ast.Expression[], span: Span): Code {
  const module = moduleOf(context, node);
  if (module) {
    const found = module.members.get(nameKey(node.name));
    if (!found) return unknownMember(context, node);
    if (found.row.kind === "function") return rowCall(context, found, args, span);
  }
  const missing = module ? undefined : missingModule(context, node);
  if (missing) return missing;
  const target = memberTarget(context, node);
  const js = `${quote(node.name)}, ${list(context, args)}`;
  if (context.compilation.dynamicCallsWait && context.waits) {
    return { js: context.at(span, `(yield* callMemberWaiting(${target}, ${js}))`), kinds: ANY };
  }
  return { js: context.at(span, `callMember(${target}, ${js})`), kinds: ANY };
}

// ── Rows ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A built-in by name: the few that depend on how their argument is written, then plain rows. */
function builtinCall(context: FunctionContext, builtin: SurfaceRow, args: readonly ast.Expression[], span: Span): Code {
  const name = nameKey(builtin.row.name);
  if (name === "INSTR" && context.file.dialect === "basil") {
    return rowCall(context, context.compilation.surface.builtins.get("INSTR_BASIL") ?? builtin, args, span);
  }
  if (name === "LEN" && args.length === 1) return lengthCall(context, builtin, args[0]!, span);
  if (name === "TYPE$" && args.length === 1 && isIntegerForm(context, args[0]!)) {
    return { js: `integerTypeName(${context.value(args[0]!)})`, kinds: STRING };
  }
  return rowCall(context, builtin, args, span);
}

/** LEN: of a TYPE and of structs the packed size, of fixed strings their length, of the rest what the built-in says. */
function lengthCall(context: FunctionContext, builtin: SurfaceRow, node: ast.Expression, span: Span): Code {
  const { unit, outside } = context.compilation;
  const length = (js: string): Code => {
    const number = context.rowNumber(builtin);
    const name = Object.keys((builtin.row as FunctionRow<unknown>).params)[0]!;
    return { js: context.at(span, `r${number}(s${number}, {${quote(name)}: ${js}}, S.task)`), kinds: NUMBER };
  };
  const variable = node.kind === "name" ? context.variable(node.name) : undefined;
  if (node.kind === "name" && !variable?.isStored && unit.types.has(nameKey(node.name))) {
    return { js: context.at(span, `typeSize(${quote(node.name)})`), kinds: NUMBER };
  }
  if (variable?.isFixed) return { js: `(${variable.fixedJs} || ${length(variable.js).js})`, kinds: NUMBER };
  if (unit.types.size === 0 && outside.globals.size === 0) return length(context.value(node));
  const held = context.temporary("t");
  if (node.kind === "member") {
    const value = length(context.at(node.nameSpan, `member(${held}, ${quote(node.name)})`));
    return {
      js: `(fixedFieldBytes(${held} = ${memberTarget(context, node)}, ${quote(node.name)}) || ${value.js})`,
      kinds: NUMBER,
    };
  }
  return { js: `(structSize(${held} = ${context.value(node)}) ?? ${length(held).js})`, kinds: NUMBER };
}

/** Whether TYPE$ calls a number written like this INTEGER (language.md 4). */
function isIntegerForm(context: FunctionContext, node: ast.Expression): boolean {
  if (node.kind === "name") return node.name.endsWith("%");
  if (node.kind === "member") return node.name.endsWith("%");
  if (node.kind !== "call") return false;
  if (node.target.kind === "member") return node.target.name.endsWith("%");
  if (node.target.kind !== "name") return false;
  const row = context.compilation.surface.builtins.get(nameKey(node.target.name))?.row;
  const variable = context.variable(node.target.name);
  if (row?.kind === "function" && !(row.yields && variable?.isStored)) return row.isInteger;
  return variable?.isStored === true && variable.isInteger;
}

/** A call of a row: argument count and kinds are checked, most of it here rather than at run time. */
export function rowCall(context: FunctionContext, found: SurfaceRow, args: readonly ast.Expression[], span: Span): Code {
  const row = found.row as FunctionRow<unknown>;
  const number = context.rowNumber(found);
  const params = Object.entries(row.params);
  const countError = wrongCount(found, args.length);
  if (countError) context.foresee("B1005", countError, span);
  if (countError) return { js: context.at(span, `badArguments(${number}, ${quote(countError)})`), kinds: ANY };
  const properties = params.map(([name, param], at) => {
    if (param.rest)
      return `${quote(name)}: [${args
        .slice(at)
        .map((_, i) => argument(context, number, param, args[at + i], at + i))
        .join(", ")}]`;
    return `${quote(name)}: ${argument(context, number, param, args[at], at)}`;
  });
  const js = `r${number}(s${number}, {${properties.join(", ")}}, S.task)`;
  const called = row.waits ? waiting(context, span, js) : context.at(span, js);
  const kinds = row.givesAny ? ANY : rowKinds(row.name);
  if (kinds === STRING) return { js: `text(${called})`, kinds };
  return kinds === ANY ? { js: context.at(span, `given(${called}, ${quote(found.id)})`), kinds } : { js: called, kinds };
}

function argument(context: FunctionContext, number: number, param: Param, node: ast.Expression | undefined, at: number): string {
  if (!node) return "undefined";
  const code = context.expression(node);
  const isModule = context.compilation.surface.modules[context.compilation.rows[number]!.module]!.name !== "";
  const checked = (helper: string): string => context.at(node.span, `${helper}(${code.js}, ${number}, ${at + 1})`);
  switch (param.type) {
    case "any":
      return code.js;
    case "text":
      return isOnly(code.kinds, STRING) ? code.js : checked("textArgument");
    case "bytes":
      return isOnly(code.kinds, STRING) ? `encodeText(${code.js})` : checked("bytesArgument");
    case "number":
      return isModule && !isOnly(code.kinds, NUMBER) ? checked("numberArgument") : asNumber(context, code, node.span);
    case "integer": {
      const js = isModule && !isOnly(code.kinds, NUMBER) ? checked("numberArgument") : asNumber(context, code, node.span);
      return /^\d+$/.test(js) ? js : `Math.trunc(${js})`;
    }
    case "truth":
      return `isTrue(${code.js})`;
    case "display":
      return asText(code);
    case "list":
      return checked("listArgument");
    case "dict":
      return checked("dictArgument");
    case "array":
      return checked("arrayArgument");
    case "sub":
      return checked("subArgument");
  }
}
