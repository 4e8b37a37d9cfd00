/** The options of `basil gearman serve`: its own, gearmand's spellings of them, and what is said of those it does not have. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import { positiveInteger, wholeNumber } from "../option-values.ts";
import type { ServeOptions } from "./serve.ts";
import { LOG_LEVELS, type LogLevel } from "./serve-log.ts";

const SERVE_HELP = `
Gearmand's options work here, so that this server can take its place in
scripts; --threads, --backlog and the like are accepted and do nothing.

Signals: SIGTERM and SIGINT stop at once, SIGUSR1 when running jobs are done.
Exit codes: 0 stopped by a signal, 1 it cannot listen or write
its files, 2 wrong usage.
`;

/** Options of gearmand for matters that take care of themselves here. */
const IGNORED = [
  "-b, --backlog <n>",
  "-f, --file-descriptors <n>",
  "-t, --threads <n>",
  "--hashtable-buckets <n>",
  "--keepalive",
  "--keepalive-idle <n>",
  "--keepalive-interval <n>",
  "--keepalive-count <n>",
  "--coredump",
] as const;

/** Options of gearmand that this server refuses, and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  "-u, --user <name>": "Start it as that user instead, for example with setpriv or systemd's User=.",
  "--syslog": "Pipe stderr to logger instead: basil gearman serve 2>&1 | logger",
  "-r, --protocol <name>": "Only the Gearman protocol is spoken here.",
  "--config-file <file>": "Options are read from the command line only.",
};

/** Gearmand's queue engines that have a likeness here. */
const QUEUE_TYPES = ["builtin", "libsqlite3"];

/** The flags as commander gives them. */
interface ServeFlags extends ServeOptions {
  readonly queueType?: string;
  readonly libsqlite3Db?: string;
  readonly ssl?: boolean;
  readonly sslCertificate?: string;
  readonly sslKey?: string;
  readonly sslCaFile?: string;
}

/** Adds serve to `basil gearman`. */
export function addServeCommand(group: Command, context: CliContext, finish: (exitCode: number) => void): void {
  const command = group
    .command("serve")
    .summary("be a job server")
    .description("Serves jobs, as gearmand does, until a signal ends it.")
    .option("-L, --listen <address>", "address to listen on", "127.0.0.1")
    .addOption(new Option("-p, --port <n>", "port to listen on, 0 for a free one").argParser(port).default(4730))
    .option("-l, --log-file <file>", "stderr, none or a file (stderr)")
    .option("-P, --pid-file <file>", "holds the process id while it serves")
    .option("-e, --exceptions", "send WORK_EXCEPTION to every client")
    .addOption(new Option("-j, --job-retries <n>", "runs of a job whose workers are lost\n(0: no limit)").argParser(wholeNumber))
    .option("-R, --round-robin", "let a worker's functions take turns")
    .addOption(new Option("-w, --worker-wakeup <n>", "workers to wake for a job (0: all)").argParser(wholeNumber))
    .option("--queue-file <file>", "keep background jobs in this SQLite file")
    .addOption(new Option("--max-connections <n>", "refuse more").argParser(positiveInteger))
    .addOption(new Option("--max-packet-bytes <n>", "refuse larger packets (256 MiB)").argParser(positiveInteger))
    .addOption(new Option("--max-memory-bytes <n>", "refuse jobs beyond it").argParser(positiveInteger))
    .option("--tls-cert <file>", "certificate: TLS connections only")
    .option("--tls-key <file>", "its private key")
    .option("--tls-ca <file>", "let in only clients with a certificate\nof this authority")
    .addOption(new Option("-v, --verbose [level]", "log more: INFO, or DEBUG with -vv").argParser(verbosity).preset("INFO"))
    .option("-d, --daemon", "serve in the background, once it listens");
  addSilentOptions(command);
  command.addHelpText("after", SERVE_HELP).action(async (flags: ServeFlags) => {
    const { serve } = await import("./serve.ts");
    finish(await serve(translated(flags, command), rawWords(command), context));
  });
}

/** Options that the help does not list. */
function addSilentOptions(command: Command): void {
  const hidden = [
    ...IGNORED,
    "--foreground",
    "-q, --queue-type <name>",
    "--libsqlite3-db <file>",
    "--ssl",
    "--ssl-certificate <file>",
    "--ssl-key <file>",
    "--ssl-ca-file <file>",
  ];
  for (const flags of hidden) command.addOption(new Option(flags).hideHelp());
  for (const [flags, wayOut] of Object.entries(REFUSED)) {
    const option = new Option(flags).hideHelp();
    command.addOption(option);
    command.on(`option:${option.name()}`, () => command.error(`error: ${option.long} is not available here. ${wayOut}`));
  }
}

/** Gearmand's spellings become this server's. */
function translated(flags: ServeFlags, command: Command): ServeOptions {
  const { queueType = "builtin", libsqlite3Db, ssl, sslCertificate, sslKey, sslCaFile } = flags;
  if (!QUEUE_TYPES.includes(queueType))
    command.error(`error: --queue-type ${queueType} is not available here. Use --queue-file FILE, or gearmand.`);
  if (queueType === "libsqlite3" && libsqlite3Db === undefined)
    command.error("error: --queue-type libsqlite3 needs --libsqlite3-db FILE");
  if (ssl && (sslCertificate ?? flags.tlsCert) === undefined) command.error("error: --ssl needs --ssl-certificate and --ssl-key");
  const tlsCert = flags.tlsCert ?? sslCertificate;
  const tlsKey = flags.tlsKey ?? sslKey;
  const tlsCa = flags.tlsCa ?? sslCaFile;
  const queueFile = flags.queueFile ?? (queueType === "libsqlite3" ? libsqlite3Db : undefined);
  return {
    ...flags,
    ...(queueFile !== undefined && { queueFile }),
    ...(tlsCert !== undefined && { tlsCert }),
    ...(tlsKey !== undefined && { tlsKey }),
    ...(tlsCa !== undefined && { tlsCa }),
  };
}

function rawWords(command: Command): readonly string[] {
  let root = command;
  while (root.parent) root = root.parent;
  return (root as Command & { readonly rawArgs: readonly string[] }).rawArgs;
}

function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError("Give a port from 0 to 65535.");
  return value;
}

/** `INFO`; -v is INFO, and each further v is more: -vv. */
function verbosity(text: string): LogLevel {
  const level = /^v+$/.test(text) ? "DEBUG" : LOG_LEVELS.find((known) => known === text.toUpperCase());
  if (level === undefined) throw new InvalidArgumentError(`There are ${LOG_LEVELS.join(", ")}.`);
  return level;
}
