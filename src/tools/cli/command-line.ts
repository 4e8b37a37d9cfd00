/** One command line from its words to its exit code, whoever gave it: the shell or a test. */
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";

/** Runs one command. Never rejects: what goes wrong is told on stderr. @param args without node and script */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<number> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (error instanceof CliError) {
      context.stderr.write(`basil: ${error.message}\n`);
      return error.exitCode;
    }
    context.stderr.write(`basil: this is a mistake in basil itself, please report it:\n${stackText(error)}\n`);
    return EXIT_CODES.error;
  }
}

/** The most frequent command has no options to parse: `basil run FILE args` starts without the command-line parser. */
async function dispatch(args: readonly string[], context: CliContext): Promise<number> {
  const [command, file, ...rest] = args;
  if (command === "run" && file !== undefined && (file === "-" || !file.startsWith("-"))) {
    const { run } = await import("./run.ts");
    return run(file, rest, {}, context);
  }
  const { runCommands } = await import("./commands.ts");
  return runCommands(args, context);
}

const stackText = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
