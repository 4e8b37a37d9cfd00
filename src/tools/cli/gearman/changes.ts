/** `basil gearman cancel`, `create`, `drop` and `maxqueue`: what changes servers, and what each of them said to it. */

import { formatServer } from "../../../core/gearman/address.ts";
import type { GearmanAdmin, QueueLimit } from "../../../core/gearman/admin.ts";
import { parseHandle } from "../../../core/gearman/checks.ts";
import { GearmanClient } from "../../../core/gearman/client.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { type AdminFlags, askServers, errorEntry, failureText, print, printJson, showAnswers } from "./answers.ts";
import { asUsage, settingsFor } from "./job-settings.ts";
import { queuedOf } from "./lists.ts";
import { shownText } from "./table.ts";

/** Cancels jobs, each on its server or on the one that knows it. 1 when one was not cancelled. */
export async function cancel(handles: readonly string[], flags: AdminFlags, context: CliContext): Promise<number> {
  const config = await settingsFor(flags, context);
  for (const handle of handles) checkServerOf(handle, config);
  const client = new GearmanClient({ ...config, retries: 0 });
  const results: { handle: string; isCancelled: boolean; error?: object }[] = [];
  try {
    for (const handle of handles) {
      const error = await client.cancel(handle).then(() => null, failureOf);
      results.push({ handle, isCancelled: error === null, ...(error && { error: errorEntry(error) }) });
      if (error) context.stderr.write(failureText(error));
      else if (!flags.json) await print(`cancelled ${handle}\n`, context);
    }
  } finally {
    await client.close();
  }
  if (flags.json) await printJson({ jobs: results }, context);
  return results.every(({ isCancelled }) => isCancelled) ? EXIT_CODES.ok : EXIT_CODES.error;
}

/** A handle may name a server that is not configured: for that one server the command line need only name it. */
function checkServerOf(text: string, { servers }: GearmanConfig): void {
  const { server } = usable(() => parseHandle(text));
  if (server === null || servers.some((address) => formatServer(address) === server)) return;
  const known = servers.map(formatServer).join(",");
  const message = `the server of ${text} is not among those asked (${known}): add --servers ${server}`;
  throw new CliError(EXIT_CODES.usage, message);
}

/** Makes functions known. */
export const create = (names: readonly string[], flags: AdminFlags, context: CliContext): Promise<number> =>
  change(names, (admin, name) => admin.createFunction(name).then(() => "created"), flags, context);

/** Makes servers forget functions; those with queued jobs only when forced. */
export const drop = (names: readonly string[], flags: AdminFlags, context: CliContext): Promise<number> =>
  change(names, (admin, name) => dropOne(admin, name, flags.force ?? false), flags, context);

async function dropOne(admin: GearmanAdmin, name: string, isForced: boolean): Promise<string> {
  if (!isForced) {
    const wanted = name.toLowerCase();
    const found = (await admin.status()).find((row) => row.name.toLowerCase() === wanted && queuedOf(row) > 0);
    if (found) {
      const count = queuedOf(found);
      const text = `${admin.server} has ${count} queued job${count === 1 ? "" : "s"} of ${found.name}: --force drops it, and them`;
      throw new GearmanError("SERVER", text);
    }
  }
  await admin.dropFunction(name);
  return "dropped";
}

/** Limits a function. @param words the function, then one limit or three */
export function maxQueue(words: readonly string[], flags: AdminFlags, context: CliContext): Promise<number> {
  const [name = "", ...texts] = words;
  const limit = limitOf(texts);
  return change([name], (admin, one) => admin.maxQueue(one, limit).then(() => `limited to ${texts.join(" ")}`), flags, context);
}

function limitOf(texts: readonly string[]): QueueLimit {
  const wrong = texts.find((text) => !/^\d{1,10}$/.test(text));
  if (wrong !== undefined)
    throw new CliError(EXIT_CODES.usage, `${JSON.stringify(wrong)} is no limit: give a whole number, 0 for none`);
  const [high = 0, normal = 0, low = 0] = texts.map(Number);
  if (texts.length === 1) return high;
  if (texts.length === 3) return { high, normal, low };
  throw new CliError(EXIT_CODES.usage, `maxqueue takes one limit, or three for high, normal and low: not ${texts.length}`);
}

/** Does the same to each function on each server. What one server refuses is still tried on the others. */
async function change(
  names: readonly string[],
  act: (admin: GearmanAdmin, name: string) => Promise<string>,
  flags: AdminFlags,
  context: CliContext,
): Promise<number> {
  const answers = await askServers(flags, context, async (admin) => {
    const done: { name: string; text: string }[] = [];
    const failed: { name: string; error: GearmanError }[] = [];
    for (const name of names) {
      try {
        done.push({ name, text: await act(admin, name) });
      } catch (error) {
        if (!(error instanceof GearmanError) || error.kind === "IO" || error.fatal) throw error;
        failed.push({ name, error });
      }
    }
    return { server: admin.server, done, failed };
  });
  const failures = answers.flatMap((answer) => ("value" in answer ? answer.value.failed : []));
  for (const { error } of failures) context.stderr.write(failureText(error));
  const presentation = {
    json: ({ done, failed }: ChangeResult) => ({
      functions: [
        ...done.map(({ name }) => ({ name, isDone: true })),
        ...failed.map(({ name, error }) => ({ name, isDone: false, error: errorEntry(error) })),
      ],
    }),
    text: ({ server, done }: ChangeResult) => done.map(({ name, text }) => `${server}: ${text}: ${shownText(name)}\n`).join(""),
    isNamed: true,
  };
  const exitCode = await showAnswers(answers, presentation, flags, context);
  return failures.length > 0 ? EXIT_CODES.error : exitCode;
}

/** What one server did. */
interface ChangeResult {
  readonly server: string;
  readonly done: readonly { readonly name: string; readonly text: string }[];
  readonly failed: readonly { readonly name: string; readonly error: GearmanError }[];
}

/** What a function gives; a value no server would take is wrong usage. */
function usable<T>(of: () => T): T {
  try {
    return of();
  } catch (error) {
    throw asUsage(error);
  }
}

function failureOf(error: unknown): GearmanError {
  const usage = asUsage(error);
  if (usage instanceof CliError || !(error instanceof GearmanError)) throw usage;
  return error;
}
