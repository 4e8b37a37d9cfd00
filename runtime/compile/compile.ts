/** From a parsed program to JavaScript source with everything needed to run it later: the front of the compiler. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { Complaint } from "../../grammar/complaints.ts";
import type { Surface } from "../surface.ts";
import { findAssignedReads } from "./assigned.ts";
import { colourUnit } from "./colour.ts";
import type { CompiledUnit } from "./compiled.ts";
import { type Compilation, dataLabel, FunctionContext } from "./context.ts";
import { roundCounter } from "./control.ts";
import { quote, takeMarks } from "./emit.ts";
import { expression } from "./expressions.ts";
import { inferVariables } from "./infer.ts";
import { planJumps } from "./jump-plan.ts";
import { jumpingBlock } from "./jumps.ts";
import { lint } from "./lint.ts";
import { type ConstantEntry, literalConstants, needsOfRoutines } from "./needs.ts";
import { asNumber } from "./operations.ts";
import { resolveUnit } from "./resolve.ts";
import { statement } from "./statements.ts";
import { storeVariable } from "./stores.ts";
import {
  elementOf,
  type IncludeReader,
  type Outside,
  type RoutineUnit,
  type TypeUnit,
  type Unit,
  type UnitFile,
  type Variable,
} from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** What a compilation needs to know besides the text. */
export interface CompileEnvironment {
  readonly surface: Surface;
  readonly readInclude: IncludeReader;
  readonly outside: Outside;
  /** Main's loops give way to the host even when main never waits. */
  readonly mainGivesWay: boolean;
  /** Look for what is legal but suspicious, too; default false. */
  readonly lints?: boolean;
}

/** Nothing exists before the first unit. */
export const NOTHING_OUTSIDE: Outside = { isInner: false, isOpen: false, globals: new Set(), routines: new Map() };

/** Compiles a parsed program. `unit` is null when there are errors among the complaints. */
export function compileProgram(
  program: ast.Program,
  environment: CompileEnvironment,
): { unit: CompiledUnit | null; complaints: Complaint[] } {
  const { surface, outside } = environment;
  const found: Complaint[] = [];
  const names = surface.modules.map((module) => module.name).filter((name) => name !== "");
  const unit = resolveUnit(program, environment.readInclude, names, outside, found);
  const colours = colourUnit(unit, surface);
  const compilation: Compilation = {
    emit: { expression, statement, jumpingBlock },
    unit,
    surface,
    outside,
    found,
    rows: [],
    rowNumbers: new Map(),
    dynamicCallsWait: colours.dynamicCallsWait,
    data: [],
    dataLabels: new Map(),
    isFree: (key) =>
      ![unit.routines, outside.routines, surface.builtins, surface.constants, surface.named].some((known) => known.has(key)),
    fileOf: filesOfStatements(unit),
    statements: unit.segments.flatMap((segment) => segment.statements),
    assignedReads: new Set(),
    jumpPlans: new Map(),
  };
  studyFunctions(unit, compilation);
  const mainWaits = colours.mainWaits || environment.mainGivesWay;
  infer(unit, compilation);
  collectData(compilation);
  const { valuesRead } = colours;
  // Only SUBs that a row was given can leave this process.
  const constants = colours.givesSubs ? literalConstants(compilation) : new Map<string, ConstantEntry>();
  const pieces = programCode(compilation, mainWaits, valuesRead, constants);
  if (found.some((complaint) => complaint.severity === "error")) return { unit: null, complaints: distinct(found) };
  if (environment.lints) found.push(...lint(compilation));
  const { code, marks, starts } = takeMarks(pieces);
  return {
    unit: {
      code,
      marks,
      main: [starts[1]!, starts[2]!],
      needs: colours.givesSubs ? needsOfRoutines(compilation, new Set(constants.keys())) : {},
      files: unit.files.map(({ source, dialect }) => ({ name: source.name, text: source.text, dialect })),
      rows: compilation.rows.map((row) => row.id),
      isDynamic: unit.hasDynamicCode,
      hasData: compilation.data.length > 0,
    },
    complaints: distinct(found),
  };
}

/** Complaints without repetitions: routines are generated in several forms. */
function distinct(found: readonly Complaint[]): Complaint[] {
  const byPlace = new Map(found.map((one) => [`${one.source.name} ${one.span.start} ${one.code} ${one.message}`, one]));
  return [...byPlace.values()];
}

/** Which file each top-level statement is from, when there are several. */
function filesOfStatements(unit: Unit): Compilation["fileOf"] {
  if (unit.files.length === 1) return null;
  return new Map(unit.segments.flatMap(({ file, statements }) => statements.map((node) => [node, file] as const)));
}

/** Looks at each function's jumps, and at which reads find a stored value. */
function studyFunctions(unit: Unit, compilation: Compilation): void {
  const study = (routine: RoutineUnit | null, file: UnitFile, statements: readonly ast.Statement[]): void => {
    const context = new FunctionContext(compilation, routine, file, false);
    const jumps = planJumps(context, statements);
    if (jumps) compilation.jumpPlans.set(statements, jumps);
    const find = (name: string): Variable | undefined => context.variable(name);
    findAssignedReads(statements, routine?.parameters ?? [], find, jumps, compilation.assignedReads);
  };
  study(null, unit.files[0]!, compilation.statements);
  for (const routine of unit.routines.values()) study(routine, routine.file, routine.node.body);
}

function infer(unit: Unit, compilation: Compilation): void {
  const code = (routine: RoutineUnit) => ({
    context: new FunctionContext(compilation, routine, routine.file, routine.waits),
    statements: routine.node.body,
  });
  inferVariables([
    ...unit.segments.map((segment) => ({
      context: new FunctionContext(compilation, null, segment.file, true),
      statements: segment.statements,
    })),
    ...[...unit.routines.values()].flatMap((routine) => [code(routine), code(routine.generic)]),
  ]);
}

/** DATA of the whole unit in text order, and where each label stands in it. */
function collectData(compilation: Compilation): void {
  const collect = (statements: readonly ast.Statement[], routine: string): void =>
    walkStatements(statements, {
      statement: (node) => {
        if (node.kind === "data") compilation.data.push(...node.items);
        else if (node.kind === "label") compilation.dataLabels.set(dataLabel(routine, node.name), compilation.data.length);
        else if (node.kind === "routine") collect(node.body, nameKey(node.name.name));
      },
    });
  collect(compilation.statements, "");
}

/** The whole generated program, still with its marks: what comes before main, main, what comes after it. */
function programCode(
  compilation: Compilation,
  mainWaits: boolean,
  valuesRead: ReadonlySet<string>,
  constants: ReadonlyMap<string, ConstantEntry>,
): string[] {
  const { unit } = compilation;
  const main = new FunctionContext(compilation, null, unit.files[0]!, mainWaits);
  const { outside } = compilation;
  const isOwn = (variable: Variable): boolean => !variable.isShared && !unit.hasDynamicCode;
  const globals = [...unit.globals.values()].filter(
    (variable) => variable.isStored || (unit.hasDynamicCode && compilation.isFree(variable.key)),
  );
  main.jumps = compilation.jumpPlans.get(compilation.statements) ?? null;
  const body = main.block(compilation.statements);
  const pending = main.gosubs ? `pendingGosubs(${main.gosubs});` : "";
  const routines = [...unit.routines.values()].map((routine) =>
    routineCode(routine, compilation, unit.hasDynamicCode || routine.isReplaced || valuesRead.has(routine.key)),
  );
  const star = main.waits ? "*" : "";
  const joined = (...lines: string[]): string => lines.filter((line) => line !== "").join("\n");
  const before = joined(
    '"use strict";',
    ...compilation.rows.map(
      ({ row }, at) => `const ${row.kind === "property" ? "p" : "r"}${at} = ROWS[${at}].call, s${at} = ROWS[${at}].state;`,
    ),
    ...[...unit.types.values()].map((type) => typeCode(type, main)),
    outside.isInner ? cells(globals) : declare(globals.filter((variable) => !isOwn(variable))),
    compilation.data.length > 0
      ? `const DATA = dataList(${JSON.stringify(compilation.data.map((item) => [item.text, item.isQuoted]))});`
      : "const DATA = dataList([]);",
    ...routines.map((routine) => routine.code),
    constantsCode(constants, compilation),
  );
  const mainCode = joined(
    `function${star} main() {`,
    outside.isInner ? "" : declare(globals.filter(isOwn)),
    declareTemporaries(main),
    roundCounter(main),
    body,
    pending,
    "}",
  );
  const entries = routines.map((routine) => routine.entry).join(", ");
  const accessors = unit.hasDynamicCode && !outside.isInner ? globals.map(accessor).join(", ") : "";
  const last = `return { main, mainWaits: ${main.waits}, routines: {${entries}}, globals: {${accessors}}, ${
    constants.size > 0 ? "constants" : "constants: null"
  } };`;
  return [before, mainCode, last];
}

/** Sets the literal CONSTs that routines read, for a process in which main does not run. */
function constantsCode(constants: ReadonlyMap<string, ConstantEntry>, compilation: Compilation): string {
  if (constants.size === 0) return "";
  const context = new FunctionContext(compilation, null, compilation.unit.files[0]!, false);
  const [first] = constants.values();
  const body = context.block([{ kind: "const", entries: [...constants.values()], span: first!.value.span }]);
  return `function constants() {\n${declareTemporaries(context)}\n${body}\n}`;
}

/** Globals of a running program, as text inside it reaches them. */
const cells = (globals: readonly Variable[]): string =>
  globals
    .map(
      (variable) =>
        `const ${variable.js.replace(".value", "")} = globalCell(${quote(variable.key)}, ${variable.isStored});${variable.isFixed ? ` let ${variable.fixedJs} = 0;` : ""}`,
    )
    .join("\n");

/** A TYPE as a declaration; its fields are worked out at its first use. */
function typeCode({ node, file }: TypeUnit, main: FunctionContext): string {
  main.file = file;
  const fields = node.fields.map(({ name, type }) => {
    if (type.kind === "struct") return `[${quote(name.name)}, "struct", ${quote(type.type)}]`;
    if (type.kind === "fixedString" && type.bytes) {
      const bytes = asNumber(main, main.expression(type.bytes), type.bytes.span);
      return `[${quote(name.name)}, "fixed", fixedLength(${bytes})]`;
    }
    return `[${quote(name.name)}, ${quote(elementOf(name.name))}]`;
  });
  return `defineType(${quote(node.name.name)}, () => [${fields.join(", ")}]);`;
}

const accessor = (variable: Variable): string =>
  `${quote(variable.key)}: { get value() { return ${variable.js}; }, set value(v) { ${variable.js} = v; }, isStored: ${variable.isStored} }`;

const firstValue = ({ array }: Variable): string =>
  !array ? "null" : array.element === "number" || array.element === "integer" ? "NO_NUMBERS" : "NO_VALUES";

/** Declarations with first values: NULL, or the empty array that every element access misses. */
function declare(variables: readonly Variable[]): string {
  const parts = variables.flatMap((variable) => [
    `${variable.js} = ${firstValue(variable)}`,
    ...(variable.array ? [`${variable.dataJs} = ${variable.js}.data`] : []),
    ...(variable.array?.rank === 2 ? [`${variable.widthJs} = 0`] : []),
    ...(variable.isFixed ? [`${variable.fixedJs} = 0`] : []),
  ]);
  return parts.length === 0 ? "" : `let ${parts.join(", ")};`;
}

const declareTemporaries = (context: FunctionContext): string =>
  context.declarations.length === 0 ? "" : `let ${context.declarations.join(", ")};`;

/**
 * A routine: the form for calls from main's side, with what is known of their arguments; and the generic form for the
 * host and for calls through values, as a generator where its loops should give way.
 */
function routineCode(routine: RoutineUnit, compilation: Compilation, isCalledAsValue: boolean): { code: string; entry: string } {
  const { generic, waits } = routine;
  const hasTaskForm = waits || hasLoop(routine) || compilation.jumpPlans.has(routine.node.body);
  const forms: string[] = [];
  if (routine.isCalled) forms.push(functionCode(routine, compilation, waits, routine.js));
  const needsPlain = !waits && (isCalledAsValue || generic.isCalled || !hasTaskForm);
  if (needsPlain) forms.push(functionCode(generic, compilation, false, generic.js));
  const task = waits ? generic.js : `${routine.js}$$task`;
  if (hasTaskForm) forms.push(functionCode(generic, compilation, true, task));
  const value = `routineValue(${quote(routine.name)}, ${routine.parameters.length}, ${needsPlain ? generic.js : "null"}, ${hasTaskForm ? task : "null"})`;
  forms.push(`const R_${routine.js} = ${value};`);
  if (routine.isReplaced) forms.push(`g_${routine.js.slice(2)} = R_${routine.js};`);
  return { code: forms.join("\n"), entry: `${quote(routine.key)}: R_${routine.js}` };
}

function functionCode(routine: RoutineUnit, compilation: Compilation, waits: boolean, name: string): string {
  const context = new FunctionContext(compilation, routine, routine.file, waits);
  context.jumps = compilation.jumpPlans.get(routine.node.body) ?? null;
  const truncated = routine.parameters
    .filter((parameter) => parameter.isInteger && !parameter.array)
    .map((parameter) => storeVariable(context, parameter, { js: parameter.js, kinds: parameter.kinds }, routine.node.name.span));
  const guards = context.jumps ? 0 : leafGuards(routine.node.body);
  context.countsDepth = false;
  const first = context.block(routine.node.body.slice(0, guards));
  context.countsDepth = true;
  const body = context.block(routine.node.body.slice(guards));
  const locals = [...routine.locals.values()].filter((variable) => !routine.parameters.includes(variable));
  const tick = context.at(routine.node.name.span, "tick()");
  const arrays = routine.parameters.filter((parameter) => parameter.array);
  return [
    `function${waits ? "*" : ""} ${name}(${routine.parameters.map((parameter) => parameter.js).join(", ")}) {`,
    declare(locals),
    ...arrays.map(({ dataJs, widthJs, js }) => `const ${dataJs} = ${js}.data, ${widthJs} = ${js}.width;`),
    declareTemporaries(context),
    roundCounter(context),
    ...truncated,
    first,
    "if (++S.depth > S.maxDepth) tooDeep();",
    waits ? `if (--S.fuel < 0 && ${tick}) yield TURN;` : `if (--S.fuel < 0) ${tick};`,
    body,
    "S.depth--; return null;",
    "}",
  ]
    .filter((line) => line !== "")
    .join("\n");
}

/**
 * How many statements at the start of a routine are of the form `IF c THEN RETURN e` without calls: they end a recursion
 * in constant time, so the routine need not be counted before them.
 */
function leafGuards(statements: readonly ast.Statement[]): number {
  const isGuard = (node: ast.Statement): boolean =>
    node.kind === "if" &&
    node.otherwise === null &&
    node.arms.every(({ condition, body }) => {
      const [only, ...others] = body;
      return others.length === 0 && only?.kind === "return" && isLeaf(condition) && (only.value === null || isLeaf(only.value));
    });
  const end = statements.findIndex((node) => !isGuard(node));
  return end < 0 ? statements.length : end;
}

/** Whether an expression calls nothing. */
function isLeaf(node: ast.Expression): boolean {
  if (node.kind === "unary") return isLeaf(node.operand);
  if (node.kind === "binary") return isLeaf(node.left) && isLeaf(node.right);
  return (
    node.kind === "name" || node.kind === "number" || node.kind === "string" || node.kind === "boolean" || node.kind === "null"
  );
}

function hasLoop(routine: RoutineUnit): boolean {
  let found = false;
  walkStatements(routine.node.body, {
    statement: (node) => {
      if (node.kind === "while" || node.kind === "do" || node.kind === "for" || node.kind === "forEach") found = true;
    },
  });
  return found;
}
