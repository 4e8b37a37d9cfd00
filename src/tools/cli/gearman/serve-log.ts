/** The log of `basil gearman serve`: one line an event, with time and level, to stderr, a file or nowhere. */
import { appendFileSync } from "node:fs";
import type { Writable } from "node:stream";
import type { GearmanServerEvent } from "../../../core/gearman/server/state.ts";

/** From the gravest to the chattiest, as gearmand names them. */
export const LOG_LEVELS = ["FATAL", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level and the text of each kind of event; kinds that are not here are NOTICE, by their name. */
const EVENT_LINES: Readonly<Record<string, { level: LogLevel; text: (event: never) => string }>> = {
  listening: line("listening", "NOTICE", ({ host, port }) => `listening on ${host}:${port}`),
  connected: line("connected", "INFO", ({ id, host, port }) => `connection ${id} from ${host}:${port}`),
  disconnected: line("disconnected", "INFO", ({ id, reason }) => `connection ${id} closed: ${reason}`),
  refused: line("refused", "WARNING", ({ id, host, port, error }) => `connection ${id} from ${host}:${port}: ${error.message}`),
  notAccepted: line("notAccepted", "ERROR", ({ error }) => `a connection was not accepted: ${error.message}`),
  dropped: line(
    "dropped",
    "WARNING",
    ({ handle, function: name, retries }) => `job ${handle} of ${name} was dropped after ${retries} runs without an end`,
  ),
  restored: line("restored", "NOTICE", ({ jobs }) => `${jobs} jobs of an earlier run wait again`),
  notStored: line(
    "notStored",
    "CRITICAL",
    ({ error }) => `the queue file cannot be written, background jobs are refused: ${error.message}`,
  ),
  stored: line("stored", "NOTICE", () => "the queue file can be written again"),
  bug: line("bug", "CRITICAL", ({ id, error }) => `a mistake in basil, please report it (connection ${id}): ${String(error)}`),
};

/** A row for one kind of event. */
function line<T extends GearmanServerEvent["type"]>(
  _type: T,
  level: LogLevel,
  text: (event: Extract<GearmanServerEvent, { type: T }>) => string,
): { level: LogLevel; text: (event: never) => string } {
  return { level, text };
}

/** Where log lines go, from which level on. */
export interface LogOptions {
  /** A file's path, `stderr` or `none`. */
  readonly target: string;
  /** Graver levels and this one are written. */
  readonly level: LogLevel;
  readonly stderr: Writable;
  readonly now?: () => Date;
}

/** Writes log lines. A file is opened for each line, so that it can be moved away at any time. */
export class ServerLog {
  readonly #options: LogOptions;
  #hasFailed = false;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** Makes sure that the log can be written, which it may still fail to be later. Throws why it cannot. */
  open(): void {
    const { target } = this.#options;
    if (target !== "none" && target !== "stderr") appendFileSync(target, "");
  }

  /** Writes an event of the server. */
  take(event: GearmanServerEvent): void {
    const row = EVENT_LINES[event.type];
    if (row === undefined) this.write("NOTICE", event.type);
    else this.write(row.level, row.text(event as never));
  }

  write(level: LogLevel, text: string): void {
    const { target, level: least, now = () => new Date() } = this.#options;
    if (target === "none" || LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(least)) return;
    // What others sent must not make a second line of its own.
    const clean = text.replace(/[\x00-\x1f\x7f]/g, (character) => JSON.stringify(character).slice(1, -1));
    const entry = `${now().toISOString()} ${level.padEnd(8)} ${clean}\n`;
    if (target === "stderr") this.#options.stderr.write(entry);
    else this.#append(target, entry);
  }

  /** The server goes on when its log cannot be written, and says so once. */
  #append(path: string, entry: string): void {
    try {
      appendFileSync(path, entry);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.stderr.write(`basil: the log ${path} cannot be written: ${(error as Error).message}\n`);
      this.#hasFailed = true;
    }
  }
}
