/** One process of `basil worker`: its start, the copies of what it prints, and when it counts as ended. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { STACK_KB } from "./big-stack.ts";
import { type CliContext, EXIT_CODES } from "./context.ts";
import { linesOf } from "./gearman/submit-input.ts";
import type { ProcessEnd, WorkerProcess } from "./worker-supervisor.ts";

/** Longest wait for the last lines of a process that has ended, in milliseconds: others it started may hold its pipes for ever. */
const LAST_LINES_MS = 1_000;

/**
 * Starts one process of `basil` with these words, in a group of its own, so that a terminal's Ctrl-C reaches it once:
 * through its supervisor. It learns from the end of its channel that the supervisor is gone (see `orphan.ts`).
 * @param number its number, from 1, which stands in front of its lines when it is one of many
 */
export function launchWorker(
  words: readonly string[],
  number: number,
  isOneOfMany: boolean,
  { stdout, stderr, environment, directory }: CliContext,
): WorkerProcess {
  const output = isOneOfMany ? "pipe" : "inherit";
  const child = spawn(process.execPath, [`--stack-size=${STACK_KB}`, process.argv[1] ?? "", ...words], {
    cwd: directory,
    env: { ...environment, BASIL_PROCESS: String(number) },
    stdio: ["ignore", output, output, "ipc"],
    detached: true,
  });
  const copies = [new LineCopy(child.stdout, stdout, number), new LineCopy(child.stderr, stderr, number)];
  return { pid: child.pid, kill: (signal) => void child.kill(signal), ended: endOf(child, copies) };
}

async function endOf(child: ChildProcess, copies: readonly LineCopy[]): Promise<ProcessEnd> {
  const end = await new Promise<ProcessEnd>((resolve) => {
    child.on("error", () => resolve({ code: EXIT_CODES.error, signal: null }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  await Promise.all(copies.map((copy) => copy.finish()));
  return end;
}

/** Passes lines on whole, with the number of their process in front: at the reader's pace, and the last ones at once. */
class LineCopy {
  readonly #to: Writable;
  readonly #mark: Buffer;
  readonly #done: Promise<void>;
  #isLast = false;
  /** Goes on with the next line. */
  #goOn = (): void => {};

  constructor(from: Readable | null, to: Writable, number: number) {
    this.#to = to;
    this.#mark = Buffer.from(`[${number}] `);
    // A pipe that cannot be read has no more lines.
    this.#done = from === null ? Promise.resolve() : this.#copy(from).catch(() => undefined);
  }

  /** Resolves when all that the process wrote before its end is written, or after a second. */
  async finish(): Promise<void> {
    this.#isLast = true;
    this.#goOn();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_LINES_MS);
    });
    await Promise.race([this.#done, late]);
    clearTimeout(timer);
    this.#isLast = false;
  }

  async #copy(from: Readable): Promise<void> {
    const newline = Buffer.from("\n");
    for await (const line of linesOf(from, "stripped"))
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
        this.#to.write(Buffer.concat([this.#mark, line, newline]), () => resolve());
        if (this.#isLast) resolve();
      });
  }
}
