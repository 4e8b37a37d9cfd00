/** EVAL and EXEC: text of the running program, with its names, its limits and its places. */
import { describe, expect, test } from "vitest";
import { failureOf, framesOf, outputOf } from "./program.ts";

describe("EVAL and EXEC text", () => {
  test("names routines, built-ins and modules as often as it likes", async () => {
    const text = await outputOf(
      `FUNC f(n)
         RETURN n + 1
       END FUNC
       FOR i = 1 TO 3
         PRINT EVAL("f(1) + MIN(2, 3)"); " ";
         EXEC "PRINT JSON.STRINGIFY$([f(2), MIN(7, 8)])"
       NEXT
       EXEC "FUNC late(n): RETURN n * 2: END FUNC"
       PRINT EVAL("late(4)"); EVAL("late(4)"); late(5)
       PRINT MIN(1, 2); EVAL("MIN(1, 2)"); EVAL("TIMER >= 0"); EVAL("TIMER >= 0")
       PRINT JSON.GET("[5]", "[1]"); EVAL("JSON.GET(""[5]"", ""[1]"")")`,
    );
    expect(text).toBe("4 [3,7]\n4 [3,7]\n4 [3,7]\n8810\n11truetrue\n55\n");
  });

  test("sees and changes globals, never locals of its caller", async () => {
    const text = await outputOf(
      `LET a = 1
       SUB s(p)
         DIM l
         l = 5
         EXEC "a = a + 1"
         PRINT EVAL("p"); " "; EVAL("l"); " "; EVAL("a"); " "; a
       END SUB
       s(9)
       EXEC "b = 7"
       PRINT b; EVAL("b + a")
       EXEC "SUB later(): PRINT fresh: END SUB"
       later()
       fresh = 8
       later()`,
    );
    expect(text).toBe("null null 2 2\n79\nnull\n8\n");
  });

  test.each(["x = space$", 'EXEC "x = delete"', 'EXEC "x = json"', "PRINT left$"])(
    "reads the bare name of a built-in as nothing: %s",
    async (statement) => {
      expect(await outputOf(`${statement}\nEXEC "y = 1"\nPRINT "on"`)).toMatch(/on\n$/);
    },
  );

  test("that does not compile is a SYNTAX_ERROR with the complaint's message", async () => {
    const text = await outputOf('TRY\nEXEC "PRINT (("\nCATCH e$\nPRINT ERRNAME$; ERR%; ERRLINE%; LEN(e$) > 10\nEND TRY');
    expect(text).toBe("SYNTAX_ERROR10132true\n");
  });

  test("may not define a routine there is", async () => {
    const { error } = await failureOf('SUB s()\nEND SUB\nEXEC "SUB s(): END SUB"');
    expect(error).toMatchObject({ errorName: "SYNTAX_ERROR" });
  });

  test("has labels of its own", async () => {
    expect(await outputOf('i = 0\nEXEC "a: i = i + 1\nIF i < 3 THEN GOTO a"\na: PRINT i')).toBe("3\n");
  });

  test("waits where it says so", async () => {
    expect(await outputOf('PRINT EVAL("HOST.LATER(4) + 1")\nEXEC "SLEEP 0: PRINT HOST.LATER(2)"')).toBe("5\n2\n");
  });

  test("takes the dialect of the text that runs it", async () => {
    expect(await outputOf('#DIALECT basil\nPRINTLN EVAL("INSTR(""abc"", ""b"")")')).toBe("1\n");
    expect(await outputOf('PRINTLN EVAL("INSTR(""abc"", ""b"")")')).toBe("2\n");
  });
});

describe("errors inside it", () => {
  test("have the line of the EXEC in ERRLINE%", async () => {
    expect(await outputOf('TRY\nEXEC "y = 1\n\nRAISE 4"\nCATCH e$\nPRINT e$; ERRLINE%\nEND TRY')).toBe("42\n");
  });

  test("show the place in the text and the statement that ran it", async () => {
    const { error } = await failureOf('x = 1\nPRINT EVAL("1 + SQR(-1)")');
    expect(framesOf(error)).toEqual(["EVAL:1:5 main", "2:7 main"]);
  });
});

describe("limits", () => {
  test("depth counts text that runs itself", async () => {
    expect(await outputOf('a$ = "EXEC a$"\nTRY\nEXEC a$\nCATCH e$\nPRINT e$\nEND TRY', { limits: { depth: 100 } })).toBe(
      "call stack overflow\n",
    );
    const { error } = await failureOf('FUNC f(n)\nRETURN EVAL("f(1)")\nEND FUNC\nx = f(1)', { limits: { depth: 100 } });
    expect(error).toMatchObject({ errorName: "STACK_ERROR" });
  });

  test.each([
    ["EVAL", 'DO: i = 1: x = EVAL("i + 1"): LOOP'],
    ["EVAL of ever new texts", "i = 0\nDO: i = i + 1: x = EVAL(STR$(i)): LOOP"],
  ])("steps and deadline hold for loops of %s", async (_, source) => {
    expect((await failureOf(source, { limits: { steps: 100_000 } })).error).toMatchObject({ kind: "steps" });
    expect((await failureOf(source, { limits: { deadlineMs: 100 } })).error).toMatchObject({ kind: "deadline" });
  });
});
