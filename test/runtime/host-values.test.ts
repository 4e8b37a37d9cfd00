/** What rows of a host may give, throw or refuse to keep, and what a program sees of it. */
import { describe, expect, test } from "vitest";
import { defineModule, type FunctionRow, functionsOf, type HostModule, propertiesOf } from "../../runtime/host.ts";
import { failureOf, framesOf, outputOf, trial } from "./program.ts";

/** A module BAD with one row ROW, as an author without types might write it. */
const withRow = (run: () => unknown, waits = true): HostModule<null> =>
  defineModule<null>({
    name: "BAD",
    doc: "Gives what no row should.",
    rows: [
      {
        ...functionsOf<null>()({ name: "ROW", doc: "", params: {}, waits: true, run: () => null }),
        waits,
        run,
      } as FunctionRow<null>,
    ],
    open: () => null,
  });

const rejecting = (error: unknown): HostModule<null> => withRow(() => Promise.reject(error));

/** Throws at once instead of giving a promise that is rejected. */
const throwing = (error: unknown, waits = true): HostModule<null> =>
  withRow(() => {
    throw error;
  }, waits);

const HOSTILE = {
  get message(): string {
    throw new Error("no message");
  },
  toString(): string {
    throw new Error("no text");
  },
};

describe("an error of a row, whatever it is, is a BASIC error at the call", () => {
  test.each([
    ["a text", rejecting("just text"), "just text"],
    ["undefined", rejecting(undefined), "undefined"],
    ["a frozen error", rejecting(Object.freeze(new Error("frozen"))), "frozen"],
    ["a text, thrown", throwing("just text"), "just text"],
    ["a text, thrown by a row that never waits", throwing("just text", false), "just text"],
    ["undefined, thrown", throwing(undefined), "undefined"],
    ["an object with a message, thrown", throwing({ toString: () => "of another kind" }), "of another kind"],
  ])("%s", async (_, module, message) => {
    const { error } = await failureOf("x = 1\ny = 1 + BAD.ROW()", { modules: [module] });
    expect(error).toMatchObject({ name: "BasilError", errorName: "USER_ERROR", message });
    expect(framesOf(error)).toEqual(["2:9 main"]);
    const caught = await outputOf("TRY\ny = 1 + BAD.ROW()\nCATCH e$\nPRINT e$; ERRLINE%\nEND TRY", { modules: [module] });
    expect(caught).toBe(`${message}2\n`);
  });

  test.each([
    ["an object without a prototype", rejecting(Object.create(null))],
    ["an object that throws when it is looked at", rejecting(HOSTILE)],
  ])("%s does not get out of run()", async (_, module) => {
    expect((await failureOf("y = BAD.ROW()", { modules: [module] })).error).toMatchObject({ errorName: "USER_ERROR" });
    expect(await outputOf("TRY\ny = BAD.ROW()\nCATCH e$\nPRINT ERRNAME$\nEND TRY", { modules: [module] })).toBe("USER_ERROR\n");
  });

  test("a text thrown where the module is only known when the program runs has the place of that call", async () => {
    const { error } = await failureOf("g = BAD\ny = 1 + g.ROW()", { modules: [throwing("just text", false)] });
    expect([error.message, ...framesOf(error)]).toEqual(["just text", "2:9 main"]);
  });

  test("a text thrown by a property has the place of the reading", async () => {
    const module = defineModule<null>({
      name: "BAD",
      doc: "",
      rows: [
        propertiesOf<null>()({
          name: "STATE$",
          doc: "",
          get: () => {
            throw "no state";
          },
        }),
      ],
      open: () => null,
    });
    const { error } = await failureOf("x = 1\nPRINT BAD.STATE$", { modules: [module] });
    expect([error.message, ...framesOf(error)]).toEqual(["no state", "2:11 main"]);
  });

  test("the host's own error keeps its JavaScript stack, as the cause", async () => {
    const cause = new Error("of the host");
    const { stack } = cause;
    const { error } = await failureOf("y = BAD.ROW()", { modules: [rejecting(cause)] });
    expect(error.cause).toBe(cause);
    expect(cause.stack).toBe(stack);
  });
});

/** A promise of another kind than JavaScript's own, as database libraries give. */
// biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
const thenable = Object.defineProperty({}, "then", { value: (keep: (value: number) => void) => keep(7) });

describe("what is no BASIC value does not get into the program", () => {
  test.each([
    ["undefined is NULL", withRow(async () => undefined), "null NULL true\n"],
    ["undefined of a row that gives at once is NULL", withRow(() => undefined, false), "null NULL true\n"],
    ["a thenable is waited for", withRow(() => thenable), "7 FLOAT false\n"],
  ])("%s", async (_, module, printed) => {
    expect(await outputOf('x = BAD.ROW()\nPRINT x; " "; TYPE$(x); " "; x = NULL', { modules: [module] })).toBe(printed);
  });

  test.each([
    ["a plain object", withRow(() => ({ a: 1 }))],
    ["a Map", withRow(async () => new Map())],
    ["a function", withRow(() => () => 1)],
    ["a symbol", withRow(() => Symbol("x"))],
    ["a big integer", withRow(() => 10n)],
  ])("%s is a TYPE_ERROR at the call", async (_, module) => {
    const { error } = await failureOf("x = 1\nx = BAD.ROW()\nPRINT x", { modules: [module] });
    expect(error).toMatchObject({ errorName: "TYPE_ERROR" });
    expect(framesOf(error)).toEqual(["2:5 main"]);
  });
});

test("a task's budget is its own, also for a row that works on after its own wait", async () => {
  const { run, gates, interpreter } = trial({
    modules: [
      defineModule<null>({
        name: "SLOW",
        doc: "Works in pieces.",
        rows: [
          functionsOf<null>()({
            name: "WORK",
            doc: "Counts work after a wait.",
            params: {},
            waits: true,
            run: async (_state, _args, task) => {
              await gates.wait("slow");
              task.spend(1);
              return 1;
            },
          }),
        ],
        open: () => null,
      }),
    ],
  });
  const ended = run('SUB h()\nx = HOST.WAIT("h")\nEND SUB\nSUB w()\nRETURN SLOW.WORK()\nEND SUB\nx = HOST.WAIT("main")');
  await gates.reached("main");
  const work = interpreter.call("w", []);
  await gates.reached("slow");
  const aborter = new AbortController();
  const aborted = interpreter.call("h", [], { signal: aborter.signal }).catch((error) => error);
  await gates.reached("h");
  aborter.abort();
  await aborted;
  gates.open("slow");
  expect(await work).toBe(1);
  gates.open("main");
  await ended;
});
