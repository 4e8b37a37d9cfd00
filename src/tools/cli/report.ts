/** Says on stderr what went wrong with a program: the compiler's complaints, and the error that ended a run. */
import type { Complaint } from "../../../grammar/complaints.ts";
import { formatComplaint, formatComplaints } from "../../../grammar/report.ts";
import type { BasilError, CallFrame, LimitError, SourcePlace } from "../../../runtime/errors.ts";
import { reportOf } from "../../../runtime/interpreter.ts";
import type { CliContext } from "./context.ts";

/** Calls shown of a chain that led to an error: the innermost ones. */
const MAX_CALLS = 10;

/** Writes complaints to stderr, in the order of the text. */
export function reportComplaints(complaints: readonly Complaint[], context: CliContext): void {
  if (complaints.length > 0) context.stderr.write(`${formatComplaints(complaints, { color: context.isColored })}\n`);
}

/** Writes the error that ended a run to stderr, with the calls that led to it. */
export function reportFailure(error: BasilError | LimitError, context: CliContext): void {
  const report = formatComplaint(reportOf(error), { color: context.isColored });
  context.stderr.write(`${[report, ...callLines(error.calls)].join("\n")}\n`);
}

/** The first frame is where the error stands already; the others are the calls that led there. */
function callLines(calls: readonly CallFrame[]): string[] {
  const callers = calls.slice(1);
  const lines = callers.slice(0, MAX_CALLS).map((call) => `  called from ${call.routine} at ${placeText(call)}`);
  if (callers.length > MAX_CALLS) lines.push(`  … and ${callers.length - MAX_CALLS} more calls`);
  return lines;
}

/** `file.basil:LINE`. */
export const lineText = (place: SourcePlace): string => `${place.source.name}:${place.source.position(place.span.start).line}`;

function placeText(place: SourcePlace): string {
  const { line, column } = place.source.position(place.span.start);
  return `${place.source.name}:${line}:${column}`;
}
