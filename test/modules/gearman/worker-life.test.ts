/** The life of a program's worker: reconnecting, stopping, being stopped, and what becomes of the jobs it holds. */
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../runtime/interpreter.ts";
import { GearmanClient, GearmanWorker } from "../../../src/core/gearman/index.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { eventually, outputOf, type Program, program, withServer } from "./program.ts";

const UPPER = `SUB upper(text$)
  RETURN UCASE$(text$)
END SUB
ok% = GEARMAN.WORKER_ADD%("upper", "upper")
ok% = GEARMAN.WORKER_START%("w", 2)
PRINT "started"
DO : SLEEP 1000 : LOOP`;

/** A worker whose job tells that it runs, and takes this long. */
const slow = (milliseconds: number, ending: string) => `SUB slow(text$)
  PRINT "runs"
  SLEEP ${milliseconds}
  PRINT "done"
  RETURN "late " + text$
END SUB
ok% = GEARMAN.WORKER_ADD%("slow", "slow")
ok% = GEARMAN.WORKER_START%("w", 2)
PRINT "started"
${ending}`;
const FOR_EVER = "DO : SLEEP 1000 : LOOP";

/** Runs a program beside a client, and closes both. */
async function beside<T>(
  servers: string,
  options: Parameters<typeof program>[0],
  use: (script: Program, client: GearmanClient) => Promise<T>,
): Promise<T> {
  const script = program({ servers, ...options });
  const client = new GearmanClient({ servers: [servers], timeoutMs: 15_000, exceptions: options.exceptions });
  try {
    return await use(script, client);
  } finally {
    await client.close();
    await script.interpreter.close();
  }
}

describe("a server that goes and comes back", () => {
  test("finds the worker again, with its functions; the outage is reported once", async () => {
    const first = new GearmanServer();
    const { port } = await first.listen();
    const servers = `127.0.0.1:${port}`;
    await beside(servers, {}, async (script, client) => {
      const run = script.run(UPPER);
      await script.printed("started");
      expect((await client.submit({ name: "upper", payload: "one" })).toString()).toBe("ONE");
      await first.close();
      await eventually(() => script.errors() !== "", "the outage is reported");
      await withServer(async () => {
        expect((await client.submit({ name: "upper", payload: "two" })).toString()).toBe("TWO");
        await script.interpreter.stop();
      }, port);
      expect((await run).kind).toBe("stopped");
      expect(script.errors()).toMatch(/^warning\[B2002\]: the worker keeps trying: .*127\.0\.0\.1:\d+.*\n$/);
    });
  });

  test.skipIf(!hasGearmand())("gearmand as well", async () => {
    const first = await startGearmand();
    await beside(first.server, {}, async (script, client) => {
      const run = script.run(UPPER);
      await script.printed("started");
      await first.kill();
      await eventually(() => script.errors() !== "", "the outage is reported");
      const second = await startGearmand({ port: first.port });
      expect((await client.submit({ name: "upper", payload: "two" })).toString()).toBe("TWO");
      await script.interpreter.stop();
      expect((await run).kind).toBe("stopped");
      await second.stop();
    });
  });

  test("does not end the handler that runs meanwhile; its lost result is reported", async () => {
    const server = new GearmanServer();
    const { port } = await server.listen();
    await beside(`127.0.0.1:${port}`, {}, async (script, client) => {
      const run = script.run(slow(200, FOR_EVER));
      await script.printed("started");
      await client.submitBackground({ name: "slow", payload: "x" });
      await script.printed("runs");
      await server.close();
      await script.printed("done");
      await eventually(() => script.errors().includes("result of slow"), "the lost result is reported");
      await script.interpreter.stop();
      expect((await run).kind).toBe("stopped");
    });
  });
});

describe("stopping", () => {
  test("by the host: the running job is finished and its result sent, then the program is stopped", async () => {
    await withServer((servers) =>
      beside(servers, {}, async (script, client) => {
        const run = script.run(slow(150, FOR_EVER));
        await script.printed("started");
        expect(script.holds).toEqual([true]);
        const result = client.submit({ name: "slow", payload: "x" });
        await script.printed("runs");
        await script.interpreter.stop();
        expect((await result).toString()).toBe("late x");
        expect((await run).kind).toBe("stopped");
        expect(script.holds).toEqual([true, false]);
        expect(script.errors()).toBe("");
      }),
    );
  });

  test("ends a program that waits for a job in WORKER_YIELD$, without an error", async () => {
    await withServer((servers) =>
      beside(servers, {}, async (script) => {
        const run = script.run(`ok% = GEARMAN.WORKER_ADD%("hand")
ok% = GEARMAN.WORKER_START%("w")
PRINT "started"
DO
  job$ = GEARMAN.WORKER_YIELD$()
LOOP`);
        await script.printed("started");
        await script.interpreter.stop();
        expect((await run).kind).toBe("stopped");
        expect(script.errors()).toBe("");
      }),
    );
  });

  test("graceMs ends handlers that take longer, and their jobs go to another worker", async () => {
    await withServer((servers) =>
      beside(servers, { graceMs: 50 }, async (script, client) => {
        const run = script.run(slow(60_000, FOR_EVER));
        await script.printed("started");
        const result = client.submit({ name: "slow", payload: "x" });
        await script.printed("runs");
        await script.interpreter.stop();
        expect((await run).kind).toBe("stopped");
        expect(script.output()).not.toContain("done");
        const other = new GearmanWorker({ servers: [servers] });
        other.add("slow", (job) => `other ${job.payload}`);
        other.start();
        expect((await result).toString()).toBe("other x");
        await other.stop();
      }),
    );
  });

  test("WORKER_STOP% with a grace ends handlers that take longer", async () => {
    await withServer(async (servers) => {
      const ending = `ok% = GEARMAN.SUBMIT_BG%("slow", "x")
handle$ = GEARMAN.LAST_HANDLE$
DO : SLEEP 1 : LOOP UNTIL JSON.GET(GEARMAN.STATUS$(handle$), "running")
PRINT GEARMAN.WORKER_STOP%(20); JSON.GET(GEARMAN.STATUS$(handle$), "known"); JSON.GET(GEARMAN.STATUS$(handle$), "running")
TRY
  ok% = GEARMAN.WORKER_STOP%(-1)
CATCH e$
  PRINT ERR%
END TRY`;
      expect(await outputOf(slow(60_000, ending), { servers })).toBe("started\nruns\n1truefalse\n2009\n");
    });
  });

  test("at the end of the program waits for handlers, with all its output written; the run's AbortSignal cuts that short", async () => {
    await withServer(async (servers) => {
      const script = program({ servers });
      const abort = new AbortController();
      const ending = `ok% = GEARMAN.SUBMIT_BG%("slow", "x")
DO : SLEEP 1 : LOOP UNTIL JSON.GET(GEARMAN.STATUS$(GEARMAN.LAST_HANDLE$), "running")
PRINT "main ends"`;
      const run = script.run(slow(60_000, ending), abort.signal);
      await script.printed("main ends");
      abort.abort();
      expect(await run).toMatchObject({ kind: "failed", error: { kind: "abort" } });
      await script.interpreter.close();
      expect(script.output()).toBe("started\nruns\nmain ends\n");
    });
  });

  test.each([
    ["EXIT", "SLEEP 100 : EXIT 3", "ended"],
    ["an uncaught error", 'SLEEP 100 : RAISE "no more"', "failed"],
  ])("%s in the main program ends it at once, and the job goes to another worker", async (_, ending, kind) => {
    await withServer((servers) =>
      beside(servers, {}, async (script, client) => {
        const result = client.submit({ name: "slow", payload: "x" });
        expect((await script.run(slow(60_000, ending))).kind).toBe(kind);
        await script.interpreter.close();
        expect(script.errors()).toBe("");
        const other = new GearmanWorker({ servers: [servers] });
        other.add("slow", (job) => `other ${job.payload}`);
        other.start();
        expect((await result).toString()).toBe("other x");
        await other.stop();
      }),
    );
  });

  test("EXIT in a handler ends the whole program with its code", async () => {
    await withServer(async (servers) => {
      const script = program({ servers });
      const outcome = await script.run(`SUB leave(text$)
  EXIT 7
END SUB
ok% = GEARMAN.WORKER_ADD%("leave", "leave")
ok% = GEARMAN.WORKER_START%("w")
ok% = GEARMAN.SUBMIT_BG%("leave", "")
DO : SLEEP 1000 : LOOP`);
      expect(outcome).toMatchObject({ kind: "ended", exitCode: 7 });
      await script.interpreter.close();
      expect(script.errors()).toBe("");
    });
  });

  test("closing twice, and before anything was used, is fine", async () => {
    const unused = program({});
    await unused.interpreter.close();
    await unused.interpreter.close();
    await withServer(async (servers) => {
      const used = program({ servers });
      await used.run("PRINT GEARMAN.SERVERS$()");
      await Promise.all([used.interpreter.close(), used.interpreter.close()]);
    });
  });

  test("an interpreter runs a second program with the worker of the first stopped", async () => {
    await withServer(async (servers) => {
      const script = program({ servers });
      const once = UPPER.replace(FOR_EVER, 'PRINT GEARMAN.SUBMIT$("upper", "x")');
      await script.run(once);
      await script.run(once);
      expect(script.output()).toBe("started\nX\nstarted\nX\n");
      expect(script.holds).toEqual([true, false, true, false]);
      await script.interpreter.close();
    });
  });
});

describe("a job taken by hand and not ended", () => {
  const TAKE = `ok% = GEARMAN.WORKER_ADD%("hand")
ok% = GEARMAN.WORKER_START%("w", 3)
job$ = GEARMAN.WORKER_YIELD$(10000)
PRINT "taken"
`;

  /** Runs a program that takes a job, then `end`s it; another worker gets the job. */
  const comesBack = (source: string, timeoutMs: number, end: (script: Program, run: Promise<Outcome>) => Promise<void>) =>
    withServer((servers) =>
      beside(servers, { timeoutMs }, async (script, client) => {
        const result = client.submit({ name: "hand", payload: "x" });
        await end(script, script.run(source));
        expect(script.errors()).toBe("");
        const other = new GearmanWorker({ servers: [servers] });
        other.add("hand", (job) => `other ${job.payload}`);
        other.start();
        expect((await result).toString()).toBe("other x");
        await other.stop();
      }),
    );

  test("goes back timeout_ms after the host stops the program", async () => {
    await comesBack(TAKE + FOR_EVER, 100, async (script, run) => {
      await script.printed("taken");
      await script.interpreter.stop();
      expect((await run).kind).toBe("stopped");
    });
  });

  test("goes back at once when the program ends: nobody is left to end it", async () => {
    const beginMs = performance.now();
    await comesBack(TAKE, 60_000, async (_, run) => expect((await run).kind).toBe("ended"));
    expect(performance.now() - beginMs).toBeLessThan(30_000);
  });

  test("may be ended in the time between", async () => {
    await withServer((servers) =>
      beside(servers, { timeoutMs: 10_000 }, async (script, client) => {
        const result = client.submit({ name: "hand", payload: "x" });
        const run = script.run(`${TAKE}SLEEP 100
ok% = GEARMAN.WORKER_COMPLETE%(JSON.GET(job$, "handle"), "by hand")
${FOR_EVER}`);
        await script.printed("taken");
        await script.interpreter.stop();
        expect((await run).kind).toBe("stopped");
        expect((await result).toString()).toBe("by hand");
      }),
    );
  });

  test("by a handler does not keep WORKER_STOP% longer than timeout_ms", async () => {
    const source = `SUB taker(text$)
  RETURN JSON.GET(GEARMAN.WORKER_YIELD$(10000), "payload")
END SUB
ok% = GEARMAN.WORKER_ADD%("hand")
ok% = GEARMAN.WORKER_ADD%("taker", "taker")
ok% = GEARMAN.WORKER_START%("w", 3)
ok% = GEARMAN.SUBMIT_BG%("hand", "x")
PRINT GEARMAN.SUBMIT$("taker", ""); " "; GEARMAN.WORKER_STOP%(); GEARMAN.WORKER_ALIVE%()`;
    expect(await withServer((servers) => outputOf(source, { servers, timeoutMs: 1000 }))).toBe("x 10\n");
  });
});

test("WORKER_STOP% in the SUB of a stream does not wait: the stream goes on to its end", async () => {
  const source = `SUB piece(text$)
  PRINT text$; GEARMAN.WORKER_STOP%(); GEARMAN.WORKER_ALIVE%(); " ";
END SUB
SUB gen(text$)
  FOR i = 1 TO 2
    ok% = GEARMAN.WORKER_DATA%("d")
    SLEEP 20
  NEXT
  RETURN "all"
END SUB
ok% = GEARMAN.WORKER_ADD%("gen", "gen")
ok% = GEARMAN.WORKER_ADD%("hand")
ok% = GEARMAN.WORKER_START%("w", 3)
ok% = GEARMAN.SUBMIT_BG%("hand", "1")
job$ = GEARMAN.WORKER_YIELD$(10000)
PRINT GEARMAN.SUBMIT_STREAM%("gen", "", "piece"); GEARMAN.LAST_RESULT$; GEARMAN.WORKER_STOP%(); GEARMAN.WORKER_ALIVE%()`;
  expect(await withServer((servers) => outputOf(source, { servers, timeoutMs: 60_000 }))).toBe("d11 d11 1all10\n");
});

describe("failing handlers", () => {
  const FAILS = `SUB bad(text$)
  RAISE "cannot"
END SUB
ok% = GEARMAN.WORKER_ADD%("bad", "bad")
ok% = GEARMAN.WORKER_START%("w")
PRINT "started"
DO : SLEEP 1000 : LOOP`;

  test.each([false, true])("with exceptions = %s send their reason, and are reported once", async (exceptions) => {
    await withServer((servers) =>
      beside(servers, { exceptions }, async (script, client) => {
        const run = script.run(FAILS);
        await script.printed("started");
        const seen: string[] = [];
        const job = client.start({ name: "bad" });
        const result = job.result.catch((error: Error) => error.message);
        try {
          for await (const event of job) if (event.type === "warning") seen.push(event.payload.toString());
        } catch {
          // The stream ends with the job's failure, which `result` tells.
        }
        expect(await result).toMatch(/^bad failed: cannot \(test\.basil:2\) \(job H:.*\)$/);
        expect(seen).toEqual(exceptions ? [] : ["cannot (test.basil:2)"]);
        expect(script.errors()).toMatch(/^error\[B1000\]: bad \(job H:\S+\): cannot\n {2}--> test\.basil:2:3\n.*\n.*\n$/);
        await script.interpreter.stop();
        await run;
      }),
    );
  });
});

describe("several servers", () => {
  const TWICE = `ok% = GEARMAN.SUBMIT_BG%("nobody", "a")
one$ = GEARMAN.LAST_HANDLE$
ok% = GEARMAN.SUBMIT_BG%("nobody", "b")
two$ = GEARMAN.LAST_HANDLE$
PRINT one$ <> two$; " "; INSTR(one$, "//") > 0; " "; STARTSWITH%(one$, "127.0.0.1:")
PRINT JSON.GET(GEARMAN.STATUS$(one$), "known"); JSON.GET(GEARMAN.STATUS$(two$), "known")
PRINT GEARMAN.CANCEL%(one$); GEARMAN.CANCEL%(two$)
PRINT LEN(SPLIT(GEARMAN.SERVERS$(), ","))`;

  test("handles say which server knows the job", async () => {
    const output = await withServer((one) => withServer((two) => outputOf(TWICE, { servers: [one, two] })));
    expect(output).toBe("true true 1\ntruetrue\n11\n2\n");
  });

  test("a worker works for all of them, and a client goes on when one is down", async () => {
    const source = `${UPPER.replace(FOR_EVER, "")}
FOR i = 1 TO 4
  PRINT GEARMAN.SUBMIT$("upper", "x"); GEARMAN.ERRCODE%; " ";
NEXT
PRINT GEARMAN.SERVERS$()`;
    const output = await withServer((one) => withServer((two) => outputOf(source, { servers: [one, two] })));
    expect(output).toMatch(/^started\nX0 X0 X0 X0 127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\n$/);
    const half = await withServer((one) => outputOf(source, { servers: ["127.0.0.1:1", one] }));
    expect(half).toMatch(/^started\nX0 X0 X0 X0 127\.0\.0\.1:\d+\n$/);
  });
});

test("a payload of 64 MiB makes the round trip through a SUB unharmed", async () => {
  const source = `SUB back(payload$)
  RETURN payload$
END SUB
ok% = GEARMAN.WORKER_ADD%("back", "back")
ok% = GEARMAN.WORKER_START%("w")
big$ = STRING$(67108863, "x") + "y"
PRINT BYTES%(big$); " "; HASH$(GEARMAN.SUBMIT$("back", big$)) = HASH$(big$); " "; BYTES%(GEARMAN.LAST_RESULT$); " "; GEARMAN.ERRCODE%`;
  expect(await withServer((servers) => outputOf(source, { servers }))).toBe("67108864 true 67108864 0\n");
});

test("the host's byte limit holds for what a job sends back", async () => {
  const source = 'PRINT LEN(GEARMAN.SUBMIT$("many", ""))';
  await withServer(async (servers) => {
    const worker = new GearmanWorker({ servers: [servers] });
    worker.add("many", () => "x".repeat(600));
    worker.start();
    expect(await outputOf(source, { servers }, { bytes: 1000 })).toBe("600\n");
    expect(await outputOf(source, { servers }, { bytes: 500 })).toBe("failed: a value of 600 bytes is over the limit of 500\n");
    await worker.stop();
  });
});
