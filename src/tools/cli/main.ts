#!/usr/bin/env -S node --stack-size=7000
/** Entry of the `basil` command: the process as the context of one command line, and the exit code it ends with. */
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
 * `basil doc | head -1`: a reader that has gone is no mistake. What a program prints is looked after by its host.
 * @returns whether standard output lost its reader
 */
function watchOutput(): () => boolean {
  let hasLostReader = false;
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    hasLostReader ||= code === "EPIPE";
  });
  process.stderr.on("error", () => undefined);
  return () => hasLostReader;
}

const hasLostReader = watchOutput();
const exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  directory: process.cwd(),
  environment: process.env,
  isColored: wantsColor(process.env),
});
await drained(process.stdout);
await drained(process.stderr);
process.exit(hasLostReader() ? EXIT_CODES.brokenPipe : exitCode);
