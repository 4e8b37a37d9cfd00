/** Runs a `basil` command line inside the test's own process: what the command does, without the cost of a process. */
import { Readable, Writable } from "node:stream";
import { runCommandLine } from "../../src/tools/cli/command-line.ts";
import type { CliOptions, CliResult } from "./cli.ts";

/** Collects what is written to it. */
class Collector extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** The same as `basil` of test/helpers/cli.ts, except that nothing can be killed. */
export async function basilInProcess(
  args: readonly string[],
  options: Pick<CliOptions, "directory" | "input" | "environment"> = {},
) {
  const stdout = new Collector();
  const stderr = new Collector();
  const code = await runCommandLine(args, {
    stdin: Readable.from(options.input === undefined || options.input.length === 0 ? [] : [Buffer.from(options.input)]),
    stdout,
    stderr,
    directory: options.directory ?? process.cwd(),
    environment: { PATH: process.env["PATH"], ...options.environment },
    isColored: false,
  });
  return { code, signal: null, stdout: stdout.bytes, stderr: stderr.bytes.toString() } satisfies CliResult;
}
