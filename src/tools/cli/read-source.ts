/** Reads a program for a command, or says plainly why it cannot be read and what to do about it. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { SourceFile } from "../../../grammar/source.ts";
import { decodeBytes } from "../../../runtime/bytes.ts";
import { type CliContext, CliError, EXIT_CODES } from "./context.ts";

/** A program as read. */
export interface SourceText {
  readonly text: string;
  /** Shown in reports. */
  readonly file: string;
  /** File built-ins and INCLUDE start here. */
  readonly directory: string;
}

/** Words for the failures a person can mend. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file. Check the spelling and the directory you are in.",
  ENOTDIR: "a part of the path before the last is not a directory.",
  EISDIR: "it is a directory. Name a file in it, such as {path}/main.basil.",
  EACCES: "you may not read it. Change its permissions, for example with: chmod +r {path}",
  EPERM: "you may not read it.",
  ELOOP: "its symbolic links lead in a circle.",
  ENAMETOOLONG: "the name is too long for this file system.",
};

/** The program in a file, or on standard input for `-`. Rejects with exit code 3. */
export async function readSource(path: string, context: CliContext): Promise<SourceText> {
  const isInput = path === "-";
  const location = resolve(context.directory, path);
  const bytes = isInput ? await readInput(context) : readFile(location, path);
  if (!isUtf8(bytes)) throw new CliError(EXIT_CODES.unreadable, encodingText(isInput ? "standard input" : path, bytes));
  return {
    text: bytes.toString("utf8"),
    file: isInput ? "stdin" : basename(location),
    directory: isInput ? context.directory : dirname(location),
  };
}

async function readInput(context: CliContext): Promise<Buffer> {
  const { buffer } = await import("node:stream/consumers");
  return buffer(context.stdin);
}

/** At once: nothing else is to be done meanwhile, and the asynchronous way loads much of node. */
function readFile(location: string, path: string): Buffer {
  try {
    return readFileSync(location);
  } catch (error) {
    return refuse(path, error);
  }
}

function refuse(path: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const reason = REASONS[code]?.replaceAll("{path}", path.replace(/\/+$/, "")) ?? String(error);
  throw new CliError(EXIT_CODES.unreadable, `cannot read ${path === "" ? '""' : path}: ${reason}`, { cause: error });
}

/** Names the first byte that is not UTF-8 by line and column. */
function encodingText(name: string, bytes: Buffer): string {
  const source = new SourceFile(name, decodeBytes(bytes));
  const at = source.text.search(/(?<![\uD800-\uDBFF])[\uDC80-\uDCFF]/);
  const byte = (source.text.charCodeAt(at) - 0xdc00).toString(16).toUpperCase();
  const { line, column } = source.position(at);
  return (
    `cannot read ${name}: it is not UTF-8 text (byte 0x${byte} at line ${line}, column ${column}).\n` +
    "Save it as UTF-8 in your editor, or convert it: iconv -f ISO-8859-1 -t UTF-8 OLD > NEW"
  );
}
