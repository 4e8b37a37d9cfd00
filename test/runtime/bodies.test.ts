/** Routines as data for another process: what goes along, what is refused, and how they run without their program. */
import { describe, expect, test } from "vitest";
import { json } from "../../modules/json/index.ts";
import { standard } from "../../modules/standard/index.ts";
import type { Body } from "../../runtime/body.ts";
import { decodeBytes } from "../../runtime/bytes.ts";
import type { Limits } from "../../runtime/engine/engine.ts";
import { defineModule, functionsOf, type ModuleContext, optional, required } from "../../runtime/host.ts";
import { createInterpreter, type Outcome } from "../../runtime/interpreter.ts";
import type { ProgramCache } from "../../runtime/program-cache.ts";
import { type BodyOutcome, runBody } from "../../runtime/run-body.ts";
import type { Value } from "../../runtime/values.ts";
import { bareHost } from "../helpers/call-row.ts";

interface JobState {
  readonly context: ModuleContext;
  readonly bodies: Body[];
}

const fn = functionsOf<JobState>();

/** A module with which programs give away their SUBs. */
const jobs = (bodies: Body[]) =>
  defineModule<JobState>({
    name: "JOBS",
    doc: "",
    rows: [
      fn({
        name: "DEFINE%",
        doc: "",
        params: { sub: required("sub", "", [0, 1]) },
        run: ({ context, bodies: made }, { sub }) => made.push(context.bodyOf(sub)),
        waits: true,
      }),
      fn({ name: "NAME$", doc: "", params: { sub: optional("text", "") }, run: (_, { sub = "" }) => sub }),
      fn({ name: "LATER%", doc: "", params: { sub: required("sub", "") }, run: async () => 1, waits: true }),
    ],
    open: (context) => ({ context, bodies }),
  });

/** Runs a program that calls JOBS.DEFINE%. */
async function bodiesOf(source: string, cache?: ProgramCache): Promise<{ bodies: Body[]; outcome: Outcome }> {
  const bodies: Body[] = [];
  const interpreter = createInterpreter({
    modules: [standard(), json(), jobs(bodies)],
    host: bareHost,
    ...(cache && { cache }),
  });
  const outcome = await interpreter.run(source, { file: "jobs.basil" });
  await interpreter.close();
  return { bodies, outcome };
}

/** The one body a program gives away, as another process gets it. */
async function bodyOf(source: string, cache?: ProgramCache): Promise<Body> {
  const { bodies, outcome } = await bodiesOf(source, cache);
  if (outcome.kind === "failed") throw outcome.error;
  if (outcome.kind === "rejected") throw new Error(outcome.complaints.map(({ message }) => message).join("\n"));
  return JSON.parse(JSON.stringify(bodies[0])) as Body;
}

/** Why a program may not give away its SUB. */
async function refusalOf(source: string): Promise<string> {
  const { outcome } = await bodiesOf(source);
  return outcome.kind === "failed" ? outcome.error.message : outcome.kind;
}

async function outcomeOf(
  body: Body,
  payload: Value | Buffer = "",
  limits: Limits = {},
): Promise<BodyOutcome & { output: string; errors: string }> {
  let output = "";
  let errors = "";
  const host = {
    ...bareHost,
    write: (bytes: Buffer) => {
      output += decodeBytes(bytes);
    },
    writeError: (text: string) => {
      errors += text;
    },
  };
  const outcome = await runBody(body, payload, { modules: [standard(), json()], host, limits });
  return { ...outcome, output, errors };
}

/** What the one body of a program gives. */
async function resultOf(source: string, payload: Value | Buffer = ""): Promise<Value> {
  const outcome = await outcomeOf(await bodyOf(source), payload);
  if (outcome.kind === "failed") throw outcome.error;
  return outcome.kind === "returned" ? outcome.value : null;
}

const DEFINE = 'd% = JOBS.DEFINE%("job")\n';

describe("a body", () => {
  test("gets the payload and gives what the SUB RETURNs; bytes arrive as text", async () => {
    expect(await resultOf(`SUB job(p$)\nRETURN UCASE$(p$) + "!"\nEND SUB\n${DEFINE}`, Buffer.from("hé"))).toBe("HÉ!");
  });

  test("may take no payload", async () => {
    expect(await resultOf(`SUB job()\nRETURN 7\nEND SUB\n${DEFINE}`, "ignored")).toBe(7);
  });

  test("does not run top-level code", async () => {
    const outcome = await outcomeOf(await bodyOf(`PRINT "top"\nSUB job(p$)\nPRINT "in"\nEND SUB\n${DEFINE}PRINT "end"`));
    expect(outcome).toMatchObject({ kind: "returned", value: null, output: "in\n" });
  });

  test("has no code of main in it", async () => {
    const body = await bodyOf(`SUB job(p$)\nRETURN 1\nEND SUB\nPRINT "only in main"\n${DEFINE}`);
    expect(body.unit.code).not.toContain("only in main");
  });

  test("has the program's other routines, also as values and by name", async () => {
    const source = `SUB job(p$)
      f = twice
      RETURN f(once(2))
    END SUB
    FUNC once(n)
      RETURN n + 1
    END FUNC
    FUNC twice(n)
      RETURN n * 2
    END FUNC
    ${DEFINE}`;
    expect(await resultOf(source)).toBe(6);
  });

  test("has TYPEs and DATA, read from the start in each process", async () => {
    const source = `TYPE Point
      x
      name$ AS STRING * 5
    END TYPE
    DATA 5, six
    READ first
    SUB job(p$)
      DIM here AS Point
      READ here.x
      here.name$ = "point"
      RETURN here.x
    END SUB
    ${DEFINE}`;
    expect(await resultOf(source)).toBe(5);
  });

  test.each([
    ["CONST limit% = 10", "limit%", 10],
    ["CONST limit% = 2.9", "limit%", 2],
    ['CONST name$ = "basil"', "name$", "basil"],
    ["CONST low = -5, high = 60 * 60", "low + high", 3595],
    ["CONST isDebug = TRUE", "isDebug", true],
    ["CONST unused = 1, used = 2", "used", 2],
  ])("has literal CONSTs: %s", async (constant, expression, value) => {
    expect(await resultOf(`${constant}\nSUB job(p$)\nRETURN ${expression}\nEND SUB\n${DEFINE}`)).toBe(value);
  });

  test("has them where the CONST stands below the DEFINE", async () => {
    expect(await resultOf(`${DEFINE}CONST late = 4\nSUB job(p$)\nRETURN late\nEND SUB`)).toBe(4);
  });

  test("may have locals of names that main uses for something else", async () => {
    expect(await resultOf(`SUB job(p$)\nn = 3\nRETURN n\nEND SUB\nn = 99\n${DEFINE}`)).toBe(3);
  });

  test("may wait", async () => {
    expect(await resultOf(`SUB job(p$)\nSLEEP 1\nRETURN "late"\nEND SUB\n${DEFINE}`)).toBe("late");
  });

  test("comes from programs that were compiled before, too", async () => {
    const kept = new Map<string, string>();
    const cache: ProgramCache = { read: (key) => kept.get(key), write: (key, text) => void kept.set(key, text) };
    const source = `CONST c = 3\nSUB job(p$)\nRETURN c\nEND SUB\n${DEFINE}`;
    const first = await bodyOf(source, cache);
    expect(kept.size).toBe(1);
    expect(await bodyOf(source, cache)).toEqual(first);
  });

  test("comes from programs whose main compiles text, too", async () => {
    expect(await resultOf(`x = EVAL("1 + 1")\nCONST c = 3\nSUB job(p$)\nRETURN c\nEND SUB\n${DEFINE}`)).toBe(3);
  });

  test.each([
    ["a module as a value", 'm = JOBS\nd% = m.DEFINE%("job")'],
    ["a WITH block", 'WITH JOBS\nd% = .DEFINE%("job")\nEND WITH'],
    ["text compiled while it runs", 'EXEC("d% = JOBS.DEFINE%(" + CHR$(34) + "job" + CHR$(34) + ")")'],
    ["a routine", 'define()\nSUB define()\nd% = JOBS.DEFINE%("job")\nEND SUB'],
  ])("may be given away through %s", async (_, define) => {
    expect(await resultOf(`CONST c = 3\nSUB job(p$)\nRETURN c\nEND SUB\n${define}`)).toBe(3);
  });

  test("says which modules it uses, and where", async () => {
    const body = await bodyOf(`SUB job(p$)\nRETURN JOBS.NAME$("a") + JSON.STRINGIFY$(p$)\nEND SUB\n${DEFINE}`);
    expect(body.uses).toEqual([
      { module: "JOBS", routine: "JOB", place: "jobs.basil:2:8" },
      { module: "JSON", routine: "JOB", place: "jobs.basil:2:26" },
    ]);
  });

  test.each([
    ["calls nothing", "", false],
    ["calls another", "help()", false],
    ["calls another twice", "help() : help() : again()", false],
    ["calls itself", 'job("")', true],
    ["calls one that calls it", "back()", true],
    ["calls one that calls itself", "spin()", true],
  ])("knows whether its calls may nest deeply: one that %s", async (_, calls, isRecursive) => {
    const subs = 'SUB help()\nEND SUB\nSUB again()\nhelp()\nEND SUB\nSUB back()\njob("")\nEND SUB\nSUB spin()\nspin()\nEND SUB\n';
    expect((await bodyOf(`SUB job(p$)\n${calls}\nEND SUB\n${subs}${DEFINE}`)).isRecursive).toBe(isRecursive);
  });

  test("finds a module that it was not given without members", async () => {
    const body = await bodyOf(`SUB job(p$)\no = JOBS\nRETURN o.NAME$("a")\nEND SUB\n${DEFINE}`);
    const outcome = await outcomeOf(body);
    expect(outcome.kind === "failed" && outcome.error.message).toBe("JOBS has no member NAME$");
  });
});

describe("a body's end", () => {
  test("an uncaught error has the place in the program's text", async () => {
    const outcome = await outcomeOf(await bodyOf(`x = 1\nSUB job(p$)\n  RAISE "no " + p$\nEND SUB\n${DEFINE}`), "luck");
    const error = outcome.kind === "failed" ? outcome.error : undefined;
    expect(error?.message).toBe("no luck");
    expect(error?.place?.source.position(error.place.span.start).line).toBe(3);
    expect(error?.calls.map(({ routine }) => routine)).toEqual(["job"]);
  });

  test("EXIT ends it with its code, also from a routine it calls", async () => {
    const body = await bodyOf(`SUB job(p$)\nPRINT "a"\nquit()\nPRINT "b"\nEND SUB\nSUB quit()\nEXIT 3\nEND SUB\n${DEFINE}`);
    expect(await outcomeOf(body)).toMatchObject({ kind: "ended", exitCode: 3, output: "a\n" });
  });

  test("limits count", async () => {
    const body = await bodyOf(`SUB job(p$)\nDO\nLOOP\nEND SUB\n${DEFINE}`);
    const outcome = await outcomeOf(body, "", { steps: 1000 });
    expect(outcome.kind === "failed" && outcome.error.message).toBe("the program used up its 1000 steps");
  });

  test("the signal ends it", async () => {
    const body = await bodyOf(`SUB job(p$)\nSLEEP 60000\nEND SUB\n${DEFINE}`);
    const options = { modules: [standard()], host: { ...bareHost, sleep: () => new Promise<void>(() => undefined) } };
    const outcome = await runBody(body, "", { ...options, signal: AbortSignal.timeout(1) });
    expect(outcome.kind).toBe("failed");
  });
});

describe("refused is a body that", () => {
  test.each([
    [
      "reads a global",
      "total = 1\nSUB job(p$)\nRETURN total\nEND SUB",
      "job uses total, a variable of the main program (jobs.basil:3:8)",
    ],
    ["writes a global", "total = 1\nSUB job(p$)\ntotal = total + 1\nEND SUB", "job uses total, "],
    ["writes an element of a global", "DIM a(3)\nSUB job(p$)\na(1) = 2\nEND SUB", "job uses a, "],
    [
      "calls a routine that reads a global",
      "n = 1\nSUB job(p$)\nhelp()\nEND SUB\nSUB help()\nPRINT n\nEND SUB",
      "job may call HELP, which uses n, ",
    ],
    ["reads a CONST that is computed", "CONST now = NOW%()\nSUB job(p$)\nRETURN now\nEND SUB", "job uses now, "],
    ["reads a CONST of a list", "CONST all@ = [1]\nSUB job(p$)\nRETURN all@\nEND SUB", "job uses all@, "],
    ["reads a CONST inside an IF", "IF 1 THEN\nCONST c = 1\nEND IF\nSUB job(p$)\nRETURN c\nEND SUB", "job uses c, "],
    ["reads a CONST that was stored to before", "c = 2\nCONST c = 1\nSUB job(p$)\nRETURN c\nEND SUB", "job uses c, "],
    [
      "names its handlers at run time",
      "n = 1\nSUB job(p$)\nx = JOBS.LATER%(p$)\nEND SUB\nSUB other()\nPRINT n\nEND SUB",
      "job may call OTHER, which uses n, ",
    ],
    [
      "names a handler that reads a global",
      'n = 1\nSUB job(p$)\nx = JOBS.LATER%("other")\nEND SUB\nSUB other()\nPRINT n\nEND SUB',
      "job may call OTHER, which uses n, ",
    ],
  ])("%s", async (_, source, message) => {
    const said = await refusalOf(`${source}\n${DEFINE}`);
    expect(said).toContain(message);
    expect(said).toContain("pass it in the payload, or make it a CONST with a literal value");
  });

  test.each([
    ["EVAL", "SUB job(p$)\nRETURN EVAL(p$)\nEND SUB"],
    ["EXEC", "SUB job(p$)\nEXEC(p$)\nEND SUB"],
    ["CLASS", "SUB job(p$)\nDIM c AS CLASS(p$)\nEND SUB"],
  ])("compiles text: %s", async (word, source) => {
    expect(await refusalOf(`${source}\n${DEFINE}`)).toMatch(
      new RegExp(`^job uses ${word} \\(jobs.basil:2:\\d+\\), and another process`),
    );
  });

  test("is made by EXEC", async () => {
    const source = `EXEC("SUB made(p$)" + CHR$(10) + "END SUB")\nd% = JOBS.DEFINE%("made")`;
    expect(await refusalOf(source)).toContain("made was made by EXEC");
  });

  test("not one whose other routines do", async () => {
    expect(await refusalOf(`n = 1\nSUB job(p$)\nEND SUB\nSUB other()\nPRINT n\nEND SUB\n${DEFINE}`)).toBe("ended");
  });
});
