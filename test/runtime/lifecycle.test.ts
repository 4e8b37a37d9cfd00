/** An interpreter from outside: calls while main runs and afterwards, runs one after another, stop and close from every state. */
import { describe, expect, test } from "vitest";
import { defineModule, functionsOf, type HostModule } from "../../runtime/host.ts";
import { eventually, type Trial, trial } from "./program.ts";

const PROGRAM = `LET count% = 0
  FUNC twice(n)
    RETURN 2 * n
  END FUNC
  FUNC next%()
    count% = count% + 1
    RETURN count%
  END FUNC
  SUB say(text$)
    PRINT text$
  END SUB
  SUB stuck()
    x = HOST.WAIT("stuck")
  END SUB
  SUB nothing()
  END SUB
`;

/** A module that counts how often it is asked to finish and to close, and drains until it is told. */
interface Drain {
  drains: number;
  closes: number;
  finish: () => void;
}

const draining = (state: Drain): HostModule<Drain> =>
  defineModule<Drain>({
    name: "DRAIN",
    doc: "Has work to finish.",
    rows: [functionsOf<Drain>()({ name: "COUNT", doc: "How often it drained.", params: {}, run: ({ drains }) => drains })],
    open: () => state,
    drain: async (_, signal) => {
      state.drains += 1;
      await new Promise<void>((resolve) => {
        state.finish = resolve;
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
    close: async () => {
      state.closes += 1;
    },
  });

const withDrain = (): { drain: Drain; running: Trial } => {
  const drain: Drain = { drains: 0, closes: 0, finish: () => undefined };
  return { drain, running: trial({ modules: [draining(drain)] }) };
};

describe("call", () => {
  test("runs a routine while main waits, with its result and its effects", async () => {
    const { run, gates, interpreter, output } = trial();
    const ended = run(`${PROGRAM}x = HOST.WAIT("main")\nPRINT "main ends, count is "; count%`);
    await gates.reached("main");
    expect(await interpreter.call("TWICE", [21])).toBe(42);
    expect(await interpreter.call("next%", [])).toBe(1);
    expect(await interpreter.call("nothing", [])).toBe(null);
    await interpreter.call("say", ["hello"]);
    expect(output()).toBe("hello\n");
    gates.open("main");
    await ended;
    expect(output()).toBe("hello\nmain ends, count is 1\n");
  });

  test("works after main has ended, on the globals it left", async () => {
    const { run, interpreter, output } = trial();
    await run(`${PROGRAM}count% = 10`);
    expect(await interpreter.call("next%", [])).toBe(11);
    expect(await interpreter.call("next%", [])).toBe(12);
    await interpreter.call("say", ["still here"]);
    expect(output()).toBe("still here\n");
  });

  test("works after main has failed", async () => {
    const { run, interpreter } = trial();
    expect(await run(`${PROGRAM}RAISE "main is broken"`)).toMatchObject({ kind: "failed" });
    expect(await interpreter.call("twice", [4])).toBe(8);
  });

  test("is not shortened by a program that failed deep down", async () => {
    const { run, interpreter } = trial({ limits: { depth: 100 } });
    expect(await run(`${PROGRAM}FUNC f(n)\nRETURN f(n + 1)\nEND FUNC\nx = f(1)`)).toMatchObject({ kind: "failed" });
    expect(await interpreter.call("twice", [4])).toBe(8);
  });

  test("after the run is not under the run's deadline and steps", async () => {
    const { run, interpreter } = trial({ limits: { deadlineMs: 30, steps: 100_000 } });
    expect(await run("SUB h()\nFOR i = 1 TO 60000\nNEXT\nRETURN i\nEND SUB")).toMatchObject({ kind: "ended" });
    await new Promise((resolve) => setTimeout(resolve, 40));
    for (let i = 0; i < 3; i++) expect(await interpreter.call("h", [])).toBe(60_001);
  });

  test("rejects with an Error also when the program ends meanwhile", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(`${PROGRAM}SUB leave()\nEXIT 3\nEND SUB\nx = HOST.WAIT("main")`);
    await gates.reached("main");
    const call = interpreter.call("stuck", []).catch((error) => error);
    await gates.reached("stuck");
    const leaving = await interpreter.call("leave", []).catch((error) => error);
    expect(leaving).toBeInstanceOf(Error);
    expect(await call).toBeInstanceOf(Error);
    expect(await ended).toMatchObject({ kind: "ended", exitCode: 3 });
  });

  test("gives and takes every kind of value; bytes arrive as text", async () => {
    const { run, interpreter } = trial();
    await run('FUNC same(x)\nRETURN x\nEND FUNC\nFUNC kind$(x)\nRETURN TYPE$(x) + " " + LEN(x)\nEND FUNC');
    for (const value of [1.5, "text", true, null, [1, "two", [3]]])
      expect(await interpreter.call("same", [value])).toEqual(value);
    expect(await interpreter.call("kind$", [Buffer.from("bytes")])).toBe("STRING 5");
    expect(await interpreter.call("same", [Buffer.of(0x41, 0xff)])).toBe("A\udcff");
  });

  test.each([
    ["twoce", [1], "NAME_ERROR", "Unknown function 'twoce'"],
    ["twice", [], "ARGUMENT_ERROR", "arity mismatch: expected 1, got 0"],
    ["twice", [1, 2], "ARGUMENT_ERROR", "arity mismatch: expected 1, got 2"],
    ["twice", ["x"], "TYPE_ERROR", "expected number"],
  ])("%s%j rejects with %s", async (name, args, errorName, message) => {
    const { run, interpreter } = trial();
    await run(PROGRAM);
    await expect(interpreter.call(name, args)).rejects.toMatchObject({ name: "BasilError", errorName, message });
  });

  test("before any run knows no routine", async () => {
    await expect(trial().interpreter.call("twice", [1])).rejects.toMatchObject({ errorName: "NAME_ERROR" });
  });

  test.each(["constructor", "__proto__", "toString", "prototype", "hasOwnProperty"])(
    "finds nothing under the name %s",
    async (name) => {
      const { run, interpreter } = trial();
      await run(PROGRAM);
      await expect(interpreter.call(name, [])).rejects.toMatchObject({ errorName: "NAME_ERROR" });
    },
  );
});

describe("run", () => {
  test("again starts with fresh globals and without the routines of the last program", async () => {
    const { run, interpreter, output } = trial();
    await run("LET a = 1\nSUB old()\nEND SUB");
    await run("PRINT a");
    expect(output()).toBe("null\n");
    await expect(interpreter.call("old", [])).rejects.toMatchObject({ errorName: "NAME_ERROR" });
  });

  test("refuses a second program while one runs", async () => {
    const { run, gates } = trial();
    const ended = run('x = HOST.WAIT("main")');
    await gates.reached("main");
    await expect(run("PRINT 1")).rejects.toThrow("this interpreter already runs a program");
    gates.open("main");
    expect(await ended).toMatchObject({ kind: "ended" });
    expect(await run("PRINT 1")).toMatchObject({ kind: "ended" });
  });

  test("gives the complaints of a program that does not compile, prints nothing, and can run the next one", async () => {
    const { run, output } = trial();
    const outcome = await run('PRINT "a"\nPRINT ((\nGOTO nowhere');
    expect(outcome).toMatchObject({ kind: "rejected", exitCode: 1 });
    expect(output()).toBe("");
    expect(await run("PRINT 1")).toMatchObject({ kind: "ended" });
  });

  test.each([
    ["", 0],
    ["EXIT 3", 3],
    ["EXIT 256 + 7", 7],
    ["EXIT -1", 255],
    ["END", 0],
    ["STOP", 0],
  ])("of %j ends with exit code %i", async (source, exitCode) => {
    expect(await trial().run(source)).toMatchObject({ kind: "ended", exitCode });
  });

  test("tells of GOSUBs that never returned", async () => {
    expect(await trial().run("GOSUB a\na: PRINT 1")).toMatchObject({
      kind: "ended",
      exitCode: 0,
      warnings: ["program terminated with 1 pending GOSUB frames (missing RETURN?)"],
    });
  });

  test("lets modules finish their work after main, and handlers run meanwhile", async () => {
    const { drain, running } = withDrain();
    const { run, interpreter, output } = running;
    const ended = run(`${PROGRAM}PRINT "main ends"`);
    await eventually(() => drain.drains === 1, "the module drains");
    await interpreter.call("say", ["a handler"]);
    drain.finish();
    expect(await ended).toMatchObject({ kind: "ended", exitCode: 0 });
    expect(output()).toBe("main ends\na handler\n");
  });

  test.each(['RAISE "x"', "EXIT 2", "STOP"])("does not wait for modules after %s", async (statement) => {
    const { drain, running } = withDrain();
    await running.run(statement);
    expect(drain.drains).toBe(0);
  });
});

describe("stop", () => {
  test("lets modules finish, then ends main wherever it waits, without FINALLY", async () => {
    const { drain, running } = withDrain();
    const { run, gates, interpreter, output } = running;
    const ended = run(`${PROGRAM}TRY\nx = HOST.WAIT("main")\nFINALLY\nPRINT "finally"\nEND TRY`);
    await gates.reached("main");
    const stopped = interpreter.stop();
    await eventually(() => drain.drains === 1, "the module drains");
    await interpreter.call("say", ["meanwhile"]);
    drain.finish();
    await stopped;
    expect(await ended).toEqual({ kind: "stopped" });
    expect(output()).toBe("meanwhile\n");
  });

  test("resolves before any run, after a run, and twice", async () => {
    const { run, interpreter } = trial();
    await interpreter.stop();
    await run("PRINT 1");
    await interpreter.stop();
    await Promise.all([interpreter.stop(), interpreter.stop()]);
    expect(await run("PRINT 1")).toMatchObject({ kind: "ended" });
  });

  test("ends handlers that wait", async () => {
    const { run, gates, interpreter } = trial();
    const ended = run(`${PROGRAM}x = HOST.WAIT("main")`);
    await gates.reached("main");
    const call = interpreter.call("stuck", []).then(
      () => "kept",
      () => "ended",
    );
    await gates.reached("stuck");
    await Promise.all([interpreter.stop(), interpreter.stop()]);
    expect([await call, await ended]).toEqual(["ended", { kind: "stopped" }]);
  });

  test("ends a main that computes, when it may give way", async () => {
    const { run, interpreter, printed } = trial();
    const ended = run('PRINT "begins"\nDO: x = HOST.LATER(1): LOOP');
    await printed("begins");
    await interpreter.stop();
    expect(await ended).toEqual({ kind: "stopped" });
  });
});

describe.each(["stop", "close"] as const)("%s before main has started", (how) => {
  test("lets nothing run", async () => {
    const { run, interpreter, output } = trial();
    const ended = run('PRINT "never"');
    await interpreter[how]();
    expect(await ended).toEqual({ kind: "stopped" });
    expect(output()).toBe("");
  });
});

describe("close", () => {
  test("ends a waiting program at once, without FINALLY, and closes the modules once", async () => {
    const { drain, running } = withDrain();
    const { run, gates, interpreter, output } = running;
    const ended = run(`TRY\nx = HOST.WAIT("main")\nFINALLY\nPRINT "finally"\nEND TRY`);
    await gates.reached("main");
    await Promise.all([interpreter.close(), interpreter.close()]);
    await interpreter.close();
    expect(await ended).toEqual({ kind: "stopped" });
    expect([output(), drain.closes]).toEqual(["", 1]);
  });

  test("ends a program whose modules still finish their work", async () => {
    const { drain, running } = withDrain();
    const ended = running.run("PRINT 1");
    await eventually(() => drain.drains === 1, "the module drains");
    await running.interpreter.close();
    drain.finish();
    await ended;
    expect(drain.closes).toBe(1);
  });

  test.each(["before any run", "after a run", "after stop"])("resolves %s, and nothing runs any more", async (state) => {
    const { run, interpreter } = trial();
    if (state !== "before any run") await run("PRINT 1");
    if (state === "after stop") await interpreter.stop();
    await interpreter.close();
    await interpreter.close();
    await expect(run("PRINT 1")).rejects.toThrow("this interpreter is closed");
  });

  test("ends a handler that computes, at once", async () => {
    const { run, gates, interpreter, output, printed } = trial();
    const ended = run(`LET n% = 0\nSUB h()\nPRINT "begins"\nDO\nn% = n% + 1\nLOOP\nEND SUB\nx = HOST.WAIT("main")`);
    await gates.reached("main");
    const call = interpreter.call("h", []).then(
      () => "kept",
      () => "ended",
    );
    await printed("begins");
    await interpreter.close();
    expect([await call, await ended, output()]).toEqual(["ended", { kind: "stopped" }, "begins\n"]);
  });

  test("after it no routine can be called", async () => {
    const { run, interpreter, output } = trial();
    await run(PROGRAM);
    await interpreter.close();
    await expect(interpreter.call("say", ["x"])).rejects.toThrow("this interpreter is closed");
    expect(output()).toBe("");
  });

  test("after it stop resolves too", async () => {
    const { interpreter } = trial();
    await interpreter.close();
    await interpreter.stop();
  });

  test("does not wait for modules that cannot close", async () => {
    const broken = defineModule<null>({
      name: "BROKEN",
      doc: "Fails to close.",
      rows: [],
      open: () => null,
      close: () => Promise.reject(new Error("cannot")),
    });
    await trial({ modules: [broken] }).interpreter.close();
  });
});

describe("check", () => {
  test("gives complaints and runs nothing", async () => {
    const { interpreter, output } = trial();
    expect(await interpreter.check('PRINT "a"')).toEqual([]);
    expect(await interpreter.check("PRINT ((")).toMatchObject([{ severity: "error" }]);
    expect(output()).toBe("");
  });

  test("foresees unknown functions and wrong argument counts, which a run only meets", async () => {
    const source = "IF FALSE THEN x = LEFT$(1, 2, 3)\nIF FALSE THEN x = nothing(1)";
    const complaints = await trial().interpreter.check(source);
    expect(complaints.map(({ code, severity }) => [code, severity])).toEqual([
      ["B1005", "warning"],
      ["B1004", "warning"],
    ]);
    expect(await trial().run(source)).toMatchObject({ kind: "ended", warnings: [] });
  });
});
