/** Several servers asked the same at once: their answers in order, for people or as JSON, and the exit code. */

import { formatServer, type ServerAddress } from "../../../core/gearman/address.ts";
import { GearmanAdmin } from "../../../core/gearman/admin.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { ByteOutput, OutputGone } from "./byte-output.ts";
import { asUsage, type SettingFlags, settingsFor } from "./job-settings.ts";
import { shownText } from "./table.ts";

/** Options that the commands for administrators share; each reads those it has. */
export interface AdminFlags extends SettingFlags {
  readonly json?: boolean;
  readonly wide?: boolean;
  readonly priorities?: boolean;
  readonly all?: boolean;
  readonly uniques?: boolean;
  readonly force?: boolean;
}

/** What one server said, or why it said nothing. */
export type Answer<T> = { readonly server: string } & ({ readonly value: T } | { readonly error: GearmanError });

/** One question to a server. */
export type Ask<T> = (admin: GearmanAdmin, address: ServerAddress, config: GearmanConfig) => Promise<T>;

/** How long names on a terminal may be in all, in columns. */
const DEFAULT_COLUMNS = 80;

/** Asks every configured server at once. Rejects only for wrong usage and for mistakes of this program. */
export async function askServers<T>(flags: AdminFlags, context: CliContext, ask: Ask<T>): Promise<Answer<T>[]> {
  return askConfigured(await settingsFor(flags, context), ask);
}

/** As `askServers`, with settings that are known. */
export const askConfigured = <T>(config: GearmanConfig, ask: Ask<T>): Promise<Answer<T>[]> =>
  Promise.all(config.servers.map((address) => answerOf(address, config, ask)));

async function answerOf<T>(address: ServerAddress, config: GearmanConfig, ask: Ask<T>): Promise<Answer<T>> {
  const server = formatServer(address);
  const admin = adminOf(address, config);
  try {
    return { server, value: await ask(admin, address, config) };
  } catch (error) {
    const isMistake = !(error instanceof GearmanError) || error.kind === "CONFIG" || error.kind === "ARGUMENT";
    if (isMistake) throw asUsage(error);
    return { server, error };
  } finally {
    await admin.close();
  }
}

/** An administrator for somebody who looks on: a server that is down is told at once, not tried again. */
export const adminOf = (address: ServerAddress, { timeoutMs }: GearmanConfig): GearmanAdmin =>
  new GearmanAdmin({ server: address, timeoutMs, retries: 0 });

/** How answers are shown. */
export interface Presentation<T> {
  /** The fields of a server's entry in `{ "servers": [{ "server": "a:4730", … }] }`. */
  readonly json: (value: T) => object;
  /** Text for people, which ends with a line end. @param columns the width it should fit */
  readonly text: (value: T, columns: number) => string;
  /** Whether the text says itself which server it is of, so that it needs no heading. */
  readonly isNamed?: boolean;
}

/** Prints all answers; what could not be asked goes to stderr as well. 1 when there was such a server. */
export async function showAnswers<T>(
  answers: readonly Answer<T>[],
  { json, text, isNamed }: Presentation<T>,
  flags: AdminFlags,
  context: CliContext,
): Promise<number> {
  if (flags.json) await printJson({ servers: answers.map((answer) => entryOf(answer, json)) }, context);
  const isHeaded = answers.length > 1 && !isNamed;
  let isFirst = true;
  for (const answer of answers) {
    if ("error" in answer) context.stderr.write(failureText(answer.error));
    else if (!flags.json) {
      const heading = isHeaded ? `${isFirst ? "" : "\n"}${shownText(answer.server)}\n` : "";
      await print(heading + text(answer.value, columnsOf(flags, context)), context);
      isFirst = false;
    }
  }
  return answers.some((answer) => "error" in answer) ? EXIT_CODES.error : EXIT_CODES.ok;
}

/** A server's entry in JSON output. */
export function entryOf<T>(answer: Answer<T>, json: (value: T) => object): object {
  return "error" in answer
    ? { server: answer.server, error: errorEntry(answer.error) }
    : { server: answer.server, ...json(answer.value) };
}

/** An error in JSON output. */
export const errorEntry = ({ kind, message }: GearmanError): { kind: string; message: string } => ({ kind, message });

/** The line on stderr for a server that could not be asked. */
export const failureText = (error: GearmanError): string => `basil: ${shownText(error.message)}\n`;

/** The width for tables: the terminal's, 80 in a pipe, any with --wide. */
export function columnsOf(flags: AdminFlags, { stdout }: CliContext): number {
  if (flags.wide) return Number.POSITIVE_INFINITY;
  const columns = "columns" in stdout ? Number(stdout.columns) : 0;
  return columns > 0 ? columns : DEFAULT_COLUMNS;
}

/** Prints a value as readable JSON. */
export const printJson = (value: unknown, context: CliContext): Promise<void> =>
  print(`${JSON.stringify(value, null, 2)}\n`, context);

/** Prints at the reader's pace. A reader that has gone is no mistake: the command's exit code says it. */
export async function print(text: string, { stdout }: CliContext): Promise<void> {
  await new ByteOutput(stdout).write(text).catch((error: unknown) => {
    if (!(error instanceof OutputGone)) throw error;
  });
}
