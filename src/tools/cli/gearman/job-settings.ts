/** The Gearman settings of a command: its flags, then the environment, then the nearest configuration file, then defaults. */
import { homedir, hostname } from "node:os";
import { loadConfiguration } from "../../../../modules/gearman/configuration.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";

/** What of the settings a command line may name. */
export interface SettingFlags {
  readonly servers?: string;
  readonly timeoutMs?: number;
  readonly clientId?: string;
}

/** Gathers the settings; one that makes no sense is wrong usage. */
export async function settingsFor(flags: SettingFlags, { directory, environment }: CliContext): Promise<GearmanConfig> {
  const { servers, timeoutMs, clientId } = flags;
  const surroundings = { directory, homeDirectory: environment["HOME"] ?? homedir(), environment };
  try {
    return await loadConfiguration({ servers, timeoutMs, clientId, ...surroundings }, hostname());
  } catch (error) {
    throw asUsage(error);
  }
}

/** A value no server would take is the command line's mistake; everything else stays what it is. */
export function asUsage(error: unknown): unknown {
  const isMistake = error instanceof GearmanError && (error.kind === "CONFIG" || error.kind === "ARGUMENT");
  return isMistake ? new CliError(EXIT_CODES.usage, error.message, { cause: error }) : error;
}
