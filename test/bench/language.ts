/**
 * The language benchmark, `npm run bench:language`: programs in Basil beside the same in JavaScript and other
 * languages, the start of a process, and the compiler. Options: `--quick`, `--only NAME` (a program, `start` or `compile`).
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildJavaScript, projectDirectory } from "../../src/tools/build.ts";
import { measureCompileSpeed } from "./language/compile-speed.ts";
import { print, Verdicts } from "./language/figures.ts";
import { PROGRAMS } from "./language/programs.ts";
import { measureSpeed } from "./language/speed.ts";
import { measureStartUp } from "./language/start-up.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, only: { type: "string" } } });
const { quick: isQuick, only } = values;
const names = [...PROGRAMS.map(({ name }) => name), "start", "compile"];
if (only !== undefined && !names.includes(only)) {
  process.stderr.write(`--only ${only}: there is ${names.join(", ")}\n`);
  process.exit(2);
}

/** Repeats of each part; the quick run only shows that everything works. */
const REPEATS = isQuick ? { speed: 1, start: 3, compile: 4 } : { speed: 5, start: 25, compile: 16 };
const QUICK_SHARE = 0.1;

/** Progress on one line of a terminal, which the next text replaces; an empty text clears it. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

const workDirectory = mkdtempSync(join(tmpdir(), "language-bench-"));
try {
  // A copy, so that a build meanwhile does not change what is measured.
  await buildJavaScript();
  const distDirectory = join(workDirectory, "dist");
  cpSync(join(projectDirectory, "dist"), distDirectory, { recursive: true });
  writeFileSync(join(workDirectory, "package.json"), '{ "type": "module" }\n');
  print(`Node.js ${process.version}, ${cpus().length} processors (${cpus()[0]?.model ?? "unknown"})`);
  const verdicts = new Verdicts(isQuick);
  if (only === undefined || PROGRAMS.some(({ name }) => name === only)) {
    const share = isQuick ? QUICK_SHARE : 1;
    measureSpeed({ repeats: REPEATS.speed, share, only, distDirectory, onProgress: showProgress }, verdicts);
    print();
  }
  if (only === undefined || only === "start") {
    measureStartUp({ repeats: REPEATS.start, distDirectory, workDirectory }, verdicts);
    print();
  }
  if (only === undefined || only === "compile") {
    measureCompileSpeed({ repeats: REPEATS.compile, distDirectory, workDirectory }, verdicts);
  }
  process.exitCode = verdicts.summary();
} finally {
  rmSync(workDirectory, { recursive: true, force: true });
}
