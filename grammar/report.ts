/** Shows a complaint, or a run-time error, to a person: message, place, the source line, and a caret below it. */
import type { SourceFile, Span } from "./source.ts";

/** What a report needs: every {@link Complaint} fits, and so does a run-time error with or without a place. */
export interface Reportable {
  readonly code: string;
  readonly message: string;
  readonly severity?: "error" | "warning";
  readonly source?: SourceFile | undefined;
  readonly span?: Span | undefined;
  readonly hint?: string | undefined;
}

/** Columns a source line may take before it is cut around the caret. */
const WIDTH = 80;
/** Columns kept in front of the caret when a line is cut. */
const LEAD = 30;
const TAB = 4;

const STYLES = {
  error: "\u001b[1;31m",
  warning: "\u001b[1;33m",
  place: "\u001b[34m",
  hint: "\u001b[36m",
  off: "\u001b[0m",
} as const;

/**
 * A complaint as lines of text, without a line end at the end:
 * ```
 * error[B1002]: array index out of bounds
 *   --> file.basil:3:9
 *   PRINTLN a(9)
 *           ^^^^
 *   = hint: …
 * ```
 */
export function formatComplaint(complaint: Reportable, options: { color?: boolean } = {}): string {
  const paint = (style: keyof typeof STYLES, text: string): string => (options.color ? STYLES[style] + text + STYLES.off : text);
  const severity = complaint.severity ?? "error";
  const lines = [`${paint(severity, `${severity}[${complaint.code}]:`)} ${complaint.message}`];
  const { source, span, hint } = complaint;
  if (source && span) {
    const { line, column } = source.position(span.start);
    lines.push(`${paint("place", "  -->")} ${source.name}:${line}:${column}`);
    const frame = codeFrame(source.line(line), column - 1, span.end - span.start);
    if (frame) lines.push(`  ${frame.code}`, `  ${paint(severity, frame.caret)}`);
  }
  if (hint) lines.push(`${paint("hint", "  = hint:")} ${hint}`);
  return lines.join("\n");
}

/** Several complaints, one blank line apart. */
export function formatComplaints(complaints: readonly Reportable[], options: { color?: boolean } = {}): string {
  return complaints.map((complaint) => formatComplaint(complaint, options)).join("\n\n");
}

/** The source line with tabs spread out and control characters hidden, and the carets below it. */
function codeFrame(text: string, column: number, length: number): { code: string; caret: string } | undefined {
  if (text.trim() === "") return undefined;
  const from = Math.max(0, column - WIDTH * 4);
  const before = visible(text.slice(from, column), 0);
  const marked = visible(text.slice(column, column + Math.min(Math.max(length, 1), WIDTH * 2)), before.length);
  const after = visible(
    text.slice(column + Math.max(length, 1), column + Math.max(length, 1) + WIDTH * 2),
    before.length + marked.length,
  );
  let code = before + marked + after;
  let start = before.length;
  let width = Math.max(1, marked.trimEnd().length);
  if (from > 0 || column + length + WIDTH < text.length || code.length > WIDTH) {
    const cut = start > WIDTH - LEAD || from > 0 ? Math.max(0, start - LEAD) : 0;
    const head = cut > 0 ? "…" : "";
    const room = WIDTH - head.length - 1;
    const tail = code.length - cut > room ? "…" : "";
    code = head + code.slice(cut, cut + room) + tail;
    start = start - cut + head.length;
    width = Math.max(1, Math.min(width, head.length + room - start));
  }
  return { code: code.trimEnd(), caret: " ".repeat(start) + "^".repeat(width) };
}

/** Text as it shows on a terminal: tabs as blanks up to the next stop, control characters as one sign. */
function visible(text: string, column: number): string {
  let result = "";
  for (const character of text) {
    if (character === "\t") result += " ".repeat(TAB - ((column + result.length) % TAB));
    else result += character < " " || character === "\u007f" ? "\u00b7" : character;
  }
  return result;
}
