/** Where run-time errors point: file, line, column, and the routines that were active. */
import { describe, expect, test } from "vitest";
import { LimitError } from "../../runtime/errors.ts";
import { failureOf, framesOf, outputOf, textAt, trial } from "./program.ts";

/** Where the error of a program is: the text it points at, and its frames. */
async function placeOf(
  source: string,
  files: Readonly<Record<string, string>> = {},
): Promise<{ text: string | undefined; frames: string[] }> {
  const { error } = await failureOf(source, { files });
  return { text: textAt(error), frames: framesOf(error) };
}

describe("an error points at the part of the statement that raised it", () => {
  test.each([
    ["l@ = [1]\nx = 1 + l@[2] + l@[1]", "l@[2]", "2:9 main"],
    ['d@ = {"a": 1}\nPRINT d@["a"]; d@["b"]', 'd@["b"]', "2:16 main"],
    ['d@ = {"a": 1}\nPRINT d@.a + d@.b', "b", "2:17 main"],
    ["DIM a(3)\nPRINT a(1) + a(4)", "a(4)", "2:14 main"],
    ["DIM a(3, 3)\nPRINT a(1, 1) + a(1, 4)", "a(1, 4)", "2:17 main"],
    ["DIM a(3)\na(1) = 1: a(9) = 2", "a(9)", "2:11 main"],
    ['s$ = "x"\nPRINT 1 + 2 * s$', "*", "2:13 main"],
    ['s$ = "x"\nPRINT 1 < s$', "<", "2:9 main"],
    ['s$ = "x"\nPRINT -s$', "-s$", "2:7 main"],
    ['s@ = [1]\nPRINT LEFT$("abc", 1) + LEFT$(s@, 1)', "s@", "2:31 main"],
    ['s@ = [1]\nPRINT LEFT$("abc", s@)', "s@", "2:20 main"],
    ["PRINT SQR(4) + SQR(-4)", "SQR(-4)", "1:16 main"],
    ["x = nothing(1)", "nothing(1)", "1:5 main"],
    ["PRINT JSON.NOTHING(1)", "NOTHING", "1:12 main"],
    ['x = 1 : RAISE "here"', 'RAISE "here"', "1:9 main"],
    ['x% = "text"', 'x% = "text"', "1:1 main"],
    ["x% = 1e300", "x% = 1e300", "1:1 main"],
    ["x = NULL\nFOR EACH y IN x\nNEXT", "x", "2:15 main"],
    ['IF 1 = 1 AND HOST.FAIL("no") THEN PRINT 1', 'HOST.FAIL("no")', "1:14 main"],
    ['x = [1,\n  2,\n  HOST.REJECT("no")]', 'HOST.REJECT("no")', "3:3 main"],
    ['PRINT "a #{1 + HOST.REJECT("no")} b"', 'HOST.REJECT("no")', "1:16 main"],
    ["READ x", "READ x", "1:1 main"],
    ["x = 1\nRETURN", "RETURN", "2:1 main"],
    ["DIM a(-1)", "DIM a(-1)", "1:1 main"],
  ])("%j", async (source, text, frame) => {
    expect(await placeOf(source)).toEqual({ text, frames: [frame] });
  });
});

describe("the routines that were active are told innermost first", () => {
  test("for plain routines", async () => {
    const { frames } = await placeOf(
      `FUNC inner(n)
  RETURN 1 / n + SQR(-n)
END FUNC
FUNC outer(n)
  LET unused = 1
  RETURN inner(n) + 1
END FUNC
PRINT "x"
PRINT 1 + outer(4)`,
    );
    expect(frames).toEqual(["2:18 inner", "6:10 outer", "9:11 main"]);
  });

  test("for routines that wait, through yield*", async () => {
    const { frames } = await placeOf(
      `FUNC inner(n)
  x = HOST.LATER(1)
  RETURN 1 + HOST.REJECT("no")
END FUNC
FUNC Outer$(n)
  RETURN "a" + inner(n)
END FUNC
x = HOST.LATER(2)
PRINT Outer$(4)`,
    );
    expect(frames).toEqual(["3:14 inner", "6:16 Outer$", "9:7 main"]);
  });

  test("for calls through variables, EVAL, and rows that call a SUB", async () => {
    expect((await placeOf("FUNC f(n)\nRETURN SQR(n)\nEND FUNC\nLET g = f\nPRINT g(-1)")).frames).toEqual(["2:8 f", "5:7 main"]);
    expect((await placeOf('FUNC f(n)\nRETURN SQR(n)\nEND FUNC\n\nPRINT EVAL("1 + f(-1)")')).frames).toEqual([
      "2:8 f",
      "EVAL:1:5 main",
      "5:7 main",
    ]);
    expect((await placeOf('FUNC f(n)\nRETURN SQR(n)\nEND FUNC\n\nPRINT HOST.APPLY("f", -1)')).frames[0]).toBe("2:8 f");
  });

  test("and recursion shows at most 20 of them", async () => {
    const { frames } = await placeOf("FUNC f(n)\nIF n = 0 THEN RAISE 1\nRETURN f(n - 1)\nEND FUNC\nx = f(100)");
    expect(frames.length).toBe(20);
    expect(frames[0]).toBe("2:15 f");
    expect(new Set(frames.slice(1))).toEqual(new Set(["3:8 f"]));
  });

  test("in a routine the host calls", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run('SUB h(n)\n  PRINT 1\n  RETURN SQR(n)\nEND SUB\nx = HOST.WAIT("main")');
    await gates.reached("main");
    const error = await interpreter.call("h", [-1]).catch((thrown) => thrown);
    expect([textAt(error), framesOf(error)]).toEqual(["SQR(n)", ["3:10 h"]]);
    gates.open("main");
    await ended;
  });
});

describe("blocks do not move places", () => {
  test.each([
    ["loops", "FOR i = 1 TO 2\nWHILE TRUE\nDO\nx = SQR(-1)\nLOOP\nWEND\nNEXT", "4:5 main"],
    ["TRY with FINALLY", "TRY\nx = 1\nx = SQR(-1)\nFINALLY\nx = 2\nEND TRY", "3:5 main"],
    ["a CATCH that raises anew", "TRY\nRAISE 1\nCATCH\nx = SQR(-1)\nEND TRY", "4:5 main"],
    ["a bare RAISE, which keeps the first place", "TRY\nx = SQR(-1)\nCATCH\n\n\nRAISE\nEND TRY", "2:5 main"],
    ["FINALLY itself", "TRY\nx = 1\nFINALLY\nx = SQR(-1)\nEND TRY", "4:5 main"],
    ["SELECT", "SELECT CASE 2\nCASE 1\nx = 1\nCASE 2\nx = SQR(-1)\nEND SELECT", "5:5 main"],
    ["a GOSUB", "GOSUB a\nEND\na:\nx = SQR(-1)\nRETURN", "4:5 main"],
    ["a GOTO loop", "x = 2\na: x = x - 1\nPRINT SQR(x);\nGOTO a", "3:7 main"],
    ["WITH", 'd@ = {"a": 1}\nWITH d@\nPRINT .a\nPRINT .b\nEND WITH', "4:8 main"],
    ["a one-line IF", "x = -1\nIF x < 0 THEN PRINT 1 : PRINT SQR(x) ELSE PRINT 2", "2:31 main"],
    ["continuation lines", "x = 1 + _\n  2 + _\n  SQR(-1)", "3:3 main"],
    ["the condition of a loop", "i = 1\nWHILE SQR(i) > -1\ni = i - 1\nWEND", "2:7 main"],
    ["the limit of a FOR", "FOR i = 1 TO SQR(-i)\nNEXT", "1:14 main"],
  ])("%s", async (_, source, frame) => {
    expect((await placeOf(source)).frames).toEqual([frame]);
  });

  test("main of many statements", async () => {
    const lines = Array.from({ length: 3000 }, (_, at) => `x${at % 7} = ${at}`);
    lines[2345] = "  x = SQR(-1)";
    expect((await placeOf(lines.join("\n"))).frames).toEqual(["2346:7 main"]);
  });
});

describe("ERRLINE% is the line where the error was raised", () => {
  test("also when it comes out of a routine, and after the CATCH", async () => {
    const text = await outputOf(
      `SUB bad()
         x = 1

         RAISE "x"
       END SUB
       TRY
         bad()
       CATCH
         PRINT ERRLINE%
       END TRY
       PRINT ERRLINE%`,
    );
    expect(text).toBe("4\n4\n");
  });

  test("an error caught in between does not change the outer one", async () => {
    const text = await outputOf(
      `TRY
         RAISE "outer"
       CATCH e$
         TRY
           RAISE "inner"
         CATCH f$
         END TRY
         TRY
           RAISE
         CATCH g$
           PRINT g$; ERRLINE%
         END TRY
       END TRY`,
    );
    expect(text).toBe("outer2\n");
  });
});

describe("with INCLUDE", () => {
  const files = {
    "lib.basil": 'PRINT "in lib"\nFUNC half(n)\n  IF n = 0 THEN RAISE "zero"\n  RETURN n / 2\nEND FUNC\n',
    "bad.basil": "x = 1\n\n  PRINT SQR(-1)\n",
    "deep.basil": 'INCLUDE "bad.basil"\n',
  };

  test("errors in an included routine name its file, and the caller's file after it", async () => {
    const { frames } = await placeOf('INCLUDE "lib.basil"\n\nx = 4\nPRINT half(0)', files);
    expect(frames).toEqual(["lib.basil:3:17 half", "4:7 main"]);
  });

  test("errors at the top level of an included file are in that file", async () => {
    expect((await placeOf('x = 1\nINCLUDE "bad.basil"', files)).frames).toEqual(["bad.basil:3:9 main"]);
    expect((await placeOf('INCLUDE "deep.basil"', files)).frames).toEqual(["bad.basil:3:9 main"]);
  });

  test("errors behind an INCLUDE are in the including file again", async () => {
    expect((await placeOf('INCLUDE "lib.basil"\nx = SQR(-1)', files)).frames).toEqual(["2:5 main"]);
  });

  test("complaints about an included text name its file", async () => {
    const outcome = await trial({ files: { "broken.basil": "x = 1\nPRINT ((\n" } }).run('INCLUDE "broken.basil"');
    if (outcome.kind !== "rejected") throw new Error(outcome.kind);
    expect(outcome.complaints.map(({ source, span }) => `${source.name}:${source.position(span.start).line}`)).toContain(
      "broken.basil:2",
    );
  });
});

test("a message cannot fake a place", async () => {
  for (const fake of ["at x (basil-unit-1:14:30)", "\\n    at f_x (basil-unit-1:14:30)"]) {
    const { error } = await failureOf(`x = 1\n\nm$ = HOST.SOON("${fake}")\nRAISE m$`);
    expect(framesOf(error)).toEqual(["4:1 main"]);
  }
});

test.each([
  ["a loop at the top level", "x = 1\nDO\n  x = x + 1\nLOOP", ["2:1 main"]],
  ["a loop in a routine", "SUB spin(n)\n  DO\n    n = n + 1\n  LOOP\nEND SUB\nx = 1\nspin(x)", ["2:3 spin", "7:1 main"]],
  ["a GOTO loop", "x = 1\nagain: x = x + 1\nGOTO again", ["2:1 main"]],
])("a limit reached in %s points at the loop", async (_, source, frames) => {
  const { run } = trial({ limits: { steps: 5_000 } });
  const outcome = await run(source);
  expect(outcome.kind === "failed" ? framesOf(outcome.error) : outcome.kind).toEqual(frames);
});

test("a limit tells where the program was", async () => {
  const { error } = await failureOf('x = 1\n\nx$ = STRING$(5000, "a")', { limits: { bytes: 100 } });
  expect(error).toBeInstanceOf(LimitError);
  expect(framesOf(error)).toEqual(["3:6 main"]);
});
