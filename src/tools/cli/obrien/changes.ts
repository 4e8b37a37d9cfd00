/** `basil obrien cancel` and `prune`: what takes jobs out of the store's way. */
import type { Manager } from "../../../core/obrien/index.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { idOf, type StoreFlags, withStore } from "./store-use.ts";

/** What stands on the command line of cancel. */
export type CancelFlags = StoreFlags;

/** What stands on the command line of prune. */
export interface PruneFlags extends StoreFlags {
  readonly olderThan: Date;
  readonly state?: "done" | "failed";
}

/** What came of a cancel, in words. */
const ANSWERS = {
  cancelled: "cancelled before it ran",
  requested: "its manager ends it",
  ended: "had ended already",
} as const;

type Cancelled = { readonly id: string } & ({ readonly answer: keyof typeof ANSWERS } | { readonly error: string });

/** Cancels jobs, all that are there. The exit code is 1 when one is not there, or had ended already. */
export function cancel(starts: readonly string[], flags: CancelFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, { mayCreate: false }, (manager) => {
    const outcomes = starts.map((start) => cancelOne(start, manager));
    if (flags.json) context.stdout.write(`${JSON.stringify({ jobs: outcomes }, null, 2)}\n`);
    else for (const outcome of outcomes) tell(outcome, context);
    return outcomes.every((outcome) => "answer" in outcome && outcome.answer !== "ended") ? EXIT_CODES.ok : EXIT_CODES.error;
  });
}

function cancelOne(start: string, manager: Manager): Cancelled {
  try {
    const id = idOf(start, manager);
    return { id, answer: manager.cancel(id) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { id: start, error: error.message };
  }
}

function tell(outcome: Cancelled, { stdout, stderr }: CliContext): void {
  if ("answer" in outcome) stdout.write(`${outcome.id}  ${ANSWERS[outcome.answer]}\n`);
  else stderr.write(`basil: ${outcome.error}\n`);
}

/** Deletes jobs that have ended before a time. */
export function prune({ olderThan, state, ...flags }: PruneFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, { mayCreate: false }, async (manager) => {
    const pruned = await manager.prune({ olderThan, ...(state && { state }) });
    const text = flags.json ? JSON.stringify({ pruned }) : `${pruned} ${pruned === 1 ? "job" : "jobs"} deleted`;
    context.stdout.write(`${text}\n`);
    return EXIT_CODES.ok;
  });
}
