/** The findings as Markdown tables. */
import type { Findings } from "./probes.ts";

/** One table: a row for each library, a column for each question. */
export function tableOf(title: string, rows: ReadonlyMap<string, Findings>): string {
  const columns = [...new Set([...rows.values()].flatMap((findings) => Object.keys(findings)))];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const body = [...rows].map(([name, findings]) => line([`\`${name}\``, ...columns.map((column) => findings[column] ?? "")]));
  return [`**${title}**`, "", line(["", ...columns]), line(["", ...columns].map(() => "---")), ...body, ""].join("\n");
}
