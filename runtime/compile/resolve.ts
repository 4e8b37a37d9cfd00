/**
 * Finds out what every name of a program means before any code is made: files spliced by INCLUDE, routines, TYPEs,
 * globals, and which names of a routine are its own.
 */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { type Complaint, complaints } from "../../grammar/complaints.ts";
import { ANY, OTHER } from "./types.ts";
import {
  elementOf,
  type IncludeReader,
  mangle,
  type Outside,
  type RoutineUnit,
  type Segment,
  type TypeUnit,
  type Unit,
  type UnitFile,
  type Variable,
} from "./unit.ts";
import { walkStatements } from "./walk.ts";

/** Resolves a parsed program. Complaints are added to `found`; the unit is usable only when there are none. */
export function resolveUnit(
  program: ast.Program,
  readInclude: IncludeReader,
  moduleNames: readonly string[],
  outside: Outside,
  found: Complaint[],
): Unit {
  return new UnitBuilder(readInclude, moduleNames, outside, found).build(program);
}

/** Names a piece of code stores to or mentions, with the order in the text. */
interface NameUse {
  readonly firstMention: Map<string, number>;
  readonly firstStore: Map<string, number>;
  readonly declared: Set<string>;
  readonly spelling: Map<string, string>;
}

class UnitBuilder {
  readonly #readInclude: IncludeReader;
  readonly #moduleNames: readonly string[];
  readonly #outside: Outside;
  readonly #found: Complaint[];
  readonly #files: UnitFile[] = [];
  readonly #segments: Segment[] = [];
  readonly #included = new Set<string>();
  readonly #routines = new Map<string, RoutineUnit>();
  readonly #globals = new Map<string, Variable>();
  readonly #types = new Map<string, TypeUnit>();
  readonly #routineUses: { routine: RoutineUnit; use: NameUse; body: readonly ast.Statement[] }[] = [];
  #order = 0;
  #hasDynamicCode = false;

  constructor(readInclude: IncludeReader, moduleNames: readonly string[], outside: Outside, found: Complaint[]) {
    this.#readInclude = readInclude;
    this.#moduleNames = moduleNames;
    this.#outside = outside;
    this.#found = found;
  }

  build(program: ast.Program): Unit {
    this.#hasDynamicCode = this.#outside.isOpen;
    this.#addFile(program);
    const top: NameUse = emptyUse();
    for (const segment of this.#segments) this.#collect(segment.statements, segment.file, top);
    for (const [key, name] of top.spelling) this.#declare(this.#globals, key, name, true);
    for (const entry of this.#routineUses) this.#scopeRoutine(entry.routine, entry.use, top);
    this.#noteStores();
    for (const routine of this.#routines.values()) {
      const variable = this.#globals.get(routine.key);
      routine.isReplaced = variable?.isStored === true;
      if (!variable) continue;
      if (!routine.isReplaced) this.#globals.delete(routine.key);
      variable.isShared = true;
      variable.array = null;
      variable.kinds = OTHER;
    }
    for (const routine of this.#routines.values()) routine.generic = genericForm(routine);
    return {
      segments: this.#segments,
      files: this.#files,
      routines: this.#routines,
      globals: this.#globals,
      types: this.#types,
      hasDynamicCode: this.#hasDynamicCode,
    };
  }

  /** Cuts a file at its INCLUDEs and puts the included texts between the pieces. */
  #addFile(program: ast.Program): void {
    const file: UnitFile = { index: this.#files.length, source: program.source, dialect: program.dialect };
    this.#files.push(file);
    let from = 0;
    const cut = (to: number): void => {
      if (to > from) this.#segments.push({ file, statements: program.body.slice(from, to) });
    };
    program.body.forEach((statement, at) => {
      if (statement.kind !== "include") return;
      cut(at);
      from = at + 1;
      this.#include(statement, file);
    });
    cut(program.body.length);
  }

  #include(node: ast.Include, file: UnitFile): void {
    const moduleName = /^obj-([^/\\]*?)(\.basil)?$/i.exec(node.name)?.[1];
    if (moduleName !== undefined) {
      if (!this.#moduleNames.some((name) => nameKey(name) === nameKey(moduleName))) {
        this.#found.push(complaints.unknownModule({ source: file.source, span: node.span }, node.name, this.#moduleNames));
      }
      return;
    }
    const read = this.#readInclude(node.name, file.source.name, file.dialect);
    if ("reason" in read) {
      this.#found.push(complaints.includeFile({ source: file.source, span: node.span }, node.name, read.reason));
      return;
    }
    const name = read.program.source.name;
    if (this.#included.has(name) || this.#files.some((other) => other.source.name === name)) return;
    this.#included.add(name);
    this.#found.push(...read.complaints);
    this.#addFile(read.program);
  }

  /** Notes names, routines, TYPEs of one piece of text; routine bodies are collected with uses of their own. */
  #collect(statements: readonly ast.Statement[], file: UnitFile, use: NameUse): void {
    const mention = (name: string): number => {
      const key = nameKey(name);
      this.#order += 1;
      if (!use.firstMention.has(key)) use.firstMention.set(key, this.#order);
      if (!use.spelling.has(key)) use.spelling.set(key, name);
      return this.#order;
    };
    walkStatements(statements, {
      expression: (node) => {
        if (node.kind === "name") mention(node.name);
        else if (node.kind === "eval" || node.kind === "class") this.#hasDynamicCode = true;
      },
      store: (place, by) => {
        const name = place.kind === "name" ? place : place.kind === "call" && place.target.kind === "name" ? place.target : null;
        if (!name) return;
        const order = mention(name.name);
        if (place.kind !== "name") return;
        const key = nameKey(name.name);
        if (!use.firstStore.has(key)) use.firstStore.set(key, order);
        if (by.kind === "dim" || by.kind === "try") use.declared.add(key);
      },
      statement: (node) => {
        if (node.kind === "routine") this.#addRoutine(node, file);
        else if (node.kind === "type") this.#types.set(nameKey(node.name.name), { node, file });
        else if (node.kind === "use") this.#use(node, file);
        else if (node.kind === "exec") this.#hasDynamicCode = true;
        else if (node.kind === "dim" && node.items.some((item) => item.kind === "class")) this.#hasDynamicCode = true;
      },
    });
  }

  /** `#USE A, B`: every module is there from the start, so only unknown names are worth a word. */
  #use(node: ast.Use, file: UnitFile): void {
    for (const name of node.modules) {
      if (this.#moduleNames.some((known) => nameKey(known) === nameKey(name))) continue;
      this.#found.push(complaints.unknownUse({ source: file.source, span: node.span }, name, this.#moduleNames));
    }
  }

  #addRoutine(node: ast.Routine, file: UnitFile): void {
    const key = nameKey(node.name.name);
    const at = { source: file.source, span: node.name.span };
    const first = this.#routines.get(key);
    if (first || this.#outside.routines.has(key)) {
      const line = first ? first.file.source.position(first.node.name.span.start).line : 1;
      this.#found.push(complaints.duplicateDefinition(at, node.name.name, line));
      return;
    }
    const locals = new Map<string, Variable>();
    const parameters = node.parameters.map((parameter) => {
      if (locals.has(nameKey(parameter.name))) {
        this.#found.push(
          complaints.duplicateDefinition(
            { source: file.source, span: parameter.span },
            parameter.name,
            file.source.position(parameter.span.start).line,
          ),
        );
      }
      return this.#declare(locals, nameKey(parameter.name), parameter.name, false);
    });
    const routine: Omit<RoutineUnit, "generic"> & { generic?: RoutineUnit } = {
      key,
      name: node.name.name,
      js: `f_${mangle(node.name.name)}`,
      node,
      file,
      parameters,
      locals,
      waits: false,
      isReplaced: false,
      isGeneric: false,
      isCalled: false,
      resultKinds: 0,
    };
    this.#routines.set(key, routine as RoutineUnit);
    const use = emptyUse();
    this.#routineUses.push({ routine: routine as RoutineUnit, use, body: node.body });
    this.#collect(node.body, file, use);
  }

  /** language.md 3: which names of a routine are local. */
  #scopeRoutine(routine: RoutineUnit, use: NameUse, top: NameUse): void {
    for (const [key, name] of use.spelling) {
      if (routine.locals.has(key)) continue;
      const storedAt = use.firstStore.get(key);
      const mentionedAt = this.#outside.globals.has(key) ? 0 : (top.firstMention.get(key) ?? Number.POSITIVE_INFINITY);
      const isLocal = use.declared.has(key) || (storedAt !== undefined && mentionedAt > storedAt);
      if (isLocal) this.#declare(routine.locals, key, name, false);
      else this.#declare(this.#globals, key, name, true).isShared = true;
    }
  }

  #declare(into: Map<string, Variable>, key: string, name: string, isGlobal: boolean): Variable {
    const existing = into.get(key);
    if (existing) return existing;
    const variable: Variable = {
      key,
      name,
      js: isGlobal && this.#outside.isInner ? `c_${mangle(name)}.value` : `${isGlobal ? "g" : "v"}_${mangle(name)}`,
      fixedJs: `n_${isGlobal ? "g" : "v"}_${mangle(name)}`,
      dataJs: `d_${isGlobal ? "g" : "v"}_${mangle(name)}`,
      widthJs: `w_${isGlobal ? "g" : "v"}_${mangle(name)}`,
      isFinal: false,
      isStruct: false,
      isGlobal,
      isInteger: name.endsWith("%"),
      array: null,
      isFixed: false,
      hasPlainStore: false,
      isStored: isGlobal && this.#outside.globals.has(key),
      isConstant: false,
      isShared: false,
      kinds: 0,
    };
    into.set(key, variable);
    return variable;
  }

  /** Learns from every store what a variable is: an array, a fixed string, a constant. */
  #noteStores(): void {
    const globals = this.#globals;
    for (const segment of this.#segments) this.#noteStoresIn(segment.statements, segment.file, (key) => globals.get(key));
    for (const { routine, body } of this.#routineUses) {
      this.#noteStoresIn(body, routine.file, (key) => routine.locals.get(key) ?? globals.get(key));
    }
    for (const { routine } of this.#routineUses)
      for (const parameter of routine.parameters) {
        parameter.isFinal = !parameter.isStored;
        parameter.hasPlainStore = true;
        parameter.isStored = true;
      }
    for (const variables of [globals, ...this.#routineUses.map((entry) => entry.routine.locals)]) {
      for (const variable of variables.values()) {
        if (variable.hasPlainStore || (variable.isGlobal && this.#hasDynamicCode)) variable.array = null;
        if (variable.isGlobal && this.#hasDynamicCode) variable.kinds = ANY;
      }
    }
  }

  #noteStoresIn(statements: readonly ast.Statement[], file: UnitFile, find: (key: string) => Variable | undefined): void {
    walkStatements(statements, {
      statement: (node) => {
        if (node.kind === "dim") for (const item of node.items) noteDim(item, find(nameKey(item.name.name))!);
      },
      store: (place, by) => {
        if (place.kind !== "name") return;
        const variable = find(nameKey(place.name))!;
        variable.isStored = true;
        if (variable.isConstant)
          this.#found.push(complaints.constantAssigned({ source: file.source, span: place.span }, place.name));
        if (by.kind !== "dim") variable.hasPlainStore = true;
        if (by.kind === "const") variable.isConstant = true;
      },
    });
  }
}

/** The form of a routine whose parameters can be anything, with variables of its own. */
function genericForm(routine: RoutineUnit): RoutineUnit {
  const locals = new Map<string, Variable>([...routine.locals].map(([key, variable]) => [key, { ...variable }]));
  const parameters = routine.parameters.map((parameter) => locals.get(parameter.key)!);
  for (const parameter of parameters) parameter.kinds = ANY;
  const generic: RoutineUnit = { ...routine, js: `${routine.js}$$any`, locals, parameters, isGeneric: true };
  generic.generic = generic;
  return generic;
}

const emptyUse = (): NameUse => ({ firstMention: new Map(), firstStore: new Map(), declared: new Set(), spelling: new Map() });

function noteDim(item: ast.DimItem, variable: Variable): void {
  if (item.kind === "fixedString" && item.bytes) variable.isFixed = true;
  if (item.kind === "typed") variable.isStruct = true;
  if (item.kind !== "array" || item.type !== null) {
    variable.hasPlainStore = true;
    return;
  }
  if (variable.array && variable.array.rank !== item.bounds.length) variable.hasPlainStore = true;
  variable.array = { rank: item.bounds.length, element: elementOf(item.name.name) };
}
