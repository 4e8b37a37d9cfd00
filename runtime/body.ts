/** A routine of a program as plain data, to run in another process in which the program's main part does not run. */
import { SourceFile } from "../grammar/source.ts";
import type { CompiledUnit, OutsideNeed, RoutineNeeds } from "./compile/compiled.ts";
import { BasilError } from "./errors.ts";

/** Such a routine with all it calls: JSON can hold it. */
export interface Body {
  /** The program without main. */
  readonly unit: CompiledUnit;
  /** Upper-case name of the routine. */
  readonly routine: string;
  /** Names of the modules the program was compiled for, in their order; "" is the built-ins. */
  readonly modules: readonly string[];
  /** The modules it uses besides the built-ins. */
  readonly uses: readonly ModuleUse[];
  /** Its calls may nest deeply: some routine may call itself, directly or through others. */
  readonly isRecursive: boolean;
}

/** A place where a body uses a module. */
export interface ModuleUse {
  readonly module: string;
  /** The routine it stands in. */
  readonly routine: string;
  /** `crawl.basil:12:5`. */
  readonly place: string;
}

/** What stands in for main. */
const NO_MAIN = "function main() {}\n";

/** A routine of a unit as data. Throws a BasilError that names the place when it, or what it calls, needs main's process. */
export function bodyOf(unit: CompiledUnit, name: string, modules: readonly string[]): Body {
  const routine = name.toUpperCase();
  const reached = reachedFrom(unit, routine);
  const uses: ModuleUse[] = [];
  for (const [key, needs] of reached) {
    for (const need of needs.outside) {
      if (need.kind !== "module") throw refusal(unit, name, key, need);
      uses.push({ module: need.name, routine: key, place: placeText(unit, need) });
    }
  }
  return { unit: withoutMain(unit), routine, modules, uses, isRecursive: hasCycle(new Map(reached)) };
}

/** Whether some routine can come back to itself. */
function hasCycle(reached: ReadonlyMap<string, RoutineNeeds>): boolean {
  const finished = new Set<string>();
  const visit = (key: string, trail: ReadonlySet<string>): boolean => {
    if (trail.has(key)) return true;
    if (finished.has(key)) return false;
    finished.add(key);
    const { calls, callsAny } = reached.get(key)!;
    return callsAny || calls.some((next) => visit(next, new Set([...trail, key])));
  };
  return [...reached.keys()].some((key) => visit(key, new Set()));
}

/** A routine and all it can call, nearest first. */
function reachedFrom(unit: CompiledUnit, routine: string): [string, RoutineNeeds][] {
  const reached = new Set([routine]);
  for (const key of reached) {
    const { calls, callsAny } = unit.needs[key]!;
    for (const next of callsAny ? Object.keys(unit.needs) : calls) reached.add(next);
  }
  return [...reached].map((key) => [key, unit.needs[key]!]);
}

function refusal(unit: CompiledUnit, name: string, key: string, need: OutsideNeed): BasilError {
  const where = key === name.toUpperCase() ? name : `${name} may call ${key}, which`;
  const place = placeText(unit, need);
  if (need.kind === "dynamic") {
    return new BasilError("ARGUMENT_ERROR", `${where} uses ${need.name} (${place}), and another process has no compiler`, {
      hint: `Do without ${need.name}, or do it in the main program and pass the result.`,
    });
  }
  return new BasilError(
    "ARGUMENT_ERROR",
    `${where} uses ${need.name}, a variable of the main program (${place}), which another process does not have: ` +
      "pass it in the payload, or make it a CONST with a literal value",
  );
}

function placeText(unit: CompiledUnit, { place: [file, start] }: OutsideNeed): string {
  const { name, text } = unit.files[file]!;
  const { line, column } = new SourceFile(name, text).position(start);
  return `${name}:${line}:${column}`;
}

function withoutMain(unit: CompiledUnit): CompiledUnit {
  const { code, marks, main } = unit;
  const [start, end] = main;
  const before = marks.findIndex((offset, at) => at % 4 === 0 && offset >= start);
  return {
    ...unit,
    code: code.slice(0, start) + NO_MAIN + code.slice(end),
    marks: before < 0 ? marks : marks.slice(0, before),
    main: [start, start + NO_MAIN.length],
    needs: {},
  };
}
