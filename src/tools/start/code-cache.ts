/** What V8 has compiled of our own files, kept from one process to the next: compiling them again takes longer than a short program runs. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Script } from "node:vm";

/** One file: a line of JSON, then the pieces it names, one after the other. */
interface Head {
  readonly hash: number;
  /** Name and length in bytes of each piece. */
  readonly pieces: readonly (readonly [name: string, bytes: number])[];
}

/** Bytes from one look to the next. */
const STRIDE = 32;

/**
 * Finds files that were not written whole, such as after a power cut. It looks at every eighth word only, and is no
 * hash of Node's: loading those takes longer than everything else here.
 */
function hashOf(bytes: Buffer): number {
  let hash = bytes.length;
  for (let at = bytes.length - 4; at >= 0; at -= STRIDE) hash = (Math.imul(hash, 31) + bytes.readInt32LE(at)) | 0;
  return hash;
}

/**
 * The cache of one build in one version of node. It holds no truth: where it is missing, damaged or refused by V8,
 * files are compiled as they would be without it, and it is written anew at the end of the process.
 */
export class CodeCache {
  readonly #path: string;
  readonly #pieces: ReadonlyMap<string, Buffer>;
  readonly #scripts = new Map<string, Script>();
  #isStale = false;

  constructor(path: string) {
    this.#path = path;
    this.#pieces = readPieces(path);
  }

  /** What is kept of a file, for V8 to judge. */
  get(name: string): Buffer | undefined {
    return this.#pieces.get(name);
  }

  /** A file was compiled, with what was kept of it where that was good. */
  compiled(name: string, script: Script): void {
    this.#scripts.set(name, script);
    if (!this.#pieces.has(name) || script.cachedDataRejected) this.#isStale = true;
  }

  /** Writes what this process has compiled, when that is more than was kept. Failures are silent: the next one compiles again. */
  save(): void {
    if (!this.#isStale) return;
    try {
      const made = [...this.#scripts].map(([name, script]): [string, Buffer] => [name, script.createCachedData()]);
      const others = [...this.#pieces].filter(([name]) => !this.#scripts.has(name));
      write(this.#path, [...made, ...others]);
    } catch {
      // A disk that is full or read-only.
    }
  }
}

function readPieces(path: string): ReadonlyMap<string, Buffer> {
  const pieces = new Map<string, Buffer>();
  try {
    const bytes = readFileSync(path);
    const end = bytes.indexOf(10);
    const head = JSON.parse(bytes.toString("utf8", 0, end)) as Head;
    const body = bytes.subarray(end + 1);
    if (hashOf(body) !== head.hash) return pieces;
    let at = 0;
    for (const [name, length] of head.pieces) {
      pieces.set(name, body.subarray(at, at + length));
      at += length;
    }
  } catch {
    // Not there yet, or damaged.
  }
  return pieces;
}

function write(path: string, pieces: readonly (readonly [string, Buffer])[]): void {
  const body = Buffer.concat(pieces.map(([, bytes]) => bytes));
  const head: Head = { hash: hashOf(body), pieces: pieces.map(([name, bytes]) => [name, bytes.length]) };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]), { mode: 0o600 });
  renameSync(draft, path);
}
