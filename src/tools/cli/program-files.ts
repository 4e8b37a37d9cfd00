/** The disk cache of compiled programs: one small file each in the user's cache directory, safe to delete at any time. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ProgramCache } from "../../../runtime/program-cache.ts";
import { cachePlace } from "../start/cache-place.ts";

/** Programs that are kept; the ones used longest ago go first. */
const MAX_FILES = 500;

/**
 * The cache of this build of basil, or undefined where there is no place for one. Only bundled builds have one: the
 * name of a bundle's file changes with everything in it, so that no entry outlives the code that made it.
 */
export function programFiles(environment: NodeJS.ProcessEnv): ProgramCache | undefined {
  const build = /^[\w-]+-([A-Z0-9]{8})\.js$/.exec(basename(import.meta.filename))?.[1];
  const place = cachePlace(environment);
  if (build === undefined || place === undefined) return undefined;
  const directory = join(place, `${build}-node${process.versions.node}`);
  const pathOf = (key: string): string => join(directory, `${key}.json`);
  return {
    read(key) {
      try {
        return readFileSync(pathOf(key), "utf8");
      } catch {
        return undefined;
      }
    },
    write(key, text) {
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        const draft = `${pathOf(key)}.${process.pid}`;
        writeFileSync(draft, text, { mode: 0o600 });
        renameSync(draft, pathOf(key));
        prune(directory);
      } catch {
        // A disk that is full or read-only: the next run compiles again.
      }
    },
  };
}

function prune(directory: string): void {
  const names = readdirSync(directory);
  if (names.length <= MAX_FILES) return;
  const byAge = names
    .map((name) => ({ name, usedAt: statSync(join(directory, name)).mtimeMs }))
    .sort((a, b) => a.usedAt - b.usedAt);
  for (const { name } of byAge.slice(0, names.length - MAX_FILES)) rmSync(join(directory, name), { force: true });
}
