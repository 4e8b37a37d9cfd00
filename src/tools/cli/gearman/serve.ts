/** `basil gearman serve`: the embedded job server as a process, with gearmand's options, log, pid file and signals. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { GearmanError } from "../../../core/gearman/errors.ts";
import { GearmanServer, type GearmanServerOptions } from "../../../core/gearman/server/server.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { asUsage } from "./job-settings.ts";
import { startDaemon } from "./serve-daemon.ts";
import { type LogLevel, ServerLog } from "./serve-log.ts";

/** What stands on the command line. */
export interface ServeOptions {
  readonly listen: string;
  readonly port: number;
  /** A path, `stderr` or `none`. */
  readonly logFile?: string;
  readonly pidFile?: string;
  readonly exceptions?: boolean;
  readonly jobRetries?: number;
  readonly roundRobin?: boolean;
  readonly workerWakeup?: number;
  /** Background jobs are kept in this SQLite file. */
  readonly queueFile?: string;
  readonly maxConnections?: number;
  readonly maxMemoryBytes?: number;
  readonly maxPacketBytes?: number;
  /** Files in PEM form. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly verbose?: LogLevel;
  readonly daemon?: boolean;
  /** Stay in this process, whatever `daemon` says. */
  readonly foreground?: boolean;
}

/** Ends at once, or when the running jobs are done. */
const SIGNALS = { SIGTERM: "close", SIGINT: "close", SIGUSR1: "drain" } as const;

/** Serves until a signal ends it. @param words the command line, for the process of `--daemon` */
export async function serve(options: ServeOptions, words: readonly string[], context: CliContext): Promise<number> {
  if (options.daemon && !options.foreground) return startDaemon(process.argv[1] ?? "", words, context);
  const log = openLog(options, context);
  const server = created(serverOptions(options, log, context.directory));
  const ending = new Ending(server, log);
  try {
    const { host, port } = await listening(server);
    const removePidFile = writePidFile(options.pidFile, context.directory);
    context.stdout.write(`listening on ${host.includes(":") ? `[${host}]` : host}:${port}\n`);
    try {
      await ending.done;
    } finally {
      removePidFile();
    }
    return EXIT_CODES.ok;
  } finally {
    ending.release();
    await server.close();
  }
}

function openLog(options: ServeOptions, { directory, stderr }: CliContext): ServerLog {
  const target = logTarget(options, directory);
  const log = new ServerLog({ target, level: options.verbose ?? "NOTICE", stderr });
  try {
    log.open();
  } catch (error) {
    throw new CliError(EXIT_CODES.error, `the log ${target} cannot be written: ${(error as Error).message}`, { cause: error });
  }
  return log;
}

/** A daemon has no stderr to write to: without a file its log goes nowhere. */
function logTarget({ logFile, daemon }: ServeOptions, directory: string): string {
  const target = logFile ?? (daemon ? "none" : "stderr");
  return target === "stderr" || target === "none" ? target : resolve(directory, target);
}

function serverOptions(options: ServeOptions, log: ServerLog, directory: string): GearmanServerOptions {
  const { listen, workerWakeup, queueFile, port, exceptions, jobRetries, roundRobin } = options;
  const { maxPacketBytes, maxConnections, maxMemoryBytes } = options;
  const tls = tlsOptions(options, directory);
  return {
    host: listen,
    port,
    ...(tls && { tls }),
    ...(exceptions && { exceptions }),
    ...(roundRobin && { roundRobin }),
    ...(jobRetries !== undefined && { jobRetries }),
    ...(workerWakeup !== undefined && { wakeups: workerWakeup }),
    ...(queueFile !== undefined && { queueFile: resolve(directory, queueFile) }),
    ...(maxPacketBytes !== undefined && { maxPacketBytes }),
    ...(maxConnections !== undefined && { maxConnections }),
    ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
    onEvent: (event) => log.take(event),
  };
}

/** With an authority's certificate only clients that have one from it are let in. */
function tlsOptions({ tlsCert, tlsKey, tlsCa }: ServeOptions, directory: string): GearmanServerOptions["tls"] {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new CliError(EXIT_CODES.usage, "TLS needs both --tls-cert and --tls-key");
  const pem = (option: string, path: string): Buffer => {
    try {
      return readFileSync(resolve(directory, path));
    } catch (error) {
      throw new CliError(EXIT_CODES.usage, `${option} ${path} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  };
  return {
    cert: pem("--tls-cert", tlsCert),
    key: pem("--tls-key", tlsKey),
    ...(tlsCa !== undefined && { ca: pem("--tls-ca", tlsCa), requestClientCertificate: true }),
  };
}

function created(options: GearmanServerOptions): GearmanServer {
  try {
    return new GearmanServer(options);
  } catch (error) {
    throw asUsage(error);
  }
}

async function listening(server: GearmanServer): Promise<{ host: string; port: number }> {
  try {
    return await server.listen();
  } catch (error) {
    if (!(error instanceof GearmanError)) throw error;
    throw new CliError(EXIT_CODES.error, `${error.message}${hintFor(error.cause)}`, { cause: error });
  }
}

function hintFor(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  if (code === "EADDRINUSE") return "\nAnother server has that port: stop it, or choose another with --port.";
  if (code === "EACCES") return "\nPorts below 1024 are for the system: choose another with --port.";
  if (code === "EADDRNOTAVAIL") return "\nThis machine has no such address: --listen 0.0.0.0 takes all it has.";
  return "";
}

/** Writes this process's number where scripts look for it; the function it returns takes the file away. */
function writePidFile(name: string | undefined, directory: string): () => void {
  if (name === undefined) return () => {};
  const path = resolve(directory, name);
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    throw new CliError(EXIT_CODES.error, `the pid file ${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
  return () => rmSync(path, { force: true });
}

/** What signals do to a server: the first one ends it, a grave one cuts a graceful end short. */
class Ending {
  readonly done: Promise<void>;
  readonly #server: GearmanServer;
  readonly #log: ServerLog;
  #resolve!: () => void;
  readonly #handle = (signal: NodeJS.Signals): void => {
    const way = SIGNALS[signal as keyof typeof SIGNALS];
    this.#log.write("NOTICE", `${signal}: ${way === "drain" ? "running jobs are finished first" : "stopping"}`);
    void this.#server[way]().then(() => this.#resolve());
  };

  constructor(server: GearmanServer, log: ServerLog) {
    this.#server = server;
    this.#log = log;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    for (const signal of Object.keys(SIGNALS)) process.on(signal, this.#handle);
  }

  release(): void {
    for (const signal of Object.keys(SIGNALS)) process.off(signal, this.#handle);
  }
}
