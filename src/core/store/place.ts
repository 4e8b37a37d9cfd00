/** Where a store's file really is: one name for one file, whichever way it was named, so that two owners meet. */
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StoreError } from "./errors.ts";

/** Most symbolic links in a row that are followed to a file that is not there yet; the system follows as many. */
const MAX_LINKS = 40;

/**
 * The full path of a store's file, which need not be there, without symbolic links; `:memory:` as it is. Throws when
 * there is no place for it, and for a file with several names: SQLite keeps a log for each name, and each is deaf to
 * what the others hold.
 */
export function realFileOf(path: string): string {
  if (path === "") throw new StoreError("CANNOT_OPEN", "the name of the file to store in is empty");
  if (path === ":memory:") return path;
  const file = resolve(path);
  const directory = dirname(file);
  if (!statOf(directory)?.isDirectory()) {
    throw new StoreError("MISSING_DIRECTORY", `${file}: there is no directory ${directory}: make it first`);
  }
  const real = withoutLinks(file);
  const stats = statOf(real);
  if (stats?.isDirectory()) throw new StoreError("CANNOT_OPEN", `${file} is a directory, not a file`);
  if (stats !== undefined && stats.nlink > 1) {
    throw new StoreError(
      "CANNOT_OPEN",
      `${file} has ${stats.nlink} names (hard links), and nobody can tell who uses it by another: remove them, or use a copy`,
    );
  }
  return real;
}

/** By hand where the file is not there: a link to it may be. */
function withoutLinks(path: string): string {
  let file = path;
  try {
    for (let links = 0; links <= MAX_LINKS; links++) {
      const directory = realpathSync.native(dirname(file));
      file = join(directory, basename(file));
      const stats = lstatSync(file, { throwIfNoEntry: false });
      if (stats === undefined) return file;
      if (!stats.isSymbolicLink()) return realpathSync.native(file);
      file = resolve(directory, readlinkSync(file));
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw new StoreError("MISSING_DIRECTORY", `${path} leads to ${file}, whose directory is not there: make it first`, {
        cause: error,
      });
    throw new StoreError("CANNOT_OPEN", `${path}: ${message}`, { cause: error });
  }
  throw new StoreError("CANNOT_OPEN", `${path}: more than ${MAX_LINKS} symbolic links lead on from it`);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
