/** Decides which routines can reach a waiting call: they become generators, all others stay plain functions. */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import type { FunctionRow } from "../host.ts";
import type { Surface } from "../surface.ts";
import type { RoutineUnit, Unit } from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** What one piece of code does that matters for waiting. */
interface CodeFacts {
  readonly calls: Set<string>;
  /** It waits by itself: SLEEP, INPUT, a waiting row. */
  waits: boolean;
  /** It calls through a value. */
  hasDynamicCall: boolean;
  /** It calls a row that takes a SUB. */
  givesSubs: boolean;
}

/** The outcome: whether main waits, and whether calls through values may. Routines get their `waits` set. */
export interface Colours {
  readonly mainWaits: boolean;
  readonly dynamicCallsWait: boolean;
  /** Upper-case names that are read as values: routines among them can be called through values. */
  readonly valuesRead: ReadonlySet<string>;
  /** Rows may be given SUBs. */
  readonly givesSubs: boolean;
}

/** Colours a unit. */
export function colourUnit(unit: Unit, surface: Surface): Colours {
  const valuesRead = new Set<string>();
  const facts = new Map<RoutineUnit | null, CodeFacts>();
  const main = factsOf(
    unit.segments.flatMap((segment) => segment.statements),
    null,
    unit,
    surface,
    valuesRead,
  );
  for (const routine of unit.routines.values()) {
    facts.set(routine, factsOf(routine.node.body, routine, unit, surface, valuesRead));
  }
  facts.set(null, main);
  const isModuleRead = [...valuesRead].some((key) => surface.named.has(key));
  let dynamicCallsWait = unit.hasDynamicCode || isModuleRead;
  for (;;) {
    spread(unit, facts, dynamicCallsWait);
    const isReached = [...unit.routines.values()].some(
      (routine) => routine.waits && (valuesRead.has(routine.key) || routine.isReplaced),
    );
    if (dynamicCallsWait || !isReached) break;
    dynamicCallsWait = true;
  }
  for (const routine of unit.routines.values()) routine.generic.waits = routine.waits;
  const givesSubs = unit.hasDynamicCode || isModuleRead || [...facts.values()].some((code) => code.givesSubs);
  return { mainWaits: waitsNow(unit, main, dynamicCallsWait), dynamicCallsWait, valuesRead, givesSubs };
}

/** Carries waiting from routines to their callers until nothing changes. */
function spread(unit: Unit, facts: ReadonlyMap<RoutineUnit | null, CodeFacts>, dynamicCallsWait: boolean): void {
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const routine of unit.routines.values()) {
      if (routine.waits || !waitsNow(unit, facts.get(routine)!, dynamicCallsWait)) continue;
      routine.waits = true;
      isStable = false;
    }
  }
}

const waitsNow = (unit: Unit, code: CodeFacts, dynamicCallsWait: boolean): boolean =>
  code.waits ||
  (dynamicCallsWait && code.hasDynamicCall) ||
  [...code.calls].some((key) => unit.routines.get(key)?.waits === true);

function factsOf(
  statements: readonly ast.Statement[],
  routine: RoutineUnit | null,
  unit: Unit,
  surface: Surface,
  valuesRead: Set<string>,
): CodeFacts {
  const facts: CodeFacts = { calls: new Set(), waits: false, hasDynamicCall: false, givesSubs: false };
  const row = (found: FunctionRow<unknown>): void => {
    facts.waits ||= found.waits;
    facts.givesSubs ||= Object.values(found.params).some((param) => param.type === "sub");
  };
  const targets = new Set<ast.Expression>();
  const named = (name: ast.Name): void => {
    targets.add(name);
    const key = nameKey(name.name);
    const variable = routine?.locals.get(key) ?? unit.globals.get(key);
    const builtin = surface.builtins.get(key)?.row;
    if (builtin?.kind === "function" && !(builtin.yields && (variable?.isStored || unit.routines.has(key)))) {
      row(builtin);
    } else if (variable?.isStored) facts.hasDynamicCall ||= variable.array === null;
    else if (unit.routines.has(key)) facts.calls.add(key);
    else facts.hasDynamicCall = true;
  };
  const method = (member: ast.Member): void => {
    targets.add(member);
    const found = memberRow(member, surface);
    if (found?.kind === "function") row(found);
    else if (!found) facts.hasDynamicCall = true;
  };
  const called = (target: ast.Expression): void => {
    if (target.kind === "name") named(target);
    else if (target.kind === "member") method(target);
    else facts.hasDynamicCall = true;
  };
  walkStatements(statements, {
    expression: (node) => {
      if (node.kind === "call") called(node.target);
      else if (node.kind === "eval" || node.kind === "class" || node.kind === "shellCode") facts.waits = true;
      else if (node.kind === "name" && !targets.has(node)) valuesRead.add(nameKey(node.name));
      else if (node.kind === "member" && node.target?.kind === "name" && surface.named.has(nameKey(node.target.name))) {
        targets.add(node.target);
      }
      if (node.kind === "member" && !targets.has(node)) {
        const found = memberRow(node, surface);
        if (found?.kind === "function" && found.waits) facts.waits = true;
      }
    },
    statement: (node) => {
      if (node.kind === "callStatement") called(node.target);
      else if (WAITING_STATEMENTS.has(node.kind)) facts.waits = true;
      else if (node.kind === "dim" && node.items.some((item) => item.kind === "class")) facts.waits = true;
    },
  });
  return facts;
}

const WAITING_STATEMENTS: ReadonlySet<string> = new Set(["sleep", "shell", "exec", "input"]);

function memberRow(member: ast.Member, surface: Surface) {
  if (member.target?.kind !== "name") return undefined;
  return surface.named.get(nameKey(member.target.name))?.members.get(nameKey(member.name))?.row;
}
