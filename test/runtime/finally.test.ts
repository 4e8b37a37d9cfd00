/** TRY, CATCH and FINALLY with every way of leaving a block: rules by example, and random programs against a small model. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outputOf, trial } from "./program.ts";

/** Runs `body` as a routine and shows what it prints and gives. */
const given = (body: string): Promise<string> =>
  outputOf(`FUNC f()\n${body}\nRETURN "end"\nEND FUNC\nTRY\nPRINT f()\nCATCH e$\nPRINT "uncaught "; e$\nEND TRY`);

describe("FINALLY runs, and then what was pending goes on", () => {
  test.each([
    ["the end of the body", 'TRY\nPRINT "b ";\nFINALLY\nPRINT "f ";\nEND TRY', "b f end\n"],
    ["RETURN", 'TRY\nRETURN "r"\nFINALLY\nPRINT "f ";\nEND TRY', "f r\n"],
    ["RETURN, whose value was computed before", "x = 1\nTRY\nRETURN x\nFINALLY\nx = 2\nEND TRY", "1\n"],
    ["EXIT FUNC", 'TRY\nEXIT FUNC\nFINALLY\nPRINT "f ";\nEND TRY', "f null\n"],
    ["BREAK", 'FOR i = 1 TO 3\nTRY\nBREAK\nFINALLY\nPRINT "f"; i; " ";\nEND TRY\nNEXT', "f1 end\n"],
    ["CONTINUE", 'FOR i = 1 TO 3\nTRY\nCONTINUE\nFINALLY\nPRINT "f"; i; " ";\nEND TRY\nNEXT', "f1 f2 f3 end\n"],
    ["EXIT FOR over an inner DO", 'FOR i = 1 TO 3\nDO\nTRY\nEXIT FOR\nFINALLY\nPRINT "f ";\nEND TRY\nLOOP\nNEXT', "f end\n"],
    ["GOTO", 'TRY\nGOTO out\nFINALLY\nPRINT "f ";\nEND TRY\nPRINT "no "\nout: PRINT "out ";', "f out end\n"],
    ["an error, which goes on outward", 'TRY\nRAISE "e"\nFINALLY\nPRINT "f ";\nEND TRY', "f uncaught e\n"],
    ["an error in CATCH", 'TRY\nRAISE "e"\nCATCH e$\nRAISE "second"\nFINALLY\nPRINT "f ";\nEND TRY', "f uncaught second\n"],
    ["RETURN in CATCH", 'TRY\nRAISE "e"\nCATCH e$\nRETURN e$\nFINALLY\nPRINT "f ";\nEND TRY', "f e\n"],
    ["both of two", 'TRY\nTRY\nRETURN "r"\nFINALLY\nPRINT "f1 ";\nEND TRY\nFINALLY\nPRINT "f2 ";\nEND TRY', "f1 f2 r\n"],
  ])("after %s", async (_, body, printed) => {
    expect(await given(body)).toBe(printed);
  });
});

describe("what happens inside FINALLY replaces what was pending", () => {
  test.each([
    ["RETURN an error", 'TRY\nRAISE "e"\nFINALLY\nRETURN "f"\nEND TRY', "f\n"],
    ["RETURN a RETURN", 'TRY\nRETURN "b"\nFINALLY\nRETURN "f"\nEND TRY', "f\n"],
    ["BREAK a RETURN", 'FOR i = 1 TO 3\nTRY\nRETURN "b"\nFINALLY\nBREAK\nEND TRY\nNEXT', "end\n"],
    ["CONTINUE an error", 'FOR i = 1 TO 3\nTRY\nRAISE "e"\nFINALLY\nPRINT i; " ";\nCONTINUE\nEND TRY\nNEXT', "1 2 3 end\n"],
    ["an error a RETURN", 'TRY\nRETURN "b"\nFINALLY\nRAISE "f"\nEND TRY', "uncaught f\n"],
    ["an error an error", 'TRY\nRAISE "b"\nFINALLY\nRAISE "f"\nEND TRY', "uncaught f\n"],
    ["GOTO an error", 'TRY\nRAISE "b"\nFINALLY\nGOTO out\nEND TRY\nout: PRINT "out ";', "out end\n"],
  ])("%s", async (_, body, printed) => {
    expect(await given(body)).toBe(printed);
  });
});

test("a RETURN value outlives a GOSUB in the FINALLY on its way", async () => {
  const subroutine = "s: n% = n% + 1\nIF n% = 1 THEN GOTO out\nRETURN";
  const text = await outputOf(
    `LET n% = 0\nFUNC f()\nTRY\nGOSUB s\nFINALLY\nGOSUB s\nEND TRY\nout: RETURN "out"\n${subroutine}\nEND FUNC\nPRINT f()`,
  );
  expect(text).toBe("out\n");
});

describe("neither EXIT, END nor STOP runs it", () => {
  test.each(["EXIT 0", "EXIT", "STOP", "IF TRUE THEN END"])("%s", async (statement) => {
    expect(
      await given(`TRY\nTRY\n${statement}\nCATCH\nPRINT "c"\nFINALLY\nPRINT "f"\nEND TRY\nFINALLY\nPRINT "f"\nEND TRY`),
    ).toBe("");
  });
});

test("uncaught errors run pending FINALLY blocks before they are told", async () => {
  const { run, output } = trial();
  const outcome = await run(
    'SUB f()\nTRY\nRAISE "e"\nFINALLY\nPRINT "inner ";\nEND TRY\nEND SUB\nTRY\nf()\nFINALLY\nPRINT "outer"\nEND TRY',
  );
  expect(outcome).toMatchObject({ kind: "failed", error: { message: "e" } });
  expect(output()).toBe("inner outer\n");
});

test("errors of a GOSUB are caught by the TRY around it, errors after RETURN TO and GOTO are not", async () => {
  const text = await outputOf(
    `TRY
       GOSUB bad
     CATCH e$
       PRINT "caught "; e$
     END TRY
     TRY
       TRY
         GOSUB leave
         PRINT "no"
       CATCH e$
         PRINT "not here"
       FINALLY
         PRINT "left"
       END TRY
       after: RAISE "after"
     CATCH e$
       PRINT "outer "; e$
     END TRY
     END
     bad: RAISE "bad"
     leave: RETURN TO away
     away: PRINT "away"`,
  );
  expect(text).toBe("caught bad\nleft\naway\n");
});

// ── Random programs ────────────────────────────────────────────────────────────────────────────────────────────

/** A statement of the random programs. Tests look at how many steps were printed so far. */
type Node =
  | { readonly kind: "step" | "break" | "continue" | "return" | "raise" | "again" | "goto" | "gosub" }
  | { readonly kind: "loop"; readonly form: number; readonly body: readonly Node[] }
  | { readonly kind: "group"; readonly form: number; readonly body: readonly Node[] }
  | { readonly kind: "if"; readonly divisor: number; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | {
      readonly kind: "try";
      readonly body: readonly Node[];
      readonly handler: readonly Node[] | null;
      readonly last: readonly Node[] | null;
    };

/** How a statement ended. */
type Ending =
  | { readonly how: "on" | "break" | "continue" | "goto" }
  | { readonly how: "return" | "raise"; readonly value: string };

const ON: Ending = { how: "on" };

/** What the rules of the language say a random program does. */
class Model {
  steps = 0;
  readonly subroutine: readonly Node[];

  constructor(subroutine: readonly Node[]) {
    this.subroutine = subroutine;
  }

  list(nodes: readonly Node[], caught: string | null): Ending {
    for (const node of nodes) {
      const ending = this.#node(node, caught);
      if (ending.how !== "on") return ending;
    }
    return ON;
  }

  #node(node: Node, caught: string | null): Ending {
    switch (node.kind) {
      case "step":
        this.steps += 1;
        return ON;
      case "break":
      case "continue":
      case "goto":
        return { how: node.kind };
      case "return":
      case "raise":
        return { how: node.kind, value: `${node.kind}${this.steps}` };
      case "again":
        return caught === null ? ON : { how: "raise", value: caught };
      case "gosub":
        return this.list(this.subroutine, null);
      case "group":
        return this.list(node.body, caught);
      case "if":
        return this.list(this.steps % node.divisor === 0 ? node.body : node.otherwise, caught);
      case "loop":
        for (let round = 0; round < 2; round++) {
          const ending = this.list(node.body, caught);
          if (ending.how === "break") break;
          if (ending.how !== "on" && ending.how !== "continue") return ending;
        }
        return ON;
      case "try": {
        let ending = this.list(node.body, caught);
        if (ending.how === "raise" && node.handler) ending = this.list(node.handler, ending.value);
        const last = node.last ? this.list(node.last, caught) : ON;
        return last.how === "on" ? ending : last;
      }
    }
  }
}

/** A random program as BASIC. */
class Printer {
  #names = 0;
  readonly #step: string;

  /** @param wait what each step also does */
  constructor(wait: string) {
    this.#step = `n% = n% + 1\n${wait}`;
  }

  list(nodes: readonly Node[], isInLoop: boolean, isInCatch: boolean): string {
    return nodes.map((node) => this.#node(node, isInLoop, isInCatch)).join("\n");
  }

  #node(node: Node, isInLoop: boolean, isInCatch: boolean): string {
    this.#names += 1;
    const name = `v${this.#names}`;
    const inside = (nodes: readonly Node[]): string => this.list(nodes, isInLoop, isInCatch);
    switch (node.kind) {
      case "step":
        return this.#step;
      case "break":
      case "continue":
        return node.kind.toUpperCase();
      case "return":
        return 'RETURN "return" + n%';
      case "raise":
        return 'RAISE "raise" + n%';
      case "again":
        return isInCatch ? "RAISE" : "";
      case "goto":
        return "GOTO out";
      case "gosub":
        return "GOSUB subroutine";
      case "group":
        return [
          `box@ = {}\nBEGIN\n${inside(node.body)}\nEND`,
          `SELECT CASE 1\nCASE 1\n${inside(node.body)}\nEND SELECT`,
          `WITH box@\n${inside(node.body)}\nEND WITH`,
        ][node.form % 3]!;
      case "if":
        return `IF n% MOD ${node.divisor} = 0 THEN\n${inside(node.body)}\nELSE\n${inside(node.otherwise)}\nEND IF`;
      case "loop": {
        const body = this.list(node.body, true, isInCatch);
        return [
          `FOR ${name} = 1 TO 2\n${body}\nNEXT`,
          `FOR EACH ${name} IN [1, 2]\n${body}\nNEXT`,
          `${name} = 0\nWHILE ${name} < 2\n${name} = ${name} + 1\n${body}\nWEND`,
          `${name} = 0\nDO\n${name} = ${name} + 1\n${body}\nLOOP UNTIL ${name} = 2`,
        ][node.form % 4]!;
      }
      case "try":
        return [
          `TRY\n${inside(node.body)}`,
          ...(node.handler ? [`CATCH ${name}$\n${this.list(node.handler, isInLoop, true)}`] : []),
          ...(node.last ? [`FINALLY\n${inside(node.last)}`] : []),
          "END TRY",
        ].join("\n");
    }
  }
}

const simple = (kind: "step" | "return" | "raise" | "again" | "goto" | "gosub" | "break" | "continue"): fc.Arbitrary<Node> =>
  fc.constant({ kind });

/** Statements that may occur at a place: loops allow BREAK, subroutines call no further ones. */
function nodes(depth: number, isInLoop: boolean, isSubroutine: boolean, isMain: boolean): fc.Arbitrary<readonly Node[]> {
  const leaves = [
    { weight: 6, arbitrary: simple("step") },
    { weight: 2, arbitrary: simple("raise") },
    { weight: 1, arbitrary: simple("again") },
    // A GOTO in a subroutine leaves the GOSUB, and so the TRY around it, open: that shows when main ends there.
    ...(isMain && isSubroutine ? [] : [{ weight: 1, arbitrary: simple("goto") }]),
    ...(isMain ? [] : [{ weight: 1, arbitrary: simple("return") }]),
    ...(isInLoop ? [{ weight: 2, arbitrary: fc.oneof(simple("break"), simple("continue")) }] : []),
    ...(isSubroutine ? [] : [{ weight: 2, arbitrary: simple("gosub") }]),
  ];
  if (depth === 0) return fc.array(fc.oneof(...leaves), { maxLength: 2 });
  const inner = (inLoop = isInLoop): fc.Arbitrary<readonly Node[]> => nodes(depth - 1, inLoop, isSubroutine, isMain);
  const form = fc.nat(11);
  const compound = fc.oneof(
    { weight: 4, arbitrary: tryNode(inner) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("loop" as const), form, body: inner(true) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("group" as const), form, body: inner() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("if" as const),
        divisor: fc.integer({ min: 2, max: 4 }),
        body: inner(),
        otherwise: inner(),
      }),
    },
  );
  return fc.array(fc.oneof(...leaves, { weight: 8, arbitrary: compound }), { minLength: 1, maxLength: 4 });
}

const tryNode = (inner: () => fc.Arbitrary<readonly Node[]>): fc.Arbitrary<Node> =>
  fc
    .record({
      kind: fc.constant("try" as const),
      body: inner(),
      handler: fc.option(inner(), { nil: null }),
      last: fc.option(inner(), { nil: null }),
    })
    .filter(({ handler, last }) => handler !== null || last !== null);

/** A random routine, or main, and the subroutine it may GOSUB to. */
const programs = (isMain: boolean): fc.Arbitrary<{ body: readonly Node[]; subroutine: readonly Node[] }> =>
  fc.record({ body: nodes(3, false, false, isMain), subroutine: nodes(1, false, true, isMain) });

function expected(body: readonly Node[], subroutine: readonly Node[]): string {
  const model = new Model(subroutine);
  const ending = model.list(body, null);
  if (ending.how === "return" || ending.how === "raise") return `${ending.value} after ${model.steps}\n`;
  return `out after ${model.steps}\n`;
}

async function checkRandomPrograms(isMain: boolean, wait: string, frame: (body: string, rest: string) => string): Promise<void> {
  await fc.assert(
    fc.asyncProperty(programs(isMain), async ({ body, subroutine }) => {
      const printer = new Printer(wait);
      const text = frame(printer.list(body, false, false), `subroutine:\n${printer.list(subroutine, false, false)}\nRETURN`);
      const { run, output } = trial({ limits: { steps: 2_000_000 } });
      const outcome = await run(text);
      const printed = outcome.kind === "ended" ? output() : JSON.stringify(outcome);
      if (printed !== expected(body, subroutine)) {
        throw new Error(`expected ${expected(body, subroutine)}but got ${printed}of\n${text}`);
      }
    }),
    { numRuns: 120, interruptAfterTimeLimit: 5_000 },
  );
}

describe("random programs do what the rules say", () => {
  const call = 'TRY\nr$ = f()\nCATCH e$\nr$ = e$\nEND TRY\nPRINT r$; " after "; n%';
  const inRoutine = (body: string, rest: string): string =>
    `LET n% = 0\nLET box@ = {}\nFUNC f()\n${body}\nout:\nRETURN "out"\n${rest}\nEND FUNC\n${call}`;

  test("in a plain routine", () => checkRandomPrograms(false, "", inRoutine));

  test("in a routine that waits", () => checkRandomPrograms(false, "w = HOST.SOON(1)", inRoutine));

  test("in main", () =>
    checkRandomPrograms(
      true,
      "",
      (body, rest) =>
        `LET n% = 0\nLET box@ = {}\nr$ = "out"\nTRY\n${body}\nCATCH e$\nr$ = e$\nEND TRY\nout:\nPRINT r$; " after "; n%\nEND\n${rest}`,
    ));
});
