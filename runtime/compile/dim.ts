/** DIM as JavaScript: arrays, fixed strings, and variables with a first value. */
import type * as ast from "../../grammar/ast.ts";
import type { FunctionContext } from "./context.ts";
import { quote } from "./emit.ts";
import { asNumber, classInstance, newObject, typeReference } from "./operations.ts";
import { storeMade, storeVariable } from "./stores.ts";
import { ANY, NULL, NUMBER, OTHER, STRING } from "./types.ts";
import { elementOf } from "./unit.ts";

export const dim = (context: FunctionContext, node: ast.Dim): string =>
  node.items.map((item) => dimItem(context, item, node.span)).join("\n");

function dimItem(context: FunctionContext, item: ast.DimItem, span: ast.Statement["span"]): string {
  const variable = context.variable(item.name.name)!;
  const element = elementOf(item.name.name);
  switch (item.kind) {
    case "array": {
      const bounds = item.bounds.map((bound) => asNumber(context, context.expression(bound), bound.span)).join(", ");
      const made =
        item.type === null
          ? `newArray(${quote(element)}, [${bounds}]${variable.array?.storage ? `, ${quote(variable.array.storage)}` : ""})`
          : `newStructArray(${typeReference(context, item.type, span)}, [${bounds}])`;
      const store = storeMade(variable, context.at(span, made));
      if (!variable.array) return store;
      const width = variable.array.rank === 2 ? ` ${variable.widthJs} = ${variable.js}.width;` : "";
      return `${store} ${variable.dataJs} = ${variable.js}.data;${width}`;
    }
    case "fixedString": {
      if (!item.bytes) return storeVariable(context, variable, { js: '""', kinds: STRING }, span);
      const bytes = context.at(span, `fixedLength(${asNumber(context, context.expression(item.bytes), item.bytes.span)})`);
      return `${variable.fixedJs} = ${bytes};\n${storeMade(variable, '""')}`;
    }
    case "value": {
      const value = context.expression(item.value);
      const isArray = item.value.kind === "list" && (element === "integer" || element === "string");
      if (!isArray) return storeVariable(context, variable, value, span);
      return storeMade(variable, context.at(span, `arrayOf(${quote(element)}, ${context.value(item.value)})`));
    }
    case "bare": {
      const first =
        element === "string"
          ? { js: '""', kinds: STRING }
          : element === "any"
            ? { js: "null", kinds: NULL }
            : { js: "0", kinds: NUMBER };
      return storeVariable(context, variable, first, span);
    }
    case "typed":
      return storeMade(variable, newObject(context, item.type, item.arguments ?? [], span));
    case "class":
      return storeMade(variable, classInstance(context, item.file, span));
  }
}

/** Kinds a DIM item stores, for inference. */
export function dimKinds(item: ast.DimItem): number {
  if (item.kind === "fixedString") return STRING;
  if (item.kind === "bare") return item.name.name.endsWith("$") ? STRING : item.name.name.endsWith("@") ? NULL : NUMBER;
  return item.kind === "value" ? ANY : OTHER;
}
