/** `basil gearman status`, `workers` and `version`: what each server says of itself, in tables. */
import type { GearmanAdmin } from "../../../core/gearman/admin.ts";
import type { ConnectionStatus, FunctionStatus } from "../../../core/gearman/admin-rows.ts";
import type { CliContext } from "../context.ts";
import { type AdminFlags, askServers, showAnswers } from "./answers.ts";
import { type Column, tableText } from "./table.ts";

/** One function in the output. */
interface StatusRow extends FunctionStatus {
  /** Jobs that wait, cancelled ones included. */
  readonly queued: number;
  readonly high?: number;
  readonly normal?: number;
  readonly low?: number;
}

/** Jobs of a function that wait. gearmand can miscount those that run. */
export const queuedOf = ({ total, running }: FunctionStatus): number => Math.max(0, total - running);

/** The columns of a table of functions. */
export const STATUS_COLUMNS: readonly Column<StatusRow>[] = [
  { title: "FUNCTION", text: ({ name }) => name, cut: "middle" },
  { title: "QUEUED", text: ({ queued }) => String(queued), align: "right" },
  { title: "RUNNING", text: ({ running }) => String(running), align: "right" },
  { title: "WORKERS", text: ({ workers }) => String(workers), align: "right" },
];

const PRIORITY_COLUMNS: readonly Column<StatusRow>[] = [
  { title: "HIGH", text: ({ high = 0 }) => String(high), align: "right" },
  { title: "NORMAL", text: ({ normal = 0 }) => String(normal), align: "right" },
  { title: "LOW", text: ({ low = 0 }) => String(low), align: "right" },
];

/** Shows the functions of each server. */
export async function status(flags: AdminFlags, context: CliContext): Promise<number> {
  const answers = await askServers(flags, context, (admin) => statusRows(admin, flags.priorities ?? false));
  const columns = flags.priorities ? [...STATUS_COLUMNS, ...PRIORITY_COLUMNS] : STATUS_COLUMNS;
  const presentation = {
    json: (functions: readonly StatusRow[]) => ({ functions }),
    text: (rows: readonly StatusRow[], width: number) => tableText(rows, columns, width, "No functions are known."),
  };
  return showAnswers(answers, presentation, flags, context);
}

async function statusRows(admin: GearmanAdmin, hasPriorities: boolean): Promise<StatusRow[]> {
  const rows = await admin.status();
  const priorities = hasPriorities ? new Map((await admin.priorityStatus()).map((row) => [row.name, row])) : null;
  return rows
    .map((row) => {
      const { high = 0, normal = 0, low = 0 } = priorities?.get(row.name) ?? {};
      return { ...row, queued: queuedOf(row), ...(hasPriorities && { high, normal, low }) };
    })
    .sort((a, b) => byText(a.name, b.name));
}

/** Order of names: by code, the same on every machine. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const CONNECTION_COLUMNS: readonly Column<ConnectionStatus>[] = [
  { title: "ID", text: ({ fd }) => String(fd), align: "right" },
  { title: "ADDRESS", text: ({ address }) => address },
  { title: "NAME", text: ({ clientId }) => clientId, cut: "middle" },
  { title: "FUNCTIONS", text: ({ functions }) => functions.join(" "), cut: "end" },
];

/** Shows the connections of each server: those of workers, or all. */
export async function workers(flags: AdminFlags, context: CliContext): Promise<number> {
  const answers = await askServers(flags, context, async (admin) => {
    const all = await admin.workers();
    return flags.all ? all : all.filter(({ functions }) => functions.length > 0);
  });
  const presentation = {
    json: (connections: readonly ConnectionStatus[]) => ({ connections }),
    text: (rows: readonly ConnectionStatus[], width: number) =>
      tableText(rows, CONNECTION_COLUMNS, width, "No workers are connected."),
  };
  return showAnswers(answers, presentation, flags, context);
}

/** Shows the version and process of each server. */
export async function version(flags: AdminFlags, context: CliContext): Promise<number> {
  const answers = await askServers(flags, context, async (admin) => {
    const [text, pid] = await Promise.all([admin.version(), admin.pid()]);
    return { server: admin.server, version: text, pid };
  });
  const presentation = {
    json: (value: { version: string; pid: number }) => ({ version: value.version, pid: value.pid }),
    text: (value: { server: string; version: string; pid: number }) =>
      `${value.server}  ${value.version}  process ${value.pid}\n`,
    isNamed: true,
  };
  return showAnswers(answers, presentation, flags, context);
}
