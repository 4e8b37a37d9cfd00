/** The rows that ask servers what they are doing, and tell them what to change. */
import { optional, required, type TaskContext } from "../../runtime/host.ts";
import { Dict, type Value } from "../../runtime/values.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";
import type { GearmanAdmin } from "../../src/core/gearman/index.ts";
import { settled, settledInPart } from "./outcome.ts";
import { fn, type GearmanState } from "./state.ts";

const SERVER = optional("text", "One of the servers in use, such as 127.0.0.1:4730. Default: all of them.");
const FUNCTION = required("text", "Name of the function, as the server knows it.");

/**
 * Asks one server or all, at the same time. What the reachable ones say counts; those that are not are told. When none
 * answers, that is the failure.
 */
async function ask<R>(
  state: GearmanState,
  task: TaskContext,
  server: string | undefined,
  partly: (error: GearmanError) => void,
  question: (admin: GearmanAdmin, signal: AbortSignal) => Promise<R>,
): Promise<{ server: string; answer: R }[]> {
  const admins = await state.admins(server);
  const answers = await Promise.allSettled(admins.map((admin) => question(admin, task.signal)));
  const good = answers.flatMap((answer, at) =>
    answer.status === "fulfilled" ? [{ server: admins[at]!.server, answer: answer.value }] : [],
  );
  const reasons = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
  if (reasons.length === 0) return good;
  const [first] = reasons;
  if (!(first instanceof GearmanError) || good.length === 0) throw first;
  partly(new GearmanError(first.kind, reasons.map((reason) => (reason as Error).message).join("; "), { cause: first }));
  return good;
}

/** A question whose answer is a list of rows from each server. */
const listing = <R>(
  name: string,
  doc: string,
  rows: (admin: GearmanAdmin, signal: AbortSignal) => Promise<R[]>,
  entries: (row: R) => Record<string, Value>,
) =>
  fn({
    name,
    doc: `${doc} Gives a LIST of DICTs; those of servers that do not answer are missing, and ERR$ names them.`,
    params: { server: SERVER },
    waits: true,
    run: (state, { server }, task) =>
      settledInPart<Value>(state, task, [], async (partly) => {
        const answers = await ask(state, task, server, partly, rows);
        return answers.flatMap(({ server: from, answer }) =>
          answer.map((row) => new Dict(Object.entries({ server: from, ...entries(row) }))),
        );
      }),
  });

/** A command; 1 when every server asked has done it. */
const command = (
  state: GearmanState,
  task: TaskContext,
  server: string | undefined,
  order: (admin: GearmanAdmin, signal: AbortSignal) => Promise<unknown>,
) =>
  settled(state, task, 0, async () => {
    const refuse = (error: GearmanError): never => {
      throw error;
    };
    await ask(state, task, server, refuse, order);
    return 1;
  });

const questions = [
  listing(
    "ADMIN_STATUS",
    "The functions that servers know: server, function, total (jobs queued and running), running, workers.",
    (admin, signal) => admin.status({ signal }),
    ({ name, total, running, workers }) => ({ function: name, total, running, workers }),
  ),
  listing(
    "ADMIN_PRIORITIES",
    "The jobs that wait: server, function, high, normal, low, workers.",
    (admin, signal) => admin.priorityStatus({ signal }),
    ({ name, high, normal, low, workers }) => ({ function: name, high, normal, low, workers }),
  ),
  listing(
    "WORKERS",
    'The connections to servers: server, fd, address, id ("-" for none), functions (a LIST). Clients are among them, without functions.',
    (admin, signal) => admin.workers({ signal }),
    ({ fd, address, clientId, functions }) => ({ fd, address, id: clientId, functions: [...functions] }),
  ),
  listing(
    "JOBS",
    "The jobs that servers hold: server, handle, retries, ignored (cancelled, or nobody waits), background.",
    (admin, signal) => admin.jobs({ signal }),
    ({ handle, retries, isIgnored, isBackground }) => ({ handle, retries, ignored: isIgnored, background: isBackground }),
  ),
  fn({
    name: "ADMIN_VERSION$",
    doc: "What a server says of its version, such as 1.1.20; of several servers, with commas between.",
    params: { server: SERVER },
    waits: true,
    run: (state, { server }, task) =>
      settledInPart<string>(state, task, "", async (partly) => {
        const answers = await ask(state, task, server, partly, (admin, signal) => admin.version({ signal }));
        return answers.map(({ answer }) => answer).join(",");
      }),
  }),
  fn({
    name: "PING%",
    doc: "1 when the server answers, or without a name when all of them do; else 0, and ERR$ says which does not and why.",
    params: { server: SERVER },
    waits: true,
    run: (state, { server }, task) => command(state, task, server, (admin, signal) => admin.version({ signal })),
  }),
];

const commands = [
  fn({
    name: "ADMIN_CREATE%",
    doc: "Makes servers know a function before a worker or job comes, so that ADMIN_MAXQUEUE% can limit it. Gives 1.",
    params: { function: FUNCTION, server: SERVER },
    waits: true,
    run: (state, { function: name, server }, task) =>
      command(state, task, server, (admin, signal) => admin.createFunction(name, { signal })),
  }),
  fn({
    name: "ADMIN_DROP%",
    doc: "Makes servers forget a function that has no workers. gearmand loses its queued jobs with it; the embedded server refuses then. Gives 1.",
    params: { function: FUNCTION, server: SERVER },
    waits: true,
    run: (state, { function: name, server }, task) =>
      command(state, task, server, (admin, signal) => admin.dropFunction(name, { signal })),
  }),
  fn({
    name: "ADMIN_MAXQUEUE%",
    doc: "Limits how many jobs of a function may be queued and running; further ones are refused. 0 for no limit. Gives 1.",
    params: { function: FUNCTION, limit: required("integer", "Most jobs at each priority."), server: SERVER },
    waits: true,
    run: (state, { function: name, limit, server }, task) =>
      command(state, task, server, (admin, signal) => admin.maxQueue(name, limit, { signal })),
  }),
];

/** Looking into servers, and managing them. */
export const adminRows = [...questions, ...commands];
