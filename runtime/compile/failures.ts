/** TRY, RAISE and RETURN as JavaScript. FINALLY is compiled by hand: JavaScript's own would also run after limits and EXIT. */
import type * as ast from "../../grammar/ast.ts";
import type { FinallyFrame, FunctionContext } from "./context.ts";
import { leave } from "./control.ts";
import { storeVariable } from "./stores.ts";
import { STRING } from "./types.ts";

export function raise(context: FunctionContext, node: ast.Raise): string {
  if (node.value) return context.at(node.span, `raiseUser(${context.value(node.value)});`);
  return context.at(node.span, `throw ${context.caught.at(-1) ?? "null"};`);
}

/** `RETURN e`: outside routines the value is computed and dropped. */
export function returnFrom(context: FunctionContext, value: ast.Expression): string {
  if (!context.routine) return `${context.value(value)};`;
  return leave(context, context.value(value));
}

export function tryStatement(context: FunctionContext, node: ast.Try): string {
  if (!node.finallyBody) return catching(context, node);
  const frame: FinallyFrame = {
    kind: "finally",
    label: context.label("F"),
    how: context.temporary("h"),
    value: context.temporary("p"),
    exits: [],
  };
  context.frames.push(frame);
  const guarded = node.catchBody ? catching(context, node) : context.block(node.body);
  context.frames.pop();
  const depth = context.label("d");
  const error = context.label("x");
  const last = context.block(node.finallyBody);
  const exits = frame.exits.map((js, at) => `if (${frame.how} === ${at + 2}) ${js}`);
  return [
    `{ ${frame.how} = 0;`,
    `const ${depth} = S.depth;`,
    `${frame.label}: try {\n${guarded}\n} catch (${error}) { ${frame.value} = caught(${error}, ${depth}); ${frame.how} = 1; }`,
    last,
    `if (${frame.how} === 1) throw ${frame.value};`,
    ...exits,
    "}",
  ].join("\n");
}

/** The TRY and CATCH part. */
function catching(context: FunctionContext, node: ast.Try): string {
  const body = context.block(node.body);
  const error = context.label("x");
  const depth = context.label("d");
  const kept = context.temporary("k");
  context.caught.push(kept);
  const variable = node.catchVariable && context.variable(node.catchVariable.name);
  const message = { js: `${kept}.message`, kinds: STRING };
  const start = variable ? `${storeVariable(context, variable, message, node.catchVariable!.span)}\n` : "";
  const handler = start + context.block(node.catchBody ?? []);
  context.caught.pop();
  return `{ const ${depth} = S.depth;\ntry {\n${body}\n} catch (${error}) {\n${kept} = handle(${error}, ${depth});\n${handler}\n}\n}`;
}
