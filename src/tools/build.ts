/**
 * Makes dist: the library as bundled ESM, the `basil` command as bundled CommonJS, both with their npm dependencies
 * inside, and type declarations. The command is CommonJS because that starts sooner, and because what V8 has compiled
 * of it can be kept (`start/load.ts`).
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle, type OutputFile, transform } from "esbuild";

/** The library's entries: one file each, and chunks that several of them share or load on use. */
const LIBRARY = {
  index: "src/index.ts",
  gearman: "src/core/gearman/index.ts",
  obrien: "src/core/obrien/index.ts",
} as const;

/** The commands: a first file each, and what it loads. */
const COMMANDS = {
  cli: { start: "src/tools/cli/start.ts", chunks: { "chunks/main": "src/tools/cli/main.ts" } },
  "obrien-worker": {
    start: "src/tools/obrien-worker/start.ts",
    chunks: { "chunks/obrien-job": "src/tools/obrien-worker/main.ts" },
  },
} as const;

/** What tells node, and TypeScript, which files are CommonJS. */
const MARKERS = { "package.json": '{ "type": "commonjs" }\n', "types/package.json": '{ "type": "module" }\n' } as const;

/** Dependencies that stay outside: they bring native code. */
const EXTERNAL = ["libsql"];

/** CommonJS parts of dependencies call `require` for Node's own modules. */
const REQUIRE_FOR_COMMONJS = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`;

/** The project's own directory. */
export const projectDirectory = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Writes the JavaScript part of dist, only the files that changed, each in one step: programs may be running from it.
 * Files of earlier builds stay; `removeStale` is for a build nobody else uses meanwhile.
 */
export async function buildJavaScript(options: { removeStale?: boolean } = {}): Promise<void> {
  const dist = join(projectDirectory, "dist");
  const written = new Set<string>();
  for (const { path, contents } of [...(await buildLibrary(dist)), ...(await buildCommands(dist)), ...markers(dist)]) {
    written.add(path);
    await writeWhenChanged(path, contents);
  }
  await chmod(join(dist, "cli.js"), 0o755);
  if (options.removeStale) for (const directory of [dist, join(dist, "chunks")]) await removeOthers(directory, written);
}

type Output = Pick<OutputFile, "path" | "contents">;

async function bundled(entryPoints: Record<string, string>, outdir: string, extension: ".mjs" | ".js"): Promise<OutputFile[]> {
  const { outputFiles } = await bundle({
    absWorkingDir: projectDirectory,
    entryPoints,
    outdir,
    outExtension: { ".js": extension },
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: EXTERNAL,
    // Names stay, so that stacks can be read; half the text to parse makes a program start sooner.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: extension === ".mjs" ? true : "inline",
    sourcesContent: false,
    legalComments: "linked",
    ...(extension === ".mjs" && { banner: { js: REQUIRE_FOR_COMMONJS } }),
    logLevel: "silent",
    write: false,
  });
  return outputFiles;
}

const buildLibrary = (dist: string): Promise<OutputFile[]> => bundled(LIBRARY, dist, ".mjs");

/**
 * Bundles split as ESM only, so each part becomes CommonJS afterwards. Commands share no parts: one that needs little is
 * then in few files, which starts sooner.
 */
async function buildCommands(dist: string): Promise<Output[]> {
  const bundles = await Promise.all(Object.values(COMMANDS).map(({ chunks }) => bundled(chunks, dist, ".js")));
  const parts = (await Promise.all(bundles.flat().map(commonJs))).flat();
  const hash = createHash("sha256");
  for (const { contents } of parts) hash.update(contents);
  return [...parts, ...(await firstFiles(dist, hash.digest("hex").slice(0, 16)))];
}

/** The files that commands start with, which know what they load. */
async function firstFiles(outdir: string, buildId: string): Promise<OutputFile[]> {
  const { outputFiles } = await bundle({
    absWorkingDir: projectDirectory,
    entryPoints: Object.fromEntries(Object.entries(COMMANDS).map(([name, { start }]) => [name, start])),
    outdir,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    define: { BUILD_ID: JSON.stringify(buildId) },
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: "silent",
    write: false,
  });
  return outputFiles;
}

async function commonJs({ path, text, contents }: OutputFile): Promise<Output[]> {
  if (!path.endsWith(".js")) return [{ path, contents }];
  const { code, map } = await transform(text, {
    sourcefile: path,
    format: "cjs",
    platform: "node",
    target: "node20",
    // `import()` becomes `require()`.
    supported: { "dynamic-import": false },
    define: { "import.meta.filename": "__filename" },
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: "external",
    sourcesContent: false,
  });
  const link = `//# sourceMappingURL=${basename(path)}.map\n`;
  return [
    { path, contents: Buffer.from(code + link) },
    { path: `${path}.map`, contents: Buffer.from(map) },
  ];
}

const markers = (dist: string): Output[] =>
  Object.entries(MARKERS).map(([name, text]) => ({ path: join(dist, name), contents: Buffer.from(text) }));

async function writeWhenChanged(path: string, contents: Uint8Array): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(contents)) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, contents);
  if (path.endsWith("cli.js")) await chmod(temporary, 0o755);
  await rename(temporary, path);
}

async function removeOthers(directory: string, keep: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name);
    if (entry.isFile() && !keep.has(path)) await rm(path, { force: true });
  }
}

/** Writes dist/types: what the entries export, as declarations. Rejects when the types do not fit. */
export function buildTypes(): Promise<void> {
  const tsc = join(projectDirectory, "node_modules/typescript/bin/tsc");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, "-p", "src/tools/tsconfig.types.json"], {
      cwd: projectDirectory,
      stdio: "inherit",
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`tsc -p src/tools/tsconfig.types.json ended with ${code}`)),
    );
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    await Promise.all([buildJavaScript({ removeStale: true }), buildTypes()]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
