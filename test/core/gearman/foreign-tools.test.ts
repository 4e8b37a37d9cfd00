/** The `gearman` and `gearadmin` tools with our client and our worker, over gearmand and over the embedded server. */
import { type ChildProcess, spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { canRun } from "../../helpers/gearmand.ts";
import { until } from "./fake-server.ts";
import { failure, SERVER_KINDS, useRig } from "./faults-rig.ts";

const DEADLINE_MS = 20_000;

const rig = useRig();

function start(port: number, program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, ["-h", "127.0.0.1", "-p", String(port), ...args], { timeout: DEADLINE_MS, killSignal: "SIGKILL" });
  child.on("error", () => undefined);
  rig.onEnd(() => child.kill("SIGKILL"));
  return child;
}

/** Runs a tool to its end: its exit code and what it wrote. */
async function run(port: number, program: string, args: readonly string[], input: string | Buffer = "") {
  const child = start(port, program, args);
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (bytes: Buffer) => output.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => errors.push(bytes));
  child.stdin?.on("error", () => undefined).end(input);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output: Buffer.concat(output), errors: Buffer.concat(errors).toString() };
}

/** A worker made of the tool and a command. */
async function toolWorker(port: number, name: string, ...command: string[]): Promise<ChildProcess> {
  const child = start(port, "gearman", ["-w", "-f", name, ...command]);
  const admin = rig.admin(port);
  await until(async () => (await admin.status()).some((row) => row.name === name && row.workers === 1), `the worker for ${name}`);
  return child;
}

describe.each(SERVER_KINDS)("over $kind", ({ kind, isMissing }) => {
  const testTool = test.skipIf(isMissing || !canRun("gearman"));

  testTool("the tool as a client of our worker: bytes, lines, background, priority and key", async () => {
    const port = await rig.server(kind);
    const seen: string[] = [];
    await rig.worker(`127.0.0.1:${port}`, {
      same: (job) => job.payload,
      up: (job) => String(job.payload).toUpperCase(),
      note: (job) => void seen.push(`${job.payload} ${job.unique}`),
    });
    const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7) % 256));
    expect((await run(port, "gearman", ["-f", "same"], bytes)).output.equals(bytes)).toBe(true);
    expect(await run(port, "gearman", ["-f", "up", "-n"], "one\ntwo\nthree\n")).toMatchObject({
      code: 0,
      output: Buffer.from("ONE\nTWO\nTHREE\n"),
    });
    for (const [flag, key] of [
      ["-I", "urgent"],
      ["-L", "idle"],
    ] as const)
      expect((await run(port, "gearman", ["-f", "note", "-b", flag, "-u", key], "hello")).code).toBe(0);
    await until(() => seen.length === 2);
    expect(seen.sort()).toEqual(["hello idle", "hello urgent"]);
  });

  testTool("our worker's failure is one to the tool, and nothing hangs", async () => {
    const port = await rig.server(kind);
    await rig.worker(`127.0.0.1:${port}`, { bad: () => Promise.reject(new Error("no luck")) });
    const { code, output, errors } = await run(port, "gearman", ["-f", "bad"], "x");
    expect(code).toBe(1);
    expect(`${output}${errors}`).toContain("no luck");
  });

  testTool("our data pieces and warnings come out in order", async () => {
    const port = await rig.server(kind);
    await rig.worker(`127.0.0.1:${port}`, {
      steps: async (job) => {
        for (const piece of ["a", "b", "c"]) await job.sendData(piece);
        await job.sendStatus(1, 1);
        return "d";
      },
    });
    expect(String((await run(port, "gearman", ["-f", "steps"], "x")).output).replace(/\s/g, "")).toContain("abc");
  });

  testTool("the tool as our client's worker: results, failures, and a worker that takes one job", async () => {
    const port = await rig.server(kind);
    const client = rig.client(`127.0.0.1:${port}`);
    await toolWorker(port, "cat", "--", "cat");
    const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7) % 256));
    expect((await client.submit({ name: "cat", payload: bytes })).equals(bytes)).toBe(true);
    expect(await client.submit({ name: "cat" })).toHaveLength(0);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => client.submit({ name: "cat", payload: `${index}` })),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`));
    await toolWorker(port, "bad", "--", "false");
    expect(await failure(client.submit({ name: "bad", payload: "x" }))).toMatchObject({ kind: "WORKER_FAILED" });
    const once = await toolWorker(port, "once", "-c", "1", "--", "cat");
    const ended = new Promise((resolve) => once.once("exit", resolve));
    await client.submitBackground({ name: "once", payload: "x" });
    expect(await ended).toBe(0);
  });

  test.skipIf(isMissing || !canRun("gearadmin"))("gearadmin sees our worker and cancels our client's job", async () => {
    const port = await rig.server(kind);
    await rig.worker(`127.0.0.1:${port}`, { known: () => "" }, { clientId: "our-worker" });
    const client = rig.client(`127.0.0.1:${port}`);
    const { handle } = await client.submitBackground({ name: "queued", unique: "the-key" });
    const ask = async (option: string) => String((await run(port, "gearadmin", [option])).output);
    expect(await ask("--status")).toMatch(/^queued\t1\t0\t0$/m);
    expect(await ask("--workers")).toMatch(/ our-worker : known$/m);
    expect(await ask("--show-unique-jobs")).toContain("the-key");
    expect(await ask("--show-jobs")).toContain(`${handle}\t0\t0\t1`);
    expect(await ask(`--cancel-job=${handle}`)).toContain("OK");
    expect(await ask("--show-jobs")).not.toContain(`${handle}\t0\t0\t1`);
  });
});
