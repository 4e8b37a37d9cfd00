/** Files of this machine; relative paths start at the script's directory. Names that are no text keep their bytes. */
import fs from "node:fs";
import path from "node:path";
import { decodeBytes, encodeText } from "../../../runtime/bytes.ts";
import type { FileHost, OpenFile } from "../../../runtime/capabilities.ts";
import { compareStrings } from "../../../runtime/values.ts";
import { matchesWildcards } from "./wildcards.ts";

export class NodeFiles implements FileHost {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = path.resolve(directory);
  }

  readFile(file: string): Buffer {
    return fs.readFileSync(this.#at(file));
  }

  writeFile(file: string, bytes: Buffer): void {
    fs.writeFileSync(this.#at(file), bytes);
  }

  appendFile(file: string, bytes: Buffer): void {
    fs.appendFileSync(this.#at(file), bytes);
  }

  copy(from: string, to: string): void {
    fs.copyFileSync(this.#at(from), this.#at(to));
  }

  move(from: string, to: string): void {
    try {
      fs.renameSync(this.#at(from), this.#at(to));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
      this.copy(from, to);
      this.delete(from);
    }
  }

  rename(file: string, newName: string): void {
    fs.renameSync(this.#at(file), this.#at(path.join(path.dirname(file), newName)));
  }

  delete(file: string): void {
    fs.unlinkSync(this.#at(file));
  }

  makeDirectories(directory: string): void {
    fs.mkdirSync(this.#at(directory), { recursive: true });
  }

  list(glob: string): string[] {
    const slash = glob.lastIndexOf("/") + 1;
    const directory = this.#at(glob.slice(0, slash) || ".");
    const pattern = glob.slice(slash);
    const names: string[] = [];
    for (const entry of entriesOf(directory)) {
      const name = decodeBytes(entry.name);
      if (matchesWildcards(name, pattern) && (entry.isFile() || this.#isLinkToFile(entry, glob.slice(0, slash) + name))) {
        names.push(name);
      }
    }
    return names.sort(compareStrings);
  }

  open(file: string, flags: string): OpenFile {
    const descriptor = fs.openSync(this.#at(file), flags);
    if (!fs.fstatSync(descriptor).isDirectory()) return new NodeFile(descriptor);
    fs.closeSync(descriptor);
    throw Object.assign(new Error(`${file} is a directory`), { code: "EISDIR" });
  }

  resolve(file: string, from?: string): string {
    return path.resolve(this.#directory, from === undefined ? "." : path.dirname(from), file);
  }

  #isLinkToFile(entry: fs.Dirent<Buffer>, file: string): boolean {
    return entry.isSymbolicLink() && (fs.statSync(this.#at(file), { throwIfNoEntry: false })?.isFile() ?? false);
  }

  /** The path for Node: as bytes when it holds bytes that are no text. */
  #at(file: string): string | Buffer {
    const absolute = path.resolve(this.#directory, file);
    return absolute.isWellFormed() ? absolute : encodeText(absolute);
  }
}

/** What is in a directory; nothing when there is no such directory. */
function entriesOf(directory: string | Buffer): fs.Dirent<Buffer>[] {
  try {
    return fs.readdirSync(directory, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

/** A file by its descriptor. */
class NodeFile implements OpenFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let end = 0;
    while (end < length) {
      const count = fs.readSync(this.#descriptor, bytes, end, length - end, position + end);
      if (count === 0) break;
      end += count;
    }
    return bytes.subarray(0, end);
  }

  write(position: number | null, bytes: Buffer): number {
    return fs.writeSync(this.#descriptor, bytes, 0, bytes.length, position);
  }

  size(): number {
    return fs.fstatSync(this.#descriptor).size;
  }

  flush(): void {
    try {
      fs.fsyncSync(this.#descriptor);
    } catch (error) {
      // Pipes and terminals have nothing to sync.
      if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
