/** The rows that submit jobs and ask servers about them. */
import { alias, optional, required, type SubHandle, type TaskContext } from "../../runtime/host.ts";
import type { JobRequest, Priority } from "../../src/core/gearman/index.ts";
import { settled } from "./outcome.ts";
import { fn, type GearmanState } from "./state.ts";
import { type GearmanTask, gearmanTask } from "./task.ts";

const FUNCTION = required("text", "Name a worker registered, such as img.resize. At most 512 bytes.");
const PAYLOAD = required("bytes", "What the worker receives, byte for byte.");
const UNIQUE = optional(
  "text",
  "Jobs of a function with the same key, while one waits or runs, share one run. At most 63 bytes.",
);
const HANDLE = required("text", "The job, as LAST_HANDLE$ named it.");

const JOB = { function: FUNCTION, payload: PAYLOAD, unique: UNIQUE };

interface JobArguments {
  readonly function: string;
  readonly payload: Buffer;
  readonly unique: string | undefined;
}

const requestOf = (args: JobArguments, priority: Priority, task: TaskContext): JobRequest => ({
  name: args.function,
  payload: args.payload,
  unique: args.unique,
  priority,
  signal: task.signal,
});

/** Keeps a result as LAST_RESULT$ and gives it to the program. */
function keepResult(own: GearmanTask, task: TaskContext, result: Buffer): Buffer {
  task.claim(result.length);
  own.result = result;
  return result;
}

const foreground = (name: `SUBMIT${string}$`, priority: Priority, doc: string) =>
  fn({
    name,
    doc: `${doc} On failure gives "" and sets ERR$ and ERRCODE%.`,
    params: JOB,
    waits: true,
    run: (state, args, task) =>
      settled<string | Buffer>(state, task, "", async (own) => {
        own.beginSubmit();
        const client = await state.client();
        const result = await client.submit({
          ...requestOf(args, priority, task),
          onCreated: (receipt) => {
            own.handle = state.handleText(receipt);
          },
        });
        return keepResult(own, task, result);
      }),
  });

const background = (name: `SUBMIT${string}%`, priority: Priority, doc: string) =>
  fn({
    name,
    doc: `${doc} Gives 1 when a server has accepted it, else 0.`,
    params: JOB,
    waits: true,
    run: (state, args, task) =>
      settled(state, task, 0, async (own) => {
        own.beginSubmit();
        const client = await state.client();
        own.handle = state.handleText(await client.submitBackground(requestOf(args, priority, task)));
        return 1;
      }),
  });

const submitRows = [
  foreground("SUBMIT$", "normal", "Runs a job and waits for its result."),
  foreground("SUBMIT_HIGH$", "high", "Runs a job ahead of normal ones and waits for its result."),
  foreground("SUBMIT_LOW$", "low", "Runs a job after normal ones and waits for its result."),
  background("SUBMIT_BG%", "normal", "Queues a job and does not wait for it; LAST_HANDLE$ names it."),
  background("SUBMIT_HIGH_BG%", "high", "Queues a job ahead of normal ones and does not wait for it."),
  background("SUBMIT_LOW_BG%", "low", "Queues a job after normal ones and does not wait for it."),
  alias("SUBMIT_BG$", "SUBMIT_BG%", "It gives a number, whatever its name says."),
];

/** Runs a job, calling a SUB for each piece it sends. The SUB works for whoever the streaming task works for. */
async function stream(state: GearmanState, args: JobArguments & { callback: SubHandle }, task: TaskContext, own: GearmanTask) {
  const { callback } = args;
  const call = async (piece: Buffer, kind: "data" | "warning"): Promise<void> => {
    task.claim(piece.length);
    await callback.call(callback.arity === 2 ? [piece, kind] : [piece], {
      signal: task.signal,
      prepare: (called) => {
        const theirs = gearmanTask(called);
        theirs.caller = own.caller ?? task;
        theirs.handled = own.handled;
        theirs.yielded = own.yielded;
        theirs.handle = own.handle;
      },
    });
  };
  const client = await state.client();
  return client.submit({
    ...requestOf(args, "normal", task),
    onCreated: (receipt) => {
      own.handle = state.handleText(receipt);
    },
    onData: (piece) => call(piece, "data"),
    onWarning: (piece) => call(piece, "warning"),
  });
}

const streamRow = fn({
  name: "SUBMIT_STREAM%",
  doc:
    "Runs a job and calls a SUB for each piece of data and each warning it sends, in order, one at a time. " +
    "Gives 1 when the job is done, with the result in LAST_RESULT$, else 0. An error the SUB raises is raised here.",
  params: {
    function: FUNCTION,
    payload: PAYLOAD,
    callback: required("sub", "SUB that takes the piece, and perhaps its kind as well: data or warning.", [1, 2]),
    unique: UNIQUE,
  },
  waits: true,
  run: (state, args, task) =>
    settled(state, task, 0, async (own) => {
      own.beginSubmit();
      keepResult(own, task, await stream(state, args, task, own));
      return 1;
    }),
});

const questionRows = [
  fn({
    name: "STATUS$",
    doc:
      'What the server knows about a job, as JSON: {"known":true,"running":false,"numerator":0,"denominator":0}. ' +
      "A queued job is known and not running; one that is over is not known, like one that never was.",
    params: { handle: HANDLE },
    waits: true,
    run: (state, { handle }, task) =>
      settled(state, task, "", async () => {
        const { known, running, numerator, denominator } = await (await state.client()).status(handle, { signal: task.signal });
        return JSON.stringify({ known, running, numerator, denominator });
      }),
  }),
  fn({
    name: "CANCEL%",
    doc:
      "Takes a queued job out of the queue; a running job goes on, but nobody is told its result. Gives 1 when the server " +
      "did, else 0 with ERRCODE% GEARMAN_NOT_FOUND% or GEARMAN_CANCEL_UNSUPPORTED%.",
    params: { handle: HANDLE },
    waits: true,
    run: (state, { handle }, task) =>
      settled(state, task, 0, async () => {
        await (await state.client()).cancel(handle, { signal: task.signal });
        return 1;
      }),
  }),
  fn({
    name: "ECHO$",
    doc: "Sends data to a server and gives what comes back: the same, when all is well.",
    params: { data: required("bytes", "Anything.") },
    waits: true,
    run: (state, { data }, task) =>
      settled<string | Buffer>(state, task, "", async () => (await state.client()).echo(data, { signal: task.signal })),
  }),
  fn({
    name: "SERVERS$",
    doc: "The servers in use, in the order they would be tried now, with commas between. Servers that were just down are left out.",
    params: {},
    waits: true,
    run: (state, _, task) =>
      settled(state, task, "", async () => {
        const servers = (await state.client()).servers();
        return servers
          .filter(({ isAvoided }) => !isAvoided)
          .map(({ server }) => server)
          .join(",");
      }),
  }),
];

/** Submitting and asking. */
export const clientRows = [...submitRows, streamRow, ...questionRows];
