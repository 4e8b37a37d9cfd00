/** `basil gearman jobs`: the jobs of each server, one by one as they come, for queues of any length. */
import type { GearmanAdmin } from "../../../core/gearman/admin.ts";
import type { QueuedJob } from "../../../core/gearman/admin-rows.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { type AdminFlags, adminOf, errorEntry, failureText } from "./answers.ts";
import { ByteOutput, OutputGone } from "./byte-output.ts";
import { settingsFor } from "./job-settings.ts";
import { shownText } from "./table.ts";

/** Text gathered before it is written, in characters. */
const BATCH_CHARACTERS = 65_536;

/** A row of either list: a job, or a unique key. */
type Row = QueuedJob | string;

/** How lists become text, piece by piece, in the order of the calls. */
interface Form {
  readonly begin: string;
  readonly end: string;
  /** @param at number of the server, from 0 */
  server(name: string, at: number): string;
  row(row: Row, isFirst: boolean): string;
  /** After the last row; `error` when the list broke off. */
  done(rows: number, error: GearmanError | null): string;
}

/** Shows the jobs of each server, or their unique keys. */
export async function jobs(flags: AdminFlags, context: CliContext): Promise<number> {
  const config = await settingsFor(flags, context);
  const form = flags.json ? jsonForm(flags.uniques ? "uniques" : "jobs") : textForm(config.servers.length > 1);
  const output = new ByteOutput(context.stdout);
  let exitCode: number = EXIT_CODES.ok;
  try {
    await output.write(form.begin);
    for (const [at, address] of config.servers.entries()) {
      const admin = adminOf(address, config);
      const error = await writeServer(admin, at, form, flags, output);
      await admin.close();
      if (error === null) continue;
      context.stderr.write(failureText(error));
      exitCode = EXIT_CODES.error;
    }
    await output.write(form.end);
  } catch (error) {
    // The reader has what it wanted.
    if (!(error instanceof OutputGone)) throw error;
  }
  return exitCode;
}

/** Writes one server's rows; gives the error that ended them. */
async function writeServer(admin: GearmanAdmin, at: number, form: Form, flags: AdminFlags, output: ByteOutput) {
  let text = form.server(admin.server, at);
  let rows = 0;
  let failure: GearmanError | null = null;
  try {
    for await (const row of flags.uniques ? admin.uniqueJobRows() : admin.jobRows()) {
      text += form.row(row, rows++ === 0);
      if (text.length < BATCH_CHARACTERS) continue;
      await output.write(text);
      text = "";
    }
  } catch (error) {
    if (!(error instanceof GearmanError)) throw error;
    failure = error;
  }
  await output.write(text + form.done(rows, failure));
  return failure;
}

/** @param isHeaded whether each server's name stands above its jobs */
function textForm(isHeaded: boolean): Form {
  let heading = "";
  return {
    begin: "",
    end: "",
    server(name, at) {
      heading = isHeaded ? `${at > 0 ? "\n" : ""}${name}\n` : "";
      return "";
    },
    row(row, isFirst) {
      if (typeof row === "string") return `${isFirst ? heading : ""}${shownText(row)}\n`;
      return (isFirst ? `${heading}RETRIES  KIND        STATE    HANDLE\n` : "") + jobLine(row);
    },
    done: (rows, error) => (rows > 0 || error ? "" : `${heading}No jobs are there.\n`),
  };
}

function jobLine({ handle, retries, isIgnored, isBackground }: QueuedJob): string {
  const kind = isBackground ? "background" : "foreground";
  return `${String(retries).padStart(7)}  ${kind}  ${isIgnored ? "ignored" : "-      "}  ${shownText(handle)}\n`;
}

/** The shape of the other commands' JSON, written as it comes: a broken list has its rows and the error. */
function jsonForm(field: "jobs" | "uniques"): Form {
  return {
    begin: '{"servers": [',
    end: "\n]}\n",
    server: (name, at) => `${at > 0 ? "," : ""}\n{"server": ${JSON.stringify(name)}`,
    row: (row, isFirst) => `${isFirst ? `, "${field}": [` : ","}\n${JSON.stringify(row)}`,
    done(rows, error) {
      if (error !== null) return `${rows > 0 ? "]" : ""}, "error": ${JSON.stringify(errorEntry(error))}}`;
      return rows > 0 ? "]}" : `, "${field}": []}`;
    },
  };
}
