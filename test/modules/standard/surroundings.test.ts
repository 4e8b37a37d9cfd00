/** Time, input, environment and error built-ins on a host made up for the test (language.md §11, §12). */
import { describe, expect, test } from "vitest";
import { parseEnvironmentFile } from "../../../modules/standard/environment.ts";
import { standard } from "../../../modules/standard/index.ts";
import type { FileHost, Host, InputHost } from "../../../runtime/capabilities.ts";
import type { Value } from "../../../runtime/values.ts";
import { bareHost, CountingTask, callerOf } from "../../helpers/call-row.ts";

const call = callerOf(standard());

describe("time", () => {
  test("TIMER, NOW%, DATE$ and TIME$ read the host's clock in local time", () => {
    expect(call("TIMER")).toBe(5 * 3600 + 6 * 60 + 7.089);
    expect(call("NOW%")).toBe(bareHost.now());
    expect(call("DATE$")).toBe("2024-03-09");
    expect(call("TIME$")).toBe("05:06:07");
    const earlier = new Date(987, 0, 2, 23, 59, 8).getTime();
    expect(call("DATE$", earlier)).toBe("0987-01-02");
    expect(call("TIME$", earlier)).toBe("23:59:08");
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e17])("DATE$ and TIME$ refuse %d", (milliseconds) => {
    expect(() => call("DATE$", milliseconds)).toThrow("is not a number of milliseconds since 1970");
    expect(() => call("TIME$", milliseconds)).toThrow(expect.objectContaining({ errorName: "ARGUMENT_ERROR" }));
  });

  test("SLEEP flushes, waits on the host with the task's signal, and gives 0", async () => {
    const waits: [number, AbortSignal][] = [];
    const task = new CountingTask();
    const host = { ...bareHost, sleep: async (ms: number, signal: AbortSignal) => void waits.push([ms, signal]) };
    const timed = callerOf(standard(), host, task);
    expect(await timed.wait("SLEEP", 1500)).toBe(0);
    await timed.wait("SLEEP", -5);
    expect(waits).toEqual([
      [1500, task.signal],
      [0, task.signal],
    ]);
    expect(task.flushes).toBe(2);
  });
});

describe("input", () => {
  const typed = (lines: string[], written: string[] = []): Host => ({
    ...bareHost,
    write: (bytes) => void written.push(bytes.toString()),
    input: {
      readLine: async () => lines.shift() ?? null,
      readCharacter: async () => lines.shift() ?? null,
      pressedKey: () => lines.shift() ?? "",
    } satisfies InputHost,
  });

  test("INPUT$ and INPUT show the prompt as it is and read a line, empty at the end of input", async () => {
    const written: string[] = [];
    const asked = callerOf(standard(), typed(["Ada", " 5 "], written));
    expect(await asked.wait("INPUT$", "name? ")).toBe("Ada");
    expect(await asked.wait("INPUT", 7)).toBe(" 5 ");
    expect(await asked.wait("INPUT$")).toBe("");
    expect(await asked.wait("INPUT", "")).toBe("");
    expect(written).toEqual(["name? ", "7"]);
    expect(asked.task.flushes).toBe(4);
  });

  test("INPUTC$, INKEY$ and INKEY% read single characters and keys", async () => {
    const pressed = callerOf(standard(), typed(["x", "é", "é"]));
    expect(await pressed.wait("INPUTC$")).toBe("x");
    expect(pressed("INKEY$")).toBe("é");
    expect(pressed("INKEY%")).toBe(233);
    expect(pressed("INKEY%")).toBe(0);
    expect(pressed("INKEY$")).toBe("");
    expect(await pressed.wait("INPUTC$")).toBe("");
  });

  test("without input in the host each built-in says so", async () => {
    await expect(call.wait("INPUT$")).rejects.toThrow("INPUT$ is not available here: this host gives scripts no input");
    expect(() => call("INKEY$")).toThrow("INKEY$ is not available here");
  });
});

describe("environment", () => {
  const withEnvironment = (text: string) => {
    const set: [string, string, boolean][] = [];
    const readFile = (path: string): Buffer => {
      if (path === "missing") throw new Error("ENOENT");
      return Buffer.from(`FILE=${path}\n${text}`);
    };
    const host: Host = {
      ...bareHost,
      arguments: ["a", "b c"],
      files: { readFile } as Partial<FileHost> as FileHost,
      environment: {
        get: (name) => (name === "HOME" ? "/home/ada" : undefined),
        set: (...args) => void set.push(args),
      },
    };
    return { call: callerOf(standard(), host), set };
  };

  test("ENV$ is empty for what is not set", () => {
    const { call } = withEnvironment("");
    expect(call("ENV$", "HOME")).toBe("/home/ada");
    expect(call("ENV$", "NOPE")).toBe("");
  });

  test("LOADENV% sets what the file assigns, .env unless named, and gives 0 when it cannot be read", () => {
    const { call, set } = withEnvironment("A=1");
    expect(call("LOADENV%")).toBe(1);
    expect(call("LOADENV%", "e.env")).toBe(1);
    expect(call("LOADENV%", "missing")).toBe(0);
    expect(set).toEqual([
      ["FILE", ".env", true],
      ["A", "1", true],
      ["FILE", "e.env", true],
      ["A", "1", true],
    ]);
  });

  test.each<[string, [string, string][]]>([
    [
      "A_A=1\n# c\n; c2\nB_B = \"q v\"\nC_C='x'\n",
      [
        ["A_A", "1"],
        ["B_B", "q v"],
        ["C_C", "x"],
      ],
    ],
    [
      "export X=1\r\nY=\r\n  Z = a b  # note\n",
      [
        ["X", "1"],
        ["Y", ""],
        ["Z", "a b"],
      ],
    ],
    [
      'A="l1\\nl2 \\"q\\" \\\\ # in"\nB=\'\\n#\'\nC=a#b',
      [
        ["A", 'l1\nl2 "q" \\ # in'],
        ["B", "\\n#"],
        ["C", "a#b"],
      ],
    ],
    ["no assignment\n=x\n1A=2", []],
    ["\ufeffA=1", [["A", "1"]]],
  ])("a file %j", (text, assignments) => {
    expect(parseEnvironmentFile(text)).toEqual(assignments);
  });

  test("ARGS, HOST$ and UUID$ come from the host", () => {
    const { call } = withEnvironment("");
    const args = call("ARGS") as Value[];
    expect(args).toEqual(["a", "b c"]);
    args.push("c");
    expect(call("ARGS")).toEqual(["a", "b c"]);
    expect(call("HOST$")).toBe("box");
    expect(call("UUID$")).toBe("11111111-2222-4333-8444-555555555555");
  });

  test("without an environment in the host ENV$ says so", () => {
    expect(() => call("ENV$", "HOME")).toThrow("ENV$ is not available here: this host gives scripts no environment variables");
  });
});

test("ERR%, ERRLINE% and ERRNAME$ are the task's own", () => {
  const task = new CountingTask();
  const mine = callerOf(standard(), bareHost, task);
  expect([mine("ERR%"), mine("ERRLINE%"), mine("ERRNAME$")]).toEqual([0, 0, ""]);
  task.lastError = { code: 1002, line: 7, name: "INDEX_ERROR" };
  expect([mine("ERR%"), mine("ERRLINE%"), mine("ERRNAME$")]).toEqual([1002, 7, "INDEX_ERROR"]);
});
