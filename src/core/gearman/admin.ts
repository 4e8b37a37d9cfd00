/** The text protocol of a job server, which lists queues and workers and cancels jobs, over short-lived connections of its own. */
import type { Socket } from "node:net";
import { backoffMs } from "../net/backoff.ts";
import { bounded, pause } from "../net/deadline.ts";
import { formatServer, type ServerAddress } from "./address.ts";
import { shown } from "./checks.ts";
import { RETRY_BACKOFF } from "./config.ts";
import { GearmanError } from "./errors.ts";
import { type GearmanHost, systemHost } from "./host.ts";
import { reasonOf } from "./wire.ts";

/** Text commands that only read, and whether the reply is one line or a list that ends with a dot. */
export const ADMIN_COMMANDS = {
  status: { command: "status", reply: "list", doc: "Functions with their jobs and workers." },
  priorityStatus: { command: "prioritystatus", reply: "list", doc: "Functions with their queued jobs by priority." },
  workers: { command: "workers", reply: "list", doc: "Connections with the functions they can do." },
  jobs: { command: "show jobs", reply: "list", doc: "Handles of all jobs." },
  uniques: { command: "show unique jobs", reply: "list", doc: "Unique keys of all jobs." },
  version: { command: "version", reply: "line", doc: "The server's version." },
} as const satisfies Record<string, { command: string; reply: "line" | "list"; doc: string }>;

/** Name of a reading command, such as `status`. */
export type AdminCommand = keyof typeof ADMIN_COMMANDS;

/** How to reach the server, and how long to wait for it. */
export interface AdminOptions {
  readonly address: ServerAddress;
  /** Bounds connecting, its retries and the reply, in milliseconds. */
  readonly timeoutMs: number;
  /** How often connecting is tried again; a command that was sent is never sent twice. Default 0. */
  readonly retries?: number;
  readonly signal?: AbortSignal | undefined;
  readonly host?: GearmanHost;
}

/** Largest reply read, in bytes. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** Runs a reading command and returns the reply's lines, without the dot that ends a list. */
export async function askAdmin(name: AdminCommand, options: AdminOptions): Promise<string[]> {
  const { command, reply } = ADMIN_COMMANDS[name];
  return sendCommand(command, reply, options);
}

/** One function's row of `status`. */
export interface FunctionStatus {
  readonly name: string;
  /** Jobs queued and running. */
  readonly total: number;
  readonly running: number;
  /** Workers that can do it. */
  readonly workers: number;
}

/** The functions a server knows, with their jobs and workers. */
export async function functionStatus(options: AdminOptions): Promise<FunctionStatus[]> {
  const lines = await askAdmin("status", options);
  return lines.map((line) => {
    // Function names may hold tabs, numbers do not: count from the end.
    const columns = line.split("\t");
    const [total, running, workers] = columns.slice(-3).map(Number);
    return { name: columns.slice(0, -3).join("\t"), total: total ?? 0, running: running ?? 0, workers: workers ?? 0 };
  });
}

/**
 * Cancels a queued job, or detaches the clients that wait for a running one. True when the server did;
 * NOT_FOUND when it does not know the job, CANCEL_UNSUPPORTED when it does not know the command, PROTOCOL when
 * what answers is no Gearman server.
 */
export async function cancelJob(handle: string, options: AdminOptions): Promise<true> {
  const server = formatServer(options.address);
  const [line = ""] = await sendCommand(`cancel job ${handle}`, "line", options);
  if (line.startsWith("OK")) return true;
  if (line.startsWith("ERR UNKNOWN_JOB")) throw new GearmanError("NOT_FOUND", `${server} knows no job ${handle}`);
  if (line === "" || line.startsWith("ERR UNKNOWN")) {
    throw new GearmanError("CANCEL_UNSUPPORTED", `${server} cannot cancel jobs${line === "" ? "" : `: ${line}`}`);
  }
  if (!line.startsWith("ERR"))
    throw new GearmanError("PROTOCOL", `${server} is no Gearman server: it answered ${shown(line)} to cancel job`);
  throw new GearmanError("SERVER", `${server} did not cancel ${handle}: ${line}`);
}

/** Sends one line and reads its reply; no lines at all when the server closes without a word. */
async function sendCommand(command: string, reply: "line" | "list", options: AdminOptions): Promise<string[]> {
  const { address, timeoutMs, signal } = options;
  const server = formatServer(address);
  const over = new AbortController();
  let unreached: GearmanError | null = null;
  const note = (failure: GearmanError) => {
    unreached = failure;
  };
  const answer = connected(options, over.signal, note).then((socket) => readReply(socket, command, reply, server));
  try {
    return await bounded(answer, {
      timeoutMs,
      signal,
      onTimeout: () => unreached ?? new GearmanError("TIMEOUT", `no answer from ${server} to ${command} within ${timeoutMs} ms`),
      onAbort: (cause) => new GearmanError("ABORTED", `${command} was called off`, { cause }),
    });
  } finally {
    over.abort();
  }
}

/** A connected socket, after as many tries as retries allow; it is destroyed when `over` fires. */
async function connected(options: AdminOptions, over: AbortSignal, note: (failure: GearmanError) => void): Promise<Socket> {
  const { address, retries = 0, host = systemHost } = options;
  const after = retries > 0 ? ` (after ${retries + 1} tries)` : "";
  for (let round = 0; ; round++) {
    const socket = host.connect(address);
    const giveUp = () => void socket.destroy();
    over.addEventListener("abort", giveUp, { once: true });
    const error = await new Promise<Error | null>((resolve) => {
      socket.once("connect", () => resolve(null));
      socket.on("error", resolve);
      socket.once("close", () => resolve(new Error("closed")));
    });
    if (error === null) return socket;
    over.removeEventListener("abort", giveUp);
    const isLast = round >= retries || over.aborted;
    const text = `cannot ask ${formatServer(address)}: ${reasonOf(error)}${isLast ? after : ""}`;
    const failure = new GearmanError("IO", text, { cause: error });
    if (isLast) throw failure;
    note(failure);
    await pause(backoffMs(round, RETRY_BACKOFF, host.random), over);
    if (over.aborted) throw failure;
  }
}

function readReply(socket: Socket, command: string, reply: "line" | "list", server: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_REPLY_BYTES)
        reject(new GearmanError("PROTOCOL", `${server}: reply to ${command} is over ${MAX_REPLY_BYTES} bytes`));
      else if (chunk.includes(10)) {
        const lines = completeReply(Buffer.concat(chunks, bytes), reply);
        if (lines !== null) resolve(lines);
      }
    });
    socket.on("error", (error) => reject(new GearmanError("IO", `cannot ask ${server}: ${reasonOf(error)}`, { cause: error })));
    socket.on("close", () => resolve([]));
    socket.write(`${command}\r\n`);
  });
}

/** The reply's lines when it is complete, or null. A refused list is a single ERR line. */
function completeReply(bytes: Buffer, reply: "line" | "list"): string[] | null {
  const text = bytes.toString();
  const isOneLine = reply === "line" || text.startsWith("ERR ");
  if (isOneLine) return [text.slice(0, text.indexOf("\n")).trimEnd()];
  if (text !== ".\n" && text !== ".\r\n" && !/\n\.\r?\n$/.test(text)) return null;
  const lines = text.split(/\r?\n/);
  return lines.slice(0, lines.lastIndexOf("."));
}
