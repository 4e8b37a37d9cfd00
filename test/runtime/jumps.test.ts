/** GOTO, GOSUB, RETURN and ON in and out of blocks: random programs against a model that knows no blocks at all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outputOf, trial } from "./program.ts";

/** Labels of the random programs; every one of them is somewhere in the text. */
const LABELS = 5;
/** Steps after which a random program ends itself. */
const MAX_STEPS = 60;

type Node =
  | { readonly kind: "step" | "break" | "continue" | "return" }
  | { readonly kind: "label" | "goto" | "gosub" | "returnTo"; readonly label: number }
  | { readonly kind: "on"; readonly isGosub: boolean; readonly labels: readonly number[] }
  | { readonly kind: "if"; readonly divisor: number; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: "loop"; readonly form: "FOR" | "WHILE" | "DO"; readonly body: readonly Node[] };

/** One instruction of the model. Targets are known when all is laid out. */
type Instruction = () => number | "end" | "return" | "error" | undefined;

/** Lays a random program out as a flat list of instructions, as its rules are written in the language. */
class Model {
  readonly #code: Instruction[] = [];
  readonly #labels = new Map<number, number>();
  readonly #returns: number[] = [];
  readonly #isRoutine: boolean;
  #steps = 0;
  #trace = "";

  constructor(nodes: readonly Node[], isRoutine: boolean) {
    this.#isRoutine = isRoutine;
    this.#list(nodes, null);
  }

  run(): string {
    for (let at = 0; at < this.#code.length; ) {
      const next = this.#code[at]!();
      if (typeof next === "string") return this.#trace + next;
      at = next ?? at + 1;
    }
    return `${this.#trace}return`;
  }

  #list(nodes: readonly Node[], loop: { exit: { at: number }; next: { at: number } } | null): void {
    for (const node of nodes) this.#node(node, loop);
  }

  /** Counts a step, which ends the program in time. */
  #count(id: string): "end" | undefined {
    this.#steps += 1;
    this.#trace += `${id}${this.#steps},`;
    return this.#steps > MAX_STEPS ? "end" : undefined;
  }

  #goSub(label: number, back: number): number {
    this.#returns.push(back);
    return this.#labels.get(label)!;
  }

  #node(node: Node, loop: { exit: { at: number }; next: { at: number } } | null): void {
    const code = this.#code;
    const here = (): number => code.length;
    switch (node.kind) {
      case "step":
        code.push(() => this.#count("s"));
        break;
      case "label":
        this.#labels.set(node.label, here());
        code.push(() => this.#count(`l${node.label}:`));
        break;
      case "break":
      case "continue":
        if (loop) code.push(() => (node.kind === "break" ? loop.exit.at : loop.next.at));
        break;
      case "goto":
        code.push(() => this.#labels.get(node.label)!);
        break;
      case "gosub": {
        const back = here() + 1;
        code.push(() => this.#goSub(node.label, back));
        break;
      }
      case "on": {
        const back = here() + 1;
        code.push(() => {
          const label = node.labels[(this.#steps % 4) - 1];
          if (label === undefined) return undefined;
          return node.isGosub ? this.#goSub(label, back) : this.#labels.get(label)!;
        });
        break;
      }
      case "return":
        code.push(() => this.#returns.pop() ?? (this.#isRoutine ? "return" : "error"));
        break;
      case "returnTo":
        code.push(() => (this.#returns.pop() === undefined ? "error" : this.#labels.get(node.label)!));
        break;
      case "if": {
        const otherwise = { at: 0 };
        const end = { at: 0 };
        code.push(() => (this.#steps % node.divisor === 0 ? undefined : otherwise.at));
        this.#list(node.body, loop);
        code.push(() => end.at);
        otherwise.at = here();
        this.#list(node.otherwise, loop);
        end.at = here();
        break;
      }
      case "loop":
        this.#loop(node);
        break;
    }
  }

  #loop(node: Extract<Node, { kind: "loop" }>): void {
    const code = this.#code;
    const [exit, next] = [{ at: 0 }, { at: 0 }];
    let value = 0;
    const set = (to: () => number): void => {
      code.push(() => {
        value = to();
        return undefined;
      });
    };
    const go = (target: () => number): void => {
      code.push(target);
    };
    set(() => (node.form === "FOR" ? 1 : 0));
    const head = code.length;
    if (node.form !== "DO") code.push(() => (value < (node.form === "FOR" ? 3 : 2) ? undefined : exit.at));
    if (node.form !== "FOR") set(() => value + 1);
    this.#list(node.body, { exit, next });
    next.at = code.length;
    if (node.form === "FOR") set(() => value + 1);
    if (node.form === "DO") code.push(() => (value >= 2 ? exit.at : undefined));
    go(() => head);
    exit.at = code.length;
  }
}

/** A random program as BASIC. */
class Printer {
  /** Names of loop variables: set before, since a jump may enter a loop that never began. */
  readonly variables: string[] = [];
  readonly #wait: string;

  constructor(wait: string) {
    this.#wait = wait;
  }

  list(nodes: readonly Node[], isInLoop: boolean): string {
    return nodes.map((node) => this.#node(node, isInLoop)).join("\n");
  }

  #step = (id: string): string => `n% = n% + 1${this.#wait}\nPRINT "${id}"; n%; ",";\nIF n% > ${MAX_STEPS} THEN EXIT 9`;

  #node(node: Node, isInLoop: boolean): string {
    switch (node.kind) {
      case "step":
        return this.#step("s");
      case "label":
        return `l${node.label}:\n${this.#step(`l${node.label}:`)}`;
      case "break":
      case "continue":
        return isInLoop ? node.kind.toUpperCase() : "";
      case "goto":
        return `GOTO l${node.label}`;
      case "gosub":
        return `GOSUB l${node.label}`;
      case "on":
        return `ON n% MOD 4 ${node.isGosub ? "GOSUB" : "GOTO"} ${node.labels.map((label) => `l${label}`).join(", ")}`;
      case "return":
        return "RETURN";
      case "returnTo":
        return `RETURN TO l${node.label}`;
      case "if":
        return `IF n% MOD ${node.divisor} = 0 THEN\n${this.list(node.body, isInLoop)}\nELSE\n${this.list(node.otherwise, isInLoop)}\nEND IF`;
      case "loop": {
        const name = `v${this.variables.length}`;
        this.variables.push(name);
        const body = this.list(node.body, true);
        if (node.form === "FOR") return `FOR ${name} = 1 TO 2\n${body}\nNEXT`;
        const inside = `${name} = ${name} + 1\n${body}`;
        return node.form === "WHILE"
          ? `${name} = 0\nWHILE ${name} < 2\n${inside}\nWEND`
          : `${name} = 0\nDO\n${inside}\nLOOP UNTIL ${name} >= 2`;
      }
    }
  }
}

const label = fc.nat(LABELS - 1);

const leaf: fc.Arbitrary<Node> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Node>({ kind: "step" }) },
  { weight: 2, arbitrary: fc.constantFrom<Node>({ kind: "break" }, { kind: "continue" }) },
  { weight: 2, arbitrary: fc.constant<Node>({ kind: "return" }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("goto" as const, "gosub" as const), label }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("returnTo" as const), label }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("on" as const),
      isGosub: fc.boolean(),
      labels: fc.array(label, { minLength: 1, maxLength: 3 }),
    }),
  },
);

const { list } = fc.letrec<{ list: readonly Node[]; node: Node }>((tie) => ({
  list: fc.array(tie("node"), { maxLength: 5 }),
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constant("if" as const),
      divisor: fc.integer({ min: 2, max: 3 }),
      body: tie("list"),
      otherwise: tie("list"),
    }),
    fc.record({
      kind: fc.constant("loop" as const),
      form: fc.constantFrom("FOR" as const, "WHILE" as const, "DO" as const),
      body: tie("list"),
    }),
  ),
}));

/** Puts each label at some place of a program: at the end, or inside its blocks. */
function withLabels(nodes: readonly Node[], places: readonly number[]): readonly Node[] {
  return places.reduce<readonly Node[]>((all, place, number) => inserted(all, place, { kind: "label", label: number }), nodes);
}

function inserted(nodes: readonly Node[], place: number, what: Node): readonly Node[] {
  const at = place % (nodes.length + 1);
  const inside = nodes[at];
  const rest = Math.floor(place / (nodes.length + 1));
  if (rest % 3 !== 0 && inside?.kind === "loop") return nodes.with(at, { ...inside, body: inserted(inside.body, rest, what) });
  if (rest % 3 === 1 && inside?.kind === "if") return nodes.with(at, { ...inside, body: inserted(inside.body, rest, what) });
  if (rest % 3 === 2 && inside?.kind === "if")
    return nodes.with(at, { ...inside, otherwise: inserted(inside.otherwise, rest, what) });
  return nodes.toSpliced(at, 0, what);
}

const programs = fc
  .tuple(fc.array(list, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(5000), { minLength: LABELS, maxLength: LABELS }))
  .map(([lists, places]) => withLabels(lists.flat(), places));

async function checkRandomPrograms(isRoutine: boolean, wait: string): Promise<void> {
  await fc.assert(
    fc.asyncProperty(programs, async (nodes) => {
      const printer = new Printer(wait);
      const body = printer.list(nodes, false);
      const start = printer.variables.map((name) => `${name} = 0\n`).join("");
      const source = isRoutine ? `LET n% = 0\nSUB s()\n${start}${body}\nEND SUB\ns()` : `LET n% = 0\n${start}${body}`;
      const { run, output } = trial({ limits: { steps: 200_000 } });
      const outcome = await run(source);
      const ending =
        outcome.kind !== "ended"
          ? outcome.kind === "failed" && outcome.error.message === "RETURN without GOSUB"
            ? "error"
            : JSON.stringify(outcome)
          : outcome.exitCode === 9
            ? "end"
            : "return";
      const expected = new Model(nodes, isRoutine).run();
      if (output() + ending !== expected) throw new Error(`expected ${expected}\nbut got  ${output()}${ending}\nof\n${source}`);
    }),
    { numRuns: 120, interruptAfterTimeLimit: 6_000 },
  );
}

describe("random programs with labels in all places do what a flat list of instructions does", () => {
  test("in main", () => checkRandomPrograms(false, ""));
  test("in a plain routine", () => checkRandomPrograms(true, ""));
  test("in a routine that waits", () => checkRandomPrograms(true, "\nw = HOST.SOON(1)"));
});

describe("a GOSUB stack", () => {
  test("holds 4096 and no more", async () => {
    expect(
      await outputOf('LET n = 0\nTRY\nGOSUB a\nCATCH e$\nPRINT e$; " "; ERRNAME$; n\nEND TRY\nEND\na: n = n + 1\nGOSUB a'),
    ).toBe("GOSUB stack overflow (depth limit 4096) GOSUB_ERROR4096\n");
  });

  test("belongs to one call of a routine: recursion has its own", async () => {
    const text = await outputOf(
      `FUNC f(n)
         GOSUB inner
         RETURN "f" + n + r$
         inner:
         r$ = ""
         IF n > 0 THEN r$ = "(" + f(n - 1) + ")"
         RETURN
       END FUNC
       PRINT f(3)`,
    );
    expect(text).toBe("f3(f2(f1(f0)))\n");
  });
});
