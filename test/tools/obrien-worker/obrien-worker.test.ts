/** The process of one O'Brien job whose body is a SUB: what it makes of the SUB's end, what it may reach, and when it ends. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gearman } from "../../../modules/gearman/index.ts";
import { endOf, inputOf, runJob, startJob, workerFile } from "./job.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "obrien-worker-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** A SUB that is the job. */
const sub = (...lines: string[]): string => ["SUB job(p$)", ...lines, "END SUB"].join("\n");

describe("the verdict of", () => {
  test.each([
    ["nothing", [], ""],
    ["NULL", ["RETURN NULL"], ""],
    ["an empty text", ['RETURN ""'], ""],
    ["TRUE", ["RETURN TRUE"], '{"success":true}'],
    ["FALSE", ["RETURN 1 = 2"], '{"success":false}'],
    ["a DICT", ['RETURN {"success": FALSE, "note": "x"}'], '{"success":false,"note":"x"}'],
    ["a DICT without success", ['RETURN {"enqueue": ["a"]}'], '{"success":true,"enqueue":["a"]}'],
    ["the text of a JSON object", ['RETURN JSON.STRINGIFY$({"success": NULL})'], '{"success":null}'],
  ])("%s", async (_, lines, stdout) => {
    expect(await runJob(sub(...lines))).toEqual({ code: 0, signal: null, stdout: stdout && `${stdout}\n`, stderr: "" });
  });

  test.each([
    ["a number", "5", "bryton/runtime/not-hash", undefined],
    ["a LIST", "[1]", "bryton/runtime/not-hash", undefined],
    ["the text of a JSON array", '"[1]"', "bryton/runtime/not-hash", { returned: [1] }],
    ["other text", '"all is well"', "bryton/runtime/unparseable", { returned: "all is well" }],
  ])("%s is a failure, which says what to return", async (_, expression, name, misc) => {
    const verdict = JSON.parse((await runJob(sub(`RETURN ${expression}`))).stdout);
    expect(verdict).toMatchObject({ success: false, errors: [{ class: name }] });
    expect(verdict.errors[0].message).toContain("RETURN a DICT or the text of a JSON object, TRUE, FALSE, or nothing");
    expect(verdict.misc).toEqual(misc);
  });

  test("nothing after output is success in implicit mode, and missing in positive mode", async () => {
    const source = sub('PRINT "working";');
    expect((await runJob(source)).stdout).toBe('working\n{"success":true}\n');
    const positive = await runJob(source, { mode: "positive" });
    expect(JSON.parse(positive.stdout.split("\n")[1]!)).toMatchObject({ errors: [{ class: "bryton/runtime/missing" }] });
  });

  test("output that may end with a JSON object is left as it is: the object is the verdict", async () => {
    expect((await runJob(sub('PRINT JSON.STRINGIFY$({"success": FALSE})'))).stdout).toBe('{"success":false}\n');
  });

  test("a DICT without success is missing in positive mode", async () => {
    const { stdout } = await runJob(sub('RETURN {"n": 1}'), { mode: "positive" });
    expect(JSON.parse(stdout)).toMatchObject({
      success: false,
      errors: [{ class: "bryton/runtime/missing" }],
      misc: { returned: { n: 1 } },
    });
  });

  test("an uncaught error: its class, its message and its place", async () => {
    const { stdout, code } = await runJob(sub('PRINT "a"', "x = 1 / p$"), { payload: "zero" });
    const [first, last] = stdout.split("\n");
    expect([first, code]).toEqual(["a", 0]);
    expect(JSON.parse(last!)).toMatchObject({
      success: false,
      errors: [{ class: "basil/runtime/type-error", name: "TYPE_ERROR", code: 1001 }],
      location: { file: "job.basil", line: 3 },
    });
  });

  test("a value that has no JSON form is an error as well", async () => {
    const { stdout } = await runJob(`FUNC f()\nEND FUNC\n${sub('RETURN {"f": f}')}`);
    expect(JSON.parse(stdout)).toMatchObject({ success: false, errors: [{ class: "basil/runtime/type-error" }] });
  });

  test("EXIT is the exit code, and no verdict", async () => {
    expect(await runJob(sub('PRINT "bye"', "EXIT 3"))).toEqual({ code: 3, signal: null, stdout: "bye\n", stderr: "" });
  });
});

describe("a SUB in its process", () => {
  test("gets payloads of any bytes and size whole", async () => {
    const payload = Buffer.alloc(3_000_001, 0xff);
    const { stdout } = await runJob(sub('RETURN {"n": LEN(p$)}'), { payload });
    expect(JSON.parse(stdout)).toEqual({ success: true, n: 3_000_001 });
  });

  test("nests calls deeply with the flag for it", async () => {
    const source = `${sub('RETURN {"n": down(12000)}')}\nFUNC down(n)\nIF n = 0 THEN RETURN 0\nRETURN 1 + down(n - 1)\nEND FUNC`;
    const child = startJob({}, ["--stack-size=7000"]);
    const ended = endOf(child);
    child.stdin!.end(Buffer.concat(await inputOf(source)));
    expect((await ended).stdout).toBe('{"success":true,"n":12000}\n');
  });

  test.each([
    ["files", 'RETURN {"text": READFILE$("a.txt")}', "files"],
    ["the environment", 'RETURN {"text": ENV$("SECRET")}', "environment variables"],
    ["the shell", 'SHELL "echo no"', "shell"],
    ["standard input", "INPUT x$", "input"],
  ])("has no %s unless its class gives them", async (_, line, what) => {
    const { stdout } = await runJob(sub(line), { directory: place, environment: { SECRET: "s" } });
    expect(JSON.parse(stdout).errors[0].message).toContain(what);
  });

  test("has what its class gives it", async () => {
    writeFileSync(join(place, "a.txt"), "text of a file");
    const source = sub('SHELL "echo shell"', 'RETURN {"file": READFILE$("a.txt"), "secret": ENV$("SECRET")}');
    const allow = ["files", "environment", "shell"] as const;
    const { stdout } = await runJob(source, { directory: place, allow, environment: { SECRET: "s" } });
    expect(stdout).toBe('shell\n{"success":true,"file":"text of a file","secret":"s"}\n');
  });

  test("has the modules of its class, and no others", async () => {
    const source = sub('RETURN {"code": GEARMAN.SUBMIT_BG$("f", p$) + STR$(GEARMAN.ERRCODE%)}');
    const settings = { others: [gearman()], directory: place };
    const modules = { GEARMAN: { servers: "127.0.0.1:1", timeoutMs: 100 } };
    expect(JSON.parse((await runJob(source, { ...settings, modules })).stdout).success).toBe(true);
    expect(JSON.parse((await runJob(source, settings)).stdout)).toMatchObject({ success: false });
  });
});

describe("the process", () => {
  test("that waits for a job ends when its manager is gone", async () => {
    const child = startJob();
    const ended = endOf(child);
    child.stdin!.end();
    expect(await ended).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
  });

  test("that got half a job ends without a word", async () => {
    const child = startJob();
    const ended = endOf(child);
    const input = Buffer.concat(await inputOf(sub('PRINT "never"'), { payload: "whole" }));
    child.stdin!.end(input.subarray(0, -1));
    expect(await ended).toEqual({ code: 1, signal: null, stdout: "", stderr: "" });
  });

  test("that works ends when its manager is killed", async () => {
    const input = join(place, "input");
    const [forClass] = await inputOf(sub('PRINT "at work"', "SLEEP 60000"));
    writeFileSync(input, forClass!);
    const manager = join(place, "manager.cjs");
    // It starts the job in a process group of its own, as managers do, tells the job's pid, and waits to be killed.
    writeFileSync(
      manager,
      `const [file, input] = process.argv.slice(2);
       const child = require("node:child_process").spawn(process.execPath, [file], { detached: true });
       const job = Buffer.from(JSON.stringify({ mode: "implicit", managerPid: process.pid, payloadBytes: 0 }));
       const length = Buffer.alloc(4);
       length.writeUInt32BE(job.length);
       child.stdin.end(Buffer.concat([require("node:fs").readFileSync(input), length, job]));
       child.stdout.once("data", () => process.stdout.write(String(child.pid)));`,
    );
    const parent = spawn(process.execPath, [manager, workerFile(), input], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve)));
    expect(isRunning(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  });

  test("keeps one code cache for all its flags", async () => {
    const input = Buffer.concat(await inputOf(sub("RETURN TRUE")));
    const keptAfter = async (...flags: string[]): Promise<number[]> => {
      const child = startJob({ XDG_CACHE_HOME: place }, flags);
      const ended = endOf(child);
      child.stdin!.end(input);
      expect((await ended).stdout).toBe('{"success":true}\n');
      const files = readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("code-"));
      return files.map((name) => statSync(join(place, name)).mtimeMs);
    };
    const first = await keptAfter();
    expect(first).toHaveLength(1);
    expect(await keptAfter("--stack-size=7000", "--max-old-space-size=100")).toEqual(first);
    expect(await keptAfter()).toEqual(first);
  });

  test("loads neither parser nor SQLite nor the command line", () => {
    const texts = textsOf(join(dirname(workerFile()), "chunks/obrien-job.js"));
    expect(texts.size).toBeGreaterThan(1);
    for (const [file, text] of texts) {
      if (!basename(file).startsWith("gearman")) expect(text, file).not.toMatch(/libsql|chevrotain|parseProgram|commander/);
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A built file and all it can load, but for the modules that a class may name. */
function textsOf(first: string): Map<string, string> {
  const texts = new Map<string, string>();
  const read = (file: string): void => {
    if (texts.has(file)) return;
    const text = readFileSync(file, "utf8");
    texts.set(file, text);
    if (basename(file).startsWith("gearman")) return;
    for (const [, wanted] of text.matchAll(/require\("(\.[^"]+)"\)/g)) read(join(dirname(file), wanted!));
  };
  read(first);
  return texts;
}
