/** `basil run` and `basil check` as processes and in process: exit codes, streams, reports, options, signals. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basil, type CliOptions, cliPath } from "../../helpers/cli.ts";
import { basilInProcess } from "../../helpers/in-process.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-run-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Saves a program and gives its name. */
function program(name: string, text: string): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return name;
}

async function run(text: string, options: readonly string[] = [], more: CliOptions = {}, args: readonly string[] = []) {
  const file = program("test.basil", text);
  const { code, stdout, stderr } = await basilInProcess(["run", ...options, file, ...args], { directory, ...more });
  return { code, stdout: stdout.toString(), stderr };
}

describe("exit codes", () => {
  test.each([
    ["a program that ends", "PRINT 1", 0],
    ["EXIT", "EXIT", 0],
    ["EXIT n", "EXIT 7", 7],
    ["EXIT n beyond a byte", "EXIT 257", 1],
    ["END", "IF 1 THEN END\nPRINT 2", 0],
    ["an uncaught error", 'RAISE "no"', 1],
    ["a program that does not compile", "PRINT (", 1],
  ])("%s", async (_what, text, code) => {
    expect((await run(text)).code).toBe(code);
  });

  test("STOP ends with 0 and tells where on stderr", async () => {
    expect(await run("PRINT 1\nSTOP\nPRINT 2")).toEqual({ code: 0, stdout: "1\n", stderr: "stopped at test.basil:2\n" });
  });
});

describe("reports", () => {
  test("a run-time error shows code, place, line and caret; what was printed before stays", async () => {
    const { code, stdout, stderr } = await run('PRINT "before"\nDIM a(3)\nPRINT a(9)\n');
    expect({ code, stdout }).toEqual({ code: 1, stdout: "before\n" });
    expect(stderr).toMatch(/^error\[B1002\]: array index out of bounds\n {2}--> test\.basil:3:7\n {2}PRINT a\(9\)\n {8}\^+\n$/);
  });

  test("a program that does not compile prints nothing, and every broken statement is reported", async () => {
    const { code, stdout, stderr } = await run('PRINT "before"\nIF THEN\nPRINT 1\nx = = 2\n');
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("test.basil:2:");
    expect(stderr).toContain("test.basil:4:");
  });

  test("an error in a SUB tells who called", async () => {
    const { stderr } = await run('SUB inner()\n  RAISE "deep"\nEND SUB\nSUB outer()\n  inner()\nEND SUB\nouter()\n');
    expect(stderr).toContain("error[B1000]: deep\n  --> test.basil:2:3");
    expect(stderr).toMatch(/called from outer at test\.basil:5:3/);
    expect(stderr).toMatch(/called from main at test\.basil:7:1/);
  });

  test("colours come on a terminal only: never into a pipe", async () => {
    const { stderr } = await basil(["run", program("broken.basil", "PRINT (")], { directory, environment: { FORCE_COLOR: "1" } });
    expect(stderr).toContain("error[B0101]");
    expect(stderr).not.toContain("\u001b");
  });

  test("basil check reports without running, and says nothing about a sound program", async () => {
    program("sound.basil", 'WRITEFILE("made.txt", "x")');
    program("unsound.basil", "GOTO nowhere");
    expect(await basilInProcess(["check", "sound.basil"], { directory })).toMatchObject({ code: 0, stderr: "" });
    const both = await basilInProcess(["check", "sound.basil", "unsound.basil"], { directory });
    expect(both.code).toBe(1);
    expect(both.stderr).toContain("error[B0201]: Undefined label: nowhere\n  --> unsound.basil:1:");
  });
});

describe("the program's surroundings", () => {
  test("ARGS holds what follows the file, options included", async () => {
    const { stdout } = await run("PRINT ARGS", [], {}, ["a", "--sandbox", "b c"]);
    expect(stdout).toBe("[a, --sandbox, b c]\n");
  });

  test("files and INCLUDE are found beside the program, wherever it is run from", async () => {
    program("sub/main.basil", 'INCLUDE "part.basil"\nPRINT READFILE$("data.txt")\n');
    program("sub/part.basil", 'PRINT "part"\n');
    writeFileSync(join(directory, "sub/data.txt"), "data");
    const { code, stdout } = await basilInProcess(["run", "sub/main.basil"], { directory });
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "part\ndata\n" });
  });

  test("- reads the program from standard input", async () => {
    const { code, stdout, stderr } = await basilInProcess(["run", "-"], { directory, input: 'PRINT "from a pipe"\nRAISE "x"' });
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: "from a pipe\n" });
    expect(stderr).toContain("--> stdin:2:1");
  });

  test("--dialect chooses the dialect, and the first line of the program is stronger", async () => {
    expect((await run('PRINT "a", "b"')).stdout).toBe("a\tb\n");
    expect((await run('PRINT "a", "b"', ["--dialect", "basil"])).stdout).toBe("a\tb");
    expect((await run('#DIALECT classic\nPRINT "a"', ["--dialect", "basil"])).stdout).toBe("a\n");
  });

  test("--sandbox gives no files, environment, shell or network", async () => {
    for (const text of ['PRINT READFILE$("x")', 'PRINT ENV$("HOME")', 'PRINT SHELL("true")', 'PRINT GEARMAN.ECHO$("x")']) {
      const { code, stdout } = await run(text, ["--sandbox"]);
      expect({ text, code, stdout }).toEqual({ text, code: 1, stdout: "" });
    }
    expect((await run('PRINT LEFT$("ok!", 2)', ["--sandbox"])).stdout).toBe("ok\n");
  });

  test("--sandbox with --embedded gives the network of that server alone", async () => {
    expect((await run('PRINT GEARMAN.ECHO$("x")', ["--sandbox", "--embedded"])).stdout).toBe("x\n");
  });

  test.each([
    ["--max-steps", "1000"],
    ["--deadline-ms", "100"],
  ])("%s ends a program that would not, and nothing catches it", async (option, value) => {
    const { code, stdout, stderr } = await run('TRY\nDO\nLOOP\nCATCH e$\nPRINT "caught"\nFINALLY\nPRINT "finally"\nEND TRY', [
      option,
      value,
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error\[/);
  });

  test("--servers that make no sense are wrong usage", async () => {
    const { code, stderr } = await run("PRINT 1", ["--servers", "host:99999"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--servers");
  });

  test("--timeout-ms bounds a call to a server that is not there", async () => {
    const { code, stdout } = await run('x$ = GEARMAN.ECHO$("x")\nPRINT GEARMAN.ERRCODE% > 0', [
      "--servers",
      "127.0.0.1:1",
      "--timeout-ms",
      "500",
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "true\n" });
  });
});

describe("as a process", () => {
  test("output is complete when the program ends, however long", async () => {
    const file = program("long.basil", 'FOR i = 1 TO 60000\nPRINT "line #{i} of a long output"\nNEXT\nEXIT 3');
    const { code, stdout } = await basil(["run", file], { directory });
    expect(code).toBe(3);
    expect(stdout.toString().endsWith("line 60000 of a long output\n")).toBe(true);
    expect(stdout.toString().split("\n")).toHaveLength(60_001);
  });

  test.each(['DO\nPRINT "y"\nLOOP', 'DO\nPRINT "y"\nSLEEP 1\nLOOP'])(
    "a reader that goes away ends the program quietly: %j",
    async (text) => {
      const child = spawn("sh", ["-c", `"$0" run ${program("endless.basil", text)} | head -1`, cliPath()], { cwd: directory });
      let stderr = "";
      let stdout = "";
      child.stderr.on("data", (chunk) => (stderr += chunk));
      child.stdout.on("data", (chunk) => (stdout += chunk));
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "y\n", stderr: "" });
    },
  );

  test.skipIf(!existsSync("/dev/full"))("a full disk does not pass for a success", async () => {
    const file = program("short.basil", "PRINT 1");
    const result = spawnSync("sh", ["-c", `"$0" run ${file} > /dev/full`, cliPath()], { cwd: directory, encoding: "utf8" });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("ENOSPC");
  });

  test("calls nest 10 000 deep", async () => {
    const file = program("deep.basil", "FUNC f(n)\nIF n = 0 THEN RETURN 0\nRETURN 1 + f(n - 1)\nEND FUNC\nPRINT f(10000)");
    const { code, stdout, stderr } = await basil(["run", file], { directory });
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 0, stdout: "10000\n", stderr: "" });
  });

  test.each([
    ["SIGINT", 'PRINT "ready"\nSLEEP 1\nDO\nLOOP'],
    ["SIGTERM", 'PRINT "ready"\nSLEEP 60000'],
  ] as const)("without a worker, %s ends the program at once, as it does any other", async (signal, text) => {
    const result = await basil(["run", program("endless.basil", text)], {
      directory,
      onOutput: (_stdout, kill) => kill(signal),
    });
    expect(result.signal).toBe(signal);
  });

  const WORKER = `SUB slow(n$)
  PRINT "started"
  SLEEP 400
  RETURN "done"
END SUB
ok% = GEARMAN.WORKER_ADD%("slow", "slow")
ok% = GEARMAN.WORKER_START%("w", 1)
ok% = GEARMAN.SUBMIT_BG%("slow", "")
DO : SLEEP 1000 : LOOP
`;

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("with a worker, %s lets the running job finish and exits with %i", async (signal, code) => {
    let isSent = false;
    const file = program("worker.basil", WORKER.replace('RETURN "done"', 'PRINT "finished"'));
    const result = await basil(["run", "--embedded", file], {
      directory,
      onOutput: (stdout, kill) => {
        if (!isSent && stdout.includes("started")) kill(signal);
        isSent ||= stdout.includes("started");
      },
    });
    expect({ code: result.code, stdout: result.stdout.toString() }).toEqual({ code, stdout: "started\nfinished\n" });
  });

  test("a second Ctrl-C does not wait for the job", async () => {
    let isSent = false;
    let again: NodeJS.Timeout | undefined;
    const file = program("stuck.basil", WORKER.replace("SLEEP 400", "SLEEP 60000"));
    const result = await basil(["run", "--embedded", file], {
      directory,
      onOutput: (stdout, kill) => {
        if (!isSent && stdout.includes("started")) kill("SIGINT");
        isSent ||= stdout.includes("started");
      },
      // Somebody who presses the keys until it ends: presses at the same instant count as one.
      onError: (stderr, kill) => {
        if (stderr.includes("stopping:")) again ??= setInterval(() => kill("SIGINT"), 20);
      },
    });
    clearInterval(again);
    expect(result.code).toBe(130);
  });
});
