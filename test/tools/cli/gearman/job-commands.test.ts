/** `basil gearman submit`, `work` and `serve` as processes, beside the C tool and gearmand where they are installed. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basil, type CliOptions, cliPath } from "../../../helpers/cli.ts";
import { canRun, freePort } from "../../../helpers/gearmand.ts";

let server: ChildProcessWithoutNullStreams;
let servers = "";
let port = "";
let directory = "";
const workers: ChildProcessWithoutNullStreams[] = [];

beforeAll(async () => {
  server = spawn(cliPath(), ["gearman", "serve", "--port", "0", "--log-file", "none"]);
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  servers = line.toString().trim().replace("listening on ", "");
  port = servers.split(":")[1]!;
  directory = mkdtempSync(join(tmpdir(), "basil-jobs-"));
  await Promise.all([
    work("up", "--", "tr", "a-z", "A-Z"),
    work("cat", "--concurrency", "4", "--", "cat"),
    work("pieces", "--chunks", "--", "cat"),
    work("bad", "--", "sh", "-c", "echo part; echo the reason >&2; exit 3"),
    work("killed", "--", "sh", "-c", "kill -9 $$"),
    work("about", "--", "sh", "-c", 'printf "$GEARMAN_FUNCTION $GEARMAN_UNIQUE $GEARMAN_HANDLE"'),
    work("slow", "--timeout-ms", "200", "--", "sh", "-c", "sleep 60 & sleep 60"),
    work("large", "--max-bytes", "1000", "--", "yes"),
  ]);
});
afterAll(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  server.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

/** A worker process, once it is connected. */
function work(...args: string[]): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(cliPath(), ["gearman", "work", "--servers", servers, ...args]);
  workers.push(child);
  return new Promise((resolve, reject) => {
    let told = "";
    child.once("exit", () => reject(new Error(told)));
    child.stderr.on("data", (chunk) => {
      told += chunk;
      if (told.includes("connected to")) resolve(child);
    });
  });
}

const submit = (args: readonly string[], options: CliOptions = {}) =>
  basil(["gearman", "submit", "--servers", servers, ...args], { directory, ...options });

async function outcome(args: readonly string[], input = "") {
  const { code, stdout, stderr } = await submit(args, { input });
  return { code, stdout: stdout.toString(), stderr };
}

describe("submit", () => {
  test("the payload is the argument, or standard input byte for byte", async () => {
    expect(await outcome(["up", "word"])).toEqual({ code: 0, stdout: "WORD", stderr: "" });
    const bytes = Buffer.from([0, 1, 255, 10, 0, 13]);
    expect((await submit(["cat"], { input: bytes })).stdout).toEqual(bytes);
    expect(await outcome(["cat", "--empty"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test.each(["cat", "pieces"])("64 MB go there and back through %s without a deadlock", async (name) => {
    const bytes = randomBytes(64_000_000);
    const { code, stdout } = await submit([name], { input: bytes });
    expect({ code, isSame: stdout.equals(bytes) }).toEqual({ code: 0, isSame: true });
  });

  test("each line is a job, and results keep the order of the lines", async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    const { code, stdout } = await outcome(["--lines", "--in-flight", "8", "cat"], lines.join("\n"));
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${lines.join("\n")}\n` });
  });

  test("unordered results are whole lines", async () => {
    const { stdout } = await outcome(["--lines", "--unordered", "cat"], "a\nb\nc\n");
    expect(stdout.split("\n").sort()).toEqual(["", "a", "b", "c"]);
  });

  test("a failed job tells why on stderr and gives 1; other lines are done", async () => {
    const one = await outcome(["bad", "x"]);
    expect(one.code).toBe(1);
    expect(one.stderr).toMatch(/^the reason\nsh ended with exit code 3\nbasil: bad failed \(job H:.*\)\n$/);
    const many = await outcome(["--lines", "bad"], "1\n2\n");
    expect(many.stderr).toContain("basil: line 2: bad failed");
    expect(many.stdout).toBe("\n\n");
    expect((await outcome(["killed", "x"])).stderr).toContain("sh ended with SIGKILL");
  });

  test("--json prints an object for each job, failures and bytes that are no text included", async () => {
    const good = JSON.parse((await outcome(["--json", "up", "a"])).stdout);
    expect(good).toEqual({ function: "up", handle: good.handle, server: servers, ok: true, result: "A" });
    const bytes = await submit(["--json", "cat"], { input: Buffer.from([255, 0]) });
    expect(JSON.parse(bytes.stdout.toString()).resultBase64).toBe("/wA=");
    expect(JSON.parse((await outcome(["--json", "bad", "x"])).stdout)).toMatchObject({
      ok: false,
      error: { kind: "WORKER_FAILED" },
    });
  });

  test("--background prints handles, --at makes a background job", async () => {
    expect((await outcome(["--background", "up", "x"])).stdout).toMatch(/^H:\S+:\d+\n$/);
    expect((await outcome(["--at", "2001-01-01T00:00:00Z", "up", "x"])).stdout).toMatch(/^H:\S+:\d+\n$/);
    expect((await outcome(["--background", "--lines", "up"], "1\n2\n3\n")).stdout.split("\n")).toHaveLength(4);
  });

  test("a server that is not there gives 1, within the time the configuration allows", async () => {
    const { code, stderr } = await basil(["gearman", "submit", "--servers", "127.0.0.1:1", "--lines", "up"], { input: "1\n2\n" });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "basil: cannot reach 127.0.0.1:1: connection refused (after 3 tries)\n",
    });
  });

  test("a reader that goes away ends it quietly", () => {
    const line = `head -c 8000000 /dev/zero | "$0" gearman submit --servers ${servers} cat | head -c 3`;
    const { stdout, stderr } = spawnSync("sh", ["-c", line, cliPath()], { timeout: 20_000 });
    expect({ bytes: stdout.length, stderr: stderr.toString() }).toEqual({ bytes: 3, stderr: "" });
  });

  test.each([
    [["--lines", "up", "word"], "leave the payload out"],
    [["--lines", "--unique", "k", "up"], "--unique -"],
    [["--at", "tomorrow", "up", "x"], "2030-01-31T12:00:00Z"],
    [["--at", "1", "--high", "up", "x"], "no priority"],
    [["--servers", "host:99999", "up", "x"], "99999"],
    [["", "x"], "function name is empty"],
  ])("%j is wrong usage", async (args, text) => {
    const { code, stderr } = await outcome(args);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });

  test.skipIf(!canRun("gearman"))("does what the C tool does", async () => {
    for (const [flags, input] of [
      [[], "a\nb"],
      [["-n"], "a\nb\n"],
      [["-P"], "a"],
    ] as const) {
      const theirs = execFileSync("gearman", ["-h", "127.0.0.1", "-p", port, ...flags, "-f", "up"], { input, timeout: 10_000 });
      expect((await outcome([...flags, "up"], input)).stdout).toBe(theirs.toString());
    }
  });
});

describe("work", () => {
  test("the process finds function, key and handle in its environment", async () => {
    expect((await outcome(["--unique", "key", "about", "x"])).stdout).toMatch(/^about key H:\S+$/);
  });

  test("a job over its time fails, and its processes are gone with it", async () => {
    const startedAt = performance.now();
    const { code, stderr } = await outcome(["slow", "x"]);
    expect(code).toBe(1);
    expect(stderr).toContain("slow took longer than 200 ms");
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("a result over --max-bytes fails the job", async () => {
    expect((await outcome(["large", "x"])).stderr).toContain("the output is over 1000 bytes");
  });

  test("without a command payloads are printed, and --count ends it after exactly so many jobs", async () => {
    const done = basil(["gearman", "work", "--servers", servers, "--lines", "--count", "2", "printed"]);
    for (const word of ["a", "b", "c"]) await outcome(["--background", "printed", word]);
    expect((await done).stdout.toString()).toBe("a\nb\n");
    const rest = await basil(["gearman", "work", "--servers", servers, "--count", "1", "printed"]);
    expect({ code: rest.code, stdout: rest.stdout.toString() }).toEqual({ code: 0, stdout: "c" });
  });

  test("a program that is not there is refused before anything is registered", async () => {
    const { code, stderr } = await basil(["gearman", "work", "--servers", servers, "f", "--", "no-such-program"]);
    expect(code).toBe(2);
    expect(stderr).toContain("cannot run no-such-program: there is no such program in PATH");
  });

  test("the first signal lets the running job finish", async () => {
    const worker = await work("patient", "--", "sh", "-c", "sleep 0.4; echo finished");
    const job = submit(["--verbose", "patient", "x"], {
      onError: (stderr) => {
        if (stderr.includes(" is H:")) setTimeout(() => worker.kill("SIGTERM"), 150);
      },
    });
    const code = await new Promise((resolve) => worker.once("close", resolve));
    expect({ code, result: (await job).stdout.toString() }).toEqual({ code: 143, result: "finished\n" });
  });
});

describe("serve", () => {
  /** Starts a server and calls `use` when it listens. */
  const serve = async (args: readonly string[], use: (kill: (signal: NodeJS.Signals) => void) => Promise<void>) => {
    let used: Promise<void> | undefined;
    const result = await basil(["gearman", "serve", ...args], {
      directory,
      onOutput: (_, kill) => (used ??= use(kill)),
    });
    await used;
    return result;
  };

  test.each(["SIGTERM", "SIGINT", "SIGUSR1"] as const)(
    "says where it listens, keeps a pid file, and %s ends it with 0",
    async (signal) => {
      const free = await freePort();
      const { code, stdout, stderr } = await serve(["-p", String(free), "-P", "pid", "-t", "4"], async (kill) => {
        expect(Number(readFileSync(join(directory, "pid"), "utf8"))).toBeGreaterThan(1);
        const echo = await basil(["gearman", "submit", "--servers", `127.0.0.1:${free}`, "-b", "f", "x"]);
        expect(echo.code).toBe(0);
        kill(signal);
      });
      expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: `listening on 127.0.0.1:${free}\n` });
      expect(stderr).toMatch(/^\d{4}-\S+Z NOTICE {3}listening on/);
      expect(existsSync(join(directory, "pid"))).toBe(false);
    },
  );

  test("--log-file and --verbose=DEBUG as gearmand has them", async () => {
    const { stderr } = await serve(["-p", "0", "-l", "log", "--verbose=DEBUG"], async (kill) => kill("SIGTERM"));
    expect(stderr).toBe("");
    expect(readFileSync(join(directory, "log"), "utf8")).toContain("SIGTERM: stopping");
  });

  test.each([[[]], [["--daemon"]]])("a log file that cannot be written gives 1, before anything listens (%j)", async (more) => {
    const log = join(directory, "none", "log");
    const { code, stdout, stderr } = await basil(["gearman", "serve", "-p", "0", "--log-file", log, ...more]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`the log ${log} cannot be written: ENOENT`);
  });

  test("a port that is taken gives 1 and says what to do", async () => {
    const { code, stderr } = await basil(["gearman", "serve", "-p", port]);
    expect(code).toBe(1);
    expect(stderr).toContain("--port");
  });

  test.each([["--user=x"], ["--syslog"], ["-q", "redis"], ["-p", "70000"], ["--tls-cert", "x"], ["-v", "LOUD"]])(
    "refuses %s %s with a way out",
    async (...args) => {
      const { code, stderr } = await basil(["gearman", "serve", ...args]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/available|port|--tls-key|FATAL/);
    },
  );

  test("--daemon returns when the server listens, which then goes on by itself", async () => {
    const free = String(await freePort());
    const { code, stdout } = await basil(["gearman", "serve", "-d", "-p", free, "-P", "daemon.pid"], { directory });
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: `listening on 127.0.0.1:${free}\n` });
    const pid = Number(readFileSync(join(directory, "daemon.pid"), "utf8"));
    expect((await basil(["gearman", "submit", "--servers", `127.0.0.1:${free}`, "-b", "f", "x"])).code).toBe(0);
    process.kill(pid, "SIGTERM");
    await expect.poll(() => existsSync(join(directory, "daemon.pid")), { timeout: 5_000 }).toBe(false);
  });
});
