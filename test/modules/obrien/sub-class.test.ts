/** A SUB as a class of jobs: what its process is started with, and what it reads. */
import { describe, expect, test } from "vitest";
import { type SubWorker, subClass } from "../../../modules/obrien/body-class.ts";
import { bodyClass } from "../../../modules/obrien/class-options.ts";
import { readFrame } from "../../../modules/obrien/frame.ts";
import { Dict, type Value } from "../../../runtime/values.ts";
import type { JobRecord } from "../../../src/core/obrien/index.ts";
import { bodyOf } from "../../tools/obrien-worker/job.ts";

const WORKER: SubWorker = {
  command: { program: "node", args: ["worker.js"] },
  deepStackFlag: "--deep",
  modules: { GEARMAN: { servers: "a:1" } },
};

/** The class of a program's SUB. */
async function classOf(source: string, options: Record<string, Value> = {}) {
  const read = bodyClass("c", new Dict(Object.entries(options)), "/home/scripts", ["GEARMAN"]);
  return subClass(WORKER, await bodyOf(source), read);
}

const PLAIN = "SUB job(p$)\nEND SUB";

describe("the command of a SUB", () => {
  test("has no flags where none are needed: they make starting slower", async () => {
    expect((await classOf(PLAIN)).command).toEqual({ program: "node", args: ["worker.js"] });
  });

  test("asks for a deep stack where calls may nest", async () => {
    expect((await classOf("SUB job(p$)\njob(p$)\nEND SUB")).command.args).toEqual(["--deep", "worker.js"]);
  });

  test("limits memory by node's own limit, in whole mebibytes: node needs much more address space than memory", async () => {
    const limited = await classOf(PLAIN, { max_memory_bytes: 100 * 2 ** 20 + 5 });
    expect(limited.command.args).toEqual(["--max-old-space-size=100", "worker.js"]);
    expect(limited.maxMemoryBytes).toBeUndefined();
  });
});

describe("the input of a SUB", () => {
  const job = { mode: null, payload: Buffer.from([0, 255, 10]) } as unknown as JobRecord;

  test("is the body with its surroundings, the job, and the payload byte for byte", async () => {
    const jobClass = await classOf(PLAIN, { mode: "positive", modules: ["gearman"], allow: ["FILES"], directory: "data" });
    const frame = readFrame(Buffer.concat(jobClass.input!(job)));
    expect(frame?.forClass).toMatchObject({
      modules: { GEARMAN: { servers: "a:1" } },
      allow: ["files"],
      directory: "/home/scripts/data",
      body: { routine: "JOB" },
    });
    expect(frame?.job).toEqual({ mode: "positive", managerPid: process.pid, payloadBytes: 3 });
    expect(frame?.payload).toEqual(job.payload);
  });

  test("has the mode of the job where it has one", async () => {
    const input = (await classOf(PLAIN)).input!({ ...job, mode: "positive" });
    expect(readFrame(Buffer.concat(input))?.job.mode).toBe("positive");
  });

  test("that is cut off anywhere is no input", async () => {
    const whole = Buffer.concat((await classOf(PLAIN)).input!(job));
    for (let length = 0; length < whole.length; length++) expect(readFrame(whole.subarray(0, length))).toBeUndefined();
  });
});
