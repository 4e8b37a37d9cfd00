/** What `basil check` says about legal programs, and what it keeps quiet about; `basil run` says nothing of it. */
import { describe, expect, test } from "vitest";
import { trial } from "./program.ts";

const warnings = async (text: string): Promise<string[]> =>
  (await trial().interpreter.check(text)).map(({ code, severity, message, hint, source, span }) => {
    const { line, column } = source.position(span.start);
    return [severity, code, `${line}:${column}`, source.text.slice(span.start, span.end), message, hint ?? ""].join("|");
  });

const neverSet = (place: string, name: string, hint = ""): string =>
  `warning|B0301|${place}|${name}|nothing in the program sets ${name}: it is NULL|${hint}`;

describe("B0301: a name that is read and never set", () => {
  test.each([
    ["PRINT a", neverSet("1:7", "a")],
    ["total% = 5\nPRINT total", neverSet("2:7", "total", "Did you mean total%?")],
    ["counter = 1\nx = 2 + conter", neverSet("2:9", "conter", "Did you mean counter?")],
    ['name$ = "x"\nPRINT "#{nmae$}"', neverSet("2:10", "nmae$", "Did you mean name$?")],
    ["SUB f()\nk = 1\nEND SUB\nf\nPRINT k", neverSet("5:7", "k", "f has its own k. Mention k above f to share it.")],
    ["SUB f()\nPRINT k\nEND SUB\nf", neverSet("2:7", "k")],
    ["x = LEN", neverSet("1:5", "LEN", "Write LEN(…) to call the function.")],
    ["q[1] = 2", neverSet("1:1", "q")],
    ["q.a = 2", neverSet("1:1", "q")],
    ["IF q THEN PRINT q", neverSet("1:4", "q")],
  ])("%j", async (text, ...expected) => {
    expect(await warnings(text)).toEqual(expected);
  });

  test.each([
    ["set by a statement other than LET", 'READ a\nDATA 1\nINPUT "x"; b\nFOR c = 1 TO 2\nNEXT\nPRINT a, b, c'],
    ["set below, or in a branch", "IF FALSE THEN a = 1\nPRINT a, b\nb = 1"],
    ["set by a routine, for it was mentioned above", "n = 0\nSUB f()\nn = 1\nEND SUB\nf\nPRINT n"],
    ["exchanged, caught, dimensioned", "DIM a, b\nSWAP a, b\nTRY\nPRINT a\nCATCH e$\nPRINT e$, b\nEND TRY"],
    [
      "functions without parentheses, constants, modules, routines",
      "FUNC f()\nRETURN 1\nEND FUNC\ng = f\nPRINT TIMER, ERR%, g, JSON",
    ],
    ["a TYPE", "TYPE T\nDIM n%\nEND TYPE\nPRINT LEN(T)"],
    ["what EXEC may set", 'EXEC "x = 1"\nPRINT x'],
    ["what EVAL may set", 'y = EVAL("1")\nPRINT x'],
    ["what a CLASS may set", 'DIM o@ AS CLASS("c")\nPRINT x'],
    ["what the file that includes these routines may set", "CONST N = 1\nSUB f()\nPRINT x, N\nEND SUB"],
  ])("not: %s", async (_, text) => {
    expect(await warnings(text)).toEqual([]);
  });

  test("is said once a name", async () => {
    expect(await warnings("PRINT a\nPRINT A, a")).toEqual([neverSet("1:7", "a")]);
  });
});

describe("B0302: a name as a statement that does nothing", () => {
  const idle = (place: string, name: string, what: string, hint = ""): string =>
    `warning|B0302|${place}|${name}|${name} is ${what}: the statement does nothing|${hint}`;
  const nothing = "neither a routine nor a function";

  test.each([
    ["cls", idle("1:1", "cls", nothing, "There is no screen, only lines of text: PRINT writes them.")],
    ["CLOSE #1", idle("1:1", "CLOSE", nothing, "Write FCLOSE(h%), with the handle that FOPEN gave.")],
    ["x = 1: x", idle("1:8", "x", "a variable")],
    ["again : PRINT 1", idle("1:1", "again", nothing, "A label has its colon directly behind the name: again:")],
    ["SUB work()\nEND SUB\nwrok", idle("3:1", "wrok", nothing, "Did you mean work?")],
    ["SUB f()\ncls\nEND SUB", idle("2:1", "cls", nothing, "There is no screen, only lines of text: PRINT writes them.")],
  ])("%j", async (text, expected) => {
    expect(await warnings(text)).toEqual([expected]);
  });

  test.each(["SUB cls()\nEND SUB\ncls", "TIMER", 'EXEC "SUB cls()"\ncls', "cls: GOTO cls"])("not: %j", async (text) => {
    expect(await warnings(text)).toEqual([]);
  });

  test("a misspelt keyword has one warning, the one that a run gives too", async () => {
    expect(await warnings("PRNT")).toEqual([
      "warning|B0101|1:1|PRNT|PRNT is a name that nothing in the program sets or defines|Did you mean PRINT?",
    ]);
  });
});

test("B0303: a value that RETURN gives to nobody", async () => {
  const dropped = "the main program returns nothing: the value of RETURN is dropped";
  expect(await warnings("RETURN 1 + 1")).toEqual([`warning|B0303|1:8|1 + 1|${dropped}|EXIT n ends it with an exit code.`]);
  expect(await warnings("GOSUB s\nEND\ns: RETURN\nFUNC f()\nRETURN 1\nEND FUNC")).toEqual([]);
});

test("warnings come in the order of the text", async () => {
  expect((await warnings("SUB f()\nPRINT a\nEND SUB\nPRNT\nPRINT b")).map((one) => one.split("|")[2])).toEqual([
    "2:7",
    "4:1",
    "5:7",
  ]);
});

describe("what will fail for sure has the code of the error to come", () => {
  const modules = "The modules of this interpreter: JSON, HOST.";
  const noModule = (name: string): string => `there is no module ${name} here, and nothing in the program sets that name`;

  test.each([
    ["PRINT GEARMAN.PING%()", `warning|B1004|1:7|GEARMAN|${noModule("GEARMAN")}|${modules}`],
    ["GEARMAN.PING", `warning|B1004|1:1|GEARMAN|${noModule("GEARMAN")}|${modules}`],
    ['x = JSN.PARSE("1")', `warning|B1004|1:5|JSN|${noModule("JSN")}|Did you mean JSON?`],
    ['record = {"a": 1}\nPRINT recrod.a', `warning|B1004|2:7|recrod|${noModule("recrod")}|Did you mean record?`],
    ["x = NEW T(1)", "warning|B1004|1:5|NEW T(1)|Unknown TYPE 'T'|"],
    ["DIM x AS T", "warning|B1004|1:1|DIM x AS T|Unknown TYPE 'T'|"],
    ["DIM x(2) AS T", "warning|B1004|1:1|DIM x(2) AS T|Unknown TYPE 'T'|"],
    [
      "DIM x AS INTEGER",
      "warning|B1004|1:1|DIM x AS INTEGER|Unknown TYPE 'INTEGER'|Leave AS out: a name ending in % holds whole numbers, as in DIM n%.",
    ],
  ])("%j", async (text, expected) => {
    expect(await warnings(text)).toEqual([expected]);
    const error = { errorName: "NAME_ERROR", message: expected.split("|")[4] };
    expect(await trial().run(text)).toMatchObject({ kind: "failed", error });
  });

  test.each([
    ["other files may have it", "SUB f()\nPRINT record.a\nDIM x AS T\nEND SUB"],
    ["EXEC may make it", 'EXEC "g = 1"\nTRY\nPRINT g.a\nDIM x AS T\nCATCH\nEND TRY'],
  ])("not where %s", async (_, text) => {
    expect(await warnings(text)).toEqual([]);
  });
});

test("NEW and AS complain about an unknown TYPE before they look at arguments", async () => {
  expect(await trial().run("x = NEW NOBODY(1)")).toMatchObject({
    error: { errorName: "NAME_ERROR", message: "Unknown TYPE 'NOBODY'" },
  });
  expect(await trial().run("TYPE T\nDIM a\nEND TYPE\nx = NEW t(1)")).toMatchObject({
    error: { errorName: "ARGUMENT_ERROR", message: "T takes no arguments" },
  });
});

test("nothing is said of names while there are errors: a missing file may set them", async () => {
  expect(await warnings('INCLUDE "missing.basil"\nPRINT a')).toEqual([expect.stringMatching(/^error\|B0205/)]);
});

test("a run says nothing of all this", async () => {
  expect(await trial().run("PRINT a\ncls\nRETURN 5")).toMatchObject({ kind: "ended", warnings: [] });
});
