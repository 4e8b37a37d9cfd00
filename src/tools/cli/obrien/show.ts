/** `basil obrien show`: one job, what it was given, what became of it, and the end of what it printed. */
import { isUtf8 } from "node:buffer";
import type { JobRecord, Xeme } from "../../../core/obrien/index.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { ByteOutput, OutputGone } from "../gearman/byte-output.ts";
import { cutText, shownText } from "../gearman/table.ts";
import { jobJson } from "./job-json.ts";
import { idOf, type StoreFlags, withStore } from "./store-use.ts";
import { xemeText } from "./xeme-text.ts";

/** What stands on the command line besides the id. */
export interface ShowFlags extends StoreFlags {
  /** Lines of each output. */
  readonly lines: number;
}

/** Most of a payload that is shown, in columns. */
const MAX_PAYLOAD_WIDTH = 60;

/** Longest line of output that is shown whole, in columns. */
const MAX_LINE_WIDTH = 400;

/** Shows a job. @param start its id, or the start of it */
export function show(start: string, flags: ShowFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, { mayCreate: false, mayReadOnly: true }, async (manager) => {
    const job = manager.get(idOf(start, manager))!;
    const text = flags.json ? `${JSON.stringify(jobJson(job), null, 2)}\n` : jobText(job, flags.lines);
    try {
      await new ByteOutput(context.stdout).write(text);
    } catch (error) {
      // The reader has what it wanted.
      if (!(error instanceof OutputGone)) throw error;
    }
    return EXIT_CODES.ok;
  });
}

function jobText(job: JobRecord, outputLines: number): string {
  const facts = factsOf(job).map(([name, text]) => `${name.padEnd(9)} ${text}\n`);
  const { xeme } = job;
  if (xeme === null) return facts.join("");
  const output = [
    outputText("standard output", xeme.io?.stdout, outputLines),
    outputText("standard error", xeme.io?.stderr, outputLines),
  ];
  return `${facts.join("")}\n${xemeText(xeme)}${output.join("")}`;
}

function factsOf(job: JobRecord): [name: string, text: string][] {
  const { id, state, createdAt, runAt, claimedAt, endedAt, priority, parent, timeoutMs, mode, payload, xeme } = job;
  const facts: [string, string | null | false][] = [
    ["job", id],
    ["class", shownText(job.class)],
    ["state", state === "claimed" ? (job.isCancelRequested ? "running, to be ended" : "running") : state],
    ["made", timeText(createdAt)],
    ["run at", runAt && timeText(runAt)],
    ["claimed", claimedAt && timeText(claimedAt)],
    ["ended", endedAt && `${timeText(endedAt)}${runTimeText(xeme)}`],
    ["priority", priority !== 0 && String(priority)],
    ["limit", timeoutMs !== null && `${timeoutMs} ms`],
    ["mode", mode],
    ["parent", parent],
    ["payload", payloadText(payload)],
  ];
  return facts.filter((fact): fact is [string, string] => typeof fact[1] === "string");
}

const timeText = (date: Date): string => date.toISOString().replace("T", " ");

function runTimeText(xeme: Xeme | null): string {
  const seconds = xeme?.meta?.run_time;
  return typeof seconds === "number" ? `, after ${seconds} s` : "";
}

function payloadText(payload: Buffer): string {
  const size = `${payload.length} ${payload.length === 1 ? "byte" : "bytes"}`;
  if (payload.length === 0) return "none";
  if (!isUtf8(payload)) return size;
  // A character has at most four bytes, and a cut one does not reach as far as the text that is shown.
  const start = payload.subarray(0, MAX_PAYLOAD_WIDTH * 4 + 4).toString();
  return `${size}: ${cutText(shownText(start), MAX_PAYLOAD_WIDTH, "end")}`;
}

/** The last lines of an output. Nothing for none. */
function outputText(title: string, output: unknown, most: number): string {
  if (typeof output !== "string" || output === "" || most === 0) return "";
  const lines = output.replace(/\r?\n$/, "").split("\n");
  const last = lines
    .slice(-most)
    .map((line) => `  ${cutText(shownText(line.slice(0, 4 * MAX_LINE_WIDTH)), MAX_LINE_WIDTH, "end")}\n`);
  const which = lines.length > most ? `, the last ${most} of ${lines.length} lines` : "";
  return `\n${title}${which}:\n${last.join("")}`;
}
