/** Compiled programs kept from one run to the next, so that the parser need not even be loaded: what is stored, and when it fits. */
import { createHash } from "node:crypto";
import type { FileHost } from "./capabilities.ts";
import type { CompiledUnit } from "./compile/compiled.ts";
import type { Surface } from "./surface.ts";

/** Where compiled programs are kept. Losing entries costs time, nothing else; so both calls may fail in silence. */
export interface ProgramCache {
  /** The text stored under a key, undefined when there is none. */
  read(key: string): string | undefined;
  write(key: string, text: string): void;
}

/** What is kept of a compilation that had no errors. */
export interface KeptProgram {
  readonly unit: CompiledUnit;
  readonly warnings: readonly string[];
  /** Hashes of the files that INCLUDE read, by path. */
  readonly included: Readonly<Record<string, string>>;
}

const hash = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");

/** The key of a program: everything its compiled form depends on, except the files it includes. */
export function programKey(
  source: string,
  file: string,
  dialect: string | undefined,
  mainGivesWay: boolean,
  surface: Surface,
): string {
  return hash(JSON.stringify([source, file, dialect ?? "", mainGivesWay, surface.fingerprint]));
}

/** Reads an entry; undefined when there is none, it is damaged, or an included file has changed since. */
export function readProgram(cache: ProgramCache, key: string, files: FileHost | undefined): KeptProgram | undefined {
  const text = cache.read(key);
  if (text === undefined) return undefined;
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (text.slice(0, end) !== hash(body)) return undefined;
  const kept = JSON.parse(body) as KeptProgram;
  const isCurrent = Object.entries(kept.included).every(([path, was]) => hashOfFile(files, path) === was);
  return isCurrent ? kept : undefined;
}

function hashOfFile(files: FileHost | undefined, path: string): string | undefined {
  try {
    return files && hash(files.readFile(path));
  } catch {
    return undefined;
  }
}

/** Stores an entry. */
export function writeProgram(
  cache: ProgramCache,
  key: string,
  unit: CompiledUnit,
  warnings: readonly string[],
  included: ReadonlyMap<string, Buffer>,
): void {
  const hashes = Object.fromEntries([...included].map(([path, bytes]) => [path, hash(bytes)]));
  const body = JSON.stringify({ unit, warnings, included: hashes } satisfies KeptProgram);
  cache.write(key, `${hash(body)}\n${body}`);
}
