/** Statements as JavaScript, except control flow, which has files of its own. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { complaints } from "../../grammar/complaints.ts";
import { callExpression, methodCall, namedCall } from "./calls.ts";
import { dataLabel, type FunctionContext } from "./context.ts";
import { blockIf, doLoop, exitLoop, forEach, forLoop, leave, select, whileLoop } from "./control.ts";
import { dim } from "./dim.ts";
import { quote } from "./emit.ts";
import { raise, returnFrom, tryStatement } from "./failures.ts";
import { bareReturn, goSub, goTo, onJump, returnTo } from "./jumps.ts";
import { asNumber, asText, waiting } from "./operations.ts";
import { placeIsText, store } from "./stores.ts";
import { NUMBER, STRING } from "./types.ts";

/** One statement. */
export function statement(context: FunctionContext, node: ast.Statement): string {
  context.file = context.compilation.fileOf?.get(node) ?? context.file;
  switch (node.kind) {
    case "print":
      return print(context, node);
    case "describe":
      return describe(context, node);
    case "assign":
      return store(context, node.target, context.expression(node.value), node.span);
    case "const":
      return node.entries.map((entry) => store(context, entry.name, context.expression(entry.value), node.span)).join(" ");
    case "swap":
      return swap(context, node);
    case "dim":
      return dim(context, node);
    case "expression":
      return `${context.value(node.value)};`;
    case "result":
      return `return ${context.value(node.value)};`;
    case "callStatement":
      return callStatement(context, node);
    case "if":
      return blockIf(context, node);
    case "while":
      return whileLoop(context, node);
    case "do":
      return doLoop(context, node);
    case "for":
      return forLoop(context, node);
    case "forEach":
      return forEach(context, node);
    case "select":
      return select(context, node);
    case "block":
      return `{\n${context.block(node.body)}\n}`;
    case "with":
      return withBlock(context, node);
    case "try":
      return tryStatement(context, node);
    case "raise":
      return raise(context, node);
    case "return":
      return node.value ? returnFrom(context, node.value) : bareReturn(context, node);
    case "break":
      return exitLoop(context, null, "break");
    case "continue":
      return exitLoop(context, null, "continue");
    case "exitLoop":
      return exitLoop(context, node.loop, "break");
    case "exitRoutine":
      return leave(context, "null");
    case "exit":
      return `${context.at(node.span, `exit(${node.code ? asNumber(context, context.expression(node.code), node.span) : "0"})`)};`;
    case "end":
      return `${context.at(node.span, "exit(0)")};`;
    case "stop":
      return `${context.at(node.span, `stop(${context.file.index}, ${node.span.start}, ${node.span.end})`)};`;
    case "sleep":
      return `${waiting(context, node.span, `sleep(${asNumber(context, context.expression(node.milliseconds), node.span)})`)};`;
    case "shell":
      return `${waiting(context, node.span, `shell(${context.value(node.command)})`)};`;
    case "exec":
      return context.at(node.span, `yield* execute(${context.value(node.code)}, ${context.file.index});`);
    case "randomize":
      return randomize(context, node);
    case "input":
      return input(context, node);
    case "data":
    case "routine":
    case "type":
    case "use":
      return "";
    case "read":
      return node.targets.map((target) => readData(context, target, node.span)).join(" ");
    case "restore":
      return restore(context, node);
    case "setEnvironment":
      return `${context.at(node.span, `setEnvironment(${quote(node.name)}, ${asText(context.expression(node.value))}, ${node.isExported})`)};`;
    case "include":
      context.complain(complaints.includeInside(context.place(node.span)));
      return "";
    case "label":
      return "";
    case "goto":
      return goTo(context, node.label);
    case "gosub":
      return goSub(context, node.label, node.span);
    case "onJump":
      return onJump(context, node);
    case "returnTo":
      return returnTo(context, node);
  }
}

function print(context: FunctionContext, node: ast.Print): string {
  const parts = node.items.map((item) => (item.kind === "tab" ? '"\\t"' : asText(context.expression(item.value))));
  if (node.newline) parts.push('"\\n"');
  if (parts.length === 0) return "";
  return `${context.at(node.span, `print(${parts.length === 1 ? parts[0] : `"" + ${parts.join(" + ")}`})`)};`;
}

/** DESCRIBE prints what the built-in DESCRIBE$ says. */
function describe(context: FunctionContext, node: ast.Describe): string {
  const name = { kind: "name", name: "DESCRIBE$", span: node.span } as const;
  return `${context.at(node.span, `print(${namedCall(context, name, [node.value], node.span).js})`)};`;
}

/** SWAP: what the places depend on is computed once, before either is stored to. */
function swap(context: FunctionContext, node: ast.Swap): string {
  const parts = [...partsOf(node.left), ...partsOf(node.right)];
  const setup = parts.map((part) => {
    const { js, kinds } = context.expression(part);
    const held = context.temporary("t");
    context.held.set(part, { js: held, kinds });
    return `${held} = ${js};`;
  });
  const left = context.expression(node.left);
  const right = context.expression(node.right);
  const [first, second] = [context.temporary("t"), context.temporary("t")];
  const stores = [
    store(context, node.left, { js: second, kinds: right.kinds }, node.span),
    store(context, node.right, { js: first, kinds: left.kinds }, node.span),
  ];
  for (const part of parts) context.held.delete(part);
  return [...setup, `${first} = ${left.js}; ${second} = ${right.js};`, ...stores].join("\n");
}

/** What a place depends on: the object it is in, and its indices. */
function partsOf(place: ast.Place): ast.Expression[] {
  if (place.kind === "name") return [];
  if (place.kind === "member") return place.target ? [place.target] : [];
  if (place.kind === "index") return [place.target, place.index];
  const { target } = place;
  const object = target.kind === "name" ? [] : target.kind === "member" ? (target.target ? [target.target] : []) : [target];
  return [...object, ...place.arguments];
}

/** `CALL f(a)`, `f a, b`, `o.m a` and bare names. */
function callStatement(context: FunctionContext, node: ast.CallStatement): string {
  const { target } = node;
  if (target.kind === "name") {
    const key = nameKey(target.name);
    const isKnown = context.compilation.unit.routines.has(key) || context.compilation.surface.builtins.has(key);
    if (
      node.form === "bare" &&
      (context.variable(target.name)?.isStored || !isKnown) &&
      !context.compilation.outside.routines.has(key)
    )
      return "";
    return `${namedCall(context, target, node.arguments, node.span).js};`;
  }
  if (target.kind === "member") {
    if (node.form === "bare") return `${context.value(target)};`;
    return `${methodCall(context, target, node.arguments, node.span).js};`;
  }
  return `${callExpression(context, { kind: "call", target, arguments: node.arguments, span: node.span }).js};`;
}

function withBlock(context: FunctionContext, node: ast.With): string {
  const object = context.temporary("o");
  const target = context.value(node.target);
  context.withs.push(object);
  const body = context.block(node.body);
  context.withs.pop();
  return `${object} = ${target};\n${body}`;
}

/** RANDOMIZE is the built-in of that name; the statement only spells it without parentheses. */
function randomize(context: FunctionContext, node: ast.Randomize): string {
  const name = { kind: "name", name: "RANDOMIZE", span: node.span } as const;
  return `${namedCall(context, name, node.seed ? [node.seed] : [], node.span).js};`;
}

function input(context: FunctionContext, node: ast.Input): string {
  const prompt = node.prompt ? asText(context.expression(node.prompt)) : '""';
  const mark = node.hasQuestionMark ? ` + "? "` : "";
  const fields = context.temporary("a");
  const wanted = node.targets.map((target) => (placeIsText(target) ? "1" : "0")).join(", ");
  const line = waiting(context, node.span, `inputFields(${prompt}${mark}, [${wanted}], ${node.isLine})`);
  const stores = node.targets.map((target, at) =>
    store(
      context,
      target,
      { js: `${fields}[${at}]`, kinds: placeIsText(target) ? STRING : node.isLine ? STRING : NUMBER },
      node.span,
    ),
  );
  return `${fields} = ${line};\n${stores.join("\n")}`;
}

function readData(context: FunctionContext, target: ast.Place, span: ast.Statement["span"]): string {
  const isText = placeIsText(target);
  return store(
    context,
    target,
    { js: context.at(span, `readData(DATA, ${isText})`), kinds: isText ? STRING : NUMBER | STRING },
    span,
  );
}

function restore(context: FunctionContext, node: ast.Restore): string {
  if (!node.label) return "DATA.next = 0;";
  const at = context.compilation.dataLabels.get(dataLabel(context.routine?.key ?? "", node.label.name));
  if (at === undefined) context.complain(complaints.undefinedLabel(context.place(node.label.span), node.label.name));
  return `DATA.next = ${at ?? 0};`;
}
