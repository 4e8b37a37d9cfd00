/** What `basil gearman top` shows: the functions of all servers, and how fast their jobs become more or fewer. */
import type { FunctionStatus } from "../../../core/gearman/admin-rows.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import type { GearmanError } from "../../../core/gearman/errors.ts";
import { type Answer, askConfigured } from "./answers.ts";
import { byText, queuedOf } from "./lists.ts";
import { type Column, shownText, tableText } from "./table.ts";

/** A function of one server at one moment. */
export interface TopRow extends FunctionStatus {
  readonly server: string;
  readonly queued: number;
  /** Jobs more, or fewer, a second since the look before; null when there was none. Servers count no finished jobs. */
  readonly changePerSecond: number | null;
}

/** One look at all servers. */
export interface Sample {
  readonly answers: readonly Answer<TopRow[]>[];
}

/** Looks at servers again and again, and remembers the last look. */
export class Sampler {
  readonly #config: GearmanConfig;
  readonly #signal: AbortSignal;
  #last = new Map<string, { total: number; atMs: number }>();

  constructor(config: GearmanConfig, signal: AbortSignal) {
    this.#config = config;
    this.#signal = signal;
  }

  async take(): Promise<Sample> {
    const answers = await askConfigured(this.#config, (admin) => admin.status({ signal: this.#signal }));
    const atMs = performance.now();
    const seen = new Map<string, { total: number; atMs: number }>();
    const rowOf = (server: string, row: FunctionStatus): TopRow => {
      const key = JSON.stringify([server, row.name]);
      const before = this.#last.get(key);
      seen.set(key, { total: row.total, atMs });
      const changePerSecond = before ? ((row.total - before.total) * 1000) / (atMs - before.atMs) : null;
      return { server, ...row, queued: queuedOf(row), changePerSecond: changePerSecond && Math.round(changePerSecond * 10) / 10 };
    };
    const sample = {
      answers: answers.map((answer) =>
        "error" in answer ? answer : { server: answer.server, value: answer.value.map((row) => rowOf(answer.server, row)) },
      ),
    };
    this.#last = seen;
    return sample;
  }
}

const COLUMNS: readonly Column<TopRow>[] = [
  { title: "FUNCTION", text: ({ name }) => name, cut: "middle" },
  { title: "SERVER", text: ({ server }) => server, cut: "middle" },
  { title: "QUEUED", text: ({ queued }) => String(queued), align: "right" },
  { title: "RUNNING", text: ({ running }) => String(running), align: "right" },
  { title: "WORKERS", text: ({ workers }) => String(workers), align: "right" },
  { title: "CHANGE/S", text: ({ changePerSecond }) => changeText(changePerSecond), align: "right" },
];

const changeText = (change: number | null): string => (change === null ? "-" : `${change > 0 ? "+" : ""}${change}`);

/**
 * A sample as lines of text: one about everything, one for each server that could not be asked, and the table with the
 * functions that have most jobs first.
 * @param size what the lines should fit, in columns and lines
 */
export function sampleText({ answers }: Sample, size: { columns: number; lines: number }): string {
  const rows = answers.flatMap((answer) => ("value" in answer ? answer.value : []));
  const errors = answers.flatMap((answer): GearmanError[] => ("error" in answer ? [answer.error] : []));
  rows.sort((a, b) => b.total - a.total || byText(a.name, b.name) || byText(a.server, b.server));
  const head = [summary(answers.length, rows), ...errors.map(({ message }) => `! ${shownText(message)}`), ""];
  const room = Math.max(1, size.lines - head.length - 2);
  const shown = rows.slice(0, room);
  const columns = answers.length > 1 ? COLUMNS : COLUMNS.filter(({ title }) => title !== "SERVER");
  const table = tableText(shown, columns, size.columns, "No functions are known.");
  const more = rows.length > shown.length ? `… and ${rows.length - shown.length} more functions\n` : "";
  return `${head.join("\n")}\n${table}${more}`;
}

function summary(servers: number, rows: readonly TopRow[]): string {
  const sum = (count: (row: TopRow) => number) => rows.reduce((total, row) => total + count(row), 0);
  const parts = [
    `${servers} server${servers === 1 ? "" : "s"}`,
    `${rows.length} function${rows.length === 1 ? "" : "s"}`,
    `${sum(({ queued }) => queued)} queued`,
    `${sum(({ running }) => running)} running`,
  ];
  return parts.join(", ");
}
