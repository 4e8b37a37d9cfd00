/** Loads the bundled files of a command as `require` would, but through the code cache. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";
import { cachePlace } from "./cache-place.ts";
import { CodeCache } from "./code-cache.ts";

/** Changes with every file of the build, so that no cache outlives the code it was made of. */
declare const BUILD_ID: string;

/** The line before and after a CommonJS file's text, on the same lines as the text, so that places in it stay right. */
const WRAPPER = ["(function (exports, require, module, __filename, __dirname) {", "\n})"] as const;

type Wrapped = (exports: object, require: (name: string) => unknown, module: object, path: string, directory: string) => void;

/** What was loaded. */
export interface Loaded {
  readonly exports: unknown;
  /** Keeps what was compiled; call it when the process ends, so that all is in it that was needed. */
  save(): void;
}

/**
 * The exports of a file as plain values. The bundler makes each a getter, which costs time at every use; but a file that
 * has run changes its exports no more, unless one is not set yet: that stays a getter.
 */
function asValues(exports: object): object {
  const values = Object.create(null) as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(exports)) {
    const value = (exports as Record<string, unknown>)[name];
    if (value !== undefined) values[name] = value;
    else Object.defineProperty(values, name, { get: () => (exports as Record<string, unknown>)[name], enumerable: true });
  }
  return values;
}

/**
 * Loads a bundled file and what it needs. @param fallback loads what is no file of the bundle
 * @param isCached false: without the cache, and nothing is kept
 */
export function load(path: string, fallback: NodeJS.Require, isCached: boolean): Loaded {
  const place = isCached ? cachePlace(process.env) : undefined;
  const cache =
    place === undefined
      ? null
      : new CodeCache(join(place, `code-${BUILD_ID}-${basename(path, ".js")}-node${process.versions.node}`));
  const modules = new Map<string, { exports: object }>();
  const loaded = (file: string): unknown => {
    const present = modules.get(file);
    if (present !== undefined) return present.exports;
    const module = { exports: {} };
    modules.set(file, module);
    const name = basename(file);
    const cachedData = cache?.get(name);
    const text = WRAPPER[0] + readFileSync(file, "utf8") + WRAPPER[1];
    const script = new Script(text, { filename: file, columnOffset: -WRAPPER[0].length, ...(cachedData && { cachedData }) });
    cache?.compiled(name, script);
    const directory = dirname(file);
    const require = (wanted: string): unknown => (wanted.startsWith(".") ? loaded(join(directory, wanted)) : fallback(wanted));
    (script.runInThisContext() as Wrapped)(module.exports, require, module, file, directory);
    module.exports = asValues(module.exports);
    return module.exports;
  };
  return { exports: loaded(path), save: () => cache?.save() };
}
