/** `basil gearman jobs`: the jobs of each server, line by line as they come, for queues of any length. */

import { formatServer } from "../../../core/gearman/address.ts";
import type { GearmanAdmin } from "../../../core/gearman/admin.ts";
import type { QueuedJob } from "../../../core/gearman/admin-rows.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { type AdminFlags, adminOf, askServers, failureText, showAnswers } from "./answers.ts";
import { ByteOutput, OutputGone } from "./byte-output.ts";
import { settingsFor } from "./job-settings.ts";
import { shownText } from "./table.ts";

/** Text gathered before it is written, in characters. */
const BATCH_CHARACTERS = 65_536;

/** Shows the jobs of each server, or their unique keys. */
export function jobs(flags: AdminFlags, context: CliContext): Promise<number> {
  return flags.json ? jobsAsJson(flags, context) : jobsAsText(flags, context);
}

async function jobsAsJson(flags: AdminFlags, context: CliContext): Promise<number> {
  const answers = await askServers(flags, context, async (admin) =>
    flags.uniques ? { uniques: await admin.uniqueJobs() } : { jobs: await admin.jobs() },
  );
  return showAnswers(answers, { json: (value: object) => value, text: () => "" }, flags, context);
}

async function jobsAsText(flags: AdminFlags, context: CliContext): Promise<number> {
  const config = await settingsFor(flags, context);
  const output = new ByteOutput(context.stdout);
  let exitCode: number = EXIT_CODES.ok;
  for (const [at, address] of config.servers.entries()) {
    const admin = adminOf(address, config);
    const heading = config.servers.length > 1 ? `${at > 0 ? "\n" : ""}${formatServer(address)}\n` : "";
    try {
      await writeAll(flags.uniques ? uniqueLines(admin, heading) : jobLines(admin, heading), output);
    } catch (error) {
      if (error instanceof OutputGone) return exitCode;
      if (!(error instanceof GearmanError)) throw error;
      context.stderr.write(failureText(error));
      exitCode = EXIT_CODES.error;
    } finally {
      await admin.close();
    }
  }
  return exitCode;
}

async function writeAll(lines: AsyncIterable<string>, output: ByteOutput): Promise<void> {
  let batch = "";
  for await (const line of lines) {
    batch += line;
    if (batch.length < BATCH_CHARACTERS) continue;
    await output.write(batch);
    batch = "";
  }
  await output.write(batch);
}

async function* jobLines(admin: GearmanAdmin, heading: string): AsyncGenerator<string> {
  let isFirst = true;
  for await (const job of admin.jobRows()) {
    if (isFirst) yield `${heading}RETRIES  KIND        STATE    HANDLE\n`;
    isFirst = false;
    yield jobLine(job);
  }
  if (isFirst) yield `${heading}No jobs are there.\n`;
}

function jobLine({ handle, retries, isIgnored, isBackground }: QueuedJob): string {
  const kind = isBackground ? "background" : "foreground";
  return `${String(retries).padStart(7)}  ${kind}  ${isIgnored ? "ignored" : "-      "}  ${shownText(handle)}\n`;
}

async function* uniqueLines(admin: GearmanAdmin, heading: string): AsyncGenerator<string> {
  yield heading;
  for await (const unique of admin.uniqueJobRows()) yield `${shownText(unique)}\n`;
}
