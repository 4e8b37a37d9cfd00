/** The store that a command of `basil obrien` works on: opened, used, closed, and its failures as a command line tells them. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DEFAULT_STORE, Manager, ObrienError } from "../../../core/obrien/index.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";

/** Options that all commands share. */
export interface StoreFlags {
  /** Default `.basil-obrien.db`. */
  readonly store?: string;
  readonly json?: boolean;
}

/** How a store is opened. */
export interface StoreUse {
  /** Make the file when it is not there. */
  readonly mayCreate: boolean;
  /** The command reads, so that a store which cannot be written will do. Default false. */
  readonly mayReadOnly?: boolean;
}

/** Lends a command the store. Failures of the store reject with a CliError: mistakes in arguments as wrong usage. */
export async function withStore<T>(
  { store = DEFAULT_STORE }: StoreFlags,
  { directory }: CliContext,
  { mayCreate, mayReadOnly }: StoreUse,
  use: (manager: Manager) => T | Promise<T>,
): Promise<T> {
  const path = resolve(directory, store);
  if (!mayCreate && !existsSync(path))
    throw new CliError(EXIT_CODES.error, `there is no store ${path}: name another with --store, or add a job to make it`);
  try {
    const manager = await Manager.open({ path, mayReadOnly });
    try {
      return await use(manager);
    } finally {
      await manager.close();
    }
  } catch (error) {
    if (!(error instanceof ObrienError)) throw error;
    throw new CliError(error.kind === "ARGUMENT" ? EXIT_CODES.usage : EXIT_CODES.error, error.message, { cause: error });
  }
}

/** Ids that are named when one was not unique. */
const NAMED_IDS = 5;

/** The id that starts like this. Throws a CliError when none does, or several do. */
export function idOf(start: string, manager: Manager): string {
  const ids = manager.idsStartingWith(start.toLowerCase(), NAMED_IDS + 1);
  if (ids.length === 1) return ids[0]!;
  const problem =
    ids.length === 0
      ? `${manager.path} has no job ${JSON.stringify(start)}: it was pruned, or never there`
      : `several jobs start with ${start}: give more of the id\n${namedIds(ids)}`;
  throw new CliError(EXIT_CODES.error, problem);
}

function namedIds(ids: readonly string[]): string {
  return [...ids.slice(0, NAMED_IDS), ...(ids.length > NAMED_IDS ? ["…"] : [])].map((id) => `  ${id}`).join("\n");
}
