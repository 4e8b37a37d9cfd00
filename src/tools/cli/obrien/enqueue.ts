/** `basil obrien enqueue`: one job, or one for each line of standard input, many in a transaction. */
import type { Manager, NewJob } from "../../../core/obrien/index.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { ByteOutput, OutputGone } from "../gearman/byte-output.ts";
import { linesOf, wholeOf } from "../gearman/submit-input.ts";
import { type StoreFlags, withStore } from "./store-use.ts";

/** What stands on the command line besides class and payload. */
export interface EnqueueFlags extends StoreFlags {
  readonly priority?: number;
  readonly at?: Date;
  readonly timeoutMs?: number;
  readonly positive?: boolean;
  readonly lines?: boolean;
}

/** Jobs of one transaction: it ends sooner when the payloads are large. */
const BATCH = { jobs: 1000, bytes: 8 * 1024 * 1024 } as const;

/** Enqueues. @param words the class, and perhaps the payload */
export async function enqueue([name = "", payload]: string[], flags: EnqueueFlags, context: CliContext): Promise<number> {
  if (flags.lines && payload !== undefined && payload !== "-")
    throw new CliError(EXIT_CODES.usage, "with --lines the payloads are lines of standard input: leave PAYLOAD out");
  const settings: NewJob = {
    class: name,
    ...(flags.priority !== undefined && { priority: flags.priority }),
    ...(flags.at && { runAt: flags.at }),
    ...(flags.timeoutMs !== undefined && { timeoutMs: flags.timeoutMs }),
    ...(flags.positive && { mode: "positive" as const }),
  };
  const payloads = payload === undefined || payload === "-" ? inputOf(context, flags) : [payload];
  return withStore(flags, context, { mayCreate: true }, (manager) => store(payloads, settings, manager, flags, context));
}

const inputOf = ({ stdin }: CliContext, { lines }: EnqueueFlags): AsyncIterable<Buffer> =>
  lines ? linesOf(stdin, "stripped") : wholeOf(stdin);

/** Stores jobs as payloads come, and prints the ids of what is on the disk. */
async function store(
  payloads: Iterable<string> | AsyncIterable<Buffer>,
  settings: NewJob,
  manager: Manager,
  { json }: EnqueueFlags,
  context: CliContext,
): Promise<number> {
  const output = new ByteOutput(context.stdout);
  let stored = 0;
  const put = async (jobs: readonly NewJob[]): Promise<void> => {
    if (jobs.length === 0) return;
    const ids = manager.enqueue(jobs);
    const text = ids.map((id, at) => (json ? `${stored + at > 0 ? "," : ""}\n  ${JSON.stringify(id)}` : `${id}\n`)).join("");
    stored += ids.length;
    await output.write(text);
  };
  try {
    if (json) await output.write('{"ids": [');
    for await (const jobs of batchesOf(payloads, settings)) await put(jobs);
    if (json) await output.write("\n]}\n");
  } catch (error) {
    // The reader has what it wanted; but the jobs that were to come are not stored.
    if (!(error instanceof OutputGone)) throw error;
    return EXIT_CODES.brokenPipe;
  }
  return EXIT_CODES.ok;
}

async function* batchesOf(payloads: Iterable<string> | AsyncIterable<Buffer>, settings: NewJob): AsyncGenerator<NewJob[]> {
  let jobs: NewJob[] = [];
  let bytes = 0;
  for await (const payload of payloads) {
    jobs.push({ ...settings, payload });
    bytes += payload.length;
    if (jobs.length < BATCH.jobs && bytes < BATCH.bytes) continue;
    yield jobs;
    jobs = [];
    bytes = 0;
  }
  yield jobs;
}
