/** INCLUDE: texts read through the host's files and spliced in place. */
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import type { FileHost } from "../../runtime/capabilities.ts";
import { filesOf, outputOf, trial } from "./program.ts";

/** Files with directories: names are relative to the including file, as the contract of `resolve` says. */
const inDirectories = (texts: Readonly<Record<string, string>>): FileHost => ({
  ...filesOf(texts),
  resolve: (path, from = "") => posix.normalize(posix.join(posix.dirname(from), path)),
});

/** Messages of the complaints of a program. */
async function complaintsOf(source: string, files?: Readonly<Record<string, string>>): Promise<string[]> {
  const outcome = await trial(files ? { files } : {}).run(source);
  return outcome.kind === "rejected" ? outcome.complaints.map(({ code, message }) => `${code} ${message}`) : [outcome.kind];
}

describe("INCLUDE", () => {
  test("splices statements, routines, labels, TYPEs and DATA in place", async () => {
    const text = await outputOf(
      `DATA 1
       INCLUDE "lib.basil"
       DATA 4
       DIM p AS Point
       p.x% = 7.9
       GOSUB greet
       READ a, b, c, d
       PRINT half(10); p.x%; a; b; c; d; fromLib
       END`,
      {
        files: {
          "lib.basil":
            'fromLib = 5\nFUNC half(n)\nRETURN n / 2\nEND FUNC\nTYPE Point\nDIM x%\nEND TYPE\nDATA 2, 3\nGOTO over\ngreet: PRINT "hello ";\nRETURN\nover: PRINT "loaded ";\n',
        },
      },
    );
    expect(text).toBe("loaded hello 5712345\n");
  });

  test("happens at most once for each file, also when files include each other", async () => {
    const files = {
      "a.basil": 'PRINT "a ";\nINCLUDE "b.basil"\n',
      "b.basil": 'PRINT "b ";\nINCLUDE "a.basil"\nINCLUDE "test.basil"\n',
      // The program itself, under the name it runs as.
      "test.basil": 'PRINT "again "',
    };
    expect(await outputOf('INCLUDE "a.basil"\nINCLUDE "b.basil"\nINCLUDE "a.basil"\nPRINT "main"', { files })).toBe("a b main\n");
  });

  test("is relative to the file it stands in", async () => {
    const { run, output } = trial({
      host: {
        files: inDirectories({
          "job/lib/one.basil": 'INCLUDE "two.basil"\nINCLUDE "../three.basil"\n',
          "job/lib/two.basil": 'PRINT "two ";\n',
          "job/three.basil": 'PRINT "three ";\n',
        }),
      },
    });
    await run('INCLUDE "lib/one.basil"', { file: "job/main.basil" });
    expect(output()).toBe("two three ");
  });

  test("lets the included text have its includer's dialect, or one of its own", async () => {
    const files = { "same.basil": 'PRINT "x"\n', "own.basil": '#DIALECT classic\nPRINT "x"\n' };
    expect(await outputOf('#DIALECT basil\nINCLUDE "same.basil"\nINCLUDE "own.basil"\nPRINT "y"', { files })).toBe("xx\ny");
    expect(await outputOf('INCLUDE "same.basil"', { files })).toBe("x\n");
  });

  test('of "obj-NAME" enables a module, which is there anyway', async () => {
    expect(await outputOf('INCLUDE "obj-host"\nINCLUDE "obj-JSON.basil"\n#USE HOST, JSON\nPRINT HOST.PLAIN()')).toBe("1\n");
  });

  test("calls between files are checked as in one", async () => {
    const files = { "lib.basil": "FUNC half(n)\nRETURN n / 2\nEND FUNC\n" };
    expect(await complaintsOf('INCLUDE "lib.basil"\nPRINT half()', files)).toEqual(["B0206 half expects 1 argument(s), got 0"]);
    expect((await complaintsOf('INCLUDE "lib.basil"\nFUNC half(x)\nEND FUNC', files))[0]).toMatch(/^B0203 /);
  });

  test.each([
    ['INCLUDE "missing.basil"', /^B0205 .*missing\.basil.*there is no such file/],
    ['INCLUDE "obj-foo"', /^B0204 unknown module 'obj-foo' \(available: JSON, HOST\)/],
    ['SUB s()\nINCLUDE "lib.basil"\nEND SUB', /^B0106 /],
    ['IF TRUE THEN\nINCLUDE "lib.basil"\nEND IF', /^B0106 /],
    ['INCLUDE "bad.basil"', /^B0101 /],
  ])("refuses %j", async (source, complaint) => {
    const files = { "lib.basil": "PRINT 1\n", "bad.basil": "PRINT ((\n" };
    expect((await complaintsOf(source, files))[0]).toMatch(complaint);
  });

  test("without files of the host is a complaint, not an attempt", async () => {
    expect((await complaintsOf('INCLUDE "lib.basil"'))[0]).toMatch(/^B0205 .*may not read files/);
  });

  test("tells errors of several files in one run", async () => {
    const files = { "one.basil": "PRINT ((\n", "two.basil": "GOTO nowhere\n" };
    const found = await complaintsOf('INCLUDE "one.basil"\nINCLUDE "two.basil"\nGOTO nowhere2', files);
    expect(found.map((text) => text.slice(0, 5))).toEqual(expect.arrayContaining(["B0101", "B0201", "B0201"]));
  });
});

describe("CLASS", () => {
  const files = {
    "Counter.basil":
      'LET count% = 0\nLET name$ = "counter"\nSUB add(n)\ncount% = count% + n\nEND SUB\nFUNC get%()\nRETURN count%\nEND FUNC\n',
  };

  test("gives each instance globals of its own, and shows none of its caller's", async () => {
    const text = await outputOf(
      `LET count% = 100
       DIM a@ AS CLASS("Counter.basil")
       b@ = CLASS("Counter")
       a@.add(2)
       CALL a@.add(3)
       b@.count% = 7.9
       PRINT a@.get%(); a@.COUNT%; b@.get%(); count%; b@.name$; a@`,
      { files },
    );
    expect(text).toBe("557100counter<CLASS>\n");
  });

  test.each([
    ['x@ = CLASS("Nothing")', "Class file not found.", "IO_ERROR"],
    ['x@ = CLASS("Counter"): PRINT x@.nothing', "Unknown property or function in class.", "NAME_ERROR"],
    ['x@ = CLASS("Counter"): x@.nothing = 1', "Unknown property or function in class.", "NAME_ERROR"],
    ['x@ = CLASS("Counter"): x@.add()', "arity mismatch: expected 1, got 0", "ARGUMENT_ERROR"],
  ])("%s is an error", async (statement, message, name) => {
    const text = await outputOf(`TRY\n${statement}\nCATCH e$\nPRINT e$; "|"; ERRNAME$\nEND TRY`, { files });
    expect(text).toBe(`${message}|${name}\n`);
  });
});
