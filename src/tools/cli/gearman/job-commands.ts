/** The commands of `basil gearman` that submit jobs, do them and serve them, as commander sees them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { positiveInteger, time } from "../option-values.ts";
import { addServeCommand } from "./serve-options.ts";
import type { SubmitOptions } from "./submit.ts";
import type { LineKind } from "./submit-input.ts";
import type { WorkOptions } from "./work.ts";

/** Gives the exit code of a command to whoever runs the command line. */
type Finish = (exitCode: number) => void;

/** Adds submit, work and serve to `basil gearman`. */
export function addJobCommands(group: Command, context: CliContext, finish: Finish): void {
  addSubmit(group, context, finish);
  addWork(group, context, finish);
  addServeCommand(group, context, finish);
}

const SUBMIT_HELP = `
Without PAYLOAD it is what standard input gives, byte for byte; several
PAYLOADs are a job each. Results go to standard output, warnings to stderr.

Examples:
  basil gearman submit img.resize < cat.jpg > small.jpg
  basil gearman submit --background mail.send '{"to":"a@b.example"}'
  basil gearman submit --lines --in-flight 20 geo.lookup < addresses.txt
  basil gearman submit --at 2030-01-31T12:00:00Z report.make

Exit codes: 0 done, 1 a job failed or no server was reached, 2 wrong usage.
`;

/** The flags of submit as commander gives them. */
interface SubmitFlags extends Omit<SubmitOptions, "lines" | "priority"> {
  readonly lines?: boolean;
  readonly wholeLines?: boolean;
  readonly priority?: SubmitOptions["priority"];
  readonly high?: boolean;
  readonly low?: boolean;
}

function addSubmit(group: Command, context: CliContext, finish: Finish): void {
  group
    .command("submit")
    .summary("run jobs and print their results")
    .description("Submits jobs and prints their results, or their handles with --background.")
    .argument("<function>", "what a worker registered, such as img.resize")
    .argument("[payload...]", "what the worker receives")
    .option("-b, --background", "queue the job, print its handle, do not wait")
    .option("-u, --unique <key>", "equal keys share one run; - for equal payloads")
    .addOption(new Option("--priority <level>", "high, normal or low").choices(["high", "normal", "low"]))
    .addOption(new Option("-I, --high", "short for --priority high").conflicts(["low", "priority"]))
    .addOption(new Option("-L, --low", "short for --priority low").conflicts("priority"))
    .addOption(
      new Option("--at <time>", "not before: 2030-01-31T12:00:00Z, or\nseconds since 1970; implies --background").argParser(time),
    )
    .option("-N, --lines", "a job for each line of standard input;\na newline after each result")
    .addOption(
      new Option("-n, --whole-lines", "the same with the newline in the payload,\nand results as they are").conflicts("lines"),
    )
    .option("--unordered", "results as they are ready, not in order")
    .addOption(new Option("--in-flight <n>", "jobs at once (10, with --background 500)").argParser(positiveInteger))
    .option("-s, --empty", "send nothing, read no input")
    .option("-P, --prefix", "FUNCTION: in front of every line of output")
    .option("--json", "print a JSON object for each job")
    .option("-v, --verbose", "tell handles and progress on stderr")
    .addOption(new Option("-t, --timeout-ms <n>", "longest wait for a job (no limit)").argParser(positiveInteger))
    .option("--servers <list>", "servers to use, such as a:4730,b:4730")
    .addHelpText("after", SUBMIT_HELP)
    .action(async (name: string, payloads: string[], flags: SubmitFlags) => {
      const { submit } = await import("./submit.ts");
      finish(await submit(name, payloads, submitOptions(flags), context));
    });
}

function submitOptions({ lines, wholeLines, high, low, priority: named, ...flags }: SubmitFlags): SubmitOptions {
  const kind: LineKind | undefined = wholeLines ? "whole" : lines ? "stripped" : undefined;
  const priority = high ? "high" : low ? "low" : named;
  return { ...flags, ...(kind && { lines: kind }), ...(priority && { priority }) };
}

const WORK_HELP = `
Each job runs COMMAND, without a shell: its payload is the standard input, the
standard output is the result, each line on stderr is a warning. Another exit
code than 0 fails the job. GEARMAN_FUNCTION, GEARMAN_HANDLE and GEARMAN_UNIQUE
are in the environment. Without COMMAND the payloads are printed.

Examples:
  basil gearman work img.resize -- convert - -resize 50% -
  basil gearman work up --concurrency 4 -- tr a-z A-Z
  basil gearman work build --lines --timeout-ms 60000 -- sh -c 'make 2>&1'
  basil gearman work log --lines --count 10

Ctrl-C lets running jobs finish; the second one ends at once.
Exit codes: 0 the count is done, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.
`;

/** The flags of work as commander gives them. */
interface WorkFlags extends Omit<WorkOptions, "output"> {
  readonly chunks?: boolean;
  readonly lines?: boolean;
  readonly strippedLines?: boolean;
}

function addWork(group: Command, context: CliContext, finish: Finish): void {
  group
    .command("work")
    .summary("do jobs with a command")
    .usage("[options] FUNCTION... [-- COMMAND [ARGS...]]")
    .description("Works for functions: a process for each job.")
    .argument("<function...>", "names that clients submit to")
    .addOption(new Option("--concurrency <n>", "jobs at once").argParser(positiveInteger).default(1))
    .addOption(new Option("-c, --count <n>", "end after n jobs").argParser(positiveInteger))
    .addOption(
      new Option("-t, --timeout-ms <n>", "a job that takes longer fails, and all its\nprocesses are killed").argParser(
        positiveInteger,
      ),
    )
    .option("--chunks", "send output as data while COMMAND runs")
    .addOption(
      new Option("-n, --lines", "the same, line by line; without COMMAND:\na newline after each payload").conflicts("chunks"),
    )
    .addOption(new Option("-N, --stripped-lines", "the same, without the newlines").conflicts(["chunks", "lines"]))
    .addOption(new Option("--max-bytes <n>", "largest result without --chunks or\n--lines (256 MiB)").argParser(positiveInteger))
    .option("--exceptions", "report failures as WORK_EXCEPTION")
    .option("--client-id <name>", "name shown by basil gearman workers")
    .option("--servers <list>", "servers to use, such as a:4730,b:4730")
    .option("-v, --verbose", "tell each change of a connection")
    .addHelpText("after", WORK_HELP)
    .action(async (words: string[], flags: WorkFlags, command: Command) => {
      const { functions, program } = dividedAtDashes(words, command);
      if (functions.length === 0) command.error("error: name a function before --");
      const { work } = await import("./work.ts");
      const { chunks, lines, strippedLines, ...options } = flags;
      const output = chunks ? "chunks" : lines ? "lines" : strippedLines ? "stripped" : "whole";
      finish(await work(functions, program, { ...options, output }, context));
    });
}

/** Commander hands out all words in one list; where the `--` stood only the raw command line tells. */
function dividedAtDashes(words: readonly string[], command: Command): { functions: string[]; program: string[] } {
  let root = command;
  while (root.parent) root = root.parent;
  const raw = (root as Command & { readonly rawArgs: readonly string[] }).rawArgs;
  const dashes = raw.indexOf("--");
  const program = dashes < 0 ? [] : raw.slice(dashes + 1);
  if (dashes >= 0 && program.length === 0) throw new InvalidArgumentError("Give a command after --, or leave -- out.");
  return { functions: words.slice(0, words.length - program.length), program: [...program] };
}
