/** `basil run`: one program from its file to its exit code. */
import type { Dialect } from "../../../grammar/ast.ts";
import type { AnyModule } from "../../../runtime/host.ts";
import { createInterpreter, type Interpreter, type Outcome } from "../../../runtime/interpreter.ts";
import { createNodeHost, type NodeHost } from "../host/node-host.ts";
import { type CliContext, EXIT_CODES } from "./context.ts";
import { type ModuleOptions, modulesFor } from "./modules.ts";
import { isSupervised, onSupervisorGone } from "./orphan.ts";
import { programFiles } from "./program-files.ts";
import { readSource, type SourceText } from "./read-source.ts";
import { lineText, reportComplaints, reportFailure } from "./report.ts";
import { StopSignals } from "./signals.ts";

/** What stands before FILE on the command line, and what other commands that run programs decide. */
export interface RunOptions extends Pick<ModuleOptions, "obrien"> {
  readonly dialect?: Dialect;
  readonly embedded?: boolean;
  readonly servers?: string;
  readonly timeoutMs?: number;
  readonly sandbox?: boolean;
  readonly maxSteps?: number;
  readonly deadlineMs?: number;
  /** False: neither look for the compiled program nor keep it. */
  readonly cache?: boolean;
}

/** Runs a program to its exit code. @param args what the program finds in ARGS */
export async function run(file: string, args: readonly string[], options: RunOptions, context: CliContext): Promise<number> {
  const source = await readSource(file, context);
  const server = options.embedded ? await startEmbeddedServer() : undefined;
  try {
    const servers = server?.address ?? options.servers;
    const modules = modulesFor({ ...options, ...(servers !== undefined && { servers }), directory: source.directory }, context);
    return await runWith(modules, source, args, options, context);
  } finally {
    await server?.close();
  }
}

/** A Gearman server that lives as long as the program, on a free port of this machine. */
async function startEmbeddedServer(): Promise<{ address: string; close(): Promise<void> }> {
  const { GearmanServer } = await import("../../core/gearman/server/server.ts");
  const server = new GearmanServer();
  const { host, port } = await server.listen();
  return { address: `${host}:${port}`, close: () => server.close() };
}

async function runWith(
  modules: readonly AnyModule[],
  source: SourceText,
  args: readonly string[],
  options: RunOptions,
  context: CliContext,
): Promise<number> {
  const host = hostOf(source, args, options, context);
  const cache = options.cache === false ? undefined : programFiles(context.environment);
  const signals = new StopSignals(() => void stopGracefully(interpreter, context));
  const interpreter = createInterpreter({
    modules,
    host,
    limits: {
      ...(options.maxSteps !== undefined && { steps: options.maxSteps }),
      ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
    },
    ...(cache && { cache }),
    ...(options.dialect && { dialect: options.dialect }),
    onGracefulStop: (isNeeded) => (isNeeded ? signals.arm() : signals.disarm()),
  });
  const release = onSupervisorGone(
    context.environment,
    () => signals.exitCode === undefined && process.kill(process.pid, "SIGTERM"),
  );
  try {
    const outcome = await interpreter.run(source.text, { file: source.file });
    return report(outcome, context) || (signals.exitCode ?? EXIT_CODES.ok);
  } finally {
    await interpreter.close();
    host.close();
    release();
    signals.close();
  }
}

function hostOf(source: SourceText, args: readonly string[], options: RunOptions, context: CliContext): NodeHost {
  const { stdout, stderr, environment } = context;
  return createNodeHost({
    get stdin() {
      return context.stdin;
    },
    stdout,
    stderr,
    environment,
    directory: source.directory,
    arguments: args,
    sandbox: options.sandbox ?? false,
    // A job is worth more than what it prints: a process whose supervisor was killed finishes it.
    outlivesReader: isSupervised(environment),
  });
}

async function stopGracefully(interpreter: Interpreter, context: CliContext): Promise<void> {
  context.stderr.write("stopping: running jobs are finished first; once more ends at once\n");
  await interpreter.stop();
}

/** Says on stderr how a program ended, where that is worth saying, and gives its exit code. */
function report(outcome: Outcome, context: CliContext): number {
  switch (outcome.kind) {
    case "ended":
      for (const warning of outcome.warnings) context.stderr.write(`warning: ${warning}\n`);
      if (outcome.stoppedAt) context.stderr.write(`stopped at ${lineText(outcome.stoppedAt)}\n`);
      return outcome.exitCode;
    case "failed":
      reportFailure(outcome.error, context);
      return outcome.exitCode;
    case "rejected":
      reportComplaints(outcome.complaints, context);
      return outcome.exitCode;
    case "stopped":
      return EXIT_CODES.ok;
  }
}
