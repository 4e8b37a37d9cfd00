/** Jobs whose body is a SUB, in the process that runs them: made from a program's text, without queue or manager. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { json } from "../../../modules/json/index.ts";
import { type ClassHeader, headerBytes, type JobHeader } from "../../../modules/obrien/frame.ts";
import { standard } from "../../../modules/standard/index.ts";
import type { Body } from "../../../runtime/body.ts";
import { type AnyModule, defineModule, functionsOf, type ModuleContext, required } from "../../../runtime/host.ts";
import { createInterpreter } from "../../../runtime/interpreter.ts";
import { projectDirectory } from "../../../src/tools/build.ts";
import { bareHost } from "../../helpers/call-row.ts";

const fn = functionsOf<ModuleContext>();

/** The body that a program gives to JOB.IS%. */
export async function bodyOf(source: string, others: readonly AnyModule[] = []): Promise<Body> {
  const bodies: Body[] = [];
  const job = defineModule<ModuleContext>({
    name: "JOB",
    doc: "",
    rows: [
      fn({
        name: "IS%",
        doc: "",
        params: { sub: required("sub", "") },
        run: (context, { sub }) => bodies.push(context.bodyOf(sub)),
        waits: true,
      }),
    ],
    open: (context) => context,
  });
  const interpreter = createInterpreter({ modules: [standard(), json(), job, ...others], host: bareHost });
  const outcome = await interpreter.run(`${source}\nd% = JOB.IS%("job")`, { file: "job.basil" });
  await interpreter.close();
  if (outcome.kind === "failed") throw outcome.error;
  if (outcome.kind === "rejected") throw new Error(outcome.complaints.map(({ message }) => message).join("\n"));
  return bodies[0]!;
}

/** What a test says of a job. */
export interface JobSettings extends Partial<Omit<ClassHeader, "body">>, Partial<JobHeader> {
  readonly payload?: string | Buffer;
  readonly others?: readonly AnyModule[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The parts of a job's input. */
export async function inputOf(source: string, settings: JobSettings = {}): Promise<Buffer[]> {
  const {
    payload: given = "",
    modules = {},
    allow = [],
    directory = "/",
    mode = "implicit",
    managerPid = process.pid,
  } = settings;
  const payload = Buffer.from(given);
  const body = await bodyOf(source, settings.others);
  const job = { mode, managerPid, payloadBytes: payload.length };
  return [headerBytes({ body, modules, allow, directory }), headerBytes(job), payload];
}

/** How a job's process ended. */
export interface JobEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the process of a job, which then waits for its input. */
export function startJob(environment: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): ChildProcess {
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, [...flags, workerFile()], { env: { PATH, HOME, ...environment } });
}

/** The built file. */
export const workerFile = (): string => join(projectDirectory, "dist/obrien-worker.js");

/** Resolves when a process has ended, with all it wrote. */
export function endOf(child: ChildProcess): Promise<JobEnd> {
  let stdout = "";
  let stderr = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** Runs a program's SUB named job as a job. */
export async function runJob(source: string, settings: JobSettings = {}): Promise<JobEnd> {
  const input = await inputOf(source, settings);
  const child = startJob(settings.environment);
  const ended = endOf(child);
  child.stdin!.on("error", () => undefined).end(Buffer.concat(input));
  return await ended;
}
