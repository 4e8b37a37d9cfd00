/** The administrators' text protocol, one row per command, with gearmand's replies to the byte. */
import { isDroppable, isWanted, limitFunction } from "./jobs.ts";
import { parseInt32 } from "./numbers.ts";
import type { ServerState } from "./state.ts";

const OK = "OK\r\n";
const UNKNOWN_ERROR = "ERR UNKNOWN_ERROR\r\n";
const END_OF_LIST = ".\n";

/** Most words of a command line. */
const MAX_WORDS = 5;

/** Takes the whole line as words, the command itself first. Null: this many words are no such command. */
type Command = (words: readonly string[], server: ServerState) => string | null;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["status", status],
  ["prioritystatus", priorityStatus],
  ["workers", workers],
  ["show", show],
  ["cancel", cancel],
  ["create", create],
  ["drop", drop],
  ["maxqueue", maxQueue],
  ["getpid", () => `OK ${process.pid}\n`],
  ["verbose", () => "OK ERROR\n"],
  ["version", (_words, server) => `OK ${server.version}\n`],
]);

/** Does what a text line asks for; the reply is Latin-1 text. Null when the line is refused by closing. */
export function answerLine(line: string, server: ServerState): string | null {
  const words = line.split(/ +/).map(upToNul);
  if (words.length > MAX_WORDS) return null;
  const name = words[0]!;
  const command = COMMANDS.get(name.toLowerCase());
  return command?.(words, server) ?? `ERR UNKNOWN_COMMAND Unknown+server+command${name}\r\n`;
}

function status(_words: readonly string[], { queue }: ServerState): string {
  let reply = "";
  for (const { key, total, running, workers } of queue.functions.values()) {
    reply += `${key}\t${total}\t${running}\t${workers}\n`;
  }
  return reply + END_OF_LIST;
}

function priorityStatus(_words: readonly string[], { queue }: ServerState): string {
  let reply = "";
  for (const { key, waiting, workers } of queue.functions.values()) {
    reply += `${key}\t${waiting.high}\t${waiting.normal}\t${waiting.low}\t${workers}\n`;
  }
  return reply + END_OF_LIST;
}

function workers(_words: readonly string[], { connections }: ServerState): string {
  let reply = "";
  for (const { id, host, clientId, abilities } of connections) {
    const functions = abilities.map(({ target }) => ` ${target.key}`).join("");
    reply += `${id} ${host} ${clientId} :${functions}\n`;
  }
  return reply + END_OF_LIST;
}

function show(words: readonly string[], { queue }: ServerState): string | null {
  if (words.length < 2) return null;
  const what = words.slice(1).join(" ").toLowerCase();
  let reply = "";
  if (what === "jobs") {
    for (const job of queue.jobs.values()) {
      const isKept = job.isBackground && !job.isCancelled;
      reply += `${job.handle}\t${job.retries}\t${isWanted(job) ? 0 : 1}\t${isKept ? 1 : 0}\n`;
    }
  } else if (what === "unique jobs") {
    for (const job of queue.jobs.values()) reply += `${job.unique.toString("latin1")}\n`;
  } else {
    return "ERR UNKNOWN_SHOW_ARGUMENTS\r\n";
  }
  return reply + END_OF_LIST;
}

function cancel(words: readonly string[], { queue }: ServerState): string | null {
  if (words.length < 3) return null;
  if (words.length !== 3 || words[1]!.toLowerCase() !== "job") return UNKNOWN_ERROR;
  return queue.cancel(words[2]!) ? OK : "ERR UNKNOWN_JOB\r\n";
}

function create(words: readonly string[], { queue }: ServerState): string {
  if (words.length !== 3 || words[1]!.toLowerCase() !== "function") return incomplete(words);
  queue.functionOf(words[2]!);
  return OK;
}

/** Forgets a function of that name in whatever case, unless jobs or workers would be lost with it. */
function drop(words: readonly string[], { queue }: ServerState): string {
  if (words.length !== 3 || words[1]!.toLowerCase() !== "function") return incomplete(words);
  const wanted = words[2]!.toLowerCase();
  const found = [...queue.functions.values()].filter(({ key }) => upToNul(key).toLowerCase() === wanted);
  if (found.length === 0) return "ERR function not found\r\n";
  if (!found.every(isDroppable)) return "ERR there are still connected workers or executing clients\r\n";
  for (const target of found) queue.drop(target);
  return OK;
}

/** One limit counts for all priorities; otherwise one for each, and 0 for those left out. */
function maxQueue(words: readonly string[], { queue }: ServerState): string {
  const [, name, ...texts] = words;
  if (name === undefined) return incomplete(words);
  const numbers = texts.map((text) => Math.max(0, parseInt32(text)));
  const limits = numbers.length <= 1 ? [numbers[0] ?? 0, numbers[0] ?? 0, numbers[0] ?? 0] : numbers;
  const target = queue.functions.get(name);
  if (target !== undefined) limitFunction(target, limits);
  return OK;
}

function incomplete(words: readonly string[]): string {
  return `ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+${words[0]}\r\n`;
}

function upToNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
