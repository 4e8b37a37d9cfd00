/** `basil obrien list`: jobs as a table, the newest first, with how many there are in each state. */
import {
  JOB_STATES,
  type JobCounts,
  type JobQuery,
  type JobRecord,
  type JobState,
  type Manager,
} from "../../../core/obrien/index.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { ByteOutput, OutputGone } from "../gearman/byte-output.ts";
import { type Column, tableText } from "../gearman/table.ts";
import { jobJson } from "./job-json.ts";
import { type StoreFlags, withStore } from "./store-use.ts";

/** What stands on the command line. */
export interface ListFlags extends StoreFlags {
  readonly state?: JobState;
  readonly class?: string;
  readonly errorClass?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly ended?: boolean;
  readonly limit: number;
  readonly after?: string;
  readonly wide?: boolean;
}

/** Width of a table where no terminal tells its own, in columns. */
const DEFAULT_COLUMNS = 80;

/** Lists jobs. */
export function list(flags: ListFlags, context: CliContext): Promise<number> {
  const query: JobQuery = {
    ...(flags.state && { state: flags.state }),
    ...(flags.class !== undefined && { class: flags.class }),
    ...(flags.errorClass !== undefined && { errorClass: flags.errorClass }),
    ...(flags.since && { since: flags.since }),
    ...(flags.until && { until: flags.until }),
    ...(flags.after !== undefined && { after: flags.after }),
    by: flags.ended ? "ended" : "created",
    limit: flags.limit,
  };
  return withStore(flags, context, { mayCreate: false, mayReadOnly: true }, async (manager) => {
    const jobs = manager.find(query);
    const counts = manager.counts();
    const text = flags.json ? json(jobs, counts) : table(jobs, shownIds(jobs, manager), counts, flags, context);
    try {
      await new ByteOutput(context.stdout).write(text);
    } catch (error) {
      // The reader has what it wanted.
      if (!(error instanceof OutputGone)) throw error;
    }
    return EXIT_CODES.ok;
  });
}

function json(jobs: readonly JobRecord[], { total, classes }: JobCounts): string {
  return `${JSON.stringify({ jobs: jobs.map(jobJson), counts: { total, classes: Object.fromEntries(classes) } }, null, 2)}\n`;
}

/** Lengths that ids are cut to: their parts, the first of which tell the time. */
const ID_LENGTHS = [13, 18, 23];

/** So much of each id as tells it from all others, the same of each. */
function shownIds(jobs: readonly JobRecord[], manager: Manager): (id: string) => string {
  const isUnique = (start: string) => manager.idsStartingWith(start, 2).length === 1;
  const length = ID_LENGTHS.find((one) => jobs.every(({ id }) => isUnique(id.slice(0, one))));
  return (id) => id.slice(0, length);
}

function table(
  jobs: readonly JobRecord[],
  shownId: (id: string) => string,
  counts: JobCounts,
  flags: ListFlags,
  context: CliContext,
): string {
  const nowMs = Date.now();
  const columns: readonly Column<JobRecord>[] = [
    { title: "ID", text: ({ id }) => shownId(id) },
    { title: "STATE", text: stateText },
    flags.ended
      ? { title: "ENDED", text: ({ endedAt }) => (endedAt ? ageText(nowMs - endedAt.getTime()) : "-"), align: "right" }
      : { title: "AGE", text: ({ createdAt }) => ageText(nowMs - createdAt.getTime()), align: "right" },
    { title: "CLASS", text: ({ class: name }) => name, cut: "middle" },
    { title: "ERROR", text: ({ errorClass }) => errorClass ?? "", cut: "middle" },
  ];
  const shown = jobs.some(({ errorClass }) => errorClass !== null) ? columns : columns.slice(0, -1);
  const width = flags.wide ? Number.POSITIVE_INFINITY : columnsOf(context);
  const totals = JOB_STATES.map((state) => `${counts.total[state]} ${state}`).join(", ");
  const more = jobs.length === flags.limit ? `For more: --after ${jobs.at(-1)?.id}\n` : "";
  return `${tableText(jobs, shown, width, "No jobs are like that.")}${more}\nIn all: ${totals}\n`;
}

function stateText({ state, runAt, isCancelRequested }: JobRecord): string {
  if (state === "claimed") return isCancelRequested ? "ending" : "claimed";
  return state === "pending" && runAt !== null && runAt.getTime() > Date.now() ? "delayed" : state;
}

function columnsOf({ stdout }: CliContext): number {
  return "columns" in stdout && typeof stdout.columns === "number" ? stdout.columns : DEFAULT_COLUMNS;
}

/** From the longest down: an age is told in the first unit that fits twice. */
const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
] as const;

/** A time span in one unit, such as 90s or 3d. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  for (const [unit, size] of UNITS) if (seconds >= 2 * size) return `${Math.floor(seconds / size)}${unit}`;
  return `${seconds}s`;
}
