/** The commands of `basil obrien`, as commander sees them: a row a command, which loads what it does on use. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { positiveInteger, time, timePast, wholeNumber } from "../option-values.ts";
import type { CancelFlags, PruneFlags } from "./changes.ts";
import type { EnqueueFlags } from "./enqueue.ts";
import type { ListFlags } from "./list.ts";
import type { RunFlags } from "./run.ts";
import type { ShowFlags } from "./show.ts";
import type { StoreFlags } from "./store-use.ts";

/** Gives the exit code of a command to whoever runs the command line. */
type Finish = (exitCode: number) => void;

/** One command. */
interface ObrienCommand<Flags extends StoreFlags> {
  readonly name: string;
  /** One line of the list of commands. */
  readonly summary: string;
  /** Its help. */
  readonly description: string;
  readonly arguments?: readonly Argument[];
  readonly options: readonly Option[];
  /** What follows the options in its help. */
  readonly help: string;
  /** Runs it to its exit code. @param words what stands on the command line besides options */
  readonly run: (words: string[], flags: Flags, context: CliContext) => Promise<number>;
}

const EXAMPLES = `
Examples:
  basil obrien enqueue thumbs cat.jpg                  a job for later
  ls *.jpg | basil obrien enqueue thumbs --lines       a job a line
  basil obrien run --class thumbs=./make-thumb         does all of them
  basil obrien list --state failed --ended --since 1h  what went wrong
  basil obrien show 019a                               why

The store is .basil-obrien.db in this directory unless --store names another.
`;

const EXIT_CODES_HELP = "\nExit codes: 0 done, 1 the store or a job is not there, 2 wrong usage.\n";

const RUN_HELP = `
Classes say what runs. COMMAND is divided at blanks ('...' and "..." keep
them); no shell is involved, but with --shell-class. It reads the payload on
standard input, and may end its output with a verdict: {"success": false}.
A FILE of --script defines classes with OBRIEN.DEFINE% at its top level; the
store that it opens is the one, and with --store no other may be.

Examples:
  basil obrien run --class thumbs=./make-thumb --class mail='sendmail -t'
  basil obrien run --shell-class count='wc -l | tee -a counts.txt >&2'
  basil obrien run --script jobs.basil --watch --concurrency 8

Ctrl-C, SIGTERM and SIGHUP take no more jobs and let the running ones finish,
for --drain-ms at most; a second Ctrl-C or SIGTERM ends them now.
Exit codes: 0 done, 1 a job failed (not with --watch) or the store cannot be
used, 2 wrong usage, 3 the script cannot be read; after a signal, whether jobs
failed or not: 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.
`;

const ENQUEUE_HELP = `
Without PAYLOAD, or with -, it is what standard input gives, byte for byte.
Prints the id of each job once it is on the disk.
${EXIT_CODES_HELP}`;

const repeated = (text: string, before: readonly string[] = []): string[] => [...before, text];

const statesOption = (...states: string[]): Option => new Option("--state <state>", states.join(", ")).choices(states);

const RUN: ObrienCommand<RunFlags> = {
  name: "run",
  summary: "do the jobs",
  description: "Does jobs, a process each, until none of the classes is left.",
  options: [
    new Option("--class <name=command>", "a class, and what runs for its jobs; repeatable").argParser(repeated),
    new Option("--shell-class <name=line>", "the same with a shell's command line").argParser(repeated),
    new Option("--script <file>", "a program that defines classes"),
    new Option("--concurrency <n>", "jobs at once (number of processors)").argParser(positiveInteger),
    new Option("--timeout-ms <n>", "longest time of a job of --class").argParser(positiveInteger),
    new Option("--positive", "a job of --class that says nothing has failed"),
    new Option("--drain-ms <n>", "time for running jobs after Ctrl-C").argParser(wholeNumber).default(10_000),
    new Option("--watch", "wait for more jobs, until Ctrl-C"),
  ],
  help: RUN_HELP,
  run: async (_, flags, context) => (await import("./run.ts")).runJobs(flags, context),
};

const ENQUEUE: ObrienCommand<EnqueueFlags> = {
  name: "enqueue",
  summary: "add jobs",
  description: "Adds a job to the store, which is made when it is not there.",
  arguments: [new Argument("<class>", "what kind of job"), new Argument("[payload]", "what its process reads, or -")],
  options: [
    new Option("--priority <n>", "from -1000 to 1000, higher runs first (0)").argParser(integer),
    new Option("--at <time>", "not before: 2030-01-31T12:00:00Z, or seconds\nsince 1970").argParser(time),
    new Option("--timeout-ms <n>", "longest time of the job").argParser(positiveInteger),
    new Option("--positive", "a job that says nothing has failed"),
    new Option("-N, --lines", "a job for each line of standard input"),
  ],
  help: ENQUEUE_HELP,
  run: async (words, flags, context) => (await import("./enqueue.ts")).enqueue(words, flags, context),
};

const LIST: ObrienCommand<ListFlags> = {
  name: "list",
  summary: "list jobs, the newest first",
  description: "Lists jobs, the newest first, and how many there are in each state.",
  options: [
    statesOption("pending", "claimed", "done", "failed"),
    new Option("--class <name>", "jobs of this class"),
    new Option("--error-class <name>", "such as bryton/runtime/crashed"),
    new Option("--since <time>", "made 1h, 30m or 2d ago, or later; or a time").argParser(timePast),
    new Option("--until <time>", "made before").argParser(timePast),
    new Option("--ended", "--since and --until, and the order, go by the end"),
    new Option("--limit <n>", "jobs at most").argParser(positiveInteger).default(50),
    new Option("--after <id>", "go on after this job"),
    new Option("--wide", "do not cut names to the width of the terminal"),
  ],
  help: EXIT_CODES_HELP,
  run: async (_, flags, context) => (await import("./list.ts")).list(flags, context),
};

const SHOW: ObrienCommand<ShowFlags> = {
  name: "show",
  summary: "show a job and its outcome",
  description: "Shows a job: what it was given, its verdict as a tree, and the end of its output.",
  arguments: [new Argument("<id>", "a job, or as much of its id as is unique")],
  options: [new Option("--lines <n>", "lines of output").argParser(wholeNumber).default(20)],
  help: EXIT_CODES_HELP,
  run: async (words, flags, context) => (await import("./show.ts")).show(words[0]!, flags, context),
};

const PRUNE: ObrienCommand<PruneFlags> = {
  name: "prune",
  summary: "delete jobs that have ended",
  description: "Deletes jobs that have ended long ago. Prints how many.",
  options: [
    new Option("--older-than <time>", "ended before: 30d, 12h ago, or a time").argParser(timePast).makeOptionMandatory(),
    statesOption("done", "failed"),
  ],
  help: EXIT_CODES_HELP,
  run: async (_, flags, context) => (await import("./changes.ts")).prune(flags, context),
};

const CANCEL: ObrienCommand<CancelFlags> = {
  name: "cancel",
  summary: "end jobs before their time",
  description: "Makes pending jobs fail at once, and ends the processes of running ones.",
  arguments: [new Argument("<id...>", "jobs, or as much of their ids as is unique")],
  options: [],
  help: EXIT_CODES_HELP,
  run: async (words, flags, context) => (await import("./changes.ts")).cancel(words, flags, context),
};

/** Adds `basil obrien` with all its commands. */
export function addObrienCommands(program: Command, context: CliContext, finish: Finish): void {
  const group = program
    .command("obrien")
    .summary("queue jobs on this machine and do them")
    .description("Keeps jobs in a file on this machine, and does each once, in a process of its own.")
    .addHelpText("after", EXAMPLES);
  const add = <Flags extends StoreFlags>(row: ObrienCommand<Flags>) => addCommand(group, row, context, finish);
  add(RUN);
  add(ENQUEUE);
  add(LIST);
  add(SHOW);
  add(PRUNE);
  add(CANCEL);
}

function addCommand<Flags extends StoreFlags>(group: Command, row: ObrienCommand<Flags>, context: CliContext, finish: Finish) {
  const command = group
    .command(row.name)
    .summary(row.summary)
    .description(row.description)
    .option("--store <file>", "the store (.basil-obrien.db)");
  for (const argument of row.arguments ?? []) command.addArgument(argument);
  for (const option of row.options) command.addOption(option);
  command.option("--json", "print JSON").addHelpText("after", row.help);
  command.action(async (...given: unknown[]) => {
    const words = given.slice(0, row.arguments?.length ?? 0).flat() as (string | undefined)[];
    finish(
      await row.run(
        words.filter((word) => word !== undefined),
        command.opts() as Flags,
        context,
      ),
    );
  });
}

function integer(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError("Give a whole number.");
  return Number(text);
}
