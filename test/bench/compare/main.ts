/**
 * `npm run compare:gearman`: installs the other Gearman packages of npm into a temporary directory, asks each, our own,
 * and the libraries of PHP and Perl where they are installed the same questions, and prints the answers as Markdown.
 * Each answer comes from processes of their own with a deadline: one that hangs or crashes is an answer too.
 * Options: `--only=NAME` for one library.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildJavaScript, projectDirectory } from "../../../src/tools/build.ts";
import { hasGearmand } from "../../helpers/gearmand.ts";
import { factsOf } from "./facts.ts";
import { type Library, librariesOf, PACKAGES } from "./libraries.ts";
import { asClient, asWorker, type Findings, medians, speed } from "./probes.ts";
import { tableOf } from "./report.ts";

const sources = fileURLToPath(new URL(".", import.meta.url));

/** Rounds of the speed measurement; medians are reported. */
const ROUNDS = 3;

/** Puts the packages, without running their scripts, and the peer that uses them into a directory. */
async function prepare(installed: string): Promise<void> {
  const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const options = ["--prefix", installed, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", ["install", ...options, ...packages], { stdio: ["ignore", "ignore", "inherit"] });
  await buildJavaScript();
  await build({
    entryPoints: [join(sources, "peer.ts")],
    outfile: join(installed, "peer.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
}

/** Asks every library one kind of question, one library after the other. */
async function each(
  libraries: readonly Library[],
  ask: (library: Library) => Findings | Promise<Findings>,
): Promise<Map<string, Findings>> {
  const rows = new Map<string, Findings>();
  for (const library of libraries) {
    process.stderr.write(`${ask.name} ${library.name}\n`);
    rows.set(library.name, await ask(library));
  }
  return rows;
}

function machine(): string {
  const [processor] = cpus();
  const server = execFileSync("gearmand", ["--version"], { encoding: "utf8" }).match(/\d+(?:\.\d+)+/)?.[0];
  const load = loadavg()[0]!.toFixed(1);
  return `${cpus().length} processors (${processor?.model.trim()}), load average ${load}, Node.js ${process.versions.node}, gearmand ${server}`;
}

async function main(installed: string): Promise<void> {
  await prepare(installed);
  const { version } = JSON.parse(readFileSync(join(projectDirectory, "package.json"), "utf8")) as { version: string };
  const all = librariesOf(version, { built: join(projectDirectory, "dist"), installed, sources });
  const only = process.argv.find((argument) => argument.startsWith("--only="))?.slice("--only=".length);
  const libraries = all.filter((library) => only === undefined || library.name === only);
  const ours = all[0]!;
  const facts = (library: Library): Findings => {
    if (library === ours) return factsOf(library, projectDirectory);
    return library.isPackage ? factsOf(library, join(installed, "node_modules", library.name)) : { version: library.version };
  };
  const speeds = (library: Library) => speed(library, ours);
  const clients = (library: Library) => asClient(library, ours);
  const workers = (library: Library) => asWorker(library);
  console.log(`${new Date().toISOString().slice(0, 10)}, ${machine()}\n`);
  console.log(tableOf("Facts", await each(libraries, facts)));
  // The libraries take turns, so that a busy moment of the machine is not one library's.
  const rounds: Map<string, Findings>[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await each(libraries, speeds));
  const middle = libraries.map(({ name }): [string, Findings] => [name, medians(rounds.map((round) => round.get(name)!))]);
  console.log(tableOf("Speed", new Map(middle)));
  console.log(tableOf("Clients, with our worker", await each(libraries, clients)));
  console.log(tableOf("Workers, with our client", await each(libraries, workers)));
}

if (!hasGearmand()) throw new Error("gearmand is not installed: apt-get install gearman-job-server");
const directory = mkdtempSync(join(tmpdir(), "gearman-compare-"));
try {
  await main(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
