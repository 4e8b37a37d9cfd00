/**
 * What a package says about itself: its age, its dependencies, its types. The age is that of its newest file, because
 * the date that `npm view` prints is, behind a mirror of the registry, the mirror's own.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Library } from "./libraries.ts";
import type { Findings } from "./probes.ts";

/** The parts of a package.json that are looked at. */
interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly types?: string;
  readonly typings?: string;
}

/** npm gives the files of newer packages a date in this year in place of their own. */
const NPM_YEAR = "1985";

/** The facts about a library whose package.json lies in `directory`. */
export function factsOf(library: Library, directory: string): Findings {
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
  const hasTypes = [manifest.types, manifest.typings, "index.d.ts"].some((path) => path && existsSync(join(directory, path)));
  return {
    version: library.version,
    "newest file": library.isPackage ? newestFile(library, directory) : "",
    "direct dependencies": String(Object.keys(manifest.dependencies ?? {}).length),
    "TypeScript types": hasTypes ? "yes" : "no",
  };
}

/** The date of the newest file in the package as it is published. */
function newestFile({ name, version }: Library, directory: string): string {
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const archive = run("npm", ["pack", "--silent", `${name}@${version}`]).trim();
  const dates = run("tar", ["-tzvf", archive]).match(/\d{4}-\d{2}-\d{2}/g) ?? [];
  const newest = dates.toSorted().at(-1) ?? "";
  return newest.startsWith(NPM_YEAR) ? "not kept" : newest;
}
