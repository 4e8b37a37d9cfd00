/** The binary protocol, one row per packet a client or worker may send. Packets without a row are not expected. */
import { STORE_ERRORS, StoreError } from "../../store/errors.ts";
import type { PacketName } from "../packets.ts";
import type { Job, Peer, Priority } from "./jobs.ts";
import { parseInt64, parseUint32 } from "./numbers.ts";
import type { ReplyArg } from "./outbox.ts";
import type { Submission } from "./queue-options.ts";
import type { Connection, ServerState } from "./state.ts";

/** Longest unique key, in bytes. */
const MAX_UNIQUE_BYTES = 64;
/** A job handle or an option must be shorter than this, in bytes. */
const MAX_NAME_BYTES = 64;
const MAX_CLIENT_ID_BYTES = 127;
/** What gearmand says of such a handle in WORK_FAIL. */
const HANDLE_TOO_LONG = "Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too small from snprintf";
/** Longest text of a number that is looked at, in characters. */
const MAX_TIMEOUT_CHARACTERS = 20;
const MAX_DENOMINATOR_CHARACTERS = 11;

type Handler = (args: readonly Buffer[], connection: Connection, server: ServerState) => void;

const HANDLERS: { readonly [Name in PacketName]?: Handler } = {
  ECHO_REQ: ([payload], connection) => connection.send("ECHO_RES", payload!),
  SET_CLIENT_ID: setClientId,
  OPTION_REQ: setOption,

  SUBMIT_JOB: submitter("normal", true),
  SUBMIT_JOB_BG: submitter("normal", false),
  SUBMIT_JOB_HIGH: submitter("high", true),
  SUBMIT_JOB_HIGH_BG: submitter("high", false),
  SUBMIT_JOB_LOW: submitter("low", true),
  SUBMIT_JOB_LOW_BG: submitter("low", false),
  SUBMIT_JOB_EPOCH: submitEpoch,
  SUBMIT_REDUCE_JOB: reduceSubmitter(true),
  SUBMIT_REDUCE_JOB_BACKGROUND: reduceSubmitter(false),
  GET_STATUS: getStatus,
  GET_STATUS_UNIQUE: getStatusUnique,

  CAN_DO: ([name], connection, { queue }) => queue.offer(connection, latin1(name!), 0),
  CAN_DO_TIMEOUT: canDoTimeout,
  CANT_DO: ([name], connection, { queue }) => queue.withdraw(connection, latin1(name!)),
  RESET_ABILITIES: (_args, connection, { queue }) => queue.withdrawAll(connection),
  PRE_SLEEP(_args, connection, { queue }) {
    if (!queue.sleep(connection)) connection.send("NOOP");
  },
  GRAB_JOB: grabber(assign),
  GRAB_JOB_UNIQ: grabber(assignUnique),
  GRAB_JOB_ALL: grabber(assignAll),

  WORK_DATA: forwarder("WORK_DATA", "Job does not exist on server"),
  WORK_WARNING: forwarder("WORK_WARNING", "Job does not exist on server"),
  WORK_STATUS: workStatus,
  WORK_COMPLETE: forwarder("WORK_COMPLETE", "Job given in work result not found", true),
  WORK_FAIL: workFail,
  WORK_EXCEPTION: workException,
};

/** Does what a packet asks for. */
export function answerPacket(
  name: PacketName | null,
  args: readonly Buffer[],
  connection: Connection,
  server: ServerState,
): void {
  const handler = name === null ? undefined : HANDLERS[name];
  if (handler === undefined) connection.send("ERROR", "INVALID_COMMAND", "Command not expected");
  else handler(args, connection, server);
}

function setClientId([id]: readonly Buffer[], connection: Connection): void {
  connection.clientId = textOf(id!.subarray(0, MAX_CLIENT_ID_BYTES));
}

function setOption([option]: readonly Buffer[], connection: Connection): void {
  const name = textOf(option!);
  if (name.length < MAX_NAME_BYTES && name.toLowerCase() === "exceptions") {
    connection.wantsExceptions = true;
    connection.send("OPTION_RES", option!);
  } else {
    connection.send("ERROR", "UNKNOWN_OPTION", "Server does not recognize given option");
  }
}

function submit(submission: Submission, connection: Connection, { queue }: ServerState): void {
  const job = queue.submit(submission);
  if (typeof job === "string") connection.send("ERROR", "QUEUE_ERROR", job);
  else if (submission.client !== null || job.storage !== "staged") connection.send("JOB_CREATED", job.number);
  else {
    const replaceBy = connection.sendForNow("JOB_CREATED", job.handle);
    queue.whenRefused(job, (failure) => replaceBy("ERROR", "QUEUE_ERROR", `The job cannot be stored: ${reasonOf(failure)}`));
  }
}

/** Whether a unique key or a reducer's name fits; when it does not, the client is told so. */
function fits(arg: Buffer, connection: Connection): boolean {
  if (arg.length <= MAX_UNIQUE_BYTES) return true;
  connection.send("ERROR", "ARGUMENT_TOO_LARGE", "Unique value too large");
  return false;
}

function submitter(priority: Priority, isForeground: boolean): Handler {
  return ([name, unique, payload], connection, server) => {
    if (!fits(unique!, connection)) return;
    const target = server.queue.functionNamed(name!);
    const client = isForeground ? connection : null;
    submit({ target, unique: unique!, payload: payload!, priority, reducer: null, epochSeconds: 0, client }, connection, server);
  };
}

function reduceSubmitter(isForeground: boolean): Handler {
  return ([name, unique, reducerArg, _unused, payload], connection, server) => {
    if (!fits(unique!, connection) || !fits(reducerArg!, connection)) return;
    const target = server.queue.functionNamed(name!);
    const client = isForeground ? connection : null;
    const reducer = reducerArg!.length === 0 ? null : reducerArg!;
    submit(
      { target, unique: unique!, payload: payload!, priority: "normal", reducer, epochSeconds: 0, client },
      connection,
      server,
    );
  };
}

function submitEpoch([name, unique, epoch, payload]: readonly Buffer[], connection: Connection, server: ServerState): void {
  const { value, isOverflow } = parseInt64(latin1(epoch!));
  if (isOverflow) {
    connection.close(`SUBMIT_JOB_EPOCH at ${latin1(epoch!)} is out of range`);
    return;
  }
  if (!fits(unique!, connection)) return;
  const target = server.queue.functionNamed(name!);
  const epochSeconds = Math.max(0, Number(value));
  const details = { unique: unique!, payload: payload!, priority: "normal", reducer: null, epochSeconds } as const;
  submit({ target, client: null, ...details }, connection, server);
}

function getStatus([arg]: readonly Buffer[], connection: Connection, { queue }: ServerState): void {
  const handle = textOf(arg!);
  if (handle.length >= MAX_NAME_BYTES) return;
  const status = statusOf(queue.find(arg!) ?? null);
  connection.send("STATUS_RES", handle, ...status);
}

function getStatusUnique([arg]: readonly Buffer[], connection: Connection, { queue }: ServerState): void {
  const unique = textOf(arg!);
  if (unique.length >= MAX_NAME_BYTES) return;
  const job = queue.findUnique(unique);
  connection.send("STATUS_RES_UNIQUE", unique, ...statusOf(job), String(job?.clients.length ?? 0));
}

/** Known, running, numerator, denominator. */
function statusOf(job: Job | null): [string, string, string, string] {
  if (job === null) return ["0", "0", "0", "0"];
  return ["1", job.holder === null ? "0" : "1", String(job.numerator), String(job.denominator)];
}

function canDoTimeout([name, timeout]: readonly Buffer[], connection: Connection, { queue }: ServerState): void {
  if (timeout!.length > MAX_TIMEOUT_CHARACTERS) return;
  const { value, isOverflow } = parseInt64(latin1(timeout!));
  if (!isOverflow) queue.offer(connection, latin1(name!), Number(value));
}

function grabber(assignTo: (connection: Connection, job: Job) => void): Handler {
  return (_args, connection, { queue }) => {
    const job = queue.take(connection);
    if (job === null) connection.send("NO_JOB");
    else assignTo(connection, job);
  };
}

function assign(connection: Connection, job: Job): void {
  connection.send("JOB_ASSIGN", job.number, job.target.name, job.payload);
}

function assignUnique(connection: Connection, job: Job): void {
  const rest = job.uniqueAndPayload;
  if (rest === null) connection.send("JOB_ASSIGN_UNIQ", job.number, job.target.name, job.unique, job.payload);
  else connection.forward(connection, "JOB_ASSIGN_UNIQ", [job.number, job.target.name, rest]);
}

function assignAll(connection: Connection, job: Job): void {
  if (job.reducer === null) assignUnique(connection, job);
  else connection.send("JOB_ASSIGN_ALL", job.number, job.target.name, job.unique, job.reducer, job.payload);
}

/** The job a worker reports on; when it does not run there, the worker is told so. */
function reportedJob(handle: Buffer, connection: Connection, server: ServerState, complaint: string): Job | null {
  const job = server.queue.heldJob(connection, handle);
  if (job === null) connection.send("ERROR", "JOB_NOT_FOUND", complaint);
  return job;
}

/** Every peer that submits is a connection: `submit` is the only way into the list. */
function clientsOf(job: Job): readonly Connection[] {
  return job.clients as readonly Peer[] as readonly Connection[];
}

/** Sends the same packet to every client of a job. */
function broadcast(job: Job, source: Connection, name: PacketName, ...args: readonly ReplyArg[]): void {
  for (const client of clientsOf(job)) client.forward(source, name, args);
}

type WithPayload = "WORK_DATA" | "WORK_WARNING" | "WORK_COMPLETE";

function forwarder(name: WithPayload, complaint: string, isLast = false): Handler {
  return ([handle, payload], connection, server) => {
    const job = reportedJob(handle!, connection, server, complaint);
    if (job === null) return;
    if (job.clients.length > 0) broadcast(job, connection, name, handle!, payload!);
    if (isLast) server.queue.finish(job);
  };
}

function workStatus([handle, numerator, denominator]: readonly Buffer[], connection: Connection, server: ServerState): void {
  const job = reportedJob(handle!, connection, server, "Job given in work result not found");
  if (job === null) return;
  job.numerator = parseUint32(latin1(numerator!));
  const text = textOf(denominator!);
  if (text.length > MAX_DENOMINATOR_CHARACTERS) return;
  job.denominator = parseUint32(text.slice(0, MAX_DENOMINATOR_CHARACTERS - 1));
  broadcast(job, connection, "WORK_STATUS", handle!, numerator!, denominator!);
}

function workFail([handle]: readonly Buffer[], connection: Connection, server: ServerState): void {
  if (textOf(handle!).length >= MAX_NAME_BYTES) {
    connection.send("ERROR", "ARGUMENT_TOO_LARGE", HANDLE_TOO_LONG);
    return;
  }
  const job = reportedJob(handle!, connection, server, "Job given in work result not found");
  if (job === null) return;
  broadcast(job, connection, "WORK_FAIL", job.number);
  server.queue.finish(job);
}

/** Ends the job. Clients that did not ask for exceptions are told that it failed. */
function workException([handle, payload]: readonly Buffer[], connection: Connection, server: ServerState): void {
  const job = reportedJob(handle!, connection, server, "An exception was received for a job that does not exist");
  if (job === null) return;
  for (const client of clientsOf(job)) {
    if (client.wantsExceptions) client.forward(connection, "WORK_EXCEPTION", [handle!, payload!]);
    else client.forward(connection, "WORK_FAIL", [job.number]);
  }
  server.queue.finish(job);
}

/** What clients may know of a failure to store; the file's name is not among it. */
function reasonOf(failure: Error): string {
  return failure instanceof StoreError ? STORE_ERRORS[failure.kind].doc : failure.message;
}

function latin1(bytes: Buffer): string {
  return bytes.toString("latin1");
}

/** The bytes up to the first NUL, as Latin-1 text: how gearmand reads what it takes for a C string. */
function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
}
