/** What the compiler infers changes speed, never meaning: random programs with and without its knowledge do the same. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trial } from "./program.ts";

/** Makes the compiler assume nothing of any global: text that runs later might change it. Never runs. */
const KNOW_NOTHING = '\nIF FALSE THEN EXEC "x = 1"\n';

const GLOBALS = ["a", "b", "c%", "s$", "t$", "o@", "never"];
const ARRAYS = ["m(3)", "k%(3)", "w$(3)", "z@(3)", "g(2, 2)"];

const { expression } = fc.letrec<{ expression: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("0", "1", "2.5", "3", "-1", "7", "1e10") },
    { weight: 1, arbitrary: fc.constantFrom('"x"', '""', '"12"', "TRUE", "FALSE", "NULL", "[1, 2]", '{"k": 1}') },
    { weight: 6, arbitrary: fc.constantFrom(...GLOBALS, "p", "l", "l$") },
    { weight: 3, arbitrary: fc.constantFrom("m(1)", "k%(2)", "w$(3)", "z@(0)", "g(1, 2)", "m(a)", "k%(c%)", "g(a, b)", "o@[1]") },
  ),
  expression: fc.oneof(
    { maxDepth: 3 },
    tie("leaf"),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("+", "+", "+", "-", "*", "/", "\\", "MOD", "^", "=", "<>", "<", ">=", "AND", "OR"),
        tie("expression"),
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie("expression").map((operand) => `(-${operand})`),
    tie("expression").map((operand) => `(NOT ${operand})`),
    tie("expression").map((operand) => `STR$(${operand})`),
    tie("expression").map((operand) => `LEN(${operand})`),
    tie("expression").map((operand) => `TYPE$(${operand})`),
    tie("expression").map((operand) => `double(${operand})`),
    tie("expression").map((operand) => `through(${operand})`),
    tie("expression").map((operand) => `"#{${operand}}!"`),
    fc.tuple(tie("expression"), tie("expression")).map(([one, other]) => `either(${one}, ${other})`),
  ),
}));

const { statements } = fc.letrec<{ statements: string; statement: string }>((tie) => ({
  statements: fc.array(tie("statement"), { minLength: 1, maxLength: 5 }).map((list) => list.join("\n")),
  statement: fc.oneof(
    { maxDepth: 3 },
    fc
      .tuple(fc.constantFrom("a", "b", "c%", "s$", "t$", "o@", "l", "l$", "p"), expression)
      .map(([name, value]) => `${name} = ${value}`),
    fc
      .tuple(fc.constantFrom("m(1)", "k%(2)", "w$(3)", "z@(0)", "g(1, 2)", "m(a)", "o@[1]"), expression)
      .map(([place, value]) => `${place} = ${value}`),
    expression.map((value) => `PRINT ${value}`),
    fc
      .tuple(expression, tie("statements"), tie("statements"))
      .map(([test_, yes, no]) => `IF ${test_} THEN\n${yes}\nELSE\n${no}\nEND IF`),
    fc.tuple(expression, tie("statements")).map(([test_, yes]) => `IF ${test_} THEN\n${yes}\nEND IF`),
    fc.tuple(fc.constantFrom("a", "c%", "l"), tie("statements")).map(([name, body]) => `FOR ${name} = 1 TO 2\n${body}\nNEXT`),
    fc
      .tuple(fc.constantFrom("b", "s$", "l"), tie("statements"))
      .map(([name, body]) => `FOR EACH ${name} IN [1, "e"]\n${body}\nNEXT`),
    fc.tuple(expression, tie("statements")).map(([test_, body]) => `DO\n${body}\nIF turns() THEN BREAK\nLOOP WHILE ${test_}`),
    fc.tuple(tie("statements"), tie("statements")).map(([body, handler]) => `TRY\n${body}\nCATCH e$\n${handler}\nEND TRY`),
    fc.tuple(tie("statements"), tie("statements")).map(([body, last]) => `TRY\n${body}\nFINALLY\n${last}\nEND TRY`),
    fc
      .tuple(expression, expression, tie("statements"), tie("statements"))
      .map(([subject, one, first, rest]) => `SELECT CASE ${subject}\nCASE ${one}\n${first}\nCASE ELSE\n${rest}\nEND SELECT`),
    fc.constantFrom("SWAP a, b", "SWAP s$, t$", "SWAP c%, a", "SWAP m(1), a", "CONTINUE_IF", "READ a", "READ s$", "RESTORE"),
  ),
}));

/** A program: statements in main and in a routine, with every name stored to somewhere or nowhere. */
const programs = fc.tuple(statements, statements, fc.boolean()).map(([main, routine, hasDim]) => {
  const text = `${hasDim ? `DIM ${ARRAYS.join(", ")}\n` : ""}LET rounds = 0
FUNC turns()
  rounds = rounds + 1
  RETURN rounds MOD 3 = 0
END FUNC
FUNC double(n)
  RETURN n + n
END FUNC
FUNC either(n, o)
  IF n THEN RETURN n
  RETURN o
END FUNC
FUNC through(n)
  LET f = double
  RETURN f(n)
END FUNC
SUB work(p)
  ${routine}
END SUB
TRY
  ${main}
CATCH e$
  PRINT "caught "; e$; " "; ERRNAME$; " "; ERRLINE%
END TRY
TRY
  work(1)
CATCH e$
  PRINT "caught "; e$; " "; ERRNAME$; " "; ERRLINE%
END TRY
TRY
  work("text")
CATCH e$
  PRINT "caught "; e$; " "; ERRNAME$; " "; ERRLINE%
END TRY
PRINT a; b; c%; s$; t$; o@; never
DATA 1, two, "3", 4, 5, 6
${hasDim ? "" : `DIM ${ARRAYS.join(", ")}\n`}`;
  return text.replaceAll("CONTINUE_IF", "IF turns() THEN a = 1");
});

/** Which of several errors of one store to an element comes first is not laid down. */
const STORE_ERRORS =
  /(cannot store non-numeric value into numeric array|array write on non-array or not DIMed|array index must be numeric|array index out of bounds|ToInt expects a numeric value|integer overflow) \w+_ERROR/g;

/** What a program prints, and how it ends. */
async function behaviour(source: string): Promise<string> {
  const { run, output } = trial({ limits: { steps: 200_000, bytes: 100_000, depth: 100 } });
  const outcome = await run(source);
  if (outcome.kind === "rejected") return `rejected: ${outcome.complaints.map(({ message }) => message).join("; ")}`;
  // Limits count differently where code is made differently.
  if (outcome.kind === "failed" && outcome.error.name === "LimitError") return "limit";
  const printed = output().replace(STORE_ERRORS, "an error of a store");
  return `${printed}${outcome.kind === "failed" ? `failed: ${outcome.error.message} ${outcome.error.cause ?? ""}` : outcome.kind}`;
}

describe("inference never changes what a program does", () => {
  test("random programs behave the same when the compiler may assume nothing", async () => {
    let rejected = 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(programs, async (source) => {
        const [known, unknown] = [await behaviour(source), await behaviour(source + KNOW_NOTHING)];
        if (known.startsWith("rejected")) rejected += 1;
        if (known === "limit" || unknown === "limit") return;
        compared += 1;
        if (known !== unknown) throw new Error(`with inference:\n${known}\nwithout:\n${unknown}\nof\n${source}`);
        if (/undefined|NaN%|\[object|is not a function|Cannot read/.test(known)) throw new Error(`${known}\nof\n${source}`);
      }),
      { numRuns: 100, interruptAfterTimeLimit: 6_000 },
    );
    expect(rejected).toBe(0);
    expect(compared).toBeGreaterThan(0);
  });
});
