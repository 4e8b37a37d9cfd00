/** A list of the text protocol from its lines: rows that span lines, the dot at its end, and replies that are no list. */
import type { AdminList } from "./admin-rows.ts";
import { shown } from "./checks.ts";
import { GearmanError } from "./errors.ts";

/** Asked after a list whose rows may be a dot: the `OK 1.1.20` that answers it tells the last dot from the others. */
const END_MARK = "version";

/** Longest name that goes over several lines, in characters; servers take 8 192 bytes. */
const MAX_ROW_CHARACTERS = 16_384;

/** Modes: *reading* → *over*, after the dot. */
export class ListReader<Row> {
  /** What to send. */
  readonly question: string;
  readonly server: string;
  isOver = false;
  readonly #list: AdminList<Row>;
  #isFirst = true;
  /** Lines that make no row yet. */
  #begun = "";
  #isAfterDot = false;

  /** @param server `host:port`, for messages */
  constructor(list: AdminList<Row>, server: string) {
    this.#list = list;
    this.server = server;
    this.question = list.isDotPossible ? `${list.command}\r\n${END_MARK}` : list.command;
  }

  /** The rows that are complete with these lines. SERVER when the list is refused, PROTOCOL when this is none. */
  take(lines: readonly string[]): Row[] {
    const rows: Row[] = [];
    for (const line of lines) {
      if (this.#isEnd(line, rows)) {
        this.refuseOtherProtocols();
        return rows;
      }
      if (!this.#isAfterDot) this.#add(line, rows);
      this.#isFirst = false;
    }
    return rows;
  }

  /** PROTOCOL when what came first was no row. */
  refuseOtherProtocols(): void {
    if (this.#begun !== "") throw notGearman(this.server, this.#list.command, this.#begun.trimEnd());
  }

  /** Also gives the dots that were rows. */
  #isEnd(line: string, rows: Row[]): boolean {
    const isDot = line === ".";
    if (!this.#list.isDotPossible) {
      this.isOver = isDot;
      return isDot;
    }
    if (this.#isAfterDot) {
      this.isOver = line.startsWith("OK ");
      if (!this.isOver) this.#add(".", rows);
    }
    this.#isAfterDot = isDot;
    return this.isOver;
  }

  #add(line: string, rows: Row[]): void {
    if (this.#isFirst) this.#refuseErrors(line);
    const text = this.#begun === "" ? line : this.#begun + line;
    const row = this.#list.parse(text);
    if (row !== null) {
      rows.push(row);
      this.#begun = "";
    } else if (this.#isFirst || !this.#list.isRestDropped) {
      this.#begun = `${text}\n`;
      if (text.length > MAX_ROW_CHARACTERS) this.refuseOtherProtocols();
    }
  }

  /** A refused list is a single line, and no dot follows. A function may be called `ERR`, but then its numbers follow. */
  #refuseErrors(line: string): void {
    const isError = this.#list.isDotPossible
      ? line.startsWith("ERR UNKNOWN_")
      : /^ERR [A-Z_]{4}/.test(line) && !line.includes("\t");
    if (isError) throw new GearmanError("SERVER", `${this.server} refused ${this.#list.command}: ${reasonIn(line)}`);
  }
}

/** The error of an answer that no job server gives. */
export const notGearman = (server: string, command: string, answer: string): GearmanError =>
  new GearmanError("PROTOCOL", `${server} is no Gearman server: it answered ${shown(answer)} to ${command}`);

/** What an ERR line says, readable: servers write blanks as plus signs after the code. */
export function reasonIn(line: string): string {
  const [, code, text] = /^ERR ([A-Z_]+) (\S+)$/.exec(line) ?? [];
  return code === undefined || text === undefined ? line.replace(/^ERR ?/, "") : `${code}: ${text.replaceAll("+", " ")}`;
}
