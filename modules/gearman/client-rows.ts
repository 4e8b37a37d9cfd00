/** The rows that submit jobs and ask servers about them. */
import { alias, optional, required, type SubHandle, type TaskContext } from "../../runtime/host.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type {
  BackgroundRequest,
  GearmanClient,
  JobReceipt,
  JobRequest,
  PlainJob,
  Priority,
} from "../../src/core/gearman/index.ts";
import { settled } from "./outcome.ts";
import { fn, type GearmanState } from "./state.ts";
import { type GearmanTask, gearmanTask } from "./task.ts";

const FUNCTION = required("text", "Name a worker registered, such as img.resize. At most 512 bytes.");
const PAYLOAD = required("bytes", "What the worker receives, byte for byte.");
const UNIQUE = optional(
  "text",
  "Jobs of a function with the same key, while one waits or runs, share one run. At most 63 bytes.",
);
const REDUCER = required("text", "Name of the function that collects. At most 63 bytes.");
const HANDLE = required("text", "The job, as LAST_HANDLE$ named it.");

/** What every job has. */
export const JOB = { function: FUNCTION, payload: PAYLOAD, unique: UNIQUE };

/** The arguments for it. */
export interface JobArguments {
  readonly function: string;
  readonly payload: Buffer;
  readonly unique: string | undefined;
}

/** A job as the client takes it. */
export const requestOf = (args: JobArguments, priority: Priority, task: TaskContext): JobRequest & PlainJob => ({
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

/** Runs a job and keeps its handle and result. */
const waitedFor = (state: GearmanState, task: TaskContext, request: () => JobRequest) =>
  settled<string | Buffer>(state, task, "", (own) => {
    own.beginSubmit();
    const onCreated = (receipt: JobReceipt): void => {
      own.handle = state.handleText(receipt);
    };
    const submit = (client: GearmanClient): Promise<Buffer> => client.submit({ ...request(), onCreated });
    const client = state.presentClient;
    const result = client === null ? state.client().then(submit) : submit(client);
    return result.then((bytes) => keepResult(own, task, bytes));
  });

const foreground = (name: `SUBMIT${string}$`, priority: Priority, doc: string) =>
  fn({
    name,
    doc: `${doc} On failure gives "" and sets ERR$ and ERRCODE%.`,
    params: JOB,
    waits: true,
    run: (state, args, task) => waitedFor(state, task, () => requestOf(args, priority, task)),
  });

/** Queues a job and keeps its handle. */
const queued = (state: GearmanState, task: TaskContext, request: () => BackgroundRequest): Promise<number> =>
  settled(state, task, 0, async (own) => {
    own.beginSubmit();
    const client = await state.client();
    own.handle = state.handleText(await client.submitBackground(request()));
    return 1;
  });

const background = (name: `SUBMIT${string}%`, priority: Priority, doc: string) =>
  fn({
    name,
    doc: `${doc} Gives 1 when a server has accepted it, else 0.`,
    params: JOB,
    waits: true,
    run: (state, args, task) => queued(state, task, () => requestOf(args, priority, task)),
  });

/** Jobs that carry more than a function and a payload. */
const specialRows = [
  fn({
    name: "SUBMIT_AT%",
    doc:
      "Queues a job that runs at a time, or as soon after it as a worker is free, and does not wait for it. " +
      "Gives 1 when a server has accepted it, else 0.",
    params: {
      function: FUNCTION,
      payload: PAYLOAD,
      epoch_ms: required(
        "number",
        "When, in milliseconds since 1970, as NOW% counts: NOW% + 60000 is in a minute. A time that is past means now.",
      ),
      unique: UNIQUE,
    },
    waits: true,
    run: (state, { epoch_ms: ms, ...args }, task) =>
      queued(state, task, () => {
        const at = new Date(ms);
        if (Number.isNaN(at.getTime()))
          throw new GearmanError("ARGUMENT", `SUBMIT_AT%: ${ms} is no time in milliseconds since 1970, such as NOW% + 60000`);
        const { name, payload, unique, signal } = requestOf(args, "normal", task);
        return { name, payload, unique, signal, at };
      }),
  }),
  fn({
    name: "SUBMIT_REDUCE$",
    doc: 'Runs a job whose worker is told which function collects its parts, and waits for its result. On failure gives "" and sets ERR$ and ERRCODE%.',
    params: { function: FUNCTION, reducer: REDUCER, payload: PAYLOAD, unique: UNIQUE },
    waits: true,
    run: (state, { reducer, ...args }, task) =>
      waitedFor(state, task, () => ({ ...requestOf(args, "normal", task), priority: undefined, reducer })),
  }),
  fn({
    name: "SUBMIT_REDUCE_BG%",
    doc: "Queues a job whose worker is told which function collects its parts. Gives 1 when a server has accepted it, else 0.",
    params: { function: FUNCTION, reducer: REDUCER, payload: PAYLOAD, unique: UNIQUE },
    waits: true,
    run: (state, { reducer, ...args }, task) =>
      queued(state, task, () => ({ ...requestOf(args, "normal", task), priority: undefined, reducer })),
  }),
];

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
    name: "STATUS_UNIQUE$",
    doc:
      'What servers know about the job with a unique key, as JSON like that of STATUS$ with "clients", the number that wait ' +
      "for it. Of two functions' jobs with the same key it is one or the other.",
    params: { unique: required("text", "The key the job was submitted with. At most 63 bytes.") },
    waits: true,
    run: (state, { unique }, task) =>
      settled(state, task, "", async () => {
        const status = await (await state.client()).statusOfUnique(unique, { signal: task.signal });
        const { known, running, numerator, denominator, clients } = status;
        return JSON.stringify({ known, running, numerator, denominator, clients });
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
    name: "NAMESPACE$",
    doc: 'What stands before every function name at the servers, from the configuration, so that environments do not mix; "" for nothing.',
    params: {},
    waits: true,
    run: (state, _, task) => settled(state, task, "", async () => (await state.config()).namespace),
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
export const clientRows = [...submitRows, ...specialRows, streamRow, ...questionRows];
