/** Finds the code in the guides: fenced blocks, with the output that the guide shows below them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "../../src/tools/build.ts";

/** One fenced block of a guide. */
export interface GuideBlock {
  /** `README.md:30`. */
  readonly place: string;
  readonly language: string;
  /** Words behind the language: `check` means that the block is not run, `fails` that it ends with an error. */
  readonly words: readonly string[];
  readonly code: string;
  /** The text block directly below, when there is one. */
  readonly output: string | undefined;
}

/** The guides: README.md and everything below docs, printed pages included. */
export const guides = (): string[] => [
  "README.md",
  ...readdirSync(join(projectDirectory, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .sort(),
];

/** All fenced blocks of a guide, in order. */
export function guideBlocks(path: string): GuideBlock[] {
  return blocksOf(path, readFileSync(join(projectDirectory, path), "utf8"));
}

/** The same for a text. A block of `text` belongs to the block above when only blank lines stand between. */
export function blocksOf(path: string, text: string): GuideBlock[] {
  const found = [...text.matchAll(/^```(\S+)([^\n]*)\n([\s\S]*?)^```$/gm)];
  return found.map((match, index) => {
    const [all, language = "", words = "", code = ""] = match;
    const next = found[index + 1];
    const isBelow = next?.[1] === "text" && text.slice(match.index + all.length, next.index).trim() === "";
    return {
      place: `${path}:${text.slice(0, match.index).split("\n").length}`,
      language,
      words: words.split(/\s+/).filter((word) => word !== ""),
      code,
      output: isBelow ? next[3] : undefined,
    };
  });
}
