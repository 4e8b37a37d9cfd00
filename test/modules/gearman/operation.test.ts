/** What programs see of servers and of themselves: lists, commands, events, figures; and jobs with a time or a reducer. */
import { expect, test } from "vitest";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { eventually, outputOf, program, withServer } from "./program.ts";

const on = (source: string, more = "") =>
  withServer((server) => outputOf(source, { servers: server + more, timeoutMs: 10_000, retries: 0 }));

/** A port of this machine that nobody listens on: one that was just given back. */
async function deadServer(): Promise<string> {
  const server = new GearmanServer();
  const { port } = await server.listen();
  await server.close();
  return `127.0.0.1:${port}`;
}

test("ADMIN_STATUS and ADMIN_PRIORITIES count jobs and workers", async () => {
  const output = await on(`
SUB work(p$)
END SUB
ok% = GEARMAN.SUBMIT_BG%("idle", "x")
ok% = GEARMAN.SUBMIT_HIGH_BG%("idle", "x")
FOR EACH row@ IN GEARMAN.ADMIN_STATUS()
  PRINT row@.function; row@.total; row@.running; row@.workers
NEXT
row@ = GEARMAN.ADMIN_PRIORITIES()[1]
PRINT row@.high; row@.normal; row@.low
PRINT LEFT$(row@.server, 10)
`);
  expect(output).toBe("idle200\n110\n127.0.0.1:\n");
});

test("WORKERS lists connections with what they can do, JOBS lists jobs", async () => {
  const output = await on(`
SUB work(p$)
END SUB
ok% = GEARMAN.WORKER_ADD%("first", "work")
ok% = GEARMAN.WORKER_ADD%("second", "work")
ok% = GEARMAN.WORKER_START%("me")
FOR EACH row@ IN GEARMAN.WORKERS()
  IF row@.id = "me" THEN PRINT LEN(row@.functions); row@.address
NEXT
ok% = GEARMAN.SUBMIT_BG%("nobody", "x")
job@ = GEARMAN.JOBS()[1]
PRINT job@.handle = GEARMAN.LAST_HANDLE$; job@.retries; job@.ignored; job@.background
`);
  expect(output).toBe("2127.0.0.1\ntrue0falsetrue\n");
});

test("ADMIN_CREATE%, ADMIN_MAXQUEUE% and ADMIN_DROP% change what a server knows", async () => {
  const output = await on(`
PRINT GEARMAN.ADMIN_CREATE%("small"); GEARMAN.ADMIN_MAXQUEUE%("small", 1)
PRINT GEARMAN.SUBMIT_BG%("small", "a", "1"); GEARMAN.SUBMIT_BG%("small", "b", "2")
PRINT GEARMAN.ERR$
PRINT GEARMAN.ADMIN_DROP%("small"); GEARMAN.ERRCODE%
PRINT GEARMAN.ADMIN_DROP%("unknown"); GEARMAN.ERRCODE% = GEARMAN_NOT_FOUND%
`);
  expect(output).toMatch(/^11\n10\n.*Job queue is full.*\n0\d+\n0true\n$/);
});

test("PING% and ADMIN_VERSION$ tell servers that answer from those that do not", async () => {
  const dead = await deadServer();
  const output = await on(
    `
PRINT GEARMAN.PING%()
PRINT INSTR(GEARMAN.ERR$, "${dead}") > 0
PRINT GEARMAN.PING%("${dead}"); GEARMAN.PING%(LEFT$(GEARMAN.SERVERS$(), INSTR(GEARMAN.SERVERS$() + ",", ",") - 1))
PRINT GEARMAN.ADMIN_VERSION$()
PRINT GEARMAN.ERRCODE% = GEARMAN_IO%
PRINT LEN(GEARMAN.ADMIN_STATUS())
`,
    `,${dead}`,
  );
  expect(output).toBe("0\ntrue\n01\n1.1.20+basil\ntrue\n0\n");
});

test("only the program's own servers can be asked", async () => {
  const output = await on('TRY\nPRINT GEARMAN.PING%("10.1.2.3")\nCATCH e$\nPRINT e$\nEND TRY');
  expect(output).toMatch(/^10\.1\.2\.3:4730 is not one of this program's servers: 127\.0\.0\.1:\d+\n$/);
});

test("SUBMIT_AT% runs a job that is due at once, and keeps one that is not", async () => {
  const output = await on(`
SUB work(p$)
  PRINT "ran "; p$
END SUB
ok% = GEARMAN.WORKER_ADD%("timed", "work")
PRINT GEARMAN.SUBMIT_AT%("timed", "late", NOW% + 3600000, "late")
PRINT GEARMAN.SUBMIT_AT%("timed", "due", 1)
handle$ = GEARMAN.LAST_HANDLE$
ok% = GEARMAN.WORKER_START%("w")
DO
  SLEEP 2
LOOP WHILE JSON.GET(GEARMAN.STATUS$(handle$), "known")
PRINT JSON.GET(GEARMAN.STATUS_UNIQUE$("late"), "known")
TRY
  ok% = GEARMAN.SUBMIT_AT%("timed", "x", 1E300)
CATCH e$
  PRINT "refused"
END TRY
`);
  expect(output).toBe("1\n1\nran due\ntrue\nrefused\n");
});

test("SUBMIT_REDUCE$ and SUBMIT_REDUCE_BG% are jobs like others to a worker that knows no reducers", async () => {
  const output = await on(`
SUB part(p$)
  RETURN "part of " + p$
END SUB
ok% = GEARMAN.WORKER_ADD%("part", "part")
ok% = GEARMAN.WORKER_START%("w")
PRINT GEARMAN.SUBMIT_REDUCE$("part", "join", "whole")
PRINT GEARMAN.SUBMIT_REDUCE_BG%("part", "join", "whole")
`);
  expect(output).toBe("part of whole\n1\n");
});

test("a handler that takes longer than its time is ended, and its job fails", async () => {
  await withServer(async (server) => {
    const { interpreter, run, output, errors } = program({ servers: server });
    try {
      await run(`
SUB slow(p$)
  SLEEP 60000
  PRINT "never"
END SUB
ok% = GEARMAN.WORKER_ADD%("slow", "slow", 30)
ok% = GEARMAN.WORKER_START%("w")
r$ = GEARMAN.SUBMIT$("slow", "")
PRINT GEARMAN.ERRCODE% = GEARMAN_WORKER_FAILED%; INSTR(GEARMAN.ERR$, "slow took longer than 30 ms") > 0
`);
      expect(output()).toBe("truetrue\n");
      expect(errors()).toContain("slow took longer than 30 ms");
    } finally {
      await interpreter.close();
    }
  });
});

test("a handler may be tried again before its job fails", async () => {
  const output = await on(`
tries% = 0
SUB flaky(p$)
  tries% = tries% + 1
  IF tries% < 3 THEN RAISE "not yet"
  RETURN "at try " + STR$(tries%)
END SUB
ok% = GEARMAN.WORKER_ADD%("flaky", "flaky", 60000, 3)
ok% = GEARMAN.WORKER_START%("w")
PRINT GEARMAN.SUBMIT$("flaky", "")
TRY
  ok% = GEARMAN.WORKER_ADD%("flaky", "flaky", 60000, 0)
CATCH e$
  PRINT e$
END TRY
`);
  expect(output).toBe("at try 3\nattempts 0 must be a whole number of at least 1\n");
});

test("a handler with timeout_ms 0 has no time limit, and may be tried again all the same; a negative one is refused", async () => {
  const output = await on(`
tries% = 0
SUB flaky(p$)
  tries% = tries% + 1
  IF tries% < 2 THEN RAISE "not yet"
  RETURN "at try " + STR$(tries%)
END SUB
ok% = GEARMAN.WORKER_ADD%("flaky", "flaky", 0, 2)
ok% = GEARMAN.WORKER_START%("w")
PRINT GEARMAN.SUBMIT$("flaky", "")
TRY
  ok% = GEARMAN.WORKER_ADD%("flaky", "flaky", -1)
CATCH e$
  PRINT e$
END TRY
`);
  expect(output).toBe("at try 2\nWORKER_ADD%: timeout_ms -1 is no time, give 0 for no limit, or more\n");
});

test("NAMESPACE$ is what stands before names at the servers", async () => {
  await withServer(async (server) => {
    const output = await outputOf(
      `
ok% = GEARMAN.SUBMIT_BG%("f", "")
PRINT GEARMAN.NAMESPACE$(); " "; GEARMAN.ADMIN_STATUS()[1].function
`,
      { servers: server, namespace: "test." },
    );
    expect(output).toBe("test. test.f\n");
  });
});

test("ON_EVENT% calls a SUB for what happens, in order", async () => {
  const first = new GearmanServer();
  const { port } = await first.listen();
  const { interpreter, run, output, printed } = program({ servers: `127.0.0.1:${port}`, retries: 0 });
  const running = run(`
SUB noted(event@)
  PRINT event@.side; " "; event@.event
END SUB
SUB fails(p$)
  RAISE "broken"
END SUB
ok% = GEARMAN.ON_EVENT%("*", "noted")
ok% = GEARMAN.WORKER_ADD%("f", "fails")
ok% = GEARMAN.WORKER_START%("w")
r$ = GEARMAN.SUBMIT$("f", "")
DO
  SLEEP 5
LOOP
`);
  let second: GearmanServer | null = null;
  try {
    await printed("client job_failed");
    expect(output()).toMatch(/^worker connected\n[\s\S]*worker job_failed\n/);
    expect(output()).toContain("client connected\n");
    await first.close();
    await printed("worker lost");
    second = new GearmanServer({ port });
    await second.listen();
    await printed("worker reconnected");
  } finally {
    await interpreter.stop();
    await interpreter.close();
    await running;
    await first.close();
    await second?.close();
  }
});

test("an event that nobody knows is refused, and a SUB can be taken back", async () => {
  const output = await on(`
SUB noted(event@)
  PRINT "not wanted"
END SUB
TRY
  ok% = GEARMAN.ON_EVENT%("conected", "noted")
CATCH e$
  PRINT e$
END TRY
PRINT GEARMAN.ON_EVENT%("connected", "noted"); GEARMAN.ON_EVENT%("connected")
PRINT GEARMAN.ECHO$("x")
`);
  expect(output).toBe(
    'ON_EVENT%: there is no event "conected"; there are connected, lost, reconnected, unreachable, refused, job_failed, stopped and *\n11\nx\n',
  );
});

test("an error in the SUB of an event is reported and ends nothing", async () => {
  await withServer(async (server) => {
    const { interpreter, run, output, errors } = program({ servers: server });
    try {
      await run(`
SUB noted(event@)
  RAISE "clumsy"
END SUB
ok% = GEARMAN.ON_EVENT%("connected", "noted")
PRINT GEARMAN.ECHO$("x")
SLEEP 1
`);
      expect(output()).toBe("x\n");
      await eventually(() => errors().includes("clumsy"), "the error is reported");
    } finally {
      await interpreter.close();
    }
  });
});

test("METRICS counts what client and worker did, and METRICS_TEXT$ says it as Prometheus wants it", async () => {
  const output = await on(`
SUB work(p$)
  RETURN "ok"
END SUB
PRINT GEARMAN.METRICS()
ok% = GEARMAN.WORKER_ADD%("f", "work")
ok% = GEARMAN.WORKER_START%("w")
FOR i = 1 TO 3
  r$ = GEARMAN.SUBMIT$("f", "")
NEXT
figures@ = GEARMAN.METRICS()
PRINT figures@.client.submitted; figures@.client.completed; figures@.client.in_flight; figures@.worker.completed
PRINT LEN(KEYS(figures@.client.servers))
text$ = GEARMAN.METRICS_TEXT$()
PRINT INSTR(text$, "gearman_client_jobs_submitted_total 3") > 0; INSTR(text$, "gearman_worker_") > 0
`);
  expect(output).toBe('{"client": {}, "worker": {}}\n3303\n1\ntruetrue\n');
});
