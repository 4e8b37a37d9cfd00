/** The command line of `basil`: commands, options and their help, as commander sees them. Commands load on use. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { type CliContext, EXIT_CODES } from "./context.ts";
import { addGearmanCommands } from "./gearman/commands.ts";
import { addObrienCommands } from "./obrien/commands.ts";
import { positiveInteger } from "./option-values.ts";
import type { RunOptions } from "./run.ts";
import { addWorkerCommand } from "./worker-command.ts";

/** Help fits this many columns. */
const HELP_WIDTH = 80;

/** Runs one command line to its exit code. Rejects with a CliError when the command cannot start. */
export async function runCommands(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT_CODES.ok;
  const program = describeCommands(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  }
}

function describeCommands(context: CliContext, finish: (exitCode: number) => void): Command {
  const program = new Command("basil")
    .description("A small BASIC for Node.js that is at home on job queues.")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText(
      "after",
      "\nFirst steps:\n  basil run hello.basil        run a program\n  basil doc GEARMAN            what a module offers\n",
    )
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: (text, write) => write(`basil: ${text.replace(/^error: /, "")}${fileHint(text)}`),
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("Try: basil --help")
    .enablePositionalOptions()
    .exitOverride();
  addRun(program, context, finish);
  addOthers(program, context, finish);
  addWorkerCommand(program, context, finish);
  addGearmanCommands(program, context, finish);
  addObrienCommands(program, context, finish);
  return program;
}

/** Somebody who types `basil hello.basil` means `basil run hello.basil`. */
const fileHint = (text: string): string => {
  const file = /unknown command '([^']*(?:\.basil|\.bas|\/[^']*))'/i.exec(text)?.[1];
  return file ? `To run a program: basil run ${file}\n` : "";
};

function addRun(program: Command, context: CliContext, finish: (exitCode: number) => void): void {
  program
    .command("run")
    .summary("run a program")
    .description("Runs a program. What follows FILE belongs to the program: it reads it as ARGS.")
    .argument("<file>", "the program, or - for standard input")
    .argument("[args...]", "what the program finds in ARGS")
    .addOption(new Option("--dialect <name>", "classic or basil, when the first line does not say").argParser(dialect))
    .addOption(new Option("--embedded", "start a Gearman server for the program, for its time only").conflicts("servers"))
    .option("--servers <list>", "Gearman servers to use, such as a:4730,b:4730")
    .addOption(new Option("--timeout-ms <n>", "longest wait of one Gearman call").argParser(positiveInteger))
    .option("--no-cache", "compile anew, and keep nothing of it")
    .option("--sandbox", "no files, environment, shell or network")
    .addOption(new Option("--max-steps <n>", "end the program after about n steps").argParser(positiveInteger))
    .addOption(new Option("--deadline-ms <n>", "end the program after this time").argParser(positiveInteger))
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 an error in the program, 2 wrong usage,\n3 the program cannot be read, n after EXIT n.\n",
    )
    .passThroughOptions()
    .action(async (file: string, args: string[], options: RunOptions) => {
      const { run } = await import("./run.ts");
      finish(await run(file, args, options, context));
    });
}

function addOthers(program: Command, context: CliContext, finish: (exitCode: number) => void): void {
  program
    .command("check")
    .summary("report a program's mistakes without running it")
    .description("Reports the mistakes of programs without running them.")
    .argument("<file...>", "programs, or - for standard input")
    .addOption(new Option("--dialect <name>", "classic or basil, when the first line does not say").argParser(dialect))
    .action(async (files: string[], options: Pick<RunOptions, "dialect">) => {
      const { check } = await import("./check.ts");
      finish(await check(files, options, context));
    });
  program
    .command("explain")
    .summary("explain an error code")
    .description("Explains an error: a code such as B0201 or 1002, or a name such as INDEX_ERROR.")
    .argument("[code]", "without it, all codes are listed")
    .action(async (code: string | undefined) => {
      const { explain } = await import("./explain.ts");
      finish(explain(code, context));
    });
  program
    .command("doc")
    .summary("show what a function or module does")
    .description("Shows what a function does, such as LEFT$ or GEARMAN.SUBMIT$, or what a module offers.")
    .argument("[name]", "without it, all names are listed")
    .action(async (name: string | undefined) => {
      const { doc } = await import("./doc.ts");
      finish(doc(name, context));
    });
}

function dialect(text: string): RunOptions["dialect"] {
  const name = text.toLowerCase();
  if (name !== "classic" && name !== "basil") throw new InvalidArgumentError("There are classic and basil.");
  return name;
}
