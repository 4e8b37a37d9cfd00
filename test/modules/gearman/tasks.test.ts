/** TASKS_…: many jobs at once, from BASIC. */
import { expect, test } from "vitest";
import { outputOf, program, withServer } from "./program.ts";

const WORKER = `
SUB double(text$)
  IF text$ = "bad" THEN RAISE "no number"
  RETURN STR$(2 * VAL(text$))
END SUB
ok% = GEARMAN.WORKER_ADD%("double", "double")
ok% = GEARMAN.WORKER_START%("w", 4)
`;

const run = (source: string, maxBytes?: number) =>
  withServer((server) => outputOf(WORKER + source, { servers: server, timeoutMs: 10_000 }, maxBytes ? { bytes: maxBytes } : {}));

test("a set runs all its jobs, and each result is read by the number of its job", async () => {
  const output = await run(`
FOR i = 1 TO 50
  n% = GEARMAN.TASKS_ADD%("double", STR$(i))
NEXT
PRINT n%; GEARMAN.TASKS_COUNT%()
PRINT GEARMAN.TASKS_RUN%()
PRINT GEARMAN.TASKS_RESULT$(1); " "; GEARMAN.TASKS_RESULT$(50); " "; GEARMAN.ERRCODE%
`);
  expect(output).toBe("5050\n50\n2 100 0\n");
});

test("a failed job is told by its number, and the others are not touched", async () => {
  const output = await run(`
ok% = GEARMAN.TASKS_ADD%("double", "1")
ok% = GEARMAN.TASKS_ADD%("double", "bad")
ok% = GEARMAN.TASKS_ADD%("double", "3")
PRINT GEARMAN.TASKS_RUN%()
PRINT GEARMAN.ERR$
PRINT GEARMAN.ERRCODE% = GEARMAN_WORKER_FAILED%
PRINT GEARMAN.TASKS_RESULT$(3); ","; GEARMAN.TASKS_RESULT$(2); ","; GEARMAN.TASKS_ERRCODE%(2); GEARMAN.TASKS_ERRCODE%(3)
PRINT GEARMAN.TASKS_ERR$(2)
`);
  expect(output).toMatch(
    /^2\n1 of 3 tasks failed; task 2: double failed: no number \(test\.basil:\d+\) \(job H:\S+\)\ntrue\n6,,50\ndouble failed: no number/,
  );
});

test("a SUB is called as each job ends, with as much as it takes", async () => {
  const output = await run(`
SUB ended(number%, result$, error$)
  PRINT number%; "="; result$; "/"; LEFT$(error$, 13)
END SUB
SUB counted(number%)
  PRINT "#"; number%
END SUB
ok% = GEARMAN.TASKS_ADD%("double", "4")
ok% = GEARMAN.TASKS_RUN%("ended", 1)
ok% = GEARMAN.TASKS_ADD%("double", "bad")
ok% = GEARMAN.TASKS_RUN%("ended")
ok% = GEARMAN.TASKS_ADD%("double", "5")
ok% = GEARMAN.TASKS_RUN%("counted")
`);
  expect(output).toBe("1=8/\n1=/double failed\n#1\n");
});

test("background jobs of a set have handles", async () => {
  const output = await run(`
ok% = GEARMAN.TASKS_ADD_BG%("nobody", "x", "key")
PRINT GEARMAN.TASKS_RUN%()
PRINT GEARMAN.STATUS$(GEARMAN.TASKS_HANDLE$(1))
PRINT GEARMAN.STATUS_UNIQUE$("key")
`);
  expect(output).toBe(
    '1\n{"known":true,"running":false,"numerator":0,"denominator":0}\n' +
      '{"known":true,"running":false,"numerator":0,"denominator":0,"clients":0}\n',
  );
});

test("a job added after a run begins a new set, and TASKS_CLEAR% forgets one", async () => {
  const output = await run(`
ok% = GEARMAN.TASKS_ADD%("double", "1")
ok% = GEARMAN.TASKS_RUN%()
PRINT GEARMAN.TASKS_RUN%(); GEARMAN.TASKS_RESULT$(1)
PRINT GEARMAN.TASKS_ADD%("double", "9"); GEARMAN.TASKS_CLEAR%(); GEARMAN.TASKS_COUNT%()
PRINT GEARMAN.TASKS_RUN%()
`);
  expect(output).toBe("02\n110\n0\n");
});

test.each([
  [
    "a number that no task has",
    "ok% = GEARMAN.TASKS_RESULT$(1)",
    "TASKS_RESULT$: there is no task 1; there are no tasks: add some with TASKS_ADD%",
  ],
  [
    "a result that is read before the run",
    'ok% = GEARMAN.TASKS_ADD%("double", "1") : PRINT GEARMAN.TASKS_RESULT$(1)',
    "TASKS_RESULT$: run the tasks with TASKS_RUN% first",
  ],
  ["a limit of 0 in flight", 'ok% = GEARMAN.TASKS_ADD%("double", "1") : PRINT GEARMAN.TASKS_RUN%("", 0)', "TASKS_RUN%"],
])("%s is refused", async (_, source, message) => {
  expect(await run(`TRY\n${source}\nCATCH e$\nPRINT e$\nEND TRY`)).toContain(message);
});

test("an error in the SUB of a run calls off the other jobs and is raised there", async () => {
  const output = await run(`
SUB stopper(number%)
  RAISE "enough"
END SUB
FOR i = 1 TO 20
  ok% = GEARMAN.TASKS_ADD%("double", STR$(i))
NEXT
TRY
  PRINT GEARMAN.TASKS_RUN%("stopper", 2)
CATCH e$
  PRINT e$
END TRY
PRINT GEARMAN.TASKS_COUNT%()
`);
  expect(output).toContain("enough");
  expect(output).toMatch(/\n20\n$/);
});

test("each task of the program has a set of its own", async () => {
  await withServer(async (server) => {
    const { interpreter, run: start, output } = program({ servers: server });
    try {
      await start(`
SUB gather(payload$)
  ok% = GEARMAN.TASKS_ADD%("double", payload$)
  RETURN STR$(GEARMAN.TASKS_COUNT%())
END SUB
ok% = GEARMAN.TASKS_ADD%("double", "1")
ok% = GEARMAN.TASKS_ADD%("double", "2")
ok% = GEARMAN.WORKER_ADD%("gather", "gather")
ok% = GEARMAN.WORKER_START%("w", 1)
PRINT GEARMAN.SUBMIT$("gather", "5"); GEARMAN.TASKS_COUNT%()
`);
      expect(output()).toBe("12\n");
    } finally {
      await interpreter.close();
    }
  });
});
