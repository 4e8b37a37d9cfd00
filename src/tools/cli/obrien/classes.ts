/** What `--class NAME=COMMAND` says: classes of jobs whose bodies are programs. */
import type { JobClass, WorkerCommand } from "../../../core/obrien/index.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { findProgram } from "../gearman/work-program.ts";

/** What stands on the command line about classes. */
export interface ClassFlags {
  /** `NAME=COMMAND`. */
  readonly class?: readonly string[];
  /** `NAME=LINE`, for a shell. */
  readonly shellClass?: readonly string[];
  readonly timeoutMs?: number;
  readonly positive?: boolean;
}

/** The classes that the command line defines. Throws a CliError when a program is not there: no job depends on it yet. */
export function classesOf(flags: ClassFlags, context: CliContext): JobClass[] {
  const commands = [
    ...(flags.class ?? []).map((text) => divided(text, "--class", (line) => programOf(line, context))),
    ...(flags.shellClass ?? []).map((text) =>
      divided(text, "--shell-class", (program) => ({ program, args: [], isShell: true })),
    ),
  ];
  const twice = commands.find(({ name }, at) => commands.findIndex((other) => other.name === name) < at);
  if (twice) throw new CliError(EXIT_CODES.usage, `the class ${twice.name} is given twice`);
  return commands.map(({ name, command }) => ({
    name,
    command,
    directory: context.directory,
    ...(flags.timeoutMs !== undefined && { timeoutMs: flags.timeoutMs }),
    ...(flags.positive && { mode: "positive" as const }),
  }));
}

function divided(text: string, option: string, commandOf: (line: string) => WorkerCommand) {
  const [, name = "", line = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name.trim() === "" || line.trim() === "")
    throw new CliError(EXIT_CODES.usage, `${option} ${text}: give a name and a command, such as ${option} thumbs=./make-thumb`);
  return { name: name.trim(), command: commandOf(line) };
}

function programOf(line: string, context: CliContext): WorkerCommand {
  const [name = "", ...args] = wordsOf(line);
  return { program: findProgram(name, context), args };
}

/** The words of a command: blanks divide them, quotes keep blanks, and nothing else has a meaning. */
export function wordsOf(line: string): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const rest = line.replaceAll(/"[^"]*"|'[^']*'/g, "");
  if (/["']/.test(rest)) throw new CliError(EXIT_CODES.usage, `a quote is not closed in: ${line}`);
  return words.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
}
