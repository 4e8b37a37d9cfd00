/** Starting a SUB from the host: what ends without a wait is there at once, and nothing overtakes a task that runs. */
import { describe, expect, test } from "vitest";
import { defineModule, functionsOf, required, type SubHandle } from "../../runtime/host.ts";
import { createInterpreter } from "../../runtime/interpreter.ts";
import type { Value } from "../../runtime/values.ts";
import { standard } from "../../src/index.ts";
import { bareHost } from "../helpers/call-row.ts";

/** What the rows of one test's module leave for the test. */
interface Kept {
  readonly subs: SubHandle[];
  readonly started: unknown[];
  readonly abort: AbortController;
  /** Ends the wait of HOST.PAUSE. */
  go: () => void;
}

const fn = functionsOf<Kept>();
const SUB = { routine: required("sub", "The SUB.") };

const host = (kept: Kept) =>
  defineModule<Kept>({
    name: "HOST",
    doc: "Hands SUBs to the test.",
    rows: [
      fn({ name: "KEEP%", doc: "Keeps a SUB.", params: SUB, run: (state, { routine }) => state.subs.push(routine) }),
      fn({
        name: "BEGIN%",
        doc: "Starts a SUB while the program runs.",
        params: SUB,
        run: (state, { routine }) => state.started.push(routine.start([])),
      }),
      fn({
        name: "PAUSE",
        doc: "Waits for the test.",
        params: {},
        waits: true,
        run: (state) =>
          new Promise<Value>((resolve) => {
            state.go = () => resolve("gone on");
          }),
      }),
      fn({
        name: "ABORT%",
        doc: "Fires the signal of the call.",
        params: {},
        run: (state) => {
          state.abort.abort();
          return 1;
        },
      }),
    ],
    open: () => kept,
  });

async function ran(source: string): Promise<{ kept: Kept; sub: SubHandle; output: () => string }> {
  const kept: Kept = { subs: [], started: [], abort: new AbortController(), go: () => undefined };
  let output = "";
  const interpreter = createInterpreter({
    modules: [standard(), host(kept)],
    limits: { steps: 5_000_000 },
    host: {
      ...bareHost,
      write(bytes) {
        output += bytes.toString();
      },
    },
  });
  expect(await interpreter.run(source)).toMatchObject({ kind: "ended", exitCode: 0 });
  return { kept, sub: kept.subs[0]!, output: () => output };
}

describe("a SUB that the host starts", () => {
  test("gives its value at once when it does not wait", async () => {
    const { sub } = await ran('SUB twice(x$)\nRETURN x$ + x$\nEND SUB\nk% = HOST.KEEP%("twice")');
    expect(sub.start([Buffer.from("ab")])).toBe("abab");
    expect(await sub.call(["c"])).toBe("cc");
  });

  test("throws at once what it raises, with its place", async () => {
    const { sub } = await ran('SUB bad()\nx = LEFT$(1, 2)\nEND SUB\nk% = HOST.KEEP%("bad")');
    expect(() => sub.start([])).toThrow(
      expect.objectContaining({ place: expect.anything(), message: expect.stringMatching(/must be string/) }),
    );
    await expect(sub.call([])).rejects.toMatchObject({ place: expect.anything() });
    expect(() => sub.start(["one too many"])).toThrow("arity mismatch: expected 0, got 1");
  });

  test("gives a promise when it waits", async () => {
    const { kept, sub } = await ran('SUB waits()\nRETURN HOST.PAUSE()\nEND SUB\nk% = HOST.KEEP%("waits")');
    const value = sub.start([]);
    expect(value).toBeInstanceOf(Promise);
    kept.go();
    expect(await value).toBe("gone on");
  });

  test("does not run in the middle of another task", async () => {
    const { kept, output } = await ran(
      'SUB second()\nPRINT "second";\nRETURN 2\nEND SUB\nPRINT "first "; : k% = HOST.BEGIN%("second") : PRINT "still first ";',
    );
    expect(await kept.started[0]).toBe(2);
    expect(output()).toBe("first still first second");
  });

  test("ends when the signal of its call fires while it computes", async () => {
    const { kept, sub } = await ran('SUB forever()\nk% = HOST.ABORT%()\nDO\nLOOP\nEND SUB\nk% = HOST.KEEP%("forever")');
    expect(() => sub.start([], { signal: kept.abort.signal })).toThrow(expect.objectContaining({ kind: "abort" }));
  });

  test("ends when the signal of its call fires while it waits", async () => {
    const { kept, sub } = await ran('SUB waits()\nRETURN HOST.PAUSE()\nEND SUB\nk% = HOST.KEEP%("waits")');
    const value = sub.start([], { signal: kept.abort.signal });
    kept.abort.abort();
    await expect(value).rejects.toMatchObject({ kind: "abort" });
  });
});
