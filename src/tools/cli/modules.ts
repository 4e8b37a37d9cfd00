/** The modules that programs find when `basil` runs them. */
import { homedir } from "node:os";
import { gearman } from "../../../modules/gearman/index.ts";
import { json } from "../../../modules/json/index.ts";
import { type ObrienOptions, obrien } from "../../../modules/obrien/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import type { AnyModule } from "../../../runtime/host.ts";
import { parseServerList } from "../../core/gearman/address.ts";
import { GearmanError } from "../../core/gearman/errors.ts";
import type { DocumentedModule } from "../docgen/row-text.ts";
import { subWorker } from "../obrien-worker/command.ts";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";

/** What of a command line decides about modules. */
export interface ModuleOptions {
  /** Configuration is looked for here, then in the directories above. */
  readonly directory: string;
  readonly servers?: string;
  readonly timeoutMs?: number;
  readonly sandbox?: boolean;
  /** What a command that works on a store itself has to say about the program's. */
  readonly obrien?: Pick<ObrienOptions, "store" | "onOpen" | "onDefine">;
}

/** The modules for one run. A sandbox reaches the network only where the command line says so itself. */
export function modulesFor(options: ModuleOptions, context: CliContext): AnyModule[] {
  const modules: AnyModule[] = [standard(), json()];
  if (!options.sandbox || options.servers !== undefined) modules.push(gearmanFor(options, context));
  if (!options.sandbox) modules.push(obrienFor(options));
  return modules;
}

/** Its jobs find the GEARMAN of this command line when their class names it. */
function obrienFor({ directory, servers, timeoutMs, obrien: own }: ModuleOptions): AnyModule {
  return obrien({ ...own, directory, worker: () => subWorker({ GEARMAN: { servers, timeoutMs } }) });
}

/** Settings come from the command line, then the environment, then the nearest file; a sandbox sees only the first. */
function gearmanFor({ directory, servers, timeoutMs, sandbox }: ModuleOptions, { environment }: CliContext): AnyModule {
  if (servers !== undefined) checkServers(servers);
  const surroundings = { directory, homeDirectory: environment["HOME"] ?? homedir(), environment };
  return gearman({ servers, timeoutMs, ...(!sandbox && surroundings) });
}

function checkServers(list: string): void {
  try {
    parseServerList(list, "--servers");
  } catch (error) {
    if (!(error instanceof GearmanError)) throw error;
    throw new CliError(EXIT_CODES.usage, error.message, { cause: error });
  }
}

/** All modules there are, for documentation. */
export const allModules = (): DocumentedModule[] => [standard(), json(), gearman(), obrien({ directory: "." })];
