/** Compiled programs kept from one run to the next, so that the parser need not even be loaded: what is stored, and when it fits. */
import { decodeBytes } from "./bytes.ts";
import type { FileHost } from "./capabilities.ts";
import type { CompiledUnit } from "./compile/compiled.ts";
import type { Surface } from "./surface.ts";

/** Where compiled programs are kept. Losing entries costs time, nothing else; so both calls may fail in silence. */
export interface ProgramCache {
  /** The text stored under a key, undefined when there is none. */
  read(key: string): string | undefined;
  write(key: string, text: string): void;
}

/** What is kept of a compilation that had no errors. The unit holds all its source texts: they say whether it still fits. */
export interface KeptProgram {
  readonly unit: CompiledUnit;
  readonly warnings: readonly string[];
}

/**
 * The key of a program: everything its compiled form depends on, except what it INCLUDEs.
 * The texts are compared when it is read, so a quick hash will do.
 */
export function programKey(
  source: string,
  file: string,
  dialect: string | undefined,
  mainGivesWay: boolean,
  surface: Surface,
): string {
  return quickHash(JSON.stringify([source, file, dialect ?? "", mainGivesWay, surface.fingerprint]));
}

/** Reads an entry; undefined when there is none, it is damaged, or one of its texts has changed since. */
export function readProgram(
  cache: ProgramCache,
  key: string,
  source: string,
  files: FileHost | undefined,
): KeptProgram | undefined {
  const text = cache.read(key);
  if (text === undefined) return undefined;
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (text.slice(0, end) !== quickHash(body)) return undefined;
  const kept = JSON.parse(body) as KeptProgram;
  const [main, ...included] = kept.unit.files;
  if (main?.text !== withoutMark(source)) return undefined;
  return included.every((file) => file.text === currentText(files, file.name)) ? kept : undefined;
}

function currentText(files: FileHost | undefined, path: string): string | undefined {
  try {
    return files && withoutMark(decodeBytes(files.readFile(path)));
  } catch {
    return undefined;
  }
}

/** A source text as the parser keeps it: without the byte order mark. */
const withoutMark = (text: string): string => (text.startsWith("\ufeff") ? text.slice(1) : text);

/** Stores an entry. */
export function writeProgram(cache: ProgramCache, key: string, kept: KeptProgram): void {
  const body = JSON.stringify(kept);
  cache.write(key, `${quickHash(body)}\n${body}`);
}

/** 64 bits of a text, as 16 hexadecimal digits: two rounds of multiply-and-xor with different constants. */
function quickHash(text: string): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995) + (b >>> 15);
  }
  const hex = (half: number): string => ((half ^ (half >>> 13)) >>> 0).toString(16).padStart(8, "0");
  return hex(a) + hex(b);
}
