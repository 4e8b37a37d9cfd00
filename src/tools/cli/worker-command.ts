/** `basil worker` on the command line, as commander sees it. */
import { type Command, Option } from "commander";
import type { CliContext } from "./context.ts";
import { positiveInteger, wholeNumber } from "./option-values.ts";

/** The flags as commander gives them. */
interface WorkerFlags {
  readonly processes: number;
  readonly restartLimit: number;
  readonly dialect?: string;
  readonly servers?: string;
  readonly timeoutMs?: number;
  readonly cache?: boolean;
}

const HELP = `
Options may stand before FILE or after it. What looks like an option and is
for the script comes after --, as in: basil worker jobs.basil -- --verbose

A process that crashes is restarted after a pause that grows up to 30 s. When
all have crashed within 10 s of their starts, --restart-limit times in a row
and once more, the worker gives up. A script that ends normally is not
restarted; when all have ended, so does the worker. With several processes
their lines of output start with [1], [2] and so on; a script finds its number
in ENV$("BASIL_PROCESS").

Signals: SIGTERM and Ctrl-C let running jobs finish, the second one ends at
once; SIGHUP replaces the processes one by one, each once the one before has
lived 2 s, and breaks off when one crashes. When the worker itself is killed,
the processes finish their jobs and end.
Exit codes: 0 all scripts ended, 2 wrong usage, 3 no such file, 130 and 143
after a signal, else that of the last crash (1 when a signal ended it).
`;

/** Adds `basil worker`. */
export function addWorkerCommand(program: Command, context: CliContext, finish: (exitCode: number) => void): void {
  const command = program
    .command("worker")
    .summary("run a program in several processes, restarted on crashes")
    .description("Runs a program that works for Gearman in processes, and restarts those that crash.")
    .argument("<file>", "the program")
    .argument("[args...]", "what the program finds in ARGS")
    .addOption(new Option("--processes <n>", "processes to keep running").argParser(positiveInteger).default(1))
    .addOption(new Option("--restart-limit <n>", "restarts in a row after crashes").argParser(wholeNumber).default(5))
    .option("--servers <list>", "Gearman servers to use, such as a:4730,b:4730")
    .addOption(new Option("--timeout-ms <n>", "longest wait of one Gearman call").argParser(positiveInteger))
    .option("--dialect <name>", "classic or basil, when the first line does not say")
    .option("--no-cache", "compile anew, and keep nothing of it")
    .addOption(new Option("--embedded").hideHelp())
    .addHelpText("after", HELP)
    .showHelpAfterError("Options for the script stand after --. Try: basil help worker")
    .action(async (file: string, args: string[], flags: WorkerFlags) => {
      const { runWorkers } = await import("./worker.ts");
      const { processes, restartLimit } = flags;
      finish(await runWorkers(file, args, { processes, restartLimit, runOptions: runOptions(flags) }, context));
    });
  command.on("option:embedded", () =>
    command.error("error: --embedded would give each process a server of its own. Start one: basil gearman serve"),
  );
}

/** What is passed on to `basil run`. */
function runOptions({ dialect, servers, timeoutMs, cache }: WorkerFlags): string[] {
  return [
    ...(dialect === undefined ? [] : ["--dialect", dialect]),
    ...(servers === undefined ? [] : ["--servers", servers]),
    ...(timeoutMs === undefined ? [] : ["--timeout-ms", String(timeoutMs)]),
    ...(cache === false ? ["--no-cache"] : []),
  ];
}
