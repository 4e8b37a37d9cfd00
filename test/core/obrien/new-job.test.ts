/** What a job must be like, and the ids it gets. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OBRIEN_ERRORS, ObrienError, obrienErrorOf } from "../../../src/core/obrien/errors.ts";
import { idsFrom, isJobId, JobIds, timeOfId } from "../../../src/core/obrien/ids.ts";
import { checkNewJob, JOB_LIMITS } from "../../../src/core/obrien/new-job.ts";
import { STORE_ERRORS, StoreError, type StoreErrorKind } from "../../../src/core/store/errors.ts";

describe("a new job", () => {
  test.each([
    [{ class: "a" }],
    [{ class: "ä".repeat(100) }],
    [{ class: "img.resize", payload: "", priority: 0, runAt: undefined, mode: undefined, timeoutMs: undefined }],
    [{ class: "a", payload: Buffer.alloc(JOB_LIMITS.payloadBytes) }],
    [{ class: "a", priority: -1000, timeoutMs: 1, mode: "implicit" as const, runAt: new Date(0) }],
    [{ class: "a", priority: 1000, timeoutMs: 2_147_483_647, mode: "positive" as const }],
  ])("may be number %#", (job) => {
    expect(() => checkNewJob(job)).not.toThrow();
  });

  test.each<[unknown, string]>([
    [null, "a job is an object, not null"],
    [{}, "the class of a job is undefined, not a text"],
    [{ class: 7 }, "the class of a job is 7, not a text"],
    [{ class: "" }, "the class of a job is empty: name one, such as img.resize"],
    [{ class: "ä".repeat(101) }, `the class "${"ä".repeat(40)}…" has 202 bytes, and 200 are allowed`],
    [{ class: "a\0b" }, 'the class "a\\u0000b" has control characters or half a character'],
    [{ class: "a\ud800" }, 'the class "a\\ud800" has control characters or half a character'],
    [{ class: "a", payload: 7 }, "payload is of type number: use text or bytes"],
    [{ class: "a", payload: "\udc80" }, "payload is text with half a character, which has no UTF-8: pass bytes"],
    [
      { class: "a", payload: Buffer.alloc(JOB_LIMITS.payloadBytes + 1) },
      "payload has 67108865 bytes, and 67108864 are allowed: store it in a file and pass its name",
    ],
    [{ class: "a", priority: 1001 }, "priority is 1001: use a whole number from -1000 to 1000"],
    [{ class: "a", priority: 0.5 }, "priority is 0.5: use a whole number from -1000 to 1000"],
    [{ class: "a", priority: Number.NaN }, "priority is NaN: use a whole number from -1000 to 1000"],
    [{ class: "a", priority: "1" }, 'priority is "1": use a whole number from -1000 to 1000'],
    [{ class: "a", runAt: new Date("never") }, "runAt is not a valid date"],
    [{ class: "a", runAt: 5 }, "runAt is 5, not a Date"],
    [{ class: "a", mode: "strict" }, 'mode is "strict": use implicit or positive'],
    [{ class: "a", timeoutMs: 0 }, "timeoutMs is 0: use a whole number of milliseconds from 1 to 2147483647"],
    [{ class: "a", timeoutMs: 2 ** 31 }, "timeoutMs is 2147483648: use a whole number of milliseconds from 1 to 2147483647"],
    [{ class: "a", prio: 1 }, 'a job has no "prio": it has class, payload, priority, runAt, mode, timeoutMs'],
    [{ class: "a", constructor: 1 }, 'a job has no "constructor"'],
  ])("may not be number %#", (job, message) => {
    expect(() => checkNewJob(job as never)).toThrow(
      expect.objectContaining({ name: "ObrienError", kind: "ARGUMENT", message: expect.stringContaining(message) }),
    );
  });
});

describe("ids", () => {
  test("grow, whatever the clock does, and keep the time they were made", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 47 }), { minLength: 2 }), (times) => {
        const ids = new JobIds();
        const made = times.map((time) => ids.next(time));
        expect(made).toEqual([...new Set(made)].sort());
        expect(made.every(isJobId)).toBe(true);
        expect(made.map(timeOfId)).toEqual(times.map((_, index) => Math.max(...times.slice(0, index + 1))));
      }),
    );
  });

  test("of one millisecond are enough, and borrow from the next", () => {
    const ids = new JobIds();
    const made = Array.from({ length: 20_000 }, () => ids.next(1_700_000_000_000));
    expect(new Set(made).size).toBe(20_000);
    expect(made).toEqual([...made].sort());
    expect(timeOfId(made.at(-1)!)).toBeLessThan(1_700_000_000_010);
  });

  test("sort around the bounds of a time", () => {
    const id = new JobIds().next(1_700_000_000_000);
    expect(idsFrom(1_700_000_000_000) < id && id < idsFrom(1_700_000_000_001)).toBe(true);
    expect(idsFrom(-5) < id && id < idsFrom(8.64e15)).toBe(true);
  });

  test.each(["", "x", "0199E3A1-5C40-7123-9ABC-0123456789AB", "0199e3a1-5c40-4123-9abc-0123456789ab"])("are not %j", (text) => {
    expect(isJobId(text)).toBe(false);
  });
});

describe("failures", () => {
  test("have a code each, and none is used twice", () => {
    const codes = Object.values(OBRIEN_ERRORS).map(({ code }) => code);
    expect(codes).toEqual(codes.map((_, index) => index + 1));
    expect(new ObrienError("FULL", "x")).toMatchObject({ code: 9, fatal: false, kind: "FULL" });
  });

  test.each(Object.keys(STORE_ERRORS) as StoreErrorKind[])("of the store, such as %s, are of one kind of ours each", (kind) => {
    const kinds = Object.values(OBRIEN_ERRORS).filter(({ store }) => (store as readonly string[]).includes(kind));
    expect(kinds.length).toBe(1);
    const failure = obrienErrorOf(new StoreError(kind, "/a/file: reason."));
    expect(failure).toMatchObject({ code: kinds[0]!.code, message: expect.stringMatching(/^\/a\/file: reason(: .*[^.])?$/) });
  });

  test("of other kinds stay as they are", () => {
    const mine = new ObrienError("STATE", "x");
    const other = new TypeError("y");
    expect([obrienErrorOf(mine), obrienErrorOf(other), obrienErrorOf(new StoreError("FAILED", "z", { cause: mine }))]).toEqual([
      mine,
      other,
      mine,
    ]);
  });
});
