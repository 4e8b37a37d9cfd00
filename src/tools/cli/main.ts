/** The `basil` command in its own process: the process as the context of one command line, and the exit code it ends with. */
import { runCommandLine } from "./command-line.ts";
import { EXIT_CODES } from "./context.ts";

/** Colours only for people: on a terminal, unless NO_COLOR says otherwise. */
function wantsColor(environment: NodeJS.ProcessEnv): boolean {
  if (environment["NO_COLOR"]) return false;
  return process.stderr.isTTY === true && environment["TERM"] !== "dumb";
}

/** Waits until a pipe has taken everything. A reader that has gone needs nothing more. */
const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });

/**
 * Remembers why standard output could not take something. A reader that has gone is no mistake, `basil doc | head -1`
 * for example; output that is lost for another reason, such as a full disk, must not pass for a success.
 */
function watchOutput(): { exitCode(ofCommand: number): number } {
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error) => {
    failure ??= error;
  });
  process.stderr.on("error", () => undefined);
  return {
    exitCode(ofCommand) {
      if (!failure) return ofCommand;
      if (failure.code === "EPIPE") return EXIT_CODES.brokenPipe;
      if (ofCommand === EXIT_CODES.ok) process.stderr.write(`basil: the output is not complete: ${failure.message}\n`);
      return ofCommand === EXIT_CODES.ok ? EXIT_CODES.error : ofCommand;
    },
  };
}

/** Runs the command line in this process, and gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const output = watchOutput();
  const exitCode = await runCommandLine(args, {
    get stdin() {
      return process.stdin; // made on first use: most programs read nothing
    },
    stdout: process.stdout,
    stderr: process.stderr,
    directory: process.cwd(),
    environment: process.env,
    isColored: wantsColor(process.env),
  });
  await drained(process.stdout);
  await drained(process.stderr);
  return output.exitCode(exitCode);
}
