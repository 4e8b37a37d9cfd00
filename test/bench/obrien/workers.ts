/** The workers of O'Brien's benchmark: our manager with its processes, and next to it processes that are only waited for. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SubWorker } from "../../../modules/obrien/index.ts";
import { obrien } from "../../../modules/obrien/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import { Manager } from "../../../src/core/obrien/index.ts";
import type { JobRecord } from "../../../src/core/obrien/job.ts";
import type { JobClass } from "../../../src/core/obrien/job-class.ts";
import { verdictOf } from "../../../src/core/obrien/verdict.ts";
import type { WorkerEnd } from "../../../src/core/obrien/worker-end.ts";
import { workerEnvironment } from "../../../src/core/obrien/worker-environment.ts";
import { startWorker } from "../../../src/core/obrien/worker-process.ts";
import { createHost, createInterpreter } from "../../../src/index.ts";
import { type Measured, timed } from "../measure.ts";
import { inDirectory } from "./stores.ts";

/** Time for a warm worker to get warm, in milliseconds. */
const WARMING_MS = 500;

/** The program of command jobs: it does nothing. */
const PROGRAM = "/bin/true";

/** Jobs whose program does nothing, from claim to recorded verdict. They are in the store before. */
export const commandJobs = (place: string, count: number, concurrency: number): Promise<Measured> =>
  inDirectory(place, async (directory) => {
    const manager = await Manager.open({ path: join(directory, "jobs.db") });
    manager.define({ name: "true", command: { program: PROGRAM, args: [] } });
    manager.enqueue(Array.from({ length: count }, () => ({ class: "true" })));
    const measured = await timed(count, () => manager.run({ concurrency }));
    const { done } = manager.counts().total;
    await manager.close();
    if (done !== count) throw new Error(`only ${done} of ${count} jobs were done`);
    return measured;
  });

/** The same processes, started and waited for, and nothing else. @param stdio what of them is read */
export function bareProcesses(count: number, concurrency: number, stdio: "ignore" | "pipe"): Promise<Measured> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await ended(PROGRAM, [], stdio);
  };
  return timed(count, () => Promise.all(Array.from({ length: concurrency }, lane)));
}

/** In the environment that workers have as well: node, for one, looks into it when it starts. */
async function ended(program: string, args: readonly string[], stdio: "ignore" | "pipe"): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", stdio, stdio], env: workerEnvironment({}) });
  child.stdout?.resume();
  child.stderr?.resume();
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

const SCRIPT = `SUB work(text$)
  RETURN {"misc": UCASE$(text$)}
END SUB
ok% = OBRIEN.DEFINE%("work", "work")
`;

/** The class that a script's SUB makes. */
export async function subClass(directory: string, worker: SubWorker): Promise<JobClass> {
  const found: JobClass[] = [];
  const modules = [standard(), obrien({ directory, worker: () => worker, onDefine: (jobClass) => found.push(jobClass) })];
  const interpreter = createInterpreter({ modules, host: createHost() });
  const outcome = await interpreter.run(SCRIPT, { file: "bench.basil" });
  await interpreter.close();
  if (found[0] === undefined) throw new Error(`the benchmark's script did not define its class: ${JSON.stringify(outcome)}`);
  return found[0];
}

/** What of a job its input and its verdict ask for. */
const SUB_JOB = { id: "bench", class: "work", payload: Buffer.from("text"), mode: null } as unknown as JobRecord;

/** One SUB job, from the start of its process to its verdict. */
export function subJob(jobClass: JobClass): Promise<Measured> {
  return timed(1, async () => {
    checkVerdict(await startWorker({ command: jobClass.command, input: jobClass.input!(SUB_JOB) }).ended);
  });
}

function checkVerdict(end: WorkerEnd): void {
  const { state, xeme } = verdictOf(end, { id: SUB_JOB.id, class: SUB_JOB.class });
  if (state !== "done" || xeme.misc !== "TEXT") throw new Error(`the job failed: ${JSON.stringify(xeme)}`);
}

/** The same with a warm worker, from its input to its verdict. */
export async function warmSubJob(jobClass: JobClass): Promise<Measured> {
  const worker = startWorker({ command: jobClass.command });
  await new Promise((resolve) => setTimeout(resolve, WARMING_MS));
  return timed(1, async () => {
    worker.begin(jobClass.input!(SUB_JOB));
    checkVerdict(await worker.ended);
  });
}

/** Starts node with a script in which nothing stands. */
export function emptyNode(directory: string): () => Promise<Measured> {
  const script = join(directory, "empty.cjs");
  writeFileSync(script, "");
  return () => timed(1, () => ended(process.execPath, [script], "pipe"));
}

/** A manager at work whose warm workers wait; each call is one job, from before it is enqueued until it is recorded. */
export async function warmManager(path: string, jobClass: JobClass) {
  const manager = await Manager.open({ path });
  manager.define({ ...jobClass, spares: 1 });
  await manager.start({ concurrency: 1 });
  const run = async (): Promise<Measured> => {
    await new Promise((resolve) => setTimeout(resolve, WARMING_MS));
    return timed(1, async () => {
      const { state } = await manager.wait(manager.enqueue({ class: "work", payload: "text" }), { timeoutMs: 10_000 });
      if (state !== "done") throw new Error("a warm worker's job failed");
    });
  };
  return { run, close: () => manager.close() };
}
