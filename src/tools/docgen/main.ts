/** `npm run docs`: writes the pages that are printed from tables; with --check, only says which are stale. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectDirectory } from "../build.ts";
import { printedPages } from "./pages.ts";

/** Paths of printed pages that do not have today's text. */
export async function stalePages(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, text] of printedPages()) {
    const present = await readFile(join(projectDirectory, path), "utf8").catch(() => "");
    if (present !== text) stale.push(path);
  }
  return stale;
}

async function writePages(): Promise<void> {
  for (const [path, text] of printedPages()) {
    await mkdir(dirname(join(projectDirectory, path)), { recursive: true });
    await writeFile(join(projectDirectory, path), text);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const stale = await stalePages();
  if (!process.argv.includes("--check")) await writePages();
  else if (stale.length > 0) {
    console.error(`These pages are not what the tables say: ${stale.join(", ")}. Run: npm run docs`);
    process.exitCode = 1;
  }
}
