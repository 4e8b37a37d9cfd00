/** The rows that run many jobs at once: gather them, run them, read what became of each. */
import { optional, required, type SubHandle, type TaskContext } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { TaskOutcome } from "../../src/core/gearman/index.ts";
import { JOB, requestOf } from "./client-rows.ts";
import { settled, settledInPart } from "./outcome.ts";
import { fn, type GearmanState } from "./state.ts";
import { gearmanTask } from "./task.ts";
import { gatheredTasks } from "./task-set.ts";

const NUMBER = required("integer", "Number of the task, as TASKS_ADD% gave it.");

const adding = (name: "TASKS_ADD%" | "TASKS_ADD_BG%", background: boolean, doc: string) =>
  fn({
    name,
    doc: `${doc} Gives its number, from 1. After TASKS_RUN% a new set begins.`,
    params: JOB,
    waits: true,
    run: (state, args, task) =>
      settled(state, task, 0, () => {
        const { name: job, payload, unique } = requestOf(args, "normal", task);
        return gatheredTasks(task).add({ name: job, payload, unique, background });
      }),
  });

/** What the SUB of TASKS_RUN% is called with: number, result and reason of the failure, as many of them as it takes. */
function tell(callback: SubHandle, outcome: TaskOutcome, task: TaskContext): Promise<unknown> {
  const values = [outcome.index + 1, outcome.ok ? (outcome.result ?? "") : "", outcome.ok ? "" : outcome.error.message];
  const own = gearmanTask(task);
  return callback.call(values.slice(0, callback.arity), {
    signal: task.signal,
    prepare: (called) => {
      gearmanTask(called).caller = own.caller ?? task;
      gearmanTask(called).handled = own.handled;
      gearmanTask(called).yielded = own.yielded;
    },
  });
}

/** Runs the gathered jobs; resolves to how many went well, and tells of the first that did not. */
async function runAll(
  state: GearmanState,
  task: TaskContext,
  callback: SubHandle | undefined,
  maxInFlight: number,
  partly: (error: GearmanError) => void,
): Promise<number> {
  const client = await state.client();
  const gathered = gatheredTasks(task);
  const requests = gathered.begin();
  let failed = 0;
  let first: (TaskOutcome & { ok: false }) | null = null;
  try {
    for await (const outcome of client.tasks(requests, { maxInFlight, signal: task.signal })) {
      gathered.ended(outcome);
      if (outcome.ok) task.claim(outcome.result?.length ?? 0);
      else {
        failed++;
        first ??= outcome;
      }
      if (callback) await tell(callback, outcome, task);
    }
  } finally {
    gathered.end();
  }
  if (first !== null) {
    const text = `${failed} of ${requests.length} tasks failed; task ${first.index + 1}: ${first.error.message}`;
    partly(new GearmanError(first.error.kind, text, { cause: first.error }));
  }
  return requests.length - failed;
}

/** What one task ended with, as one value. */
const reading = <R extends string | Buffer | number>(
  caller: string,
  empty: R,
  read: (outcome: TaskOutcome, state: GearmanState) => R,
) => ({
  params: { number: NUMBER },
  waits: true as const,
  run: (state: GearmanState, { number }: { readonly number: number }, task: TaskContext): Promise<R> =>
    settled<R>(state, task, empty, () => {
      const outcome = gatheredTasks(task).outcome(caller, number);
      return outcome === null ? empty : read(outcome, state);
    }),
});

/** Sets of jobs. They belong to the task that gathers them. */
export const taskRows = [
  adding("TASKS_ADD%", false, "Gathers a job whose result is wanted, for TASKS_RUN%."),
  adding("TASKS_ADD_BG%", true, "Gathers a job nobody waits for, for TASKS_RUN%."),
  fn({
    name: "TASKS_RUN%",
    doc:
      "Runs the gathered jobs, many at once, and waits until each has ended. Gives how many went well; when one failed, " +
      "ERR$ tells how many did and why the first. An error the SUB raises calls off the jobs that have not ended.",
    params: {
      callback: optional(
        "sub",
        "SUB called as each job ends, with its number, result$ and error$, or the first of them.",
        [1, 2, 3],
      ),
      max_in_flight: optional("integer", "Most jobs at once. Default 1000."),
    },
    waits: true,
    run: (state, { callback, max_in_flight: maxInFlight = 1000 }, task) =>
      settledInPart(state, task, 0, (partly) => runAll(state, task, callback, maxInFlight, partly)),
  }),
  fn({
    name: "TASKS_COUNT%",
    doc: "How many jobs the set has.",
    params: {},
    run: (_state, _args, task) => {
      gearmanTask(task).succeeded();
      return gatheredTasks(task).size;
    },
  }),
  fn({
    name: "TASKS_CLEAR%",
    doc: "Forgets the set, run or not, and gives how many jobs it had.",
    params: {},
    waits: true,
    run: (state, _args, task) => settled(state, task, 0, () => gatheredTasks(task).clear()),
  }),
  fn({
    name: "TASKS_RESULT$",
    doc: 'The result of a job that has run; "" when it failed or ran in the background.',
    ...reading<string | Buffer>("TASKS_RESULT$", "", (outcome) => (outcome.ok ? (outcome.result ?? "") : "")),
  }),
  fn({
    name: "TASKS_ERR$",
    doc: 'Why a job failed; "" when it did not.',
    ...reading("TASKS_ERR$", "", (outcome) => (outcome.ok ? "" : outcome.error.message)),
  }),
  fn({
    name: "TASKS_ERRCODE%",
    doc: "The kind of the failure, such as GEARMAN_TIMEOUT%; GEARMAN_OK% when the job did not fail.",
    ...reading("TASKS_ERRCODE%", 0, (outcome) => (outcome.ok ? 0 : outcome.error.code)),
  }),
  fn({
    name: "TASKS_HANDLE$",
    doc: 'The handle of a background job, for STATUS$ and CANCEL%; "" when no server accepted it.',
    ...reading("TASKS_HANDLE$", "", (outcome, state) => (outcome.ok && outcome.receipt ? state.handleText(outcome.receipt) : "")),
  }),
];
