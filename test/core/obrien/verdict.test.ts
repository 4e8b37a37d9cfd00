/** The table of verdicts: what is recorded for every way a worker can end. */
import { describe, expect, test } from "vitest";
import type { Captured } from "../../../src/core/obrien/capture.ts";
import { RUNTIME_ERRORS, runtimeErrorClass } from "../../../src/core/obrien/runtime-errors.ts";
import { type JudgedJob, verdictOf } from "../../../src/core/obrien/verdict.ts";
import type { WorkerEnd } from "../../../src/core/obrien/worker-end.ts";

const kept = (text: string | Buffer): Captured => ({ head: Buffer.alloc(0), tail: Buffer.from(text), droppedBytes: 0 });

/** The verdict on a worker that exited with 0, but for what is given. */
function judge(facts: Partial<Omit<WorkerEnd, "stdout" | "stderr">> & { out?: unknown; err?: string; job?: Partial<JudgedJob> }) {
  const { out = "", err = "", job, ...rest } = facts;
  const end: WorkerEnd = {
    exitCode: rest.signal ? null : 0,
    signal: null,
    reason: null,
    failure: null,
    stdout: kept(typeof out === "string" || Buffer.isBuffer(out) ? out : JSON.stringify(out)),
    stderr: kept(err),
    endedAt: new Date("2030-01-02T03:04:05.678Z"),
    runMs: 1234.5678,
    ...rest,
  };
  return verdictOf(end, { id: "id-1", class: "resize", ...job });
}

const META = { uuid: "id-1", name: "resize", timestamp: "2030-01-02T03:04:05.678Z", run_time: 1.235 };
const failed = (name: string, more: object = {}, fields: object = {}) => ({
  state: "failed",
  errorClass: `bryton/runtime/${name}`,
  followUps: [],
  xeme: {
    success: false,
    errors: [{ class: `bryton/runtime/${name}`, message: expect.any(String), ...more }],
    meta: META,
    ...fields,
  },
});

describe("a worker that exits with 0", () => {
  test("is done when it reports success", () => {
    expect(judge({ out: { success: true } })).toEqual({
      state: "done",
      errorClass: null,
      followUps: [],
      xeme: { success: true, meta: META },
    });
  });

  test("is failed when it reports failure, with its own errors", () => {
    const errors = [{ class: "img/too-large", width: 7 }, { class: "other" }];
    expect(judge({ out: { success: false, errors } })).toEqual({
      state: "failed",
      errorClass: "img/too-large",
      followUps: [],
      xeme: { success: false, errors, meta: META },
    });
  });

  test("is failed without an error class when its report names none", () => {
    expect(judge({ out: { success: false, errors: ["x", { class: 1 }, {}, null] } }).errorClass).toBeNull();
    expect(judge({ out: { success: false, errors: "all" } }).errorClass).toBeNull();
  });

  test.each(["", "\n \0"])("is done when it prints nothing, such as %j, in implicit mode, which is the default", (out) => {
    expect(judge({ out, err: "so so" })).toMatchObject({ state: "done", xeme: { success: true, io: { stderr: "so so" } } });
    expect(judge({ out, job: { mode: "implicit" } }).state).toBe("done");
    expect(judge({ out, job: { mode: null } }).state).toBe("done");
  });

  test("is failed when it prints nothing in positive mode", () => {
    expect(judge({ job: { mode: "positive" } })).toEqual(failed("missing"));
  });

  test.each(["implicit", "positive"] as const)("is failed when its output does not end in an object, in mode %s", (mode) => {
    expect(judge({ out: 'all well\n{"success":true} bye', job: { mode } })).toEqual(
      failed("unparseable", {}, { io: { stdout: 'all well\n{"success":true} bye' } }),
    );
    expect(judge({ out: "log\n[true]\n", job: { mode } })).toEqual(failed("not-hash", {}, { io: { stdout: "log\n[true]\n" } }));
  });

  test("is failed when the object its output ends with has no success, which is kept", () => {
    const sent = { level: "info", text: "ready" };
    expect(judge({ out: sent })).toEqual(failed("unparseable", {}, { misc: { verdict: sent } }));
    for (const success of ["true", 1, [], {}]) {
      expect(judge({ out: { success } })).toEqual(failed("unparseable", {}, { misc: { verdict: { success } } }));
    }
  });

  test("is failed when it reached no verdict, and what it sent is kept as it was", () => {
    const sent = { success: null, nulls: [{ class: "no-network" }], errors: [], enqueue: ["again"] };
    expect(judge({ out: sent })).toEqual(failed("null", {}, { misc: { verdict: sent } }));
  });

  test("is failed with a hint when its verdict did not fit into what is kept", () => {
    const stdout = { head: Buffer.from('{"success":true,"notes":["'), tail: Buffer.from('"]}'), droppedBytes: 99 };
    const verdict = judge({ stdout } as Partial<WorkerEnd>);
    expect(verdict.errorClass).toBe("bryton/runtime/unparseable");
    expect(verdict.xeme.errors?.[0]?.message).toContain("the last 3 bytes");
    expect(verdict.xeme.io?.stdout).toBe('{"success":true,"notes":["\n[… 99 bytes dropped …]\n"]}');
  });

  test("is failed when its verdict is nested too deeply to be kept", () => {
    const out = `{"success":true,"misc":${"[".repeat(600)}${"]".repeat(600)}}`;
    expect(judge({ out })).toEqual(
      failed("unparseable", { message: expect.stringContaining("deeper than 500") }, { io: { stdout: out } }),
    );
  });
});

describe("a worker that ends otherwise", () => {
  test("has crashed, with its exit code", () => {
    expect(judge({ exitCode: 3, out: "half", err: "oh" })).toEqual(
      failed("crashed", { exit_code: 3, message: "the worker exited with code 3" }, { io: { stdout: "half", stderr: "oh" } }),
    );
  });

  test("has crashed, with the signal", () => {
    expect(judge({ signal: "SIGSEGV" })).toEqual(
      failed("crashed", { signal: "SIGSEGV", message: "the worker was ended by SIGSEGV" }),
    );
  });

  test.each([{ success: true }, { success: null }, { other: 1 }])("has crashed although it printed %j, which is kept", (sent) => {
    expect(judge({ exitCode: 1, out: sent })).toEqual(failed("crashed", { exit_code: 1 }, { misc: { verdict: sent } }));
  });

  test("is failed as it says, with the exit code or the signal, and its follow-ups", () => {
    const out = { success: false, errors: [{ class: "disk" }], meta: { host: "a" }, enqueue: ["again"] };
    const verdict = {
      state: "failed",
      errorClass: "disk",
      followUps: [{ class: "resize", payload: "again" }],
    };
    const xeme = { success: false, errors: [{ class: "disk" }] };
    expect(judge({ exitCode: 2, out })).toEqual({ ...verdict, xeme: { ...xeme, meta: { ...META, host: "a", exit_code: 2 } } });
    expect(judge({ signal: "SIGTERM", out })).toEqual({
      ...verdict,
      xeme: { ...xeme, meta: { ...META, host: "a", signal: "SIGTERM" } },
    });
  });

  test("was not executable, or not started", () => {
    const failure = { isNotExecutable: true, code: "ENOENT", message: "nope is not there" };
    expect(judge({ exitCode: null, failure })).toEqual(
      failed("not-executable", { code: "ENOENT", message: "nope is not there" }),
    );
    expect(judge({ exitCode: null, failure: { ...failure, isNotExecutable: false, code: "EAGAIN" } })).toMatchObject(
      failed("not-started", { code: "EAGAIN" }),
    );
  });
});

describe("a worker that was ended", () => {
  test.each([
    ["timeout", "timedout"],
    ["cancel", "cancelled"],
    ["shutdown", "shutdown"],
  ] as const)("because of a %s is failed as %s", (reason, name) => {
    expect(judge({ reason, signal: "SIGTERM" })).toEqual(failed(name));
    expect(judge({ reason, exitCode: 0 })).toEqual(failed(name));
    const sent = { success: false, errors: [{ class: "mine" }], enqueue: ["again"] };
    expect(judge({ reason, signal: "SIGKILL", out: sent })).toEqual(failed(name, {}, { misc: { verdict: sent } }));
  });

  test.each(["cancel", "shutdown"] as const)(
    "because of a %s is done when it reports success and exits with 0 all the same",
    (reason) => {
      expect(judge({ reason, out: { success: true } }).state).toBe("done");
      expect(judge({ reason, out: { success: true }, exitCode: 1 }).state).toBe("failed");
    },
  );

  test("because it ran too long is failed, whatever it still reports", () => {
    expect(judge({ reason: "timeout", out: { success: true } })).toEqual(
      failed("timedout", {}, { misc: { verdict: { success: true } } }),
    );
  });
});

describe("a group", () => {
  const yes = { success: true };
  const no = { success: false, errors: [{ class: "inner" }] };
  const open = { success: null };
  const skipped = (one: object) => ({ ...one, meta: { skipped: true } });

  test.each([
    [[yes, yes], "done", null],
    [[yes, no], "failed", "inner"],
    [[yes, open], "failed", "bryton/runtime/null"],
    [[open, no], "failed", "inner"],
    [[yes, {}], "failed", "bryton/runtime/null"],
    [[yes, 5], "failed", "bryton/runtime/null"],
    [[yes, skipped(no), skipped(open)], "done", null],
    [[skipped(no)], "done", null],
    [[], "done", null],
    [[yes, { success: true, nested: [yes, { success: true, nested: [no] }] }], "failed", "inner"],
  ])("that claims success with %j nested is %s", (nested, state, errorClass) => {
    expect(judge({ out: { success: true, nested } })).toMatchObject({ state, errorClass });
  });

  test("is recorded, with the groups within it, as it counts", () => {
    const out = { success: true, nested: [{ success: true, nested: [no] }, yes] };
    expect(judge({ out }).xeme).toEqual({
      success: false,
      nested: [{ success: false, nested: [no] }, yes],
      meta: META,
    });
  });

  test("that says it failed has failed, whatever its children did, with its own error first", () => {
    expect(judge({ out: { success: false, nested: [yes] } })).toMatchObject({ state: "failed", errorClass: null });
    expect(judge({ out: { success: false, errors: [{ class: "outer" }], nested: [no] } }).errorClass).toBe("outer");
    expect(
      judge({ out: { success: false, nested: [skipped(no), { success: true, errors: [{ class: "warned" }] }, no] } }).errorClass,
    ).toBe("inner");
  });

  test("of hundreds of thousands, or of hundreds of levels, is judged in less than five seconds", () => {
    const before = performance.now();
    expect(judge({ out: { success: true, nested: Array.from({ length: 300_000 }, () => yes) } }).state).toBe("done");
    let deep: object = no;
    for (let level = 0; level < 240; level++) deep = { success: true, nested: [deep, ...Array.from({ length: 500 }, () => yes)] };
    expect(judge({ out: deep })).toMatchObject({ state: "failed", errorClass: "inner" });
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describe("what is recorded besides", () => {
  test("is what was printed before the verdict, and on standard error", () => {
    expect(judge({ out: 'step 1\nstep 2\n{"success":true}\n', err: "warning\n" }).xeme.io).toEqual({
      stdout: "step 1\nstep 2\n",
      stderr: "warning\n",
    });
    expect(judge({ out: 'x{"success":true,"io":{"stdout":"mine","stderr":"mine","log":"l"}}' }).xeme.io).toEqual({
      stdout: "x",
      stderr: "mine",
      log: "l",
    });
  });

  test("is U+FFFD for bytes that are not UTF-8", () => {
    const out = Buffer.concat([Buffer.from([0xff, 0xc3]), Buffer.from('{"success":true}')]);
    expect(judge({ out }).xeme.io).toEqual({ stdout: "\ufffd\ufffd" });
  });

  test("is whose verdict it is, when it was made and how long it took, unless the worker says so itself", () => {
    const meta = { uuid: "mine", run_time: 7, timestamp: "", host: "a" };
    expect(judge({ out: { success: true, meta } }).xeme.meta).toEqual({ ...META, uuid: "mine", run_time: 7, host: "a" });
    expect(judge({ out: { success: true, meta: "odd" } }).xeme.meta).toEqual(META);
  });

  test("leaves out empty fields of Xemes, and lets unknown fields pass", () => {
    const empty = {
      class: "",
      errors: [],
      nulls: [],
      warnings: [],
      notes: null,
      nested: [],
      location: {},
      tags: [],
      misc: {},
      io: {},
    };
    const mine = { color: "", list: [], zero: 0, deep: { errors: [] } };
    expect(judge({ out: { success: true, ...empty, ...mine } }).xeme).toEqual({ success: true, ...mine, meta: META });
    expect(judge({ out: { success: true, nested: [{ success: true, ...empty, ...mine }] } }).xeme.nested).toEqual([
      { success: true, ...mine },
    ]);
  });
});

describe("follow-up jobs", () => {
  const followUps = (enqueue: unknown) => judge({ out: { success: true, enqueue } });

  test("are payloads for the same class, text as it is and all else as JSON", () => {
    expect(followUps(["a", 7, true, ["x"], { url: "u" }])).toEqual({
      state: "done",
      errorClass: null,
      followUps: ["a", "7", "true", '["x"]', '{"url":"u"}'].map((payload) => ({ class: "resize", payload })),
      xeme: { success: true, meta: META },
    });
    expect(followUps(null).followUps).toEqual([]);
    expect(followUps([]).followUps).toEqual([]);
  });

  test("are jobs of any class, with what a job may say", () => {
    const all = {
      class: "mail",
      payload: { to: "x" },
      priority: 5,
      run_at: "2030-01-31T12:00:00Z",
      mode: "positive",
      timeout_ms: 900,
    };
    expect(followUps([all, { payload: "p" }, { class: "mail" }, { class: "mail", priority: null, run_at: 0 }]).followUps).toEqual(
      [
        {
          class: "mail",
          payload: '{"to":"x"}',
          priority: 5,
          runAt: new Date("2030-01-31T12:00:00Z"),
          mode: "positive",
          timeoutMs: 900,
        },
        { class: "resize", payload: "p" },
        { class: "mail" },
        { class: "mail", runAt: new Date(0) },
      ],
    );
  });

  test("have whole characters only", () => {
    expect(judge({ out: '{"success":true,"enqueue":["a\\ud800"]}' }).followUps).toEqual([
      { class: "resize", payload: "a\ufffd" },
    ]);
  });

  test.each([
    [["ok", { class: "mail", paylod: "x" }], 'job 2 of 2 has "paylod": use class, payload, priority, run_at, mode, timeout_ms'],
    [[{ class: "" }], "the class of a job is empty"],
    [[{ class: 5 }], "the class of a job is 5, not a text"],
    [["ok", { payload: "x", priority: 1e6 }], "job 2 of 2: priority is 1000000"],
    [[{ payload: "x", run_at: "soon" }], 'job 1 of 1 has the run_at "soon"'],
    [[{ payload: "x", run_at: {} }], "job 1 of 1 has the run_at {}"],
    [[{ payload: "x", mode: "strict" }], 'mode is "strict"'],
    [[{ payload: "x", timeout_ms: 0 }], "timeoutMs is 0"],
    [[null], "job 1 of 1 is null"],
    [{ payload: "x" }, "enqueue is not a list"],
  ])("fail the job, and none is enqueued, for %j", (enqueue, message) => {
    const verdict = followUps(enqueue);
    expect(verdict).toEqual(
      failed("bad-enqueue", { message: expect.stringContaining(message) }, { misc: { verdict: { success: true, enqueue } } }),
    );
  });
});

test("every error of the runtime has a class of its own, and says when it occurs", () => {
  for (const [name, doc] of Object.entries(RUNTIME_ERRORS)) {
    expect(runtimeErrorClass(name as keyof typeof RUNTIME_ERRORS)).toBe(`bryton/runtime/${name}`);
    expect(doc).toMatch(/\.$/);
  }
});
