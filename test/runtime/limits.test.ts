/** Limits of the host: where they hold, and that no BASIC code runs once one was reached. */
import { describe, expect, test } from "vitest";
import type { Limits } from "../../runtime/engine/engine.ts";
import { LimitError } from "../../runtime/errors.ts";
import { defineModule } from "../../runtime/host.ts";
import { failureOf, outputOf, trial } from "./program.ts";

/** A program that would go on after the statement in every way a program can, and what it then prints. */
const guarded = (statement: string): string =>
  `TRY
     TRY
       ${statement}
     CATCH e$
       PRINT "caught " + e$
     FINALLY
       PRINT "inner finally"
     END TRY
   FINALLY
     PRINT "outer finally"
   END TRY
   PRINT "after"`;

/** Runs a program into a limit and checks that nothing of it ran afterwards. */
async function limitOf(source: string, limits: Limits): Promise<LimitError> {
  const { error, output } = await failureOf(routines + guarded(source), { limits });
  expect(output).toBe("");
  if (!(error instanceof LimitError)) throw new Error(`not a limit: ${error.message}`);
  return error;
}

const routines = `
  FUNC forever(n)
    IF n > 50 THEN RETURN forever(0)
    FOR i = 1 TO 100000: NEXT
    RETURN forever(n + 1)
  END FUNC
  SUB endless()
    DO
    LOOP
  END SUB
`;

/** Loops and recursion of all forms that never end. */
const ENDLESS: readonly (readonly [what: string, source: string])[] = [
  ["DO", "DO: LOOP"],
  ["WHILE", "WHILE TRUE: WEND"],
  ["a FOR that steps by 0", "FOR i = 1 TO 2 STEP 0: NEXT"],
  ["loops inside each other", "DO: FOR i = 1 TO 3: NEXT: LOOP"],
  ["a loop in a routine", "endless()"],
  ["calls in a loop", "DO: x = ABS(-1): LOOP"],
  ["a loop that waits", "DO: x = HOST.LATER(1): LOOP"],
  ["a loop of rows that wait without need", "DO: x = HOST.SOON(1): LOOP"],
  ["a loop in EXEC", 'EXEC "DO: LOOP"'],
  ["a loop in a routine that a row calls", 'x = HOST.APPLY("endless")'],
  ["recursion with loops", "x = forever(0)"],
];

describe("steps", () => {
  test.each(ENDLESS)("end %s, and nothing runs afterwards", async (_, source) => {
    const error = await limitOf(source, { steps: 30_000 });
    expect(error.kind).toBe("steps");
    expect(error.message).toBe("the program used up its 30000 steps");
  });

  test.each([
    ["GOTO", "again:\nGOTO again"],
    ["GOSUB", "again:\nGOSUB nothing\nGOTO again\nnothing:\nRETURN"],
  ])("end a loop made of %s", async (_, source) => {
    const { error } = await failureOf(source, { limits: { steps: 30_000 } });
    expect(error).toMatchObject({ name: "LimitError", kind: "steps" });
  });

  test.each([
    ["SPLIT", 'x@ = SPLIT(s$, "")'],
    ["REPLACE$", 'x$ = REPLACE$(s$, "a", "bb")'],
    ["INSTR", 'x = INSTR(s$, "no")'],
    ["JOIN$", 'x$ = JOIN$(SPLIT(s$, ""), ",")'],
    ["UCASE$", "x$ = UCASE$(s$)"],
    ["HASH$", "x$ = HASH$(s$)"],
    ["JSON.STRINGIFY$", 'x$ = JSON.STRINGIFY$(SPLIT(s$, ""))'],
    ["JSON.PARSE", "x = JSON.PARSE(j$)"],
  ])("count the work of %s", async (_, source) => {
    const setup = 's$ = STRING$(3000000, "a")\nj$ = "[" + STRING$(1000000, "1,") + "1]"\n';
    const { error, output } = await failureOf(setup + guarded(source), { limits: { steps: 20_000 } });
    expect(error).toMatchObject({ name: "LimitError", kind: "steps" });
    expect(output).toBe("");
  });

  test("are all a program has: the same program ends by itself with enough of them", async () => {
    const source = "FOR i = 1 TO 50000\nNEXT\nPRINT i";
    expect(await outputOf(source, { limits: { steps: 200_000 } })).toBe("50001\n");
    expect((await failureOf(source, { limits: { steps: 20_000 } })).error).toMatchObject({ kind: "steps" });
  });

  test.each([10_000, 15_000, 100_000])("%i of them are enough for almost as many loop rounds", async (steps) => {
    expect(await outputOf(`FOR i = 1 TO ${steps - 500}\nNEXT\nPRINT "done"`, { limits: { steps } })).toBe("done\n");
    const { error } = await failureOf(`FOR i = 1 TO ${steps + 2000}\nNEXT`, { limits: { steps } });
    expect(error).toMatchObject({ kind: "steps" });
  });

  test("are not used up by calls that are aborted", async () => {
    const { run, gates, interpreter } = trial({ limits: { steps: 50_000 } });
    const ended = run('SUB h()\nx = HOST.WAIT("h")\nEND SUB\nx = HOST.WAIT("main")\nFOR i = 1 TO 20000\nNEXT');
    await gates.reached("main");
    for (let i = 0; i < 20; i++) {
      const aborter = new AbortController();
      const call = interpreter.call("h", [], { signal: aborter.signal }).catch(() => undefined);
      aborter.abort();
      await call;
    }
    gates.open("main");
    expect(await ended).toMatchObject({ kind: "ended" });
  });

  test("used up in a handler end the whole program", async () => {
    const { run, gates, interpreter, output } = trial({ limits: { steps: 50_000 } });
    const ended = run(`SUB h()\nDO\nLOOP\nEND SUB\n${guarded('x = HOST.WAIT("main")')}`);
    await gates.reached("main");
    await expect(interpreter.call("h", [])).rejects.toMatchObject({ kind: "steps" });
    expect(await ended).toMatchObject({ kind: "failed", error: { kind: "steps" } });
    expect(output()).toBe("");
  });

  test("begin anew with each run", async () => {
    const { run, output } = trial({ limits: { steps: 100_000 } });
    for (let i = 0; i < 4; i++) {
      expect(await run('FOR i = 1 TO 60000\nNEXT\nPRINT "done "; i; ";"')).toMatchObject({ kind: "ended" });
    }
    expect(output()).toBe("done 60001;\n".repeat(4));
  });
});

describe("deadlineMs", () => {
  test.each(ENDLESS)("ends %s, and nothing runs afterwards", async (_, source) => {
    const error = await limitOf(`${source}`, { deadlineMs: 60 });
    expect(error.kind).toBe("deadline");
    expect(error.message).toBe("the program did not end within 60 ms");
  });

  test.each([
    ["a row of the host", 'x = HOST.WAIT("never")'],
    ["a SUB that a row calls", 'x = HOST.APPLY("stuck")'],
    ["SLEEP", "SLEEP 1000000"],
  ])("ends a program that waits for %s, and nothing runs afterwards", async (_, statement) => {
    const { error, output } = await failureOf(`SUB stuck()\nx = HOST.WAIT("never")\nEND SUB\n${guarded(statement)}`, {
      limits: { deadlineMs: 40 },
    });
    expect(error).toMatchObject({ name: "LimitError", kind: "deadline" });
    expect(output).toBe("");
  });

  test("tells waiting rows to give up", async () => {
    let reason: unknown;
    const { run } = trial({
      limits: { deadlineMs: 30 },
      host: {
        sleep: (_, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              reason = signal.reason;
              reject(signal.reason);
            });
          }),
      },
    });
    expect(await run("SLEEP 1")).toMatchObject({ kind: "failed", error: { kind: "deadline" } });
    expect(reason).toMatchObject({ kind: "deadline" });
  });

  test("holds for a program that ends in time as if it were not there", async () => {
    expect(await outputOf('PRINT "in time"', { limits: { deadlineMs: 60_000 } })).toBe("in time\n");
  });
});

test("deadlineMs bounds the work that modules finish after main, too", async () => {
  const endless = defineModule<null>({
    name: "ENDLESS",
    doc: "Never finishes its work by itself.",
    rows: [],
    open: () => null,
    drain: (_, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  });
  expect(await trial({ modules: [endless], limits: { deadlineMs: 50 } }).run("x = 1")).toMatchObject({
    kind: "failed",
    error: { kind: "deadline" },
  });
  const aborter = new AbortController();
  const { run, printed } = trial({ modules: [endless] });
  const ended = run('PRINT "main ends"', { signal: aborter.signal });
  await printed("main ends");
  aborter.abort();
  expect(await ended).toMatchObject({ kind: "failed", error: { kind: "abort" } });
});

describe("abort", () => {
  // Routines that never wait only look at limits: a signal cannot arrive while one of them runs.
  test.each(ENDLESS.filter(([, source]) => !/forever|endless/.test(source)))(
    "ends %s, and no CATCH or FINALLY runs afterwards",
    async (_, source) => {
      const aborter = new AbortController();
      const { run, output } = trial({ limits: { deadlineMs: 20_000 } });
      const timer = setTimeout(() => aborter.abort(new Error("the operator said so")), 30);
      const outcome = await run(guarded(source), { signal: aborter.signal });
      clearTimeout(timer);
      expect(outcome).toMatchObject({ kind: "failed", error: { kind: "abort", message: "the operator said so" } });
      expect(output()).toBe("");
    },
  );

  test("lets not one more statement run", async () => {
    let isAborted = false;
    let writesAfter = 0;
    const { run } = trial({
      host: {
        write: () => {
          if (isAborted) writesAfter += 1;
        },
      },
    });
    const aborter = new AbortController();
    const timer = setTimeout(() => {
      isAborted = true;
      aborter.abort();
    }, 30);
    const outcome = await run('DO\nPRINT STRING$(20000, "x")\nLOOP', { signal: aborter.signal });
    clearTimeout(timer);
    expect(outcome).toMatchObject({ kind: "failed", error: { kind: "abort" } });
    expect(writesAfter).toBeLessThanOrEqual(1);
  });

  test("ends a program that waits for the host", async () => {
    const aborter = new AbortController();
    const { run, gates, output } = trial();
    const ended = run(guarded('x = HOST.WAIT("never")'), { signal: aborter.signal });
    await gates.reached("never");
    aborter.abort();
    expect(await ended).toMatchObject({ kind: "failed", error: { name: "LimitError", kind: "abort" } });
    expect(output()).toBe("");
  });

  test("that came before the run lets nothing run", async () => {
    const { run, output } = trial();
    expect(await run('PRINT "x"', { signal: AbortSignal.abort() })).toMatchObject({ kind: "failed", error: { kind: "abort" } });
    expect(output()).toBe("");
  });
});

describe("bytes", () => {
  test.each([
    ["STRING$", 'x$ = STRING$(1001, "a")'],
    ["SPACE$", "x$ = SPACE$(1001)"],
    ["REPLACE$", 'x$ = REPLACE$(STRING$(600, "a"), "a", "bb")'],
    ["JOIN$", 'x$ = JOIN$(SPLIT(STRING$(100, "a"), ""), "-----------")'],
    ["SPLIT", 'x@ = SPLIT(STRING$(900, "a"), "")'],
    ["APPEND", "l@ = []\nDO: n = APPEND(l@, 1): LOOP"],
    ["INSERTAT", "l@ = []\nDO: n = INSERTAT(l@, 1, 1): LOOP"],
    ["DIM", "DIM a(126)"],
    ["DIM of several dimensions", "DIM a(10, 12)"],
    ["DIM of strings", "DIM a$(126)"],
    ["JSON.STRINGIFY$", 'x$ = JSON.STRINGIFY$([STRING$(500, "a"), STRING$(500, "a")])'],
    ["BASE64_ENCODE$", 'x$ = BASE64_ENCODE$(STRING$(900, "a"))'],
    ["URLENCODE$", 'x$ = URLENCODE$(STRING$(900, "&"))'],
    ["HTML$", 'x$ = HTML$(STRING$(900, "&"))'],
  ])("hold inside %s, before the value is made", async (_, source) => {
    const error = await limitOf(source, { bytes: 1000 });
    expect(error.kind).toBe("bytes");
    expect(error.message).toMatch(/^a value of \d+ bytes is over the limit of 1000$/);
  });

  test.each([
    ["+", 's$ = "x"\nDO: s$ = s$ + s$: LOOP'],
    ["+ of a string and a number", 's$ = "x"\nDO: s$ = s$ + 1: LOOP'],
    ["interpolation", 's$ = "x"\nDO: s$ = "#{s$}#{s$}": LOOP'],
    ["an element that grows", 'DIM a$(1)\nDO: a$(1) = a$(1) + "xyz": LOOP'],
    ["an entry that grows", 'd@ = {"k": ""}\nDO: d@["k"] = d@["k"] + "xyz": LOOP'],
  ])("hold for %s", async (_, source) => {
    const error = await limitOf(source, { bytes: 1000 });
    expect(error.kind).toBe("bytes");
  });

  // 2^60 elements, should anybody look at them all.
  const shared = "l@ = [1]\nm@ = [1]\nFOR i = 1 TO 60: l@ = [l@, l@]: m@ = [m@, m@]: NEXT\n";

  test.each([
    "PRINT l@",
    "x$ = STR$(l@)",
    'x$ = "a" + l@',
    'x$ = "#{l@}"',
    "x = l@ = m@",
    "RAISE l@",
    "x$ = JSON.STRINGIFY$(l@)",
    "x = CONTAINS%([l@], m@)",
  ])("and steps hold for lists that are shared over and over: %s", async (statement) => {
    const { error, output } = await failureOf(shared + guarded(statement), {
      limits: { steps: 1_000_000, bytes: 10_000_000, deadlineMs: 10_000 },
    });
    expect(error.name).toBe("LimitError");
    expect(output).toBe("");
  });

  test("allow values of exactly their size", async () => {
    expect(await outputOf('PRINT LEN(STRING$(1000, "a"))\nDIM a(124)\nPRINT UBOUND(a)', { limits: { bytes: 1000 } })).toBe(
      "1000\n124\n",
    );
  });

  test("without them a string that JavaScript cannot hold is refused too", async () => {
    const { error } = await failureOf('x$ = STRING$(600000000, "a")');
    expect(error.message).toBe("STRING$: a string of 600000000 characters is over the limit of 536870888");
  });
});

describe("depth", () => {
  const down = "FUNC down(n)\nIF n = 0 THEN RETURN 0\nRETURN 1 + down(n - 1)\nEND FUNC\n";

  test("is an error to catch, with its FINALLY blocks, and the program goes on", async () => {
    const text = await outputOf(
      `${down}TRY
         PRINT down(200)
       CATCH e$
         PRINT e$; " "; ERRNAME$; " "; ERR%
       FINALLY
         PRINT "finally"
       END TRY
       PRINT down(90)`,
      { limits: { depth: 100 } },
    );
    expect(text).toBe("call stack overflow STACK_ERROR 1009\nfinally\n90\n");
  });

  test("counts calls that are open, not calls that were", async () => {
    expect(await outputOf(`${down}FOR i = 1 TO 500: x = down(50): NEXT\nPRINT x`, { limits: { depth: 60 } })).toBe("50\n");
  });

  test.each([
    ["by an error", 'FUNC leave(n)\nIF n = 0 THEN RAISE "out"\nRETURN leave(n - 1)\nEND FUNC'],
    [
      "by an error through FINALLY",
      'FUNC leave(n)\nTRY\nIF n = 0 THEN RAISE "out"\nRETURN leave(n - 1)\nFINALLY\nx = 1\nEND TRY\nEND FUNC',
    ],
    [
      "by RETURN out of TRY",
      "FUNC leave(n)\nTRY\nIF n = 0 THEN RETURN 1\nRETURN leave(n - 1)\nFINALLY\nx = 1\nEND TRY\nEND FUNC",
    ],
    ["by EXIT FUNC", "FUNC leave(n)\nIF n > 0 THEN x = leave(n - 1)\nEXIT FUNC\nEND FUNC"],
    ["after waiting", 'FUNC leave(n)\nSLEEP 0\nIF n = 0 THEN RAISE "out"\nRETURN leave(n - 1)\nEND FUNC'],
  ])("counts right when calls are left %s", async (_, routine) => {
    const text = await outputOf(
      `${routine}
       FOR i = 1 TO 20
         TRY
           x = leave(40)
         CATCH
         END TRY
       NEXT
       PRINT "still there"`,
      { limits: { depth: 50 } },
    );
    expect(text).toBe("still there\n");
  });

  test.each([
    ["plain calls", "FUNC f(n)\nRETURN f(n + 1)\nEND FUNC\nx = f(1)"],
    ["waiting calls", "FUNC f(n)\nIF n < 0 THEN SLEEP 0\nRETURN f(n + 1)\nEND FUNC\nx = f(1)"],
    ["calls through a variable", "FUNC f(n)\nLET g = f\nRETURN g(n + 1)\nEND FUNC\nx = f(1)"],
  ])("too deep %s never crash, whatever the JavaScript stack holds", async (_, source) => {
    const { error } = await failureOf(source, { limits: { depth: 2000 } });
    expect(error).toMatchObject({ name: "BasilError", errorName: "STACK_ERROR", message: "call stack overflow" });
  });

  test("10,000 calls deep works", async () => {
    expect(await outputOf(`${down}PRINT down(10000)`)).toBe("10000\n");
  });

  test("without a limit of the host the end of the JavaScript stack is the same error", async () => {
    const { error } = await failureOf(`FUNC f(n)\nRETURN f(n + 1) + f(n + 2)\nEND FUNC\nx = f(1)`, {
      limits: { depth: 10_000_000 },
    });
    expect(error).toMatchObject({ errorName: "STACK_ERROR", message: "call stack overflow" });
  });

  test("a list that contains itself is too deep to show or compare", async () => {
    const text = await outputOf(
      `l@ = [1]
       m@ = [1]
       l@[1] = l@
       m@[1] = m@
       TRY: PRINT l@: CATCH e$: PRINT ERRNAME$: END TRY
       TRY: PRINT l@ = m@: CATCH e$: PRINT ERRNAME$: END TRY
       TRY: PRINT JSON.STRINGIFY$(l@): CATCH e$: PRINT ERRNAME$: END TRY`,
    );
    expect(text).toBe("STACK_ERROR\n".repeat(3));
  });
});
