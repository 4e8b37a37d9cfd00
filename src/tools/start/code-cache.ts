/** What V8 has compiled of our own files, kept from one process to the next: compiling them again takes longer than a short program runs. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Script } from "node:vm";

/** One file: a line of JSON, filled up with blanks so that the pieces start at a whole word, then the pieces it names. */
interface Head {
  readonly pieces: readonly (readonly [name: string, bytes: number, hash: number])[];
}

/** Pieces start at multiples of this, in bytes. */
const WORD = 4;

/** V8 takes damaged code for good, so every word counts here. Node's own hashes take longer to load than this takes. */
function hashOf(piece: Buffer): number {
  const isInWords = piece.byteOffset % WORD === 0 && piece.length % WORD === 0;
  const bytes = isInWords ? piece : inWords(piece);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD);
  let hash = bytes.length;
  for (let at = 0; at < words.length; at++) hash = (Math.imul(hash, 31) + words[at]!) | 0;
  return hash;
}

/** The bytes in a buffer of whole words, at a whole word. */
function inWords(bytes: Buffer): Buffer {
  const filled = Buffer.alloc(Math.ceil(bytes.length / WORD) * WORD);
  bytes.copy(filled);
  return filled;
}

/** A piece as it lies in the file. */
interface Piece {
  readonly bytes: Buffer;
  readonly hash: number;
}

/**
 * The cache of one build in one version of node. It holds no truth: where it is missing, damaged or refused by V8,
 * files are compiled as they would be without it, and it is written anew at the end of the process.
 */
export class CodeCache {
  readonly #path: string;
  readonly #pieces: ReadonlyMap<string, Piece>;
  readonly #damaged = new Set<string>();
  readonly #scripts = new Map<string, Script>();
  #isStale = false;

  constructor(path: string) {
    this.#path = path;
    this.#pieces = readPieces(path);
  }

  /** What is kept of a file, for V8 to judge. */
  get(name: string): Buffer | undefined {
    const piece = this.#pieces.get(name);
    if (piece === undefined) return undefined;
    if (hashOf(piece.bytes) === piece.hash) return piece.bytes;
    this.#damaged.add(name);
    return undefined;
  }

  /** A file was compiled, with what was kept of it where that was good. */
  compiled(name: string, script: Script): void {
    this.#scripts.set(name, script);
    if (!this.#pieces.has(name) || this.#damaged.has(name) || script.cachedDataRejected) this.#isStale = true;
  }

  /** Writes what this process has compiled, when that is more than was kept. Failures are silent: the next one compiles again. */
  save(): void {
    if (!this.#isStale) return;
    try {
      const made = [...this.#scripts].map(([name, script]): [string, Piece] => {
        const bytes = inWords(script.createCachedData());
        return [name, { bytes, hash: hashOf(bytes) }];
      });
      const others = [...this.#pieces].filter(([name]) => !this.#scripts.has(name));
      write(this.#path, [...made, ...others]);
    } catch {
      // A disk that is full or read-only.
    }
  }
}

function readPieces(path: string): ReadonlyMap<string, Piece> {
  const pieces = new Map<string, Piece>();
  try {
    const file = readFileSync(path);
    const end = file.indexOf(10);
    const head = JSON.parse(file.toString("utf8", 0, end)) as Head;
    let at = end + 1;
    const isWhole = at % WORD === 0 && head.pieces.reduce((sum, [, bytes]) => sum + bytes, at) === file.length;
    if (!isWhole) return pieces;
    for (const [name, length, hash] of head.pieces) {
      pieces.set(name, { bytes: file.subarray(at, at + length), hash });
      at += length;
    }
  } catch {
    // Not there yet, or damaged.
  }
  return pieces;
}

function write(path: string, pieces: readonly (readonly [string, Piece])[]): void {
  const head: Head = { pieces: pieces.map(([name, { bytes, hash }]) => [name, bytes.length, hash]) };
  const json = Buffer.from(JSON.stringify(head));
  const line = Buffer.alloc(Math.ceil((json.length + 1) / WORD) * WORD, " ");
  json.copy(line);
  line[line.length - 1] = 10;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, Buffer.concat([line, ...pieces.map(([, { bytes }]) => bytes)]), { mode: 0o600 });
  renameSync(draft, path);
}
