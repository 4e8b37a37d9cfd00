/** The modules that programs find when `basil` runs them. */
import { gearman } from "../../../modules/gearman/index.ts";
import { json } from "../../../modules/json/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import type { AnyModule } from "../../../runtime/host.ts";
import type { DocumentedModule } from "../docgen/row-text.ts";
import type { CliContext } from "./context.ts";

/** What of a command line decides about modules. */
export interface ModuleOptions {
  /** Configuration is looked for here, then in the directories above. */
  readonly directory: string;
  readonly servers?: string;
  readonly timeoutMs?: number;
  readonly sandbox?: boolean;
}

/** The modules for one run. A sandbox reaches the network only where the command line says so itself. */
export function modulesFor(options: ModuleOptions, context: CliContext): AnyModule[] {
  const modules: AnyModule[] = [standard(), json()];
  if (!options.sandbox || options.servers !== undefined) modules.push(gearmanFor(options, context));
  return modules;
}

/** All modules there are, for documentation. */
export const allModules = (): DocumentedModule[] => [standard(), json(), gearman()];
