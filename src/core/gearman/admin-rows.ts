/** The lists of the text protocol: the command that asks for each, and how its lines become rows. */

/** One function's row of `status`. */
export interface FunctionStatus {
  readonly name: string;
  /** Jobs queued and running; cancelled ones count until a worker would have taken them. */
  readonly total: number;
  readonly running: number;
  /** Registrations of workers: a worker that registers twice counts twice. */
  readonly workers: number;
}

/** One function's row of `prioritystatus`: jobs that wait, by priority. */
export interface FunctionPriorities {
  readonly name: string;
  readonly high: number;
  readonly normal: number;
  readonly low: number;
  /** Registrations of workers. */
  readonly workers: number;
}

/** One connection's row of `workers`: workers, clients, and the one that asks. */
export interface ConnectionStatus {
  /** The server's number for the connection. */
  readonly fd: number;
  /** IP address of the other side. */
  readonly address: string;
  /** Name it gave itself; `-` for none. */
  readonly clientId: string;
  /**
   * Functions it can do, the latest registered first; empty for clients. One registered twice stands here twice. The
   * protocol divides names by blanks: a name with blanks comes as several, and the names behind a line feed are missing.
   */
  readonly functions: readonly string[];
}

/** One job's row of `show jobs`. */
export interface QueuedJob {
  readonly handle: string;
  /** How often a worker was lost while it did the job. */
  readonly retries: number;
  /** Cancelled, or nobody waits for it any more: it goes away when a worker would take it. */
  readonly isIgnored: boolean;
  /** A background job that persistent queues store. */
  readonly isBackground: boolean;
}

/** A command whose reply is a list that ends with a dot. */
export interface AdminList<Row> {
  readonly command: string;
  /** The row a line stands for, or null when it is none: a name with a line feed goes on in the next line. */
  readonly parse: (line: string) => Row | null;
  /** Whether a line that is no row is the rest of the row before, with nothing in it worth waiting for. */
  readonly isRestDropped?: boolean;
  /** Whether a row may look like the dot that ends the list, so that only what follows can tell. */
  readonly isDotPossible?: boolean;
}

// Function names may hold tabs, blanks and line feeds; numbers do not: the numbers are found from the end.
const STATUS_ROW = /^([\s\S]*)\t(\d+)\t(\d+)\t(\d+)$/;
const PRIORITY_ROW = /^([\s\S]*)\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/;
const JOB_ROW = /^([^\t]+)\t(\d+)\t(\d+)\t(\d+)$/;

/** Every list there is, by the name of what its rows are. */
export const ADMIN_LISTS = {
  status: {
    command: "status",
    parse: (line): FunctionStatus | null => {
      const [, name, total, running, workers] = STATUS_ROW.exec(line) ?? [];
      return name === undefined ? null : { name, total: Number(total), running: Number(running), workers: Number(workers) };
    },
  },
  priorityStatus: {
    command: "prioritystatus",
    parse: (line): FunctionPriorities | null => {
      const [, name, ...texts] = PRIORITY_ROW.exec(line) ?? [];
      const [high = 0, normal = 0, low = 0, workers = 0] = texts.map(Number);
      return name === undefined ? null : { name, high, normal, low, workers };
    },
  },
  workers: { command: "workers", parse: connectionOf, isRestDropped: true },
  jobs: {
    command: "show jobs",
    parse: (line): QueuedJob | null => {
      const [, handle, retries, ignored, background] = JOB_ROW.exec(line) ?? [];
      if (handle === undefined) return null;
      return { handle, retries: Number(retries), isIgnored: ignored !== "0", isBackground: background !== "0" };
    },
  },
  uniqueJobs: { command: "show unique jobs", parse: (line): string => line, isDotPossible: true },
} as const satisfies Record<string, AdminList<unknown>>;

/** `12 127.0.0.1 mailer : send receive`. */
function connectionOf(line: string): ConnectionStatus | null {
  const [, fd, address, rest] = /^(\d+) (\S*) (.*)$/.exec(line) ?? [];
  if (fd === undefined || address === undefined || rest === undefined) return null;
  // A line without functions ends with the colon; an id may hold " : " itself, so the last one divides.
  const text = ` ${rest} `;
  const colon = text.lastIndexOf(" : ");
  if (colon < 0) return null;
  const functions = text
    .slice(colon + 3)
    .split(" ")
    .filter((name) => name !== "");
  return { fd: Number(fd), address, clientId: text.slice(1, Math.max(1, colon)), functions };
}
