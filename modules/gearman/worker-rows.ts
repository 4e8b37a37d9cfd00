/** The rows that make the program a worker: its handlers, its start and its stop. */
import { optional, required } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import { settled } from "./outcome.ts";
import { fn } from "./state.ts";
import { gearmanTask } from "./task.ts";

/** Adding, starting, stopping. */
export const workerRows = [
  fn({
    name: "WORKER_ADD%",
    doc:
      "Makes a SUB the handler for a function; without a SUB its jobs are for WORKER_YIELD$. Gives 1. May be called before " +
      "and after WORKER_START%, and again to replace a handler.",
    params: {
      function: required("text", "Name clients submit to. At most 512 bytes."),
      handler: optional("sub", "SUB that takes the payload and RETURNs the result.", [1]),
      timeout_ms: optional(
        "integer",
        "Longest time of one job in milliseconds: then the SUB is ended where it waits, and the job fails. 0, the default, is no limit.",
      ),
      attempts: optional(
        "integer",
        "How often the SUB runs for a job before that fails, with growing pauses from 200 ms. Default 1.",
      ),
    },
    run: (state, { function: name, handler, timeout_ms: timeoutMs = 0, attempts }, task) =>
      settled(state, task, 0, async () => {
        if (timeoutMs < 0)
          throw new GearmanError("ARGUMENT", `WORKER_ADD%: timeout_ms ${timeoutMs} is no time, give 0 for no limit, or more`);
        (await state.worker()).add(name, handler, { timeoutMs: timeoutMs === 0 ? undefined : timeoutMs, attempts });
        return 1;
      }),
    waits: true,
  }),
  fn({
    name: "WORKER_START%",
    doc:
      "Starts to take jobs and gives 1. When no server can be reached, that is reported and the worker keeps trying. " +
      "A handler that submits to its own worker needs a concurrency of at least 2.",
    params: {
      id: required("text", 'Name shown by the server\'s workers command; "" for the client_id of the configuration.'),
      concurrency: optional("integer", "Most jobs at once. Default 1."),
    },
    waits: true,
    run: (state, { id, concurrency = 1 }, task) =>
      settled(state, task, 0, async () => {
        await (await state.worker()).start(id, concurrency, task.signal);
        return 1;
      }),
  }),
  fn({
    name: "WORKER_STOP%",
    doc:
      "Takes no more jobs, finishes those that run, sends their results, and gives 1 when all is done. In a handler and in " +
      "the SUB of a stream it does not wait. Jobs of WORKER_YIELD$ that the task has not ended go to other workers at once, " +
      "those that other tasks have not ended after timeout_ms.",
    params: { grace_ms: optional("integer", "Ends running jobs after so many milliseconds. Default: waits for them.") },
    waits: true,
    run: (state, { grace_ms: graceMs = Number.POSITIVE_INFINITY }, task) =>
      settled(state, task, 0, async () => {
        if (graceMs < 0) throw new GearmanError("ARGUMENT", `WORKER_STOP%: ${graceMs} ms cannot be waited, give 0 or more`);
        await (await state.worker()).stop(task, graceMs);
        return 1;
      }),
  }),
  fn({
    name: "WORKER_ALIVE%",
    doc: "1 from WORKER_START% until a stop is complete, else 0.",
    params: {},
    run: (state, _, task) => {
      gearmanTask(task).succeeded();
      return state.presentWorker?.isAlive ? 1 : 0;
    },
  }),
];
