/** `basil obrien`: what each command prints, takes and ends with, on a real store with real processes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobQueue } from "../../../../src/core/obrien/queue.ts";
import type { Xeme } from "../../../../src/core/obrien/xeme.ts";
import { basil } from "../../../helpers/cli.ts";
import { basilInProcess } from "../../../helpers/in-process.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-obrien-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a command in the test's directory. */
async function obrien(args: readonly string[], input = "") {
  const { code, stdout, stderr } = await basilInProcess(["obrien", ...args], { directory, input });
  return { code, stdout: stdout.toString(), stderr };
}

/** The id of a new job. */
const enqueued = async (...args: string[]): Promise<string> => (await obrien(["enqueue", ...args])).stdout.trim();

const storePath = (): string => join(directory, ".basil-obrien.db");

/** Records an outcome without running anything. */
async function ended(id: string, name: string, xeme: Xeme, errorClass: string | null = null): Promise<void> {
  const queue = await JobQueue.open(storePath());
  queue.claim(new Map([[name, 100]]), 100);
  queue.finish([{ id, state: xeme.success ? "done" : "failed", xeme, errorClass, followUps: [] }]);
  queue.close();
}

describe("help", () => {
  test.each([[], ["run"], ["enqueue"], ["list"], ["show"], ["prune"], ["cancel"]].map((command) => [command]))(
    "of %j fits 80 columns",
    async (command) => {
      const { code, stdout, stderr } = await obrien([...command, "--help"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^Usage: basil obrien/);
      expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
  );
});

describe("wrong usage ends with 2 and says what was wrong", () => {
  test.each([
    [["enqueue"], "missing required argument 'class'"],
    [["enqueue", ""], "the class of a job is empty"],
    [["enqueue", "a", "b", "--lines"], "leave PAYLOAD out"],
    [["enqueue", "a", "b", "--priority", "high"], "Give a whole number."],
    [["enqueue", "a", "b", "--priority", "5000"], "use a whole number from -1000 to 1000"],
    [["enqueue", "a", "b", "--at", "soon"], "a time such as 2030-01-31T12:00:00Z"],
    [["run"], "no class is defined: give --class NAME=COMMAND, or --script FILE"],
    [["run", "--class", "a"], "give a name and a command"],
    [["run", "--class", "a=cat 'x"], "a quote is not closed in: cat 'x"],
    [["run", "--class", "a=no-such-program-here"], "there is no such program in PATH"],
    [["run", "--class", "a=cat", "--shell-class", "a=cat"], "the class a is given twice"],
    [["list", "--state", "lost"], "Allowed choices are pending, claimed, done, failed"],
    [["list", "--since", "1 fortnight"], "Give how long ago, such as 30m, 12h or 30d"],
    [["list", "--since", "3x"], "Give a number with its unit"],
    [["prune"], "required option '--older-than <time>' not specified"],
    [["prune", "--older-than", "30d", "--state", "pending"], "Allowed choices are done, failed"],
    [["cancel"], "missing required argument 'id'"],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await obrien(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

test.each([["list"], ["show", "01"], ["prune", "--older-than", "1d"], ["cancel", "01"], ["run", "--class", "a=cat"]])(
  "%s without a store ends with 1 and makes none",
  async (...args) => {
    const first = await obrien(args);
    expect(first).toEqual({ code: 1, stdout: "", stderr: expect.stringContaining(`there is no store ${storePath()}`) });
    expect((await obrien(["list"])).code).toBe(1);
  },
);

describe("enqueue", () => {
  test("takes a payload from the command line, or all of standard input, byte for byte", async () => {
    const ids = [
      await enqueued("a", "word"),
      (await obrien(["enqueue", "a"], "two\nlines\n")).stdout.trim(),
      (await obrien(["enqueue", "a", "-"], "dash")).stdout.trim(),
      await enqueued("a", ""),
    ];
    const shown = await Promise.all(ids.map(async (id) => JSON.parse((await obrien(["show", id, "--json"])).stdout).payload));
    expect(shown).toEqual(["word", "two\nlines\n", "dash", ""]);
  });

  test("--lines makes a job of each line, in their order, and prints their ids", async () => {
    const input = Array.from({ length: 2500 }, (_, at) => `line ${at}`).join("\n");
    const ids = (await obrien(["enqueue", "a", "--lines"], input)).stdout.trim().split("\n");
    expect(ids).toHaveLength(2500);
    expect([...ids].sort()).toEqual(ids);
    expect(JSON.parse((await obrien(["show", ids[2400]!, "--json"])).stdout).payload).toBe("line 2400");
  });

  test("--json prints the ids as one document, also of no job", async () => {
    const { ids } = JSON.parse((await obrien(["enqueue", "a", "--lines", "--json"], "x\ny\n")).stdout);
    expect(ids).toHaveLength(2);
    expect(JSON.parse((await obrien(["enqueue", "a", "--lines", "--json"], "")).stdout)).toEqual({ ids: [] });
  });

  test("its options are those of the job", async () => {
    const id = await enqueued("a", "x", "--priority", "-3", "--at", "2099-01-01T00:00:00Z", "--timeout-ms", "70", "--positive");
    expect(JSON.parse((await obrien(["show", id, "--json"])).stdout)).toMatchObject({
      ...{ class: "a", state: "pending", priority: -3, runAt: "2099-01-01T00:00:00.000Z", timeoutMs: 70, mode: "positive" },
    });
    expect((await obrien(["list"])).stdout).toContain("delayed");
  });

  test("bytes that are no text come back as base64", async () => {
    const { stdout } = await basilInProcess(["obrien", "enqueue", "a"], { directory, input: Buffer.of(0, 255, 1) });
    expect(JSON.parse((await obrien(["show", stdout.toString().trim(), "--json"])).stdout)).toMatchObject({
      payloadBase64: "AP8B",
    });
  });
});

describe("run", () => {
  test("does the jobs of its classes and ends with 0 when all are done", async () => {
    await obrien(["enqueue", "copy", "--lines"], '{"success":true}\n{"success":true}\n');
    await enqueued("words", '{"success": true}');
    const { code, stdout, stderr } = await obrien(["run", "--class", "copy=cat", "--class", `words=sh -c "cat '-'"`]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "3 done, 0 failed\n", stderr: "" });
  });

  test("ends with 1 when a job failed, and says which and why", async () => {
    const id = await enqueued("a", "x");
    const { code, stdout, stderr } = await obrien(["run", "--class", "a=false"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "0 done, 1 failed\n" });
    expect(stderr).toBe(`failed: ${id}  a  bryton/runtime/crashed\n`);
  });

  test("tells the first ten that failed, and how to list all", async () => {
    await obrien(["enqueue", "a", "--lines"], "x\n".repeat(12));
    const { stderr } = await obrien(["run", "--class", "a=false"]);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[10]).toBe("more have failed: basil obrien list --state failed");
  });

  test("a shell's line may use the shell", async () => {
    await enqueued("count", "one\ntwo\n");
    const { code } = await obrien(["run", "--shell-class", `count=wc -l > lines.txt && echo '{"success": true}'`]);
    expect(code).toBe(0);
  });

  test("--positive and --timeout-ms are the classes'", async () => {
    const silent = await enqueued("a", "x");
    await obrien(["run", "--class", "a=true", "--positive"]);
    const slow = await enqueued("b", "x");
    await obrien(["run", "--class", "b=sleep 60", "--timeout-ms", "50"]);
    const errorOf = async (id: string) => JSON.parse((await obrien(["show", id, "--json"])).stdout).errorClass;
    expect([await errorOf(silent), await errorOf(slow)]).toEqual(["bryton/runtime/missing", "bryton/runtime/timedout"]);
  });

  test("leaves jobs of other classes and says so", async () => {
    await enqueued("other", "x");
    const { code, stdout, stderr } = await obrien(["run", "--class", "a=true", "--json"]);
    expect({ code, json: JSON.parse(stdout) }).toEqual({ code: 0, json: { done: 0, failed: 0, left: { other: 1 } } });
    expect(stderr).toBe("1 job of class other left: no --class defines it\n");
  });

  test("--script takes the classes that a program defines, SUBs as well, and its jobs are of the same store", async () => {
    const program = `SUB shout(text$)
  PRINT UCASE$(text$)
  RETURN TRUE
END SUB
ok% = OBRIEN.DEFINE%("shout", "shout")
ok% = OBRIEN.DEFINE_COMMAND%("quiet", "true")
id$ = OBRIEN.ENQUEUE$("quiet", "from the script")
`;
    writeFileSync(join(directory, "jobs.basil"), program);
    const id = await enqueued("shout", "hello");
    const { code, stdout, stderr } = await obrien(["run", "--script", "jobs.basil"]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "2 done, 0 failed\n", stderr: "" });
    expect(JSON.parse((await obrien(["show", id, "--json"])).stdout).xeme.io.stdout).toContain("HELLO");
  });

  test("a script that fails ends the run with its code, before any job", async () => {
    writeFileSync(join(directory, "jobs.basil"), 'ok% = OBRIEN.DEFINE_COMMAND%("", "true")\n');
    const id = await enqueued("a", "x");
    expect((await obrien(["run", "--script", "jobs.basil", "--class", "a=true"])).code).toBe(1);
    expect(JSON.parse((await obrien(["show", id, "--json"])).stdout).state).toBe("pending");
  });

  test("a second run on the same store is refused while the first works; Ctrl-C lets running jobs finish", async () => {
    const id = await enqueued("a", "x");
    const command = ["obrien", "run", "--watch", "--shell-class", "a=sleep 0.5"];
    let second: Promise<{ code: number; stderr: string }> | undefined;
    const first = await basil(command, {
      directory,
      onError: (stderr, kill) => {
        if (!stderr.includes("waiting for jobs") || second) return;
        second = obrien(["run", "--class", "a=true"]);
        void second.then(() => kill("SIGINT"));
      },
    });
    expect(await second).toMatchObject({ code: 1, stderr: expect.stringContaining("has a manager at work already") });
    expect({ code: first.code, stdout: first.stdout.toString() }).toEqual({ code: 130, stdout: "1 done, 0 failed\n" });
    expect(first.stderr).toContain("stopping: running jobs are finished first");
    expect(JSON.parse((await obrien(["show", id, "--json"])).stdout).state).toBe("done");
  });

  test("the second Ctrl-C ends the running jobs", async () => {
    const id = await enqueued("a", "x");
    let signals = 0;
    const { code } = await basil(["obrien", "run", "--shell-class", "a=touch began; sleep 60", "--watch"], {
      directory,
      onError: (stderr, kill) => {
        if (stderr.includes("waiting for jobs") && signals === 0) {
          signals = 1;
          // The job has begun when its manager has nothing left to claim: that is in the store.
          void claimed(id).then(() => kill("SIGINT"));
        } else if (stderr.includes("stopping:") && signals === 1) {
          signals = 2;
          // Two signals within 50 ms count as one.
          setTimeout(() => kill("SIGINT"), 100);
        }
      },
    });
    expect(code).toBe(130);
    expect(JSON.parse((await obrien(["show", id, "--json"])).stdout).errorClass).toBe("bryton/runtime/shutdown");
  });
});

/** Resolves when a job runs. */
async function claimed(id: string): Promise<void> {
  const queue = await JobQueue.open(storePath());
  try {
    while (queue.get(id)?.state === "pending") await new Promise((resolve) => setTimeout(resolve, 10));
  } finally {
    queue.close();
  }
}

describe("list", () => {
  test("shows the newest first, in 80 columns, with how many there are", async () => {
    await enqueued("first", "x");
    const failed = await enqueued(`second.${"long".repeat(40)}`, "x");
    await ended(
      failed,
      `second.${"long".repeat(40)}`,
      { success: false, errors: [{ class: `my/${"error".repeat(30)}` }] },
      "my/error",
    );
    const { code, stdout } = await obrien(["list"]);
    const lines = stdout.split("\n");
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^ID +STATE +AGE +CLASS +ERROR$/);
    expect(lines[1]).toMatch(/^[0-9a-f-]{13,} +failed +\ds +second.*… *.*my\/error$/);
    expect(lines[2]).toMatch(/^[0-9a-f-]{13,} +pending +\ds +first$/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toContain("\nIn all: 1 pending, 0 claimed, 0 done, 1 failed\n");
  });

  test("its filters go together", async () => {
    const [one, two] = [await enqueued("a", "1"), await enqueued("a", "2")];
    await enqueued("b", "3");
    await ended(one, "a", { success: false, errors: [{ class: "x/y" }] }, "x/y");
    await ended(two, "a", { success: true }).catch(() => undefined);
    const ids = async (...args: string[]) =>
      JSON.parse((await obrien(["list", "--json", ...args])).stdout).jobs.map(({ id }: { id: string }) => id);
    expect(await ids("--state", "failed", "--class", "a", "--error-class", "x/y", "--since", "1h")).toEqual([one]);
    expect(await ids("--error-class", "x/z")).toEqual([]);
    expect(await ids("--until", "1h")).toEqual([]);
    expect(await ids("--limit", "1", "--after", two)).toEqual([one]);
  });

  test("an id it shows is enough for show", async () => {
    await obrien(["enqueue", "a", "--lines"], "1\n2\n3\n");
    const [start] = (await obrien(["list"])).stdout.split("\n")[2]!.split(" ");
    expect((await obrien(["show", start!])).stdout).toContain("payload   1 byte: 2\n");
  });

  test("says that there is no such job", async () => {
    await enqueued("a", "x");
    expect((await obrien(["list", "--class", "b"])).stdout).toMatch(/^No jobs are like that\.\n/);
  });
});

describe("show", () => {
  test("draws the outcome as a tree, with the end of the output", async () => {
    const id = await enqueued("deploy", "v1\u001b[2J");
    const nested = [
      { success: true, meta: { name: "build", run_time: 2 } },
      {
        success: false,
        meta: { name: "check" },
        errors: [{ class: "test/failed", message: "3 of 9", file: "a.t" }],
        io: { stdout: "x" },
      },
      { success: null, meta: { name: "ship", skipped: true } },
    ];
    const xeme = {
      success: false,
      class: "pipeline",
      warnings: [{ class: "disk/low" }],
      nested,
      tags: ["nightly"],
      meta: { uuid: id, name: "deploy", run_time: 4.25 },
      io: { stdout: "one\ntwo\nthree\u0007\n", stderr: "bad\n" },
    };
    await ended(id, "deploy", xeme);
    const { stdout } = await obrien(["show", id, "--lines", "2"]);
    expect(stdout.replaceAll(/\d{4}-\d\d-\d\d [\d:.]+Z/g, "TIME").replaceAll(id, "ID")).toBe(`job       ID
class     deploy
state     failed
made      TIME
claimed   TIME
ended     TIME, after 4.25 s
payload   6 bytes: v1\\u{1b}[2J

failure  pipeline
├─ warning: disk/low
├─ tags: ["nightly"]
├─ success  build
│  └─ run_time: 2
├─ failure  check
│  ├─ error: test/failed: 3 of 9
│  │  └─ file: a.t
│  └─ stdout: x
└─ skipped  ship

standard output, the last 2 of 3 lines:
  two
  three\\u{7}

standard error:
  bad
`);
  });

  test("survives whatever a worker reports", async () => {
    const id = await enqueued("a", "x");
    const odd = {
      success: false,
      errors: "none",
      nested: [1, null, { nested: {} }],
      notes: [null, 5, "text"],
      io: 3,
      meta: [],
      class: 9,
    };
    await ended(id, "a", odd as unknown as Xeme);
    expect((await obrien(["show", id])).stdout).toContain(`failure
├─ note: null
├─ note: 5
├─ note: text
├─ no verdict  -
├─ no verdict  -
└─ no verdict  -
`);
  });

  test("names the candidates when the start of an id is not enough", async () => {
    const ids = (await obrien(["enqueue", "a", "--lines"], "1\n2\n")).stdout.trim().split("\n");
    const { code, stderr } = await obrien(["show", ids[0]!.slice(0, 8)]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `basil: several jobs start with ${ids[0]!.slice(0, 8)}: give more of the id\n  ${ids.join("\n  ")}\n`,
    });
    expect((await obrien(["show", "ffff"])).stderr).toContain('has no job "ffff": it was pruned, or never there');
  });
});

describe("cancel and prune", () => {
  test("cancel makes a pending job fail, and says of others why not", async () => {
    const [one, two] = [await enqueued("a", "1"), await enqueued("b", "2")];
    expect(await obrien(["cancel", one])).toEqual({ code: 0, stdout: `${one}  cancelled before it ran\n`, stderr: "" });
    const { code, stdout, stderr } = await obrien(["cancel", one, "ffff", two]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${one}  had ended already\n${two}  cancelled before it ran\n` });
    expect(stderr).toContain('has no job "ffff"');
  });

  test("prune deletes what ended long ago, and nothing else", async () => {
    const [one] = [await enqueued("a", "1"), await enqueued("b", "2")];
    await ended(one, "a", { success: true });
    expect((await obrien(["prune", "--older-than", "1d"])).stdout).toBe("0 jobs deleted\n");
    expect((await obrien(["prune", "--older-than", "2099-01-01T00:00:00Z", "--state", "failed"])).stdout).toBe(
      "0 jobs deleted\n",
    );
    expect((await obrien(["prune", "--older-than", "2099-01-01T00:00:00Z", "--json"])).stdout).toBe('{"pruned":1}\n');
    expect(JSON.parse((await obrien(["list", "--json"])).stdout).jobs).toHaveLength(1);
  });
});

test("a file that is no store ends with 1 and says so", async () => {
  writeFileSync(join(directory, "notes.txt"), "not a database, and long enough to be read as one".repeat(100));
  const { code, stderr } = await obrien(["list", "--store", "notes.txt"]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^basil: .*notes\.txt/) });
});
