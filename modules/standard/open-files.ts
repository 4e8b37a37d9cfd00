/** The files a program has open: handles 1, 2, …, never reused, each with a position of its own. */
import type { FileHost, OpenFile } from "../../runtime/capabilities.ts";
import { BasilError } from "../../runtime/errors.ts";

/** What FOPEN's modes allow. */
const MODE = /^([rwa])(?:\+b?|b\+?)?$/;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** How much FREADLINE$ reads at a time. */
const CHUNK_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** One open file of a program. */
export class Handle {
  readonly isReadable: boolean;
  readonly isWritable: boolean;
  readonly #file: OpenFile;
  readonly #isAppending: boolean;
  /** Bytes from the start of the file. */
  #position: number;
  /** Bytes of the file read ahead, and where they start. */
  #chunk: Buffer = NOTHING;
  #chunkStart = 0;

  constructor(file: OpenFile, kind: string, isBoth: boolean) {
    this.#file = file;
    this.isReadable = kind === "r" || isBoth;
    this.isWritable = kind !== "r" || isBoth;
    this.#isAppending = kind === "a";
    this.#position = this.#isAppending && !isBoth ? file.size() : 0;
  }

  get position(): number {
    return this.#position;
  }

  get isAtEnd(): boolean {
    if (this.#ahead() > 0) return false;
    return this.#position >= this.#file.size();
  }

  /** How many bytes a read of so many can give. */
  available(length: number): number {
    return Math.max(0, Math.min(length, this.#file.size() - this.#position));
  }

  /** Up to so many bytes; none at the end. */
  read(length: number): Buffer {
    const ahead = this.#ahead();
    const from = this.#position - this.#chunkStart;
    const bytes =
      length <= ahead ? Buffer.from(this.#chunk.subarray(from, from + length)) : this.#file.read(this.#position, length);
    this.#position += bytes.length;
    return bytes;
  }

  /**
   * The next line without its LF or CRLF, empty at the end.
   *
   * @param claim told how long the line is so far
   */
  readLine(claim: (bytes: number) => void): Buffer {
    const parts: Buffer[] = [];
    let length = 0;
    while (this.#fill()) {
      const from = this.#position - this.#chunkStart;
      const lineEnd = this.#chunk.indexOf(LINE_FEED, from);
      const to = lineEnd < 0 ? this.#chunk.length : lineEnd;
      parts.push(this.#chunk.subarray(from, to));
      length += to - from;
      claim(length);
      this.#position = this.#chunkStart + (lineEnd < 0 ? to : to + 1);
      if (lineEnd >= 0) break;
    }
    const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  }

  write(bytes: Buffer): void {
    this.#chunk = NOTHING;
    let written = 0;
    while (written < bytes.length) {
      const position = this.#isAppending ? null : this.#position + written;
      written += this.#file.write(position, bytes.subarray(written));
    }
    this.#position = this.#isAppending ? this.#file.size() : this.#position + written;
  }

  /** Moves to an offset from the start (0), the position (1) or the end (2); false when that is no place. */
  seek(offset: number, whence: number): boolean {
    const bases = [0, this.#position, whence === 2 ? this.#file.size() : 0];
    const base = bases[whence];
    if (base === undefined || !Number.isSafeInteger(base + offset) || base + offset < 0) return false;
    this.#position = base + offset;
    return true;
  }

  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }

  /** Bytes read ahead from the position on. */
  #ahead(): number {
    const from = this.#position - this.#chunkStart;
    return from >= 0 && from < this.#chunk.length ? this.#chunk.length - from : 0;
  }

  #fill(): boolean {
    if (this.#ahead() > 0) return true;
    this.#chunk = this.#file.read(this.#position, CHUNK_BYTES);
    this.#chunkStart = this.#position;
    return this.#chunk.length > 0;
  }
}

/** All open files of one interpreter. */
export class OpenFiles {
  readonly #handles = new Map<number, Handle>();
  #last = 0;

  /** Opens a file and gives its handle, or -1 when it cannot be opened. */
  open(files: FileHost, path: string, mode: string): number {
    const kind = MODE.exec(mode)?.[1];
    if (kind === undefined) throw new BasilError("ARGUMENT_ERROR", `FOPEN: invalid mode '${mode}'; expected r/w/a variants`);
    const isBoth = mode.includes("+");
    let file: OpenFile;
    try {
      file = files.open(path, isBoth ? `${kind}+` : kind);
    } catch {
      return -1;
    }
    this.#last += 1;
    this.#handles.set(this.#last, new Handle(file, kind, isBoth));
    return this.#last;
  }

  /** The file of a handle. */
  get(number: number): Handle {
    const handle = this.#handles.get(number);
    if (handle) return handle;
    throw new BasilError("IO_ERROR", `InvalidHandle (wanted ${number}, have [${[...this.#handles.keys()].join(", ")}])`);
  }

  /** Closes a handle; false when it was closed already. */
  close(number: number): boolean {
    const handle = this.#handles.get(number);
    if (!handle) return false;
    this.#handles.delete(number);
    handle.close();
    return true;
  }

  /** Closes all that are open. */
  closeAll(): void {
    for (const number of [...this.#handles.keys()]) {
      try {
        this.close(number);
      } catch {
        // The program is over: a file that cannot be closed properly has nobody left to tell.
      }
    }
  }
}
