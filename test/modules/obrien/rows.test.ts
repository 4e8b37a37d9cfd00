/** OBRIEN.* as programs see it: jobs through a store of their own, in processes of their own. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gearman } from "../../../modules/gearman/index.ts";
import { json } from "../../../modules/json/index.ts";
import { type ObrienOptions, obrien } from "../../../modules/obrien/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import { decodeBytes } from "../../../runtime/bytes.ts";
import { createInterpreter, type Interpreter, type Outcome } from "../../../runtime/interpreter.ts";
import { Manager, OBRIEN_ERRORS } from "../../../src/core/obrien/index.ts";
import { subWorker } from "../../../src/tools/obrien-worker/command.ts";
import { asMortal } from "../../helpers/as-mortal.ts";
import { bareHost } from "../../helpers/call-row.ts";

let directory: string;
let output = "";
let errors = "";
let holds: boolean[] = [];
let interpreter: Interpreter;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "obrien-rows-"));
  output = "";
  errors = "";
  holds = [];
  interpreter = newInterpreter({});
});
afterEach(async () => {
  await interpreter.close();
  rmSync(directory, { recursive: true, force: true });
});

function newInterpreter(options: Partial<ObrienOptions>): Interpreter {
  return createInterpreter({
    modules: [standard(), json(), gearman(), obrien({ directory, worker: () => subWorker({ GEARMAN: {} }), ...options })],
    host: {
      ...bareHost,
      write: (bytes) => {
        output += decodeBytes(bytes);
      },
      writeError: (text) => {
        errors += text;
      },
    },
    onGracefulStop: (isNeeded) => holds.push(isNeeded),
  });
}

const run = (...lines: string[]): Promise<Outcome> => interpreter.run(lines.join("\n"), { file: "jobs.basil" });

/** What a program prints that ends well. */
async function printed(...lines: string[]): Promise<string[]> {
  const outcome = await run(...lines);
  if (outcome.kind === "failed") throw outcome.error;
  expect(outcome.kind).toBe("ended");
  return output.trimEnd().split("\n");
}

/** The error that ends a program. */
async function raisedBy(...lines: string[]): Promise<string> {
  const outcome = await run(...lines);
  return outcome.kind === "failed"
    ? `${(outcome.error as { errorName?: string }).errorName}: ${outcome.error.message}`
    : outcome.kind;
}

const MEMORY = 'o% = OBRIEN.OPEN%(":memory:")';
const TRUE = 'o% = OBRIEN.DEFINE_COMMAND%("true", "/bin/true")';
const SHELL = (name: string, line: string) => `o% = OBRIEN.DEFINE_COMMAND%("${name}", "${line}", {"shell": TRUE})`;

describe("a store", () => {
  test("is .basil-obrien.db beside the script unless OPEN% names another", async () => {
    await printed('id$ = OBRIEN.ENQUEUE$("later", "x")', "PRINT OBRIEN.STATUS$(id$)");
    const manager = await Manager.open({ path: join(directory, ".basil-obrien.db") });
    expect(manager.find().map(({ payload }) => String(payload))).toEqual(["x"]);
    await manager.close();
  });

  test("is one for a program", async () => {
    expect(await raisedBy('o% = OBRIEN.OPEN%("a.db")', 'o% = OBRIEN.OPEN%("a.db")', 'o% = OBRIEN.OPEN%("b.db")')).toMatch(
      /^OBRIEN_ERROR: OPEN%: .*a\.db is open already/,
    );
  });

  test("that may be read only is good for FIND, and ENQUEUE$ says why it fails", async () => {
    const file = join(directory, ".basil-obrien.db");
    const owner = await Manager.open({ path: file });
    owner.enqueue({ class: "later", payload: "x" });
    chmodSync(file, 0o444);
    chmodSync(directory, 0o555);
    const found = ["FOR EACH job IN OBRIEN.FIND({})", "  PRINT job.payload", "NEXT"];
    const raised = await asMortal(() => raisedBy(...found, 'id$ = OBRIEN.ENQUEUE$("later", "")'));
    chmodSync(directory, 0o755);
    chmodSync(file, 0o644);
    expect(raised).toMatch(/^OBRIEN_ERROR: .*\.basil-obrien\.db: .*make the file and its directory writable/);
    expect(output).toBe("x\n");
    await owner.close();
  });

  test("that cannot be opened is an error that names it, and can be tried again", async () => {
    const lines = await printed(
      "TRY",
      'o% = OBRIEN.OPEN%("no/such/directory/a.db")',
      "CATCH e$",
      'PRINT ERRNAME$(); " "; ERR%() = 2100 + OBRIEN_CANNOT_OPEN%; " "; OBRIEN.ERRCODE% = OBRIEN_CANNOT_OPEN%',
      "END TRY",
      'PRINT OBRIEN.OPEN%(":memory:"); OBRIEN.ERRCODE%',
    );
    expect(lines).toEqual(["OBRIEN_ERROR true true", "10"]);
  });
});

describe("jobs", () => {
  test("run when RUN% says so, and it gives the number of those that failed", async () => {
    const lines = await printed(
      MEMORY,
      TRUE,
      SHELL("false", "echo oops; exit 2"),
      'a$ = OBRIEN.ENQUEUE$("true", "")',
      'b$ = OBRIEN.ENQUEUE$("false", "")',
      "PRINT OBRIEN.STATUS$(a$); OBRIEN.RESULT$(a$)",
      "PRINT OBRIEN.RUN%(2)",
      'PRINT OBRIEN.STATUS$(a$); " "; OBRIEN.STATUS$(b$)',
      'PRINT JSON.GET$(OBRIEN.RESULT$(b$), "errors[1].class"); " "; JSON.GET$(OBRIEN.RESULT$(b$), "io.stdout")',
    );
    expect(lines).toEqual(["pending", "1", "done failed", "bryton/runtime/crashed oops"]);
  });

  test("of a SUB have its verdict, and what they ask for is run as well", async () => {
    const lines = await printed(
      "CONST depth% = 2",
      "SUB crawl(page$)",
      '  PRINT "at "; page$',
      '  IF LEN(page$) > depth% THEN RETURN {"leaf": page$}',
      '  RETURN {"enqueue": [page$ + "a", page$ + "b"]}',
      "END SUB",
      MEMORY,
      'o% = OBRIEN.DEFINE%("crawl", "crawl")',
      'id$ = OBRIEN.ENQUEUE$("crawl", "x")',
      "PRINT OBRIEN.RUN%(1)",
      'jobs@ = OBRIEN.FIND({"class": "crawl", "state": "done"})',
      'PRINT LEN(jobs@); " "; jobs@[7].payload; " "; jobs@[6].parent = id$',
      'PRINT JSON.GET$(OBRIEN.RESULT$(jobs@[1].id), "leaf"); " "; JSON.GET$(OBRIEN.RESULT$(jobs@[1].id), "io.stdout")',
    );
    expect(lines).toEqual(["0", "7 x true", "xbb at xbb"]);
  });

  test("of several SUBs at once leave nothing behind for each other, warm processes or not", async () => {
    const lines = await printed(
      "DATA 1, 2, 3",
      "SUB count(p$)",
      "  READ first",
      "  SLEEP 1",
      '  RETURN {"first": first, "random": RND() < 2}',
      "END SUB",
      MEMORY,
      'o% = OBRIEN.DEFINE%("count", "count", {"spares": 2})',
      "FOR i = 1 TO 6",
      '  id$ = OBRIEN.ENQUEUE$("count", "")',
      "NEXT",
      "PRINT OBRIEN.RUN%(3)",
      "FOR EACH job@ IN OBRIEN.FIND({})",
      '  PRINT JSON.GET(OBRIEN.RESULT$(job@.id), "first");',
      "NEXT",
    );
    expect(lines).toEqual(["0", "111111"]);
  });

  test("of a class with GEARMAN may use it; others are refused at DEFINE%", async () => {
    const body = ["SUB send(p$)", '  RETURN {"f": GEARMAN.ERRCODE%}', "END SUB", MEMORY];
    expect(await raisedBy(...body, 'o% = OBRIEN.DEFINE%("send", "send")')).toBe(
      'OBRIEN_ERROR: DEFINE%: SEND uses GEARMAN (jobs.basil:2:16), which its jobs do not have: name it with {"modules": ["GEARMAN"]}',
    );
    const lines = await printed(
      ...body,
      'o% = OBRIEN.DEFINE%("send", "send", {"modules": ["gearman"]})',
      'id$ = OBRIEN.ENQUEUE$("send", "")',
      "PRINT OBRIEN.RUN%()",
      'PRINT JSON.GET(OBRIEN.RESULT$(id$), "f")',
    );
    expect(lines).toEqual(["0", "0"]);
  });

  test("may be delayed, ordered, and told how long they may take", async () => {
    const lines = await printed(
      MEMORY,
      SHELL("slow", "sleep 60"),
      TRUE,
      'a$ = OBRIEN.ENQUEUE$("slow", "", {"timeout_ms": 50, "priority": 5})',
      'b$ = OBRIEN.ENQUEUE$("true", "", {"delay_ms": 100, "mode": "positive"})',
      'c$ = OBRIEN.ENQUEUE$("true", "", {"run_at": "2020-01-01T00:00:00Z"})',
      "PRINT OBRIEN.RUN%()",
      'PRINT JSON.GET$(OBRIEN.RESULT$(a$), "errors[1].class")',
      'PRINT JSON.GET$(OBRIEN.RESULT$(b$), "errors[1].class")',
      "PRINT OBRIEN.STATUS$(c$)",
    );
    expect(lines).toEqual(["2", "bryton/runtime/timedout", "bryton/runtime/missing", "done"]);
  });

  test("work in the background from START% to STOP%, and WAIT$ waits for them", async () => {
    const lines = await printed(
      MEMORY,
      SHELL("ok", 'printf \'{\\"success\\": true, \\"n\\": 1}\''),
      "PRINT OBRIEN.ALIVE%(); OBRIEN.START%(2); OBRIEN.ALIVE%(); OBRIEN.START%(3)",
      'id$ = OBRIEN.ENQUEUE$("ok", "")',
      'PRINT JSON.GET(OBRIEN.WAIT$(id$, 20000), "n")',
      "PRINT OBRIEN.STOP%(); OBRIEN.ALIVE%(); OBRIEN.STOP%(0)",
    );
    expect(lines).toEqual(["0111", "1", "101"]);
    expect(holds).toEqual([true, false]);
  });

  test("that run when the program ends are finished first", async () => {
    await printed(
      'o% = OBRIEN.OPEN%("jobs.db")',
      SHELL("slow", "sleep 0.3"),
      'id$ = OBRIEN.ENQUEUE$("slow", "")',
      "o% = OBRIEN.START%()",
      'DO UNTIL OBRIEN.STATUS$(id$) = "claimed"',
      "  SLEEP 5",
      "LOOP",
      "PRINT 1",
    );
    const manager = await Manager.open({ path: join(directory, "jobs.db") });
    expect(manager.find().map(({ state }) => state)).toEqual(["done"]);
    await manager.close();
  });

  test("can be cancelled, counted and pruned", async () => {
    const lines = await printed(
      MEMORY,
      'a$ = OBRIEN.ENQUEUE$("none", "")',
      'b$ = OBRIEN.ENQUEUE$("other", "")',
      "PRINT OBRIEN.CANCEL%(a$); OBRIEN.CANCEL%(a$)",
      'PRINT OBRIEN.FIND({"error_class": "obrien/cancelled"})[1].class',
      "counts@ = OBRIEN.COUNTS()",
      "PRINT counts@.pending; counts@.failed; counts@.classes.none.failed",
      'PRINT OBRIEN.PRUNE%(1); OBRIEN.PRUNE%(0, "done"); OBRIEN.PRUNE%(0)',
    );
    expect(lines).toEqual(["10", "none", "111", "001"]);
  });
});

describe("a failed call", () => {
  test("that may go well another time sets ERR$ and ERRCODE% of its task", async () => {
    const lines = await printed(
      MEMORY,
      'id$ = OBRIEN.ENQUEUE$("none", "")',
      'PRINT "<"; OBRIEN.WAIT$(id$, 10); ">"; OBRIEN.ERRCODE% = OBRIEN_TIMEOUT%; " "; OBRIEN.ERR$',
      'PRINT "<"; OBRIEN.RESULT$("no such id"); ">"; OBRIEN.ERRCODE% = OBRIEN_NOT_FOUND%',
      "PRINT OBRIEN.STATUS$(id$); OBRIEN.ERRCODE% = OBRIEN_OK%; OBRIEN.ERR$",
    );
    expect(lines[0]).toMatch(/^<>true job [0-9a-f-]{36} has not ended within 10 ms$/);
    expect(lines.slice(1)).toEqual(["<>true", "pendingtrue"]);
  });

  test("each kind has its constant", () => {
    const names = obrien({ directory })
      .rows.filter(({ kind }) => kind === "constant")
      .map(({ name }) => name);
    expect(names).toEqual(["OBRIEN_OK%", ...Object.keys(OBRIEN_ERRORS).map((kind) => `OBRIEN_${kind}%`)]);
  });

  test.each([
    [
      'OBRIEN.ENQUEUE$("c", "", {"prio": 1})',
      'ENQUEUE$: there is no option "prio": use priority, run_at, delay_ms, mode, timeout_ms',
    ],
    ['OBRIEN.ENQUEUE$("c", "", {"priority": "high"})', 'ENQUEUE$: priority is "high": use a whole number'],
    ['OBRIEN.ENQUEUE$("c", "", {"priority": 5000})', "priority is 5000: use a whole number from -1000 to 1000"],
    ['OBRIEN.ENQUEUE$("c", "", {"delay_ms": 1, "run_at": 5})', "give run_at or delay_ms, not both"],
    ['OBRIEN.ENQUEUE$("", "")', "the class of a job is empty"],
    ['OBRIEN.FIND({"state": "lost"})', 'there is no state "lost": use one of pending, claimed, done, failed'],
    ["OBRIEN.PRUNE%(-1)", "PRUNE%: -1 days are no age"],
    ["OBRIEN.RUN%(0)", "concurrency is 0"],
    ['OBRIEN.DEFINE_COMMAND%("c", "wc -l")', '"wc -l" is taken for the name of one program'],
    ['OBRIEN.DEFINE_COMMAND%("c", "wc", {"modules": []})', 'DEFINE_COMMAND%: there is no option "modules"'],
    ['OBRIEN.DEFINE_COMMAND%("c", "wc", {"timeout_ms": 0})', "class c: timeout_ms is 0"],
    ['OBRIEN.DEFINE_COMMAND%("c", "wc", {"concurrency": 0})', "class c: concurrency is 0: use a whole number from 1"],
    ['OBRIEN.DEFINE_COMMAND%("c", "wc", {"max_output_bytes": 0})', "class c: max_output_bytes is 0"],
    ['OBRIEN.DEFINE_COMMAND%("c", "wc", {"timeout_ms": "5"})', 'timeout_ms is "5": use a whole number'],
    ['OBRIEN.ENQUEUE$("c", "", {"timeout_ms": -5})', "timeout_ms is -5"],
    ['OBRIEN.WAIT$(OBRIEN.ENQUEUE$("c", ""), -1)', "timeout_ms is -1"],
    ["OBRIEN.STOP%(-1)", "drain_ms is -1"],
    ['OBRIEN.DEFINE%("c", "nobody")', "DEFINE%: there is no SUB 'nobody'"],
    ['OBRIEN.DEFINE%("c", "job", {"modules": ["OBRIEN"]})', "a job has no OBRIEN: it asks for other jobs with its verdict"],
    ['OBRIEN.DEFINE%("c", "job", {"modules": ["TASKER"]})', 'a job cannot have the module "TASKER": use GEARMAN'],
    ['OBRIEN.DEFINE%("c", "job", {"allow": ["all"]})', 'allow is "all": use files, environment, shell'],
    ['OBRIEN.DEFINE%("c", "uses")', "DEFINE%: uses uses total, a variable of the main program (jobs.basil:6:8)"],
    [
      'OBRIEN.DEFINE%("c", "asks")',
      "DEFINE%: ASKS uses OBRIEN (jobs.basil:9:8), which its jobs do not have: a job has no OBRIEN",
    ],
  ])("that can never go well is raised: %s", async (call, message) => {
    const program = ["total = 1", MEMORY, "SUB job(p$)", "END SUB", "SUB uses(p$)", "RETURN total", "END SUB", "SUB asks(p$)"];
    expect(await raisedBy(...program, 'RETURN OBRIEN.ENQUEUE$("c", p$)', "END SUB", `x = ${call}`)).toContain(message);
  });

  test("DEFINE% says so where there is nothing to run SUBs in", async () => {
    await interpreter.close();
    interpreter = newInterpreter({ worker: undefined });
    expect(await raisedBy("SUB job()", "END SUB", 'o% = OBRIEN.DEFINE%("c", "job")')).toContain("use DEFINE_COMMAND%");
  });
});

test("pending jobs of classes that nobody defined are left, and told of", async () => {
  expect(await printed(MEMORY, 'id$ = OBRIEN.ENQUEUE$("unknown", "")', "PRINT OBRIEN.RUN%(); OBRIEN.STATUS$(id$)")).toEqual([
    "0pending",
  ]);
  expect(errors).toContain("unknown (1)");
});

test("a stop of the program lets jobs finish", async () => {
  const running = run(
    'o% = OBRIEN.OPEN%("jobs.db")',
    SHELL("slow", "sleep 0.3"),
    'a$ = OBRIEN.ENQUEUE$("slow", "")',
    'b$ = OBRIEN.ENQUEUE$("slow", "")',
    "PRINT OBRIEN.RUN%(1)",
  );
  await expect.poll(() => holds, { timeout: 10_000 }).toEqual([true]);
  await interpreter.stop();
  expect((await running).kind).toMatch(/stopped|ended/);
  const manager = await Manager.open({ path: join(directory, "jobs.db") });
  expect(manager.counts().total).toMatchObject({ claimed: 0, failed: 0 });
  await manager.close();
});
