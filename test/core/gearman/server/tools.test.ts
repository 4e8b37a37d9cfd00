/** The tools that come with gearmand, against the embedded server. They stand for every program built on libgearman. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { canRun } from "../../../helpers/gearmand.ts";
import { line, packet, RawConnection } from "./dialogue.ts";

const DEADLINE_MS = 20_000;

let server: GearmanServer;
let port: number;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  server = new GearmanServer({ handleHost: "test" });
  port = (await server.listen()).port;
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server.close();
});

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, ["-h", "127.0.0.1", "-p", String(port), ...args], { timeout: DEADLINE_MS, killSignal: "SIGKILL" });
  child.on("error", () => undefined);
  children.push(child);
  return child;
}

/** Runs a tool to its end; what it wrote, and its exit code when that is not 0. */
async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = start(program, args);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("latin1").on("data", (text: string) => (output += text));
  child.stdin?.on("error", () => undefined).end(input, "latin1");
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return code === 0 ? output : `${output}exit code ${code}`;
}

/** Starts a worker and waits until the server knows it. */
async function startWorker(name: string, ...command: string[]): Promise<ChildProcess> {
  const child = start("gearman", ["-w", "-f", name, ...command]);
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await status()).includes(`${name}\\t0\\t0\\t1`)) {
    if (Date.now() > deadline) throw new Error(`the worker for ${name} did not register`);
  }
  return child;
}

async function status(): Promise<string> {
  const admin = await RawConnection.open(port);
  admin.send(line("status"));
  let lines = "";
  for (let answer = await admin.next(); answer !== 'text ".\\n"'; answer = await admin.next()) lines += answer;
  await admin.close();
  return lines;
}

describe.skipIf(!canRun("gearman"))("gearman", () => {
  test("client and worker exchange jobs", async () => {
    await startWorker("up", "--", "tr", "a-z", "A-Z");
    expect(await run("gearman", ["-f", "up"], "hello")).toBe("HELLO");
    expect(await run("gearman", ["-f", "up", "-P"], "hello")).toBe("up: HELLO");
    expect(await run("gearman", ["-f", "up", "-I"], "high")).toBe("HIGH");
    expect(await run("gearman", ["-f", "up", "-L", "-u", "key"], "low")).toBe("LOW");
    expect(await run("gearman", ["-f", "up", "-n"], "one\ntwo\nthree\n")).toBe("ONE\nTWO\nTHREE\n");
  });

  test("every byte comes through", async () => {
    await startWorker("cat", "--", "cat");
    const bytes = Array.from({ length: 20_000 }, (_, index) => String.fromCharCode((index * 7) % 256)).join("");
    expect(await run("gearman", ["-f", "cat"], bytes)).toBe(bytes);
    expect(await run("gearman", ["-f", "cat", "-s"])).toBe("");
  });

  test("a background job runs without its client", async () => {
    expect(await run("gearman", ["-f", "later", "-b"], "hello")).toBe("");
    expect(await status()).toContain("later\\t1\\t0\\t0");
    const worker = start("gearman", ["-w", "-f", "later", "-c", "1", "--", "cat"]);
    expect(await new Promise((resolve) => worker.once("exit", resolve))).toBe(0);
    expect(await status()).toContain("later\\t0\\t0\\t0");
  });

  test("a failing worker fails the client", async () => {
    await startWorker("bad", "--", "false");
    expect(await run("gearman", ["-f", "bad"], "x")).toContain("exit code 1");
  });

  test("a client learns of a failed job even when the worker sent an exception", async () => {
    const worker = await RawConnection.open(port);
    worker.send(packet("CAN_DO", "boom"), packet("PRE_SLEEP"));
    const client = run("gearman", ["-f", "boom"], "x");
    expect(await worker.next()).toBe("NOOP");
    worker.send(packet("GRAB_JOB"));
    expect(await worker.next()).toBe("JOB_ASSIGN H:test:1|boom|x");
    worker.send(packet("WORK_EXCEPTION", "H:test:1\0no way"));
    expect(await client).toContain("exit code 1");
    await worker.close();
  });

  test("twenty clients and three workers", async () => {
    await startWorker("rev", "--", "rev");
    start("gearman", ["-w", "-f", "rev", "--", "rev"]);
    start("gearman", ["-w", "-f", "rev", "--", "rev"]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, number) => run("gearman", ["-f", "rev"], `job-${number}\n`)),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, number) => `${[...`job-${number}`].reverse().join("")}\n`));
  });
});

describe.skipIf(!canRun("gearadmin"))("gearadmin", () => {
  test.each([
    ["--server-version", "1.1.20+basil\n"],
    ["--server-verbose", "ERROR\n"],
    ["--getpid", `${process.pid}\n`],
    ["--status", "f\t1\t0\t0\n.\n"],
    ["--priority-status", "f\t0\t1\t0\t0\n.\n"],
    ["--show-jobs", "H:test:1\t0\t0\t1\n.\n"],
    ["--show-unique-jobs", "key\n.\n"],
    ["--create-function=g", "OK\n"],
    ["--cancel-job=H:test:1", "OK\n"],
    ["--drop-function=f", "Error: there are still connected workers or executing clients\n"],
  ])("%s", async (option, output) => {
    const client = await RawConnection.open(port);
    client.send(packet("SUBMIT_JOB_BG", "f\0key\0x"));
    await client.next();
    await client.close();
    const answer = await run("gearadmin", [option]);
    expect(answer.replace(/exit code \d+$/, "").trimEnd()).toBe(output.trimEnd());
  });

  test("--workers", async () => {
    const worker = await RawConnection.open(port);
    worker.send(packet("SET_CLIENT_ID", "me"), packet("CAN_DO", "f"), packet("CAN_DO", "g"));
    await worker.answers();
    expect(await run("gearadmin", ["--workers"])).toContain("1 127.0.0.1 me : g f\n");
    await worker.close();
  });
});
