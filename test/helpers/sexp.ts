/** Prints syntax trees as compact S-expressions, so that grammar tests can state what they expect on one line. */
import type { CaseTest, DimItem, Expression, LabelName, Statement, TypeField } from "../../grammar/ast.ts";
import { parseExpression, parseProgram } from "../../grammar/parse.ts";
import { formatComplaint } from "../../grammar/report.ts";

const list = (...parts: readonly (string | null | undefined)[]): string =>
  `(${parts.filter((part) => part !== null && part !== undefined).join(" ")})`;
const words = (values: readonly Expression[]): string[] => values.map(expression);
const label = ({ name }: LabelName): string => name;

/** `(+ 1 (* 2 3))`, `(call f 1)`, `(index l 1)`, `(. o m)`, `(str "a" x "")`. */
export function expression(node: Expression): string {
  switch (node.kind) {
    case "number":
      return String(node.value);
    case "string":
      return JSON.stringify(node.value);
    case "boolean":
      return node.value ? "TRUE" : "FALSE";
    case "null":
      return "NULL";
    case "name":
      return node.name;
    case "interpolation":
      return list("str", ...node.parts.map((part) => (typeof part === "string" ? JSON.stringify(part) : expression(part))));
    case "call":
      return list("call", expression(node.target), ...words(node.arguments));
    case "index":
      return list("index", expression(node.target), expression(node.index));
    case "member":
      return list(".", node.target && expression(node.target), node.name);
    case "unary":
      return list(node.operator === "-" ? "neg" : "NOT", expression(node.operand));
    case "binary":
      return list(node.operator, expression(node.left), expression(node.right));
    case "list":
      return list("list", ...words(node.items));
    case "dict":
      return list("dict", ...node.entries.map(({ key, value }) => `${JSON.stringify(key)}:${expression(value)}`));
    case "new":
      return list("NEW", node.type, ...words(node.arguments));
    case "class":
      return list("CLASS", expression(node.file));
    case "eval":
      return list("EVAL", expression(node.code));
    case "shellCode":
      return list("SHELL?", expression(node.command));
  }
}

const body = (statements: readonly Statement[]): string => `{${statements.map(statement).join(" ")}}`;
const part = (word: string, statements: readonly Statement[] | null): string | null =>
  statements && `${word} ${body(statements)}`;
const optional = (node: Expression | null): string | null => node && expression(node);

function dimItem(item: DimItem): string {
  const name = item.name.name;
  switch (item.kind) {
    case "array":
      return list("array", name, ...words(item.bounds), item.type && `AS ${item.type}`);
    case "fixedString":
      return list("string", name, optional(item.bytes));
    case "typed":
      return list("typed", name, item.type, item.arguments && `[${words(item.arguments).join(" ")}]`);
    case "class":
      return list("class", name, expression(item.file));
    case "value":
      return list("=", name, expression(item.value));
    case "bare":
      return name;
  }
}

function field({ name, type }: TypeField): string {
  if (type.kind === "plain") return name.name;
  return type.kind === "struct" ? list(name.name, "AS", type.type) : list(name.name, "STRING", optional(type.bytes));
}

function caseTest(test: CaseTest): string {
  if (test.kind === "equal") return expression(test.value);
  if (test.kind === "is") return list("IS", test.operator, expression(test.value));
  return list("TO", expression(test.low), expression(test.high));
}

/** `(= x 1)`, `(print "a" TAB x NL)`, `(if a {…} elseif b {…} else {…})`. */
export function statement(node: Statement): string {
  switch (node.kind) {
    case "print":
      return list(
        "print",
        ...node.items.map((item) => (item.kind === "tab" ? "TAB" : expression(item.value))),
        node.newline ? "NL" : null,
      );
    case "describe":
      return list("describe", expression(node.value));
    case "assign":
      return list("=", expression(node.target), expression(node.value));
    case "const":
      return list("const", ...node.entries.map(({ name, value }) => list(name.name, expression(value))));
    case "swap":
      return list("swap", expression(node.left), expression(node.right));
    case "dim":
      return list("dim", ...node.items.map(dimItem));
    case "expression":
      return list("do", expression(node.value));
    case "callStatement":
      return list(node.form, expression(node.target), ...words(node.arguments));
    case "if":
      return list(
        "if",
        node.arms.map((arm) => `${expression(arm.condition)} ${body(arm.body)}`).join(" elseif "),
        part("else", node.otherwise),
      );
    case "while":
      return list("while", expression(node.condition), body(node.body));
    case "do":
      return list(
        "loop",
        node.before && `${node.before.kind} ${expression(node.before.condition)}`,
        body(node.body),
        node.after && `${node.after.kind} ${expression(node.after.condition)}`,
      );
    case "for":
      return list("for", node.variable.name, expression(node.from), expression(node.to), optional(node.step), body(node.body));
    case "forEach":
      return list("foreach", node.variable.name, expression(node.collection), body(node.body));
    case "select":
      return list(
        "select",
        expression(node.subject),
        ...node.arms.map((arm) => `[${arm.tests.map(caseTest).join(" ")}] ${body(arm.body)}`),
        part("else", node.otherwise),
      );
    case "block":
      return list("block", body(node.body));
    case "with":
      return list("with", expression(node.target), body(node.body));
    case "try":
      return list(
        "try",
        body(node.body),
        node.catchBody && `catch${node.catchVariable ? ` ${node.catchVariable.name}` : ""} ${body(node.catchBody)}`,
        part("finally", node.finallyBody),
      );
    case "raise":
      return list("raise", optional(node.value));
    case "routine":
      return list(
        node.word.toLowerCase(),
        node.name.name,
        `[${node.parameters.map(({ name }) => name).join(" ")}]`,
        body(node.body),
      );
    case "return":
      return list("return", optional(node.value));
    case "returnTo":
      return list("returnTo", label(node.label));
    case "label":
      return `${node.name}:`;
    case "goto":
      return list("goto", label(node.label));
    case "gosub":
      return list("gosub", label(node.label));
    case "onJump":
      return list(node.isGosub ? "onGosub" : "onGoto", expression(node.selector), ...node.labels.map(label));
    case "break":
    case "continue":
    case "exitRoutine":
    case "end":
    case "stop":
      return list(node.kind);
    case "exitLoop":
      return list("exitLoop", node.loop);
    case "exit":
      return list("exit", optional(node.code));
    case "sleep":
      return list("sleep", expression(node.milliseconds));
    case "randomize":
      return list("randomize", optional(node.seed));
    case "input":
      return list(
        node.isLine ? "lineInput" : "input",
        optional(node.prompt),
        node.hasQuestionMark ? "?" : null,
        "->",
        ...words(node.targets),
      );
    case "data":
      return list("data", ...node.items.map((item) => (item.isQuoted ? JSON.stringify(item.text) : item.text || "''")));
    case "read":
      return list("read", ...words(node.targets));
    case "restore":
      return list("restore", node.label && label(node.label));
    case "setEnvironment":
      return list(node.isExported ? "exportenv" : "setenv", node.name, expression(node.value));
    case "shell":
      return list("shell", expression(node.command));
    case "result":
      return list("result", expression(node.value));
    case "exec":
      return list("exec", expression(node.code));
    case "include":
      return list("include", JSON.stringify(node.name));
    case "use":
      return list("use", ...node.modules);
    case "type":
      return list("type", node.name.name, ...node.fields.map(field));
  }
}

/** A whole program as S-expressions, one blank apart. Errors make it fail with their report. */
export function parsed(text: string, dialect: "classic" | "basil" = "classic"): string {
  const { program, complaints: all } = parseProgram(text, { file: "test.basil", dialect });
  const complaints = all.filter(({ severity }) => severity === "error");
  if (complaints.length > 0) throw new Error(complaints.map((complaint) => formatComplaint(complaint)).join("\n"));
  return program.body.map(statement).join(" ");
}

/** One expression as an S-expression. */
export function parsedExpression(text: string): string {
  const { expression: node, complaints } = parseExpression(text, { file: "test.basil" });
  if (node === null) throw new Error(complaints.map((complaint) => formatComplaint(complaint)).join("\n"));
  return expression(node);
}

/** The complaints about a program as `B0101 2:7 message`. */
export function complaintsOf(text: string, dialect: "classic" | "basil" = "classic"): string[] {
  return parseProgram(text, { file: "test.basil", dialect }).complaints.map(({ code, message, source, span }) => {
    const { line, column } = source.position(span.start);
    return `${code} ${line}:${column} ${message}`;
  });
}
