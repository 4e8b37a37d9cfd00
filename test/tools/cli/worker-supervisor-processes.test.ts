/** Real processes of `basil worker` on a real gearmand: one is killed in the middle of a job, and nothing is lost for it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { GearmanClient, GearmanWorker } from "../../../src/core/gearman/index.ts";
import { cliPath } from "../../helpers/cli.ts";
import { hasGearmand, startGearmand } from "../../helpers/gearmand.ts";

/** Bounds every wait of a passing run many times over, in milliseconds. */
const SAFETY_MS = 120_000;

/** Each job asks the gate whether it may end, so that the test knows who does it and holds it there. Then it prints. */
const SCRIPT = `
SUB held(payload$)
  number$ = GEARMAN.SUBMIT$("gate", ENV$("BASIL_PROCESS"))
  PRINT "let go"
  SLEEP 1
  PRINT "done"
  RETURN payload$ + " by " + number$
END SUB
ok% = GEARMAN.WORKER_ADD%("held", "held")
ok% = GEARMAN.WORKER_START%("w", 1)
DO : SLEEP 1000 : LOOP
`;

const cleanUps: (() => Promise<void>)[] = [];

// gearmand goes first: without it no job of a failed test holds anybody up.
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A running `basil worker`. */
interface Supervisor {
  readonly pid: number;
  /** Resolves when it has said this on stderr. */
  told(text: string): Promise<void>;
}

/** Starts `basil worker` with two processes. */
function startWorkers(server: string): Supervisor {
  const directory = mkdtempSync(join(tmpdir(), "basil-worker-"));
  writeFileSync(join(directory, "held.basil"), SCRIPT);
  const options = ["--processes", "2", "--servers", server, "--timeout-ms", String(SAFETY_MS), "--no-cache"];
  const child = spawn(cliPath(), ["worker", ...options, "held.basil"], {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: directory },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "close");
  cleanUps.push(async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return {
    pid: child.pid ?? 0,
    async told(text) {
      while (!stderr.includes(text)) await once(child.stderr, "data");
    },
  };
}

/** The script processes of a supervisor: the process id of each, by its number. */
function scriptPids(supervisor: number): Map<string, number> {
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, "utf8").trim().split(" ");
  return new Map(children.map((pid) => [processNumber(pid), Number(pid)]));
}

function processNumber(pid: string): string {
  const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return variables.find((variable) => variable.startsWith("BASIL_PROCESS="))?.slice("BASIL_PROCESS=".length) ?? "";
}

/** A job in the middle of its script. */
interface Arrival {
  /** The number of the process that does it. */
  readonly process: string;
  /** Lets it end. */
  open(): void;
}

/** Holds every job of the scripts until it is let go. */
function gateAt(server: string): { next(): Promise<Arrival> } {
  const waiting = new PassThrough({ objectMode: true });
  const worker = new GearmanWorker({ servers: [server], concurrency: 10 });
  worker.add("gate", (job) => {
    const process = job.payload.toString();
    return new Promise<string>((resolve) => {
      const arrival: Arrival = { process, open: () => resolve(process) };
      waiting.write(arrival);
    });
  });
  worker.start();
  cleanUps.push(() => worker.stop({ graceMs: 0 }));
  const arrivals: AsyncIterator<Arrival, undefined> = waiting[Symbol.asyncIterator]();
  return {
    async next() {
      const { value } = await arrivals.next();
      if (value === undefined) throw new Error("the gate is closed");
      return value;
    },
  };
}

/** A gearmand, two worker processes whose jobs wait at a gate, and a client that submits them. */
async function stage() {
  const gearmand = await startGearmand();
  cleanUps.push(() => gearmand.stop());
  const gate = gateAt(gearmand.server);
  const client = new GearmanClient({ servers: [gearmand.server], timeoutMs: SAFETY_MS });
  cleanUps.push(() => client.close());
  const supervisor = startWorkers(gearmand.server);
  const submit = (payload: string) => client.submit({ name: "held", payload }).then(String);
  return { gate, submit, supervisor };
}

test.skipIf(!hasGearmand() || process.platform !== "linux")(
  "a process killed in the middle of a job: the other one finishes it, and the killed one comes back",
  async () => {
    const { gate, submit, supervisor } = await stage();

    // Each process does one job at a time: two held jobs are in two processes.
    const bothStart = [submit("a"), submit("b")];
    const first = [await gate.next(), await gate.next()];
    expect(first.map(({ process }) => process).sort()).toEqual(["1", "2"]);
    for (const { open } of first) open();
    await Promise.all(bothStart);

    const interrupted = submit("c");
    const { process: killed } = await gate.next();
    const before = scriptPids(supervisor.pid);
    process.kill(before.get(killed)!, "SIGKILL");
    const second = await gate.next();
    expect(second.process).not.toBe(killed);
    second.open();
    expect(await interrupted).toBe(`c by ${second.process}`);

    const bothEnd = [submit("d"), submit("e")];
    const last = [await gate.next(), await gate.next()];
    expect(last.map(({ process }) => process).sort()).toEqual(["1", "2"]);
    const after = scriptPids(supervisor.pid);
    expect(after.get(killed)).not.toBe(before.get(killed));
    expect(after.get(second.process)).toBe(before.get(second.process));
    for (const { open } of last) open();
    await Promise.all(bothEnd);
  },
  SAFETY_MS,
);

test.skipIf(!hasGearmand() || process.platform !== "linux")(
  "SIGHUP twice while jobs run cuts none of them, and the next process is replaced after the first",
  async () => {
    const { gate, submit, supervisor } = await stage();

    const jobs = [submit("a"), submit("b")];
    const held = [await gate.next(), await gate.next()];
    const before = scriptPids(supervisor.pid);
    process.kill(supervisor.pid, "SIGHUP");
    await supervisor.told("worker 1 (pid");
    process.kill(supervisor.pid, "SIGHUP");
    await supervisor.told("one more follows");
    expect(scriptPids(supervisor.pid)).toEqual(before);
    for (const { open } of held) open();
    // A job that was cut would come to the gate again, and never end.
    await Promise.all(jobs);

    await supervisor.told("worker 2 (pid");
    const after = scriptPids(supervisor.pid);
    expect(after.get("1")).not.toBe(before.get("1"));
    const third = submit("c");
    (await gate.next()).open();
    expect(await third).toMatch(/^c by [12]$/);
  },
  SAFETY_MS,
);

/** Whether a process has ended; one that nobody has asked for its exit code counts as ended. */
function isGone(pid: number): boolean {
  try {
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

test.skipIf(!hasGearmand() || process.platform !== "linux")(
  "a supervisor is killed: its processes finish their jobs and end, and idle ones end even when no server is there",
  async () => {
    const gearmand = await startGearmand();
    let isStopped = false;
    const stop = () => (isStopped ? Promise.resolve() : gearmand.stop().then(() => void (isStopped = true)));
    cleanUps.push(stop);
    const gate = gateAt(gearmand.server);
    const client = new GearmanClient({ servers: [gearmand.server], timeoutMs: SAFETY_MS });
    cleanUps.push(() => client.close());
    const supervisor = startWorkers(gearmand.server);
    const idle = startWorkers(gearmand.server);

    // Four processes, a job each.
    const jobs = ["a", "b", "c", "d"].map((payload) => client.submit({ name: "held", payload }).then(String));
    const held = [await gate.next(), await gate.next(), await gate.next(), await gate.next()];
    const pids = [...scriptPids(supervisor.pid).values()];
    const idlePids = [...scriptPids(idle.pid).values()];
    process.kill(supervisor.pid, "SIGKILL");
    for (const { open } of held) open();
    const results = await Promise.all(jobs);
    expect(results.map((text) => text.slice(0, 5)).sort()).toEqual(["a by ", "b by ", "c by ", "d by "]);
    await expect.poll(() => pids.map(isGone), { timeout: SAFETY_MS / 2 }).toEqual([true, true]);
    expect(idlePids.map(isGone)).toEqual([false, false]);

    await stop();
    process.kill(idle.pid, "SIGKILL");
    await expect.poll(() => idlePids.map(isGone), { timeout: SAFETY_MS / 2 }).toEqual([true, true]);
  },
  SAFETY_MS,
);
