/** The process of one O'Brien job whose body is a SUB: reads the job, runs the SUB, prints the verdict. */
import { readFrame } from "../../../modules/obrien/frame.ts";
import { runBody } from "../../../runtime/run-body.ts";
import { Output, readAll } from "./descriptors.ts";
import { hostOf, namedModules, ownModules } from "./surroundings.ts";
import { verdictOf } from "./verdict.ts";

/** How often to look whether the manager is still there, in milliseconds. */
const LOOK_MS = 250;

/** The manager is gone: nobody wants to know. */
const ABANDONED_EXIT_CODE = 1;

/** What a shell reports for a program whose reader went away. */
const BROKEN_PIPE_EXIT_CODE = 141;

/**
 * Runs the one job that comes on standard input, and gives the exit code. A process that is started ahead of time waits
 * for it here, with everything loaded; when none comes, because the manager is gone, that is the end.
 */
export async function main(): Promise<number> {
  const own = ownModules();
  const input = readAll(0);
  if (input.length === 0) return 0;
  const frame = readFrame(input);
  if (!frame) return ABANDONED_EXIT_CODE;
  const { forClass, job, payload } = frame;
  endWith(job.managerPid);
  const output = new Output(1);
  try {
    const host = await hostOf(forClass, output);
    const modules = [...own, ...(await namedModules(forClass))];
    const outcome = await runBody(forClass.body, payload, { modules, host });
    const { isBlank, mayEndWithObject } = output;
    const verdict = verdictOf(outcome, { mode: job.mode, isBlank, mayEndWithObject });
    if (verdict !== null) output.writeLine(verdict);
    return outcome.kind === "ended" ? outcome.exitCode : 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return BROKEN_PIPE_EXIT_CODE;
    throw error;
  }
}

/** Ends this process when its manager has ended: then it has another parent. */
function endWith(managerPid: number): void {
  const look = (): void => {
    if (process.ppid !== managerPid) process.exit(ABANDONED_EXIT_CODE);
  };
  look();
  setInterval(look, LOOK_MS).unref();
}
