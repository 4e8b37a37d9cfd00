/**
 * Code with labels, GOTO and GOSUB as JavaScript: the smallest stretch of statements that holds them all is cut into
 * blocks of a `switch` in a loop; everything without labels inside stays structured code within a block.
 *
 * A TRY keeps its JavaScript form; labels inside its bodies get dispatch loops of their own. When a GOSUB leaves such a
 * body, the stretch around the TRY becomes a function that can be called again from inside it: errors of the
 * subroutine then pass through the TRY, as they must.
 */
import type * as ast from "../../grammar/ast.ts";
import { nameKey } from "../../grammar/ast.ts";
import { nestedLists } from "../../grammar/bodies.ts";
import type { FunctionContext, LoopFrame, RegionFrame } from "./context.ts";
import { backEdge, caseTest, forParts, jump, leave, loopTest } from "./control.ts";
import { asNumber, condition } from "./operations.ts";
import { storeVariable } from "./stores.ts";
import { ANY } from "./types.ts";

/** A list of statements in a function with jumps: a region when this is the smallest list that holds them all. */
export function jumpingBlock(context: FunctionContext, statements: readonly ast.Statement[]): string {
  const plan = context.jumps!;
  const plain = (list: readonly ast.Statement[]): string =>
    list.map((node) => context.compilation.emit.statement(context, node)).join("\n");
  const first = statements.findIndex((node) => plan.involved.has(node));
  if (first < 0 || !needsRegion(context, statements)) return plain(statements);
  // A subroutine that a TRY calls may run on to the end of the list, and its errors belong to the TRY all the way.
  const labels = new Set(ownLabels(statements));
  const isToEnd = hasGosubOutOfTry(statements, labels, false);
  const last = isToEnd ? statements.length - 1 : statements.findLastIndex((node) => plan.involved.has(node));
  const inside = statements.slice(first, last + 1);
  return [plain(statements.slice(0, first)), region(context, inside), plain(statements.slice(last + 1))].join("\n");
}

/** Whether jumps of this list need a dispatch loop here: something must be cut, and no single inner list holds it all. */
function needsRegion(context: FunctionContext, statements: readonly ast.Statement[]): boolean {
  const plan = context.jumps!;
  if (!statements.some((node) => plan.cut.has(node))) return false;
  const involved = statements.filter((node) => plan.involved.has(node));
  const only = involved.length === 1 ? involved[0]! : null;
  if (!only) return true;
  const holding = nestedLists(only).filter((list) => list.some((node) => plan.involved.has(node)));
  return holding.length !== 1;
}

/** Labels that belong to a stretch: all inside it, except those inside TRY bodies. */
function ownLabels(statements: readonly ast.Statement[], found: string[] = []): string[] {
  for (const node of statements) {
    if (node.kind === "label") found.push(nameKey(node.name));
    if (node.kind !== "try") for (const list of nestedLists(node)) ownLabels(list, found);
  }
  return found;
}

/** Whether a GOSUB inside a TRY of this stretch goes to a label of the stretch. */
function hasGosubOutOfTry(statements: readonly ast.Statement[], own: ReadonlySet<string>, isInTry: boolean): boolean {
  return statements.some((node) => {
    if (isInTry && node.kind === "gosub" && own.has(nameKey(node.label.name))) return true;
    if (isInTry && node.kind === "onJump" && node.isGosub && node.labels.some((label) => own.has(nameKey(label.name))))
      return true;
    return nestedLists(node).some((list) => hasGosubOutOfTry(list, own, isInTry || node.kind === "try"));
  });
}

function region(context: FunctionContext, statements: readonly ast.Statement[]): string {
  const plan = context.jumps!;
  const labels = ownLabels(statements).filter((key) => plan.targets.has(key));
  const blocks = new Map(labels.map((key) => [key, context.newBlock()]));
  const isFunction = hasGosubOutOfTry(statements, new Set(labels), false);
  if (plan.hasGosub) context.gosubs ??= context.temporary("g");
  const frame: RegionFrame = {
    kind: "region",
    next: isFunction ? context.label("n") : context.temporary("n"),
    label: context.label("J"),
    blocks,
    returns: [],
    asFunction: isFunction
      ? { name: context.temporary("J"), how: context.temporary("h"), target: context.temporary("n"), exits: [] }
      : null,
  };
  context.frames.push(frame);
  const outer = context.declarations.length;
  const body = new Cutter(context, frame).cut(statements);
  context.frames.pop();
  // A region that can be called again from inside itself has temporaries of its own, except those its way out needs.
  const own = isFunction ? context.declarations.splice(outer) : [];
  context.declarations.push(...own.filter(isOfTheRoutine));
  const temporaries = own.filter((name) => !isOfTheRoutine(name));
  const declare = temporaries.length > 0 ? `let ${temporaries.join(", ")};\n` : "";
  const dispatch = `${frame.label}: for (;; ) {\n${backEdge(context, statements[0]!.span)}\nswitch (${frame.next}) {\ncase 0:\n${body}\n}\nbreak;\n}`;
  const isOutermost = context.frames.every((outer) => outer.kind !== "region");
  if (!isOutermost) context.declarations.push(returnsOf(frame));
  const start = !context.gosubs
    ? ""
    : isOutermost
      ? `${context.gosubs} ??= [];\n`
      : `${returnsOf(frame)} = [${frame.returns.join(", ")}];\n`;
  if (!frame.asFunction) return `${start}${frame.next} = 0;\n${dispatch}`;
  const { name, how, exits } = frame.asFunction;
  const define = `${name} = function${context.waits ? "*" : ""} (${frame.next}) {\n${declare}${dispatch}\n${how} = 0;\n};`;
  const leaveCode = exits.map((js, at) => `if (${how} === ${at + 2}) ${js}`).join("\n");
  return `${start}${define}\n${callRegion(context, name, "0")};\n${leaveCode}`;
}

/** Temporaries that are read outside the region as well: a value to return, active GOSUBs, what a wait gave. */
const isOfTheRoutine = (name: string): boolean => /^[rgw]\d*$/.test(name);

/** The variable with the numbers of the blocks that RETURN can come back to in an inner region. */
const returnsOf = (frame: RegionFrame): string => `${frame.label}r`;

const callRegion = (context: FunctionContext, name: string, block: string): string =>
  context.waits ? `yield* ${name}(${block})` : `${name}(${block})`;

/** The region that owns a label, seen from the innermost frame outwards. */
function ownerOf(context: FunctionContext, label: string): { frame: RegionFrame; at: number } | undefined {
  for (let at = context.frames.length - 1; at >= 0; at--) {
    const frame = context.frames[at]!;
    if (frame.kind === "region" && frame.blocks.has(nameKey(label))) return { frame, at };
  }
  return undefined;
}

/** How a region's function was left, when RETURN TO goes on outside the TRY that called the subroutine. */
const LEAVES_BLOCK = -2;

/** GOTO: through the dispatch loop of the region that owns the label. */
export function goTo(context: FunctionContext, label: ast.LabelName): string {
  const owner = ownerOf(context, label.name);
  if (!owner) return "";
  const { frame, at } = owner;
  return jump(context, at, `{ ${frame.next} = ${frame.blocks.get(nameKey(label.name))}; continue ${frame.label}; }`);
}

/**
 * GOSUB. In the region that owns the label the return point is a block; from inside a TRY the region is called again,
 * and −1 on the stack makes the RETURN end that call.
 */
export function goSub(context: FunctionContext, label: ast.LabelName, span: ast.Statement["span"]): string {
  const owner = ownerOf(context, label.name);
  if (!owner) return "";
  const { frame, at } = owner;
  const block = frame.blocks.get(nameKey(label.name))!;
  const inner = context.frames.findLast((one) => one.kind === "region");
  if (inner === frame) {
    const back = context.newBlock();
    frame.returns.push(back);
    const push = context.at(span, `pushGosub(${context.gosubs}, ${back})`);
    return `${push}; ${frame.next} = ${block}; continue ${frame.label};\ncase ${back}:`;
  }
  const { name, how, target } = frame.asFunction!;
  const push = context.at(span, `pushGosub(${context.gosubs}, -1)`);
  // Anything but a RETURN in the subroutine (it ran off the region's end, or jumped out) goes on outside the TRY.
  const kept = context.temporary("h");
  const onward = jump(context, at, `{ ${how} = ${kept}; return; }`);
  const leaving = jump(context, at, `{ ${frame.next} = ${target}; continue ${frame.label}; }`);
  return `${push}; ${callRegion(context, name, String(block))};\nif (${how} === ${LEAVES_BLOCK}) ${leaving}\nif (${how} !== 1) { ${kept} = ${how}; ${onward} }`;
}

export function returnTo(context: FunctionContext, node: ast.ReturnTo): string {
  const pop = context.at(node.span, `popGosub(${context.gosubs ?? "null"})`);
  const owner = ownerOf(context, node.label.name);
  const call = owner?.frame.asFunction;
  if (!call) return `${pop}; ${goTo(context, node.label)}`;
  const block = owner.frame.blocks.get(nameKey(node.label.name));
  const end = jump(context, owner.at, `{ ${call.how} = ${LEAVES_BLOCK}; ${call.target} = ${block}; return; }`);
  return `if (${pop} === -1) ${end}\n${goTo(context, node.label)}`;
}

/** Bare RETURN: to the latest GOSUB of this activation, else out of the routine. */
export function bareReturn(context: FunctionContext, node: ast.Return): string {
  const none = context.routine ? leave(context, "null") : `${context.at(node.span, "returnWithoutGosub()")};`;
  if (!context.gosubs) return none;
  const held = context.temporary("b");
  return `if (${context.gosubs}?.length > 0) { ${held} = ${context.gosubs}.pop(); ${returnToBlock(context, held)} }\n${none}`;
}

/** Goes on at a return point: in whichever region has the block; −1 ends the region's function. */
function returnToBlock(context: FunctionContext, held: string): string {
  const regions = context.frames.flatMap((frame, at) => (frame.kind === "region" ? [{ frame, at }] : []));
  return regions
    .reverse()
    .map(({ frame, at }, order) => {
      const go = jump(context, at, `{ ${frame.next} = ${held}; continue ${frame.label}; }`);
      const end = frame.asFunction
        ? `if (${held} === -1) ${jump(context, at, `{ ${frame.asFunction.how} = 1; return; }`)}\n`
        : "";
      const isLast = order === regions.length - 1;
      return `${end}${isLast ? go : `if (${returnsOf(frame)}.includes(${held})) ${go}`}`;
    })
    .join("\n");
}

export function onJump(context: FunctionContext, node: ast.OnJump): string {
  const selector = context.temporary("c");
  const value = asNumber(context, context.expression(node.selector), node.selector.span);
  const arms = node.labels.map((label, at) => {
    const go = node.isGosub ? goSub(context, label, node.span) : goTo(context, label);
    return { test: `${selector} === ${at + 1}`, go };
  });
  if (!node.isGosub) return `${selector} = Math.trunc(${value});\n${arms.map(({ test, go }) => `if (${test}) ${go}`).join("\n")}`;
  return onGosub(context, `${selector} = Math.trunc(${value});`, arms);
}

/** ON … GOSUB: each arm is a block of its own, since the return point lies behind it. */
function onGosub(context: FunctionContext, start: string, arms: readonly { test: string; go: string }[]): string {
  const frame = context.frames.findLast((one) => one.kind === "region")!;
  const end = context.newBlock();
  const code = arms.map(({ test, go }) => {
    const skip = context.newBlock();
    return `if (!(${test})) { ${frame.next} = ${skip}; continue ${frame.label}; }\n${go}\n${frame.next} = ${end}; continue ${frame.label};\ncase ${skip}:`;
  });
  return `${start}\n${code.join("\n")}\ncase ${end}:`;
}

/** Cuts statements into the cases of one dispatch loop. */
class Cutter {
  readonly #context: FunctionContext;
  readonly #frame: RegionFrame;

  constructor(context: FunctionContext, frame: RegionFrame) {
    this.#context = context;
    this.#frame = frame;
  }

  cut(statements: readonly ast.Statement[]): string {
    return statements.map((node) => this.#statement(node)).join("\n");
  }

  #statement(node: ast.Statement): string {
    const context = this.#context;
    const plan = context.jumps!;
    if (node.kind === "label") {
      const block = this.#frame.blocks.get(nameKey(node.name));
      return block === undefined ? "" : `case ${block}:`;
    }
    if (!plan.cut.has(node)) return context.compilation.emit.statement(context, node);
    return this.#compound(node);
  }

  #go(block: number): string {
    return `{ ${this.#frame.next} = ${block}; continue ${this.#frame.label}; }`;
  }

  #compound(node: ast.Statement): string {
    const context = this.#context;
    switch (node.kind) {
      case "gosub":
        return goSub(context, node.label, node.span);
      case "onJump":
        return onJump(context, node);
      case "block":
        return this.cut(node.body);
      case "if":
        return this.#branches(
          node.arms.map((arm) => ({ test: () => condition(context, arm.condition), body: arm.body })),
          node.otherwise,
        );
      case "select": {
        const subject = context.expression(node.subject);
        const held = { js: context.temporary("c"), kinds: subject.kinds };
        const arms = node.arms.map((arm) => ({
          test: () => `(${arm.tests.map((test) => caseTest(context, held, test)).join(" || ")})`,
          body: arm.body,
        }));
        return `${held.js} = ${subject.js};\n${this.#branches(arms, node.otherwise)}`;
      }
      case "with": {
        const object = context.temporary("o");
        const start = `${object} = ${context.value(node.target)};`;
        context.withs.push(object);
        const body = this.cut(node.body);
        context.withs.pop();
        return `${start}\n${body}`;
      }
      case "while":
        return this.#loop("WHILE", "", `!${condition(context, node.condition)}`, node.body, "", null);
      case "do":
        return this.#do(node);
      case "for": {
        const { start, holdStep, test, advance } = forParts(context, node);
        const hold = holdStep && `${holdStep};`;
        return this.#loop("FOR", `${start}\n${hold}`, `!(${test})`, node.body, `${hold} ${advance};`, null);
      }
      case "forEach":
        return this.#forEach(node);
      default:
        return context.compilation.emit.statement(context, node);
    }
  }

  #branches(
    arms: readonly { test: () => string; body: readonly ast.Statement[] }[],
    otherwise: readonly ast.Statement[] | null,
  ): string {
    const end = this.#context.newBlock();
    const code = arms.map((arm) => {
      const next = this.#context.newBlock();
      return `if (!${arm.test()}) ${this.#go(next)}\n${this.cut(arm.body)}\n${this.#go(end)}\ncase ${next}:`;
    });
    return `${code.join("\n")}\n${otherwise ? this.cut(otherwise) : ""}\ncase ${end}:`;
  }

  /** `leaveIf` is tested before each round, `leaveAfter` behind it; `advance` runs between rounds. */
  #loop(
    word: LoopFrame["word"],
    start: string,
    leaveIf: string | null,
    body: readonly ast.Statement[],
    advance: string,
    leaveAfter: (() => string) | null,
  ): string {
    const context = this.#context;
    const [head, next, end] = [context.newBlock(), context.newBlock(), context.newBlock()];
    context.frames.push({ kind: "loop", word, breakJs: this.#go(end), continueJs: this.#go(next) });
    const inside = this.cut(body);
    context.frames.pop();
    const after = leaveAfter ? `if (${leaveAfter()}) ${this.#go(end)}\n` : "";
    const test = leaveIf ? `if (${leaveIf}) ${this.#go(end)}\n` : "";
    return `${start}\ncase ${head}:\n${test}${inside}\ncase ${next}:\n${after}${advance}\n${this.#go(head)}\ncase ${end}:`;
  }

  #do(node: ast.Do): string {
    const context = this.#context;
    const before = node.before && `!(${loopTest(context, node.before)})`;
    const { after } = node;
    return this.#loop("DO", "", before, node.body, "", after && (() => `!(${loopTest(context, after)})`));
  }

  #forEach(node: ast.ForEach): string {
    const context = this.#context;
    const variable = context.variable(node.variable.name)!;
    const [iterator, step] = [context.temporary("y"), context.temporary("y")];
    const items = context.at(node.collection.span, `itemsOf(${context.value(node.collection)})`);
    const store = storeVariable(context, variable, { js: `${step}.value`, kinds: ANY }, node.variable.span);
    const [head, end] = [context.newBlock(), context.newBlock()];
    context.frames.push({ kind: "loop", word: "FOR", breakJs: this.#go(end), continueJs: this.#go(head) });
    const body = this.cut(node.body);
    context.frames.pop();
    const next = `${step} = ${iterator}.next(); if (${step}.done) ${this.#go(end)}`;
    return `${iterator} = ${items}[Symbol.iterator]();\ncase ${head}:\n${next}\n${store}\n${body}\n${this.#go(head)}\ncase ${end}:`;
  }
}
