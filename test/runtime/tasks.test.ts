/** Tasks: who runs when, what belongs to each alone, and how calls from the host into a program behave. */
import { describe, expect, test } from "vitest";
import { BasilError } from "../../runtime/errors.ts";
import type { Interpreter } from "../../runtime/interpreter.ts";
import { eventually, failureOf, outputOf, trial } from "./program.ts";

/** A program whose main waits at gate `main`, so that the host can call its routines. */
const waitingMain = (routines: string, top = ""): string => `${top}\n${routines}\nx = HOST.WAIT("main")\n`;

/** What calls of the host come to: their values, or the messages of their errors. */
const told = (calls: readonly Promise<unknown>[]): Promise<unknown[]> =>
  Promise.all(calls.map((call) => call.catch((error: Error) => error.message)));

const callAll = (interpreter: Interpreter, name: string, all: readonly (readonly string[])[]): Promise<unknown>[] =>
  all.map((args) => interpreter.call(name, args));

describe("a task gives way only at waiting calls", () => {
  test("between two waits its code is atomic, even when it uses up its fuel", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(
      waitingMain(
        `SUB add(n)
           LET before = total%
           FOR i = 1 TO 60000
             total% = total% + 1
           NEXT
           RETURN total% - before
         END SUB`,
        "LET total% = 0",
      ),
    );
    await gates.reached("main");
    expect(await told(callAll(interpreter, "add", [["a"], ["b"], ["c"]]))).toEqual([60_000, 60_000, 60_000]);
    gates.open("main");
    expect(await ended).toMatchObject({ kind: "ended" });
  });

  test("a waiting row that gives its value at once does not give way", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      waitingMain(
        `SUB h(name$)
           PRINT name$; HOST.SOON(1); HOST.SOON(2);
         END SUB`,
      ),
    );
    await gates.reached("main");
    await told(callAll(interpreter, "h", [["a"], ["b"]]));
    gates.open("main");
    await ended;
    expect(output()).toBe("a12b12");
  });

  test("a waiting row that gives a promise lets the next task run", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      waitingMain(
        `SUB h(name$)
           PRINT name$; "1 ";
           x = HOST.WAIT("h")
           PRINT name$; "2 ";
         END SUB`,
      ),
    );
    await gates.reached("main");
    const calls = callAll(interpreter, "h", [["a"], ["b"]]);
    await gates.reached("h");
    gates.open("h");
    gates.open("h");
    await told(calls);
    gates.open("main");
    await ended;
    expect(output()).toBe("a1 b1 a2 b2 ");
  });

  test("a long loop lets the host's timers run, and no other task", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      waitingMain(
        `SUB busy()
           FOR i% = 1 TO 3000000
           NEXT
           PRINT "busy ended ";
           RETURN i%
         END SUB
         SUB quick()
           PRINT "quick ran ";
         END SUB`,
      ),
    );
    await gates.reached("main");
    let rounds = 0;
    const timer = setInterval(() => {
      rounds += 1;
    }, 1);
    const busy = interpreter.call("busy", []);
    const quick = interpreter.call("quick", []);
    await told([busy, quick]);
    clearInterval(timer);
    expect(rounds).toBeGreaterThan(0);
    expect(output()).toBe("busy ended quick ran ");
    gates.open("main");
    await ended;
  });

  test("a loop made of GOTO in a SUB lets timers run as well", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(
      waitingMain("SUB busy()\nLET i% = 0\nagain: i% = i% + 1\nIF i% < 3000000 THEN GOTO again\nRETURN i%\nEND SUB"),
    );
    await gates.reached("main");
    let rounds = 0;
    const timer = setInterval(() => {
      rounds += 1;
    }, 1);
    expect(await interpreter.call("busy", [])).toBe(3_000_000);
    clearInterval(timer);
    expect(rounds).toBeGreaterThan(0);
    gates.open("main");
    await ended;
  });

  test("a call that the host makes while a task runs starts when that task waits", async () => {
    const text = await outputOf(
      `SUB h()
         PRINT "handler ";
       END SUB
       ok% = HOST.START%("h")
       PRINT "main goes on ";
       SLEEP 0
       PRINT "main again"`,
    );
    expect(text).toBe("main goes on handler main again\n");
  });
});

describe("each task has its own", () => {
  test("ERR%, ERRLINE%, ERRNAME$ and error messages, while main and four handlers raise at once", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      `SUB h(name$)
         TRY
           RAISE "error of " + name$
         CATCH e$
           x = HOST.WAIT("h")
           RETURN e$ + " " + ERRNAME$ + " " + ERR%
         END TRY
       END SUB
       TRY
         l@ = [1]
         PRINT l@[5]
       CATCH e$
         x = HOST.WAIT("main")
         PRINT e$; "|"; ERR%; "|"; ERRLINE%; "|"; ERRNAME$
       END TRY`,
    );
    await gates.reached("main");
    const calls = callAll(interpreter, "h", [["a"], ["b"], ["c"], ["d"]]);
    await gates.reached("h");
    for (let i = 0; i < 4; i++) gates.open("h");
    expect(await told(calls)).toEqual(["a", "b", "c", "d"].map((name) => `error of ${name} USER_ERROR 1000`));
    gates.open("main");
    await ended;
    expect(output()).toBe("List index out of range: 5|1002|11|INDEX_ERROR\n");
  });

  test("ERR% is 0 before it caught anything, whatever others caught", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(`SUB h()
        RETURN ERR% + ERRLINE%
      END SUB
      TRY
        RAISE "x"
      CATCH
      END TRY
      x = HOST.WAIT("main")`);
    await gates.reached("main");
    expect(await interpreter.call("h", [])).toBe(0);
    gates.open("main");
    await ended;
  });

  test("parameters, locals and WITH objects", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(
      waitingMain(
        `SUB h(name$)
           DIM mine$
           LET box@ = {"name": name$}
           mine$ = "local of " + name$
           WITH box@
             x = HOST.WAIT("h")
             RETURN mine$ + ", " + .name
           END WITH
         END SUB`,
      ),
    );
    await gates.reached("main");
    const calls = callAll(interpreter, "h", [["a"], ["b"], ["c"], ["d"]]);
    await gates.reached("h");
    for (let i = 0; i < 4; i++) gates.open("h");
    expect(await told(calls)).toEqual(["a", "b", "c", "d"].map((name) => `local of ${name}, ${name}`));
    gates.open("main");
    await ended;
  });

  test("GOSUB stack: a RETURN comes back into the task that went", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(
      waitingMain(
        `SUB h(name$)
           LET text$ = ""
           GOSUB deep
           RETURN text$ + " back in " + name$
           deep:
           text$ = "from " + name$
           x = HOST.WAIT("h")
           RETURN
         END SUB`,
      ),
    );
    await gates.reached("main");
    const calls = callAll(interpreter, "h", [["a"], ["b"], ["c"], ["d"]]);
    await gates.reached("h");
    for (let i = 0; i < 4; i++) gates.open("h");
    expect(await told(calls)).toEqual(["a", "b", "c", "d"].map((name) => `from ${name} back in ${name}`));
    gates.open("main");
    await ended;
  });

  test("call depth: a deep task does not shorten another one", async () => {
    const { run, gates, interpreter } = trial({ limits: { depth: 60 } });
    const ended = run(
      waitingMain(
        `FUNC down(n)
           IF n = 0 THEN RETURN HOST.WAIT("deep")
           RETURN 1 + down(n - 1)
         END FUNC`,
      ),
    );
    await gates.reached("main");
    const calls = told([40, 41, 42].map((depth) => interpreter.call("down", [depth])));
    await gates.reached("deep");
    for (let i = 0; i < 3; i++) gates.open("deep", 0);
    expect(await calls).toEqual([40, 41, 42]);
    gates.open("main");
    await ended;
  });

  test("while globals are shared", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      `LET total = 1
       SUB add(n)
         total = total + n
       END SUB
       x = HOST.WAIT("main")
       PRINT total`,
    );
    await gates.reached("main");
    await interpreter.call("add", [10]);
    await interpreter.call("add", [100]);
    gates.open("main");
    await ended;
    expect(output()).toBe("111\n");
  });
});

describe("host → SUB → host → SUB", () => {
  const down = `FUNC down(n)
      IF n = 0 THEN RETURN 0
      RETURN 1 + HOST.APPLY("down", n - 1)
    END FUNC
    `;

  test("a row that calls a SUB gives the script the SUB's result, at any depth", async () => {
    expect(await outputOf(`${down}PRINT down(50)`)).toBe("50\n");
  });

  test("depth is counted across the host, and too deep is an error to catch", async () => {
    const text = await outputOf(
      `${down}PRINT down(30)
       TRY
         PRINT down(500)
       CATCH e$
         PRINT e$; " "; ERRNAME$
       END TRY
       PRINT down(30)`,
      { limits: { depth: 100 } },
    );
    expect(text).toBe("30\ncall stack overflow STACK_ERROR\n30\n");
  });

  test("an error of the inner SUB is raised at the outer call, and can be caught there", async () => {
    const text = await outputOf(
      `SUB bad()
         RAISE "no"
       END SUB
       TRY
         x = HOST.APPLY("bad")
       CATCH e$
         PRINT e$; " "; ERRNAME$
       END TRY`,
    );
    expect(text).toBe("no USER_ERROR\n");
  });

  test("a SUB is found by its name in any case, and a FUNCTION value will do as well", async () => {
    const text = await outputOf(
      `FUNC Twice(n)
         RETURN 2 * n
       END FUNC
       PRINT HOST.APPLY("tWICE", 21); " "; HOST.APPLY(Twice, 4)`,
    );
    expect(text).toBe("42 8\n");
  });

  test.each([
    ['HOST.APPLY("dubble", 1)', "TYPE_ERROR", "APPLY: there is no SUB 'dubble' (there are: double)"],
    ["HOST.APPLY(5, 1)", "TYPE_ERROR", "APPLY: there is no SUB 5 (there are: double)"],
    ['HOST.APPLY("double")', "ARGUMENT_ERROR", "arity mismatch: expected 1, got 0"],
    ['HOST.APPLY("double", 1, 2)', "ARGUMENT_ERROR", "arity mismatch: expected 1, got 2"],
  ])("%s is %s: %s", async (call, name, message) => {
    const { error } = await failureOf(`FUNC double(n)\nRETURN 2 * n\nEND FUNC\nPRINT ${call}`);
    expect(error).toMatchObject({ errorName: name, message });
  });
});

describe("a promise that is not kept", () => {
  test.each(["REJECT", "FAIL"])("HOST.%s becomes an error that CATCH catches", async (row) => {
    const text = await outputOf(
      `TRY
         PRINT 1 + HOST.${row}("no luck")
       CATCH e$
         PRINT e$; "|"; ERR%; "|"; ERRLINE%; "|"; ERRNAME$
       END TRY`,
    );
    expect(text).toBe("no luck|1000|2|USER_ERROR\n");
  });

  test("keeps the kind of a BasilError", async () => {
    const { run, gates, output } = trial();
    const ended = run('TRY\nx = HOST.WAIT("a")\nCATCH e$\nPRINT e$; "|"; ERR%; "|"; ERRNAME$\nEND TRY');
    await gates.reached("a");
    gates.refuse("a", new BasilError("SHOP_ERROR", "sold out", { code: 5007 }));
    await ended;
    expect(output()).toBe("sold out|5007|SHOP_ERROR\n");
  });

  test("of one and the same error object has the place of each call", async () => {
    const { run, gates, output } = trial();
    const ended = run(
      `FOR i = 1 TO 2
         TRY
           IF i = 1 THEN
             x = HOST.WAIT("a")
           ELSE
             x = HOST.WAIT("a")
           END IF
         CATCH e$
           PRINT ERRLINE%; " ";
         END TRY
       NEXT`,
    );
    const error = new Error("again");
    for (let i = 0; i < 2; i++) {
      await gates.reached("a");
      gates.refuse("a", error);
    }
    await ended;
    expect(output()).toBe("4 6 ");
  });
});

describe("a task that was ended from outside", () => {
  test("is not woken by a promise that is kept later", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      waitingMain(
        `SUB h()
           x = HOST.WAIT("h")
           PRINT "woken"
         END SUB`,
      ),
    );
    await gates.reached("main");
    const aborter = new AbortController();
    const call = interpreter.call("h", [], { signal: aborter.signal });
    await gates.reached("h");
    aborter.abort(new Error("enough"));
    await expect(call).rejects.toMatchObject({ name: "LimitError", kind: "abort", message: "enough" });
    gates.open("h", "late");
    await interpreter.call("h", [], { signal: AbortSignal.abort() }).catch(() => undefined);
    gates.open("main");
    expect(await ended).toMatchObject({ kind: "ended" });
    expect(output()).toBe("");
  });

  test("runs neither CATCH nor FINALLY, and the others go on", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      waitingMain(
        `SUB h()
           TRY
             x = HOST.WAIT("h")
           CATCH e$
             PRINT "caught"
           FINALLY
             PRINT "finally"
           END TRY
         END SUB`,
      ) + 'PRINT "main ends"',
    );
    await gates.reached("main");
    const aborter = new AbortController();
    const call = interpreter.call("h", [], { signal: aborter.signal });
    await gates.reached("h");
    aborter.abort();
    await expect(call).rejects.toMatchObject({ kind: "abort" });
    gates.open("main");
    await ended;
    expect(output()).toBe("main ends\n");
  });

  test("never starts when its signal has fired before", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(waitingMain('SUB h()\nPRINT "started"\nEND SUB'));
    await gates.reached("main");
    await expect(interpreter.call("h", [], { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "abort" });
    gates.open("main");
    await ended;
    expect(output()).toBe("");
  });
});

describe("how a handler ends", () => {
  test("an uncaught error ends only its task, after its FINALLY blocks", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      waitingMain(
        `SUB h()
           TRY
             RAISE "broken"
           FINALLY
             PRINT "finally ";
           END TRY
         END SUB`,
      ) + 'PRINT "main ends"',
    );
    await gates.reached("main");
    await expect(interpreter.call("h", [])).rejects.toMatchObject({ name: "BasilError", message: "broken" });
    gates.open("main");
    expect(await ended).toMatchObject({ kind: "ended", exitCode: 0 });
    expect(output()).toBe("finally main ends\n");
  });

  test.each([
    ["EXIT 7", 7],
    ["END", 0],
    ["STOP", 0],
  ])("%s ends the whole program with %i, and no FINALLY runs", async (statement, exitCode) => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(
      `SUB h()
         TRY
           IF TRUE THEN ${statement}
         FINALLY
           PRINT "finally"
         END TRY
       END SUB
       TRY
         x = HOST.WAIT("main")
       FINALLY
         PRINT "finally"
       END TRY`,
    );
    await gates.reached("main");
    await interpreter.call("h", []).catch(() => undefined);
    expect(await ended).toMatchObject({ kind: "ended", exitCode });
    expect(output()).toBe("");
  });

  test("STOP says where it stood", async () => {
    const outcome = await trial().run('PRINT "a"\n  STOP\nPRINT "b"');
    if (outcome.kind !== "ended" || !outcome.stoppedAt) throw new Error("did not stop");
    const { source, span } = outcome.stoppedAt;
    expect(source.position(span.start)).toMatchObject({ line: 2, column: 3 });
  });

  test("when main fails, waiting handlers end too", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(`SUB h()\nx = HOST.WAIT("h")\nEND SUB\nx = HOST.WAIT("main")\nRAISE "main is broken"`);
    await gates.reached("main");
    const call = told([interpreter.call("h", [])]);
    await gates.reached("h");
    gates.open("main");
    expect(await ended).toMatchObject({ kind: "failed", error: { message: "main is broken" } });
    await call;
  });
});

test("output is handed to the host before a task waits, and at the end", async () => {
  const { run, gates, output } = trial();
  const ended = run('PRINT "before"\nx = HOST.WAIT("a")\nPRINT "after";');
  await gates.reached("a");
  await eventually(() => output() === "before\n", "what was printed arrives");
  gates.open("a");
  await ended;
  expect(output()).toBe("before\nafter");
});

describe("a host that cannot take output", () => {
  const failingOnce = (fail: () => Promise<void>): { write: (bytes: Buffer) => void | Promise<void>; written: string[] } => {
    let isFirst = true;
    const written: string[] = [];
    return {
      written,
      write: (bytes) => {
        if (!isFirst) return void written.push(bytes.toString());
        isFirst = false;
        return fail();
      },
    };
  };
  const failures: readonly (readonly [string, () => Promise<void>])[] = [
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("disk full"))],
  ];

  test.each(failures)("and %s at a wait: an error of the waiting statement, with CATCH and FINALLY", async (_, fail) => {
    const { write, written } = failingOnce(fail);
    const source = 'TRY\nPRINT "lost"\nSLEEP 0\nCATCH e$\nPRINT "caught "; e$\nFINALLY\nPRINT "finally"\nEND TRY';
    expect(await trial({ host: { write } }).run(source)).toMatchObject({ kind: "ended" });
    expect(written.join("")).toBe("caught disk full\nfinally\n");
  });

  test.each(failures)("and %s while the program computes: it hears of it", async (_, fail) => {
    const { write } = failingOnce(fail);
    const source = 'PRINT STRING$(20000, "x")\nFOR i% = 1 TO 3000000\nNEXT\nSLEEP 0';
    expect(await trial({ host: { write } }).run(source)).toMatchObject({ kind: "failed", error: { message: "disk full" } });
  });

  test.each(failures)("and %s at the end: the run has failed", async (_, fail) => {
    const { write } = failingOnce(fail);
    expect(await trial({ host: { write } }).run('PRINT "lost"')).toMatchObject({
      kind: "failed",
      error: { message: "disk full" },
    });
  });
});

test("a host that is slow to take output slows the program down", async () => {
  const pending: (() => void)[] = [];
  const { run } = trial({
    host: {
      write: () => new Promise<void>((resolve) => pending.push(resolve)),
    },
  });
  let isEnded = false;
  const ended = run('PRINT "a"\nSLEEP 0\nPRINT "b"\nSLEEP 0').then(() => {
    isEnded = true;
  });
  await eventually(() => pending.length === 1, "the first line is written");
  await new Promise((resolve) => setImmediate(resolve));
  expect([isEnded, pending.length]).toEqual([false, 1]);
  pending.shift()!();
  await eventually(() => pending.length === 1, "the second line is written");
  pending.shift()!();
  await ended;
});
