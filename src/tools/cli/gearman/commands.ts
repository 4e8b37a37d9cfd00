/** The commands of `basil gearman`, as commander sees them: a row a command, which loads what it does on use. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { positiveInteger } from "../option-values.ts";
import type { AdminFlags } from "./answers.ts";
import { addJobCommands } from "./job-commands.ts";
import type { TopFlags } from "./top.ts";

/** Gives the exit code of a command to whoever runs the command line. */
type Finish = (exitCode: number) => void;

/** One command. */
interface AdminCommand {
  readonly name: string;
  /** One line of the list of commands. */
  readonly summary: string;
  /** Its help. */
  readonly description: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Runs it to its exit code. @param words what stands on the command line besides options */
  readonly run: (words: string[], flags: AdminFlags, context: CliContext) => Promise<number>;
}

const EXAMPLES = `
Examples:
  basil gearman status                      queues and workers of the servers
  basil gearman doctor                      what is wrong, and what to do
  basil gearman top                         the queues, each second anew
  basil gearman cancel H:box:12             takes a job out of its queue
  basil gearman submit img.resize < in.png  runs a job and prints its result
  basil gearman work wc -- wc -l            does jobs with a command
  basil gearman jobs --json                 JSON, for programs
  basil gearman status --servers a:4730,b   other servers than the configured

Servers come from --servers, else GEARMAN_SERVERS, else the nearest
.basil-gearman.toml, else 127.0.0.1:4730.
`;

const EXIT_CODES_HELP = "\nExit codes: 0 done, 1 a server could not be asked or refused, 2 wrong usage.\n";

const WIDE = new Option("--wide", "do not cut names to the width of the terminal");

/** The commands that ask servers and change what they hold. */
const ADMIN_COMMANDS: readonly AdminCommand[] = [
  {
    name: "status",
    summary: "show functions with their jobs and workers",
    description: "Shows the functions each server knows, with jobs that wait and run, and registrations of workers.",
    options: [new Option("--priorities", "show waiting jobs by priority"), WIDE],
    run: async (_, flags, context) => (await import("./lists.ts")).status(flags, context),
  },
  {
    name: "workers",
    summary: "show connected workers and what they do",
    description: "Shows the connections of workers, with the functions each can do, the latest registered first.",
    options: [new Option("--all", "also connections without functions: clients"), WIDE],
    run: async (_, flags, context) => (await import("./lists.ts")).workers(flags, context),
  },
  {
    name: "jobs",
    summary: "show the jobs of each server",
    description:
      "Shows all jobs, queued and running, with how often a worker was lost over each. Ignored jobs are cancelled or nobody waits for them.",
    options: [new Option("--uniques", "show the jobs' unique keys instead")],
    run: async (_, flags, context) => (await import("./jobs.ts")).jobs(flags, context),
  },
  {
    name: "cancel",
    summary: "take queued jobs out of their queues",
    description: "Takes queued jobs out of their queues. Of a running job it only detaches those who wait: it runs on.",
    arguments: [new Argument("<handle...>", "such as H:box:12 or 127.0.0.1:4730//H:box:12")],
    run: async (words, flags, context) => (await import("./changes.ts")).cancel(words, flags, context),
  },
  {
    name: "create",
    summary: "make functions known to the servers",
    description: "Makes functions known to each server, so that they are listed and can be limited.",
    arguments: [new Argument("<function...>", "names without blanks")],
    run: async (words, flags, context) => (await import("./changes.ts")).create(words, flags, context),
  },
  {
    name: "drop",
    summary: "make the servers forget functions",
    description:
      "Makes each server forget functions that have neither workers nor jobs. With --force also with queued jobs: gearmand never runs these.",
    arguments: [new Argument("<function...>", "names without blanks")],
    options: [new Option("--force", "also when jobs are queued, which are lost then")],
    run: async (words, flags, context) => (await import("./changes.ts")).drop(words, flags, context),
  },
  {
    name: "maxqueue",
    summary: "limit how many jobs a function may have",
    description:
      "Limits how many jobs a function may have, queued and running, on each server; further submits are refused. One limit for all priorities, or one for each.",
    arguments: [
      new Argument("<function>", "a name without blanks"),
      new Argument("<limit...>", "LIMIT, or HIGH NORMAL LOW; 0 for none"),
    ],
    run: async (words, flags, context) => (await import("./changes.ts")).maxQueue(words, flags, context),
  },
  {
    name: "echo",
    summary: "send data to each server and back",
    description: "Sends a text to each server and back, and shows how long it took once connected.",
    arguments: [new Argument("[text]", "what to send").default("ping")],
    run: async (words, flags, context) => (await import("./echo.ts")).echo(words[0] ?? "", flags, context),
  },
  {
    name: "version",
    summary: "show the servers' versions",
    description: "Shows each server's version and process id.",
    run: async (_, flags, context) => (await import("./lists.ts")).version(flags, context),
  },
  {
    name: "top",
    summary: "watch the queues",
    description:
      "Shows the functions with the most jobs first, each interval anew, with how fast their number changes. q ends it. In a pipe it prints one table.",
    options: [
      new Option("--interval <seconds>", "time between two looks").argParser(seconds).default(1),
      new Option("--once", "print one table, after one interval, and end"),
    ],
    run: async (_, flags, context) => (await import("./top.ts")).top(flags as TopFlags, context),
  },
  {
    name: "doctor",
    summary: "find what is wrong, and say what to do",
    description:
      "Looks for what commonly goes wrong: servers that do not answer, jobs without workers, wrong counts, jobs nobody wants, known faults of the server's version. Exit code 1 when something must be mended.",
    run: async (_, flags, context) => (await import("./doctor.ts")).doctor(flags, context),
  },
];

/** Adds `basil gearman` with all its commands. */
export function addGearmanCommands(program: Command, context: CliContext, finish: Finish): void {
  const group = program
    .command("gearman")
    .summary("look at job servers, submit and do jobs")
    .description("Looks at Gearman job servers, changes what they hold, submits jobs and does them.")
    // With "[options]" behind every name, nothing would be left of 80 columns.
    .configureHelp({ subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(" ") })
    .addHelpText("after", EXAMPLES);
  for (const row of ADMIN_COMMANDS) addAdminCommand(group, row, context, finish);
  addJobCommands(group, context, finish);
  group.showHelpAfterError("Try: basil gearman help");
  for (const command of group.commands) command.showHelpAfterError(`Try: basil gearman help ${command.name()}`);
}

function argumentTerm(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function addAdminCommand(group: Command, row: AdminCommand, context: CliContext, finish: Finish): void {
  const command = group
    .command(row.name)
    .summary(row.summary)
    .description(row.description)
    .option("--servers <list>", "servers to ask, such as a:4730,b:4730")
    .addOption(new Option("--timeout-ms <n>", "longest wait for each server").argParser(positiveInteger))
    .option("--json", "print JSON")
    .addHelpText("after", EXIT_CODES_HELP);
  for (const argument of row.arguments ?? []) command.addArgument(argument);
  for (const option of row.options ?? []) command.addOption(option);
  command.action(async (...given: unknown[]) => {
    const words = given.slice(0, row.arguments?.length ?? 0).flat() as (string | undefined)[];
    finish(
      await row.run(
        words.filter((word) => word !== undefined),
        command.opts(),
        context,
      ),
    );
  });
}

/** Longest time between two looks, in seconds. */
const MAX_SECONDS = 3600;

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value < 0.1 || value > MAX_SECONDS)
    throw new InvalidArgumentError(`Give a number of seconds from 0.1 to ${MAX_SECONDS}.`);
  return value;
}
