/** The rows that work: until the queue is empty, or in the background. */
import { optional } from "../../runtime/host.ts";
import { outcomeOf, settled } from "./outcome.ts";
import { fn } from "./state.ts";

const CONCURRENCY = optional("integer", "Most jobs at once. Default: the number of processors.");

/** Working. */
export const workRows = [
  fn({
    name: "RUN%",
    doc:
      "Works until no job of a defined class is left, delayed ones and those that jobs ask for included, and gives how many " +
      "failed. Jobs of other classes stay pending, which is reported. Only one program at a time works on a store.",
    params: { concurrency: CONCURRENCY },
    waits: true,
    run: (state, { concurrency }, task) =>
      settled(task, 0, async () => (await (await state.manager()).run({ concurrency, signal: task.signal })).failed),
  }),
  fn({
    name: "START%",
    doc:
      "Works in the background and gives 1. At the end of the program, and at the first Ctrl-C, no more jobs are taken and " +
      "running ones are finished. While it works already, it changes how many jobs run at once.",
    params: { concurrency: CONCURRENCY },
    waits: true,
    run: (state, { concurrency }, task) =>
      settled(task, 0, async () => {
        await state.start(concurrency);
        return 1;
      }),
  }),
  fn({
    name: "STOP%",
    doc: "Takes no more jobs, waits for the running ones, and gives 1 when all is recorded. Pending jobs stay in the store.",
    params: { drain_ms: optional("integer", "Ends jobs that still run after so many milliseconds. Default 10000.") },
    waits: true,
    run: (state, { drain_ms: drainMs }, task) =>
      settled(task, 0, async () => {
        await state.presentManager?.stop({ drainMs });
        return 1;
      }),
  }),
  fn({
    name: "ALIVE%",
    doc: "1 from START% until a stop is complete, and during RUN%; else 0.",
    params: {},
    run: (state, _, task) => {
      outcomeOf(task).succeeded();
      return state.presentManager?.isAlive ? 1 : 0;
    },
  }),
];
