/** Makes dist: bundled ESM with its npm dependencies inside, the `basil` command, and type declarations. */
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";

/** What dist holds: one file an entry, and chunks that several of them share or load on use. */
const ENTRIES = {
  index: "src/index.ts",
  gearman: "src/core/gearman/index.ts",
  cli: "src/tools/cli/main.ts",
} as const;

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
  const result = await bundle({
    absWorkingDir: projectDirectory,
    entryPoints: ENTRIES,
    outdir: dist,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // Native code cannot be bundled; it is loaded only by programs that store something.
    external: ["libsql"],
    // Names stay, so that stacks can be read; half the text to parse makes a program start sooner.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: "linked",
    banner: { js: REQUIRE_FOR_COMMONJS },
    logLevel: "silent",
    write: false,
  });
  const written = new Set<string>();
  for (const file of result.outputFiles) {
    written.add(file.path);
    await writeWhenChanged(file.path, file.contents);
  }
  await chmod(join(dist, "cli.js"), 0o755);
  if (options.removeStale) await removeOthers(join(dist, "chunks"), written);
}

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
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    if (!keep.has(path)) await rm(path, { force: true });
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
