/** What a program pays for at its start: nothing of sockets, TLS and TOML unless it needs them. */
import { expect, test } from "vitest";
import { type SourceText, sourcesIn, withoutComments } from "../../helpers/sources.ts";

const files = new Map(sourcesIn(["grammar", "runtime", "modules", "src"]).map((file) => [file.path, file]));

/** Imports that happen when a file is loaded: not those of types, nor those on use. */
function loadedBy({ text, imports }: SourceText): SourceText["imports"] {
  const code = withoutComments(text);
  const specifiers = [...code.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;"]*?\bfrom\s+)?"([^"]+)"/gm)].map(
    (match) => match[1],
  );
  return imports.filter(({ specifier }) => specifiers.includes(specifier));
}

/** Everything that is loaded with a file, packages and Node's modules included. */
function loadedWith(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const file = files.get(path);
  if (file === undefined) return found;
  for (const { specifier, path: next } of loadedBy(file)) {
    if (next === undefined) found.add(specifier);
    else loadedWith(next, found);
  }
  return found;
}

test.each(["src/tools/cli/start.ts", "src/tools/cli/main.ts", "src/tools/cli/run.ts"])(
  "%s loads no sockets, no TLS and no TOML",
  (path) => {
    const loaded = loadedWith(path);
    expect(loaded.size).toBeGreaterThan(2);
    const needless = ["node:net", "node:tls", "node:http", "smol-toml", "libsql", "src/core/gearman/index.ts"];
    expect(needless.filter((name) => loaded.has(name))).toEqual([]);
  },
);

test.each(["modules/gearman/configuration.ts", "modules/gearman/script-worker.ts", "src/core/gearman/index.ts"])(
  "%s loads no TLS and no TOML before a server or a file needs it",
  (path) => {
    const loaded = loadedWith(path);
    expect(loaded.has("src/core/gearman/errors.ts")).toBe(true);
    expect(["node:tls", "smol-toml", "libsql"].filter((name) => loaded.has(name))).toEqual([]);
  },
);
