/** Colouring: what can wait becomes a generator, everything else stays a plain function. */
import { describe, expect, test } from "vitest";
import { isGenerator, outputOf } from "./program.ts";

/** A program with a routine of this body, which main calls. */
const withBody = (body: string, more = ""): string => `${more}\nFUNC f(n)\n${body}\nEND FUNC\nx = f(1)`;

describe("a routine becomes a generator when it can reach a waiting call", () => {
  test.each([
    ["SLEEP", "SLEEP 1"],
    ["SLEEP as a function", "x = SLEEP(1)"],
    ["INPUT", "INPUT n"],
    ["LINE INPUT", "LINE INPUT n$"],
    ["SHELL", 'SHELL "ls"'],
    ["SHELL as an expression", 'x = SHELL("ls")'],
    ["EVAL", 'x = EVAL("1")'],
    ["EXEC", 'EXEC "x = 1"'],
    ["CLASS", 'x@ = CLASS("a")'],
    ["a row that waits", "x = HOST.SOON(1)"],
    ["a row that waits, as a statement", 'HOST.WAIT "a"'],
    ["a row that takes a SUB", 'x = HOST.APPLY("g")'],
    ["a waiting call in a branch that never runs", "IF FALSE THEN SLEEP 1"],
    ["a waiting call deep in an expression", "x = 1 + (2 * LEN([HOST.SOON(1)]))"],
    ["a call of a routine that waits", "x = waits()"],
    ["a call of one that calls one that waits", "x = callsWaits()"],
    ["a call of itself beside one that waits", "IF n > 0 THEN x = f(n - 1) ELSE x = waits()"],
    ["a call through a value, when a waiting routine is read as one", "LET g = waits\nx = g()"],
  ])("by %s", (_, body) => {
    const more = "FUNC waits()\nSLEEP 0\nEND FUNC\nFUNC callsWaits()\nRETURN waits()\nEND FUNC\nFUNC g()\nEND FUNC";
    expect(isGenerator(withBody(body, more), "f")).toBe(true);
    expect(isGenerator(withBody(body, more), "main")).toBe(true);
  });
});

describe("a routine stays a plain function", () => {
  test.each([
    ["when it computes", "RETURN n * 2"],
    ["when it prints", "PRINT n"],
    ["when it loops", "FOR i = 1 TO 10: NEXT"],
    ["when it jumps", "a: n = n + 1\nIF n < 5 THEN GOTO a"],
    ["when it catches errors", "TRY: RAISE 1: CATCH: FINALLY: END TRY"],
    ["when it calls rows that never wait", "x = HOST.PLAIN() + LEN(UCASE$(STR$(n)))"],
    ["when it calls plain routines", "x = plain(1)"],
    ["when it calls itself", "IF n > 0 THEN x = f(n - 1)"],
    ["when it calls through a value, and no routine that waits is read as one", "LET g = plain\nx = g(1)"],
    ["though another routine waits", "RETURN n"],
  ])("%s", (_, body) => {
    const more = "FUNC plain(n)\nRETURN n\nEND FUNC\nFUNC waits()\nSLEEP 0\nEND FUNC";
    expect(isGenerator(withBody(body, more), "f")).toBe(false);
    expect(isGenerator(withBody(body, more), "main")).toBe(false);
  });

  test("when its own names hide what waits", () => {
    expect(isGenerator("FUNC f(n)\nLET host@ = n\nRETURN 1\nEND FUNC\nx = f(1)", "f")).toBe(false);
  });
});

test("main waits, its plain routines do not", () => {
  const source = "FUNC f(n)\nRETURN n\nEND FUNC\nSLEEP f(0)";
  expect([isGenerator(source, "f"), isGenerator(source, "main")]).toEqual([false, true]);
});

test("mutual recursion is coloured as a whole", () => {
  const even = (odd: string): string =>
    `FUNC even(n)\nIF n = 0 THEN RETURN TRUE\nRETURN odd(n - 1)\nEND FUNC\nFUNC odd(n)\n${odd}\nIF n = 0 THEN RETURN FALSE\nRETURN even(n - 1)\nEND FUNC\nPRINT even(4)`;
  expect(["even", "odd", "main"].map((name) => isGenerator(even(""), name))).toEqual([false, false, false]);
  expect(["even", "odd", "main"].map((name) => isGenerator(even("SLEEP 0"), name))).toEqual([true, true, true]);
});

describe("whatever the colours, programs mean the same", () => {
  const program = (wait: string): string =>
    `FUNC fib(n)
       ${wait}
       IF n < 2 THEN RETURN n
       RETURN fib(n - 1) + fib(n - 2)
     END FUNC
     FUNC apply(g, n)
       RETURN g(n) + 1
     END FUNC
     SUB say(what$)
       ${wait}
       PRINT what$; " ";
     END SUB
     FOR i% = 1 TO 3
       TRY
         say("round " + i%)
         IF i% = 2 THEN RAISE "two"
       CATCH e$
         say("caught " + e$)
       FINALLY
         say("finally")
       END TRY
     NEXT
     PRINT fib(10); apply(fib, 8)
     SELECT CASE fib(5)
       CASE fib(4), fib(5): PRINT "five"
     END SELECT
     GOSUB down
     END
     down: PRINT fib(6): RETURN`;

  test.each(["x = HOST.SOON(1)", "x = HOST.LATER(1)", "SLEEP 0", 'x = EVAL("1")'])("%s", async (wait) => {
    const expected = await outputOf(program("x = 1"));
    expect(expected).toBe("round 1 finally round 2 caught two finally round 3 finally 5522\nfive\n8\n");
    expect(await outputOf(program(wait))).toBe(expected);
  });
});
