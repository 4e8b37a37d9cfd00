/** The structure of the project as rules that fail: layers, cycles, state, doc comments, what lies at the top. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDirectory } from "../src/tools/build.ts";
import { importsOf, type SourceText, sourcesIn, topLevelNames, withoutComments } from "./helpers/sources.ts";

/** The cores, which know nothing of BASIC, and little of each other; `src/core` is what lies outside of the others. */
const CORES = ["src/core/net", "src/core/store", "src/core/obrien", "src/core"];

/** Who may import whom, and which npm packages. The first prefix that matches a file is its layer. */
const LAYERS: Record<string, { readonly layers: readonly string[]; readonly packages: readonly string[] }> = {
  "src/core/net": { layers: [], packages: [] },
  "src/core/store": { layers: [], packages: ["libsql"] },
  "src/core/obrien": { layers: ["src/core/net", "src/core/store"], packages: [] },
  "src/core": { layers: ["src/core/net", "src/core/store"], packages: ["smol-toml"] },
  grammar: { layers: [], packages: ["chevrotain"] },
  runtime: { layers: ["grammar"], packages: [] },
  modules: { layers: ["runtime", ...CORES], packages: [] },
  "src/tools": { layers: ["grammar", "runtime", "modules", ...CORES], packages: ["commander", "picocolors", "esbuild"] },
  "src/index.ts": { layers: ["grammar", "runtime", "modules", ...CORES, "src/tools"], packages: [] },
};

/** All that may lie at the top of the repository. */
const TOP = `.ci .gitignore .npmrc LICENSE Makefile README.md biome.json docker-compose.yml docs examples grammar modules
  package-lock.json package.json runtime src test tsconfig.json vitest.config.ts`.split(/\s+/);

/** Files that may keep one thing between calls, and why. */
const PERMITTED_MEMOS: Record<string, string> = {
  "grammar/parser.ts": "the parser object takes 27 to 100 ms to make and holds nothing of a program between parses",
  "grammar/lexer.ts": "so it is with its lexer: made once, it holds nothing of a text",
};

const layerOf = (path: string): string | undefined =>
  Object.keys(LAYERS).find((prefix) => path === prefix || path.startsWith(`${prefix}/`));
const packageOf = (specifier: string): string => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

const sources = sourcesIn(["grammar", "runtime", "modules", "src"]);

/** What a file imports against the layers, as lines for people. */
function wrongImports(source: SourceText): string[] {
  const from = layerOf(source.path);
  if (!from) return [`${source.path} belongs to no layer`];
  const rules = LAYERS[from]!;
  return source.imports.flatMap(({ specifier, path }) => {
    const to = path && layerOf(path);
    if (path === "package.json" && from === "src/tools") return [];
    const isFine = path
      ? to !== undefined && (to === from || rules.layers.includes(to))
      : specifier.startsWith("node:") || rules.packages.includes(packageOf(specifier));
    return isFine ? [] : [`${source.path} → ${specifier}`];
  });
}

/** The import cycles of a set of files, each as a path that ends where it began. */
function cyclesOf(files: readonly SourceText[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const next of byPath.get(path)?.imports ?? []) if (next.path) visit(next.path, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}

/** The code of all files that import a name from a file. */
const importersOf = (path: string, name: string): string =>
  sources
    .filter(
      ({ text, imports }) => imports.some((one) => one.path === path) && new RegExp(`^import [^;]*\\b${name}\\b`, "m").test(text),
    )
    .map(({ text }) => withoutComments(text))
    .join("\n");

/**
 * Declarations at the left margin that can change while the program runs. Leans on the formatter's layout.
 * @param usersOf the code outside of this file that uses an exported name
 */
function mutableState(code: string, usersOf: (name: string) => string = () => ""): string[] {
  const suspects = [
    /^(?:export )?(?:let|var) \w+/gm,
    /^(?:export )?const \w+[^=\n]* = new (?:Map|Set|Array)(?:<.*>)?\(\)/gm,
    /^export const \w+(?:: (?!Readonly)[^=\n]+)? = new (?:Map|Set|Array)\b/gm,
    /^(?:export )?const \w+[^=\n]* = new Weak(?:Map|Set)\b/gm,
    /^(?:export )?const \w+[^=\n]* = (?:\[\]|\{\});/gm,
    /^ {2}(?:private |public )?static (?!readonly\b)#?\w+(?:: [^=(\n]+)? =/gm,
  ];
  const found = suspects.flatMap((suspect) => [...code.matchAll(suspect)].map((match) => match[0]));
  for (const [, isExported, name] of code.matchAll(/^(export )?const (\w+)[^=\n]* = (?:new |\[|\{)/gm)) {
    const changes = "\\.(?:add|set|push|pop|shift|unshift|splice|delete|clear|sort)\\(|\\[[^\\]\\n]*\\] = ";
    const change = new RegExp(`(?<![.\\w])${name}(?:${changes})`).exec(code + (isExported ? usersOf(name!) : ""));
    if (change) found.push(change[0]);
  }
  return found;
}

describe("layers", () => {
  test("every import points down a layer, to node, or to a package the layer may use", () => {
    expect(sources.flatMap(wrongImports)).toEqual([]);
  });

  test("every imported file exists under that very name", () => {
    const missing = sources.flatMap(({ path, imports }) =>
      imports
        .filter((one) => one.path && !existsSync(join(projectDirectory, one.path)))
        .map((one) => `${path} → ${one.specifier}`),
    );
    expect(missing).toEqual([]);
  });

  test("there are no import cycles, types included", () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  test("every dynamic import names its file as a literal", () => {
    const hidden = sources.filter(({ text }) => /\bimport\((?!\s*")/.test(withoutComments(text))).map(({ path }) => path);
    expect(hidden).toEqual([]);
  });
});

describe("state and effects", () => {
  test("no module keeps mutable state", () => {
    const found = sources
      .filter(({ path }) => !(path in PERMITTED_MEMOS))
      .flatMap(({ path, text }) =>
        mutableState(withoutComments(text), (name) => importersOf(path, name)).map((what) => `${path}: ${what}`),
      );
    expect(found).toEqual([]);
  });

  test("no process.on outside the command line, no console outside the tools", () => {
    const found = sources.flatMap(({ path, text }) => {
      const code = withoutComments(text);
      const problems: string[] = [];
      if (/\bprocess\.(?:on|once|addListener|prependListener)\(/.test(code) && !path.startsWith("src/tools/cli/"))
        problems.push("process.on");
      if (/\bconsole\.\w/.test(code) && !path.startsWith("src/tools/")) problems.push("console");
      return problems.map((what) => `${path}: ${what}`);
    });
    expect(found).toEqual([]);
  });

  test("no work at import time outside the tools: no call stands at the left margin", () => {
    const found = sources
      .filter(({ path }) => !path.startsWith("src/tools/"))
      .flatMap(({ path, text }) =>
        [...withoutComments(text).matchAll(/^(?:await )?[A-Za-z_$][\w.$]*\(.*/gm)].map(([line]) => `${path}: ${line}`),
      );
    expect(found).toEqual([]);
  });
});

describe("files", () => {
  test("every file starts with a sentence that says why it exists", () => {
    const all = [...sources, ...sourcesIn(["test", "examples"])];
    const bare = all
      .filter(({ text }) => !/^(?:#!.*\n)?\/\*\*[\s*]*[A-Z`"'][\s\S]*?[.:][\s\S]*?\*\//.test(text))
      .map(({ path }) => path);
    expect(bare).toEqual([]);
  });

  test("the top of the repository holds only what the design names", () => {
    expect(topLevelNames().filter((name) => !TOP.includes(name))).toEqual([]);
  });
});

describe("these rules themselves", () => {
  test("see a core that imports the runtime, in every form an import can take", () => {
    const path = "src/core/net/bad.ts";
    const text = [
      `import "../../../runtime/a.ts";`,
      `import type { B } from "../../../runtime/b.ts";`,
      `import {\n  c,\n} from "../../../runtime/c.ts";`,
      `export * from "../../../runtime/d.ts";`,
      `const e = await import("../../../runtime/e.ts");`,
      `// import "../../../runtime/f.ts";`,
    ].join("\n");
    const wrong = wrongImports({ path, text, imports: importsOf(path, text) });
    expect(wrong.map((line) => line.slice(-4, -3)).sort()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("see a cycle", () => {
    const file = (path: string, to: string) => ({ path, text: "", imports: [{ specifier: to, path: to }] });
    expect(cyclesOf([file("a.ts", "b.ts"), file("b.ts", "a.ts")])).toEqual(["a.ts → b.ts → a.ts"]);
  });

  test.each([
    "let count = 0;",
    "export var last = null;",
    "const cache = new Map<string, number>();",
    "const seen = new WeakSet();",
    "export const list: string[] = [];",
    'export const names = ["a", "b"];\nexport const add = (name: string) => names.push(name);',
    "  static instances = 0;",
    "const table = { a: 1 };\nexport function put(key: string) {\n  table[key] = 1;\n}",
    "const NAMES = new Set([1]);\nNAMES.add(2);",
  ])("see mutable state in %j", (line) => {
    expect(mutableState(line)).not.toEqual([]);
  });

  test.each([
    'export const NAMES = ["a", "b"] as const;',
    'export const ROWS = [fn("a")];',
    "export const ROWS: readonly Row[] = [\n  fn(1),\n];",
    "const KEYS: ReadonlySet<string> = new Set([1]);",
    "  static readonly none = new Thing();",
    "  let inside = 1;",
  ])("accept %j", (line) => {
    expect(mutableState(line)).toEqual([]);
  });
});
