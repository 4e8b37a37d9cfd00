/** The guides tell the truth: their programs run and print what the guide shows, their links lead somewhere. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import { BODY_OPTIONS, COMMAND_OPTIONS } from "../modules/obrien/class-options.ts";
import { RUNTIME_ERRORS } from "../src/core/obrien/runtime-errors.ts";
import { projectDirectory } from "../src/tools/build.ts";
import { stalePages } from "../src/tools/docgen/main.ts";
import { type CliResult, cliPath, runNode } from "./helpers/cli.ts";
import { blocksOf, type GuideBlock, guideBlocks, guides } from "./helpers/guide-code.ts";
import { basilInProcess } from "./helpers/in-process.ts";

const blocks = guides().flatMap(guideBlocks);
const blocksIn = (language: string) =>
  blocks.filter((block) => block.language === language).map((block) => [block.place, block] as const);

async function inEmptyDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "basil-guide-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A program runs with a job server of its own, as if saved beside nothing else. */
const runProgram = (block: GuideBlock): Promise<CliResult> =>
  inEmptyDirectory((directory) => {
    writeFileSync(join(directory, "guide.basil"), block.code);
    const command = block.words.includes("check") ? ["check"] : ["run", "--embedded", "--deadline-ms", "20000"];
    return basilInProcess([...command, "guide.basil"], { directory });
  });

/** TypeScript runs in a directory where the package is installed, as in the reader's own project. */
const runTypeScript = (block: GuideBlock): Promise<CliResult> =>
  inEmptyDirectory(async (directory) => {
    cliPath();
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(projectDirectory, join(directory, "node_modules/basil-gearman"), "dir");
    writeFileSync(join(directory, "guide.mjs"), (await transform(block.code, { loader: "ts", format: "esm" })).code);
    return runNode(["guide.mjs"], { directory });
  });

function expectAsShown(block: GuideBlock, result: CliResult): void {
  const code = block.words.includes("fails") ? 1 : 0;
  expect({ code: result.code, stderr: code === 0 ? result.stderr : "" }).toEqual({ code, stderr: "" });
  if (block.output !== undefined && !block.words.includes("check"))
    expect(result.stdout.toString() + (code ? result.stderr : "")).toBe(block.output);
}

describe("programs in the guides do what the guide says", () => {
  test.for(blocksIn("basil"))("%s", async ([, block]) => expectAsShown(block, await runProgram(block)));
});

describe("TypeScript in the guides does what the guide says", () => {
  test.for(blocksIn("ts"))("%s", async ([, block]) => expectAsShown(block, await runTypeScript(block)));
});

describe("pages", () => {
  test("printed ones are fresh: npm run docs changes nothing", async () => {
    expect(await stalePages()).toEqual([]);
  });

  test.for(guides())("%s links only to files that exist", (path) => {
    const text = readFileSync(join(projectDirectory, path), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map((match) => match[1]!);
    expect(targets.filter((target) => !existsSync(join(projectDirectory, dirname(path), target)))).toEqual([]);
  });

  test("the guide to OBRIEN names every class of errors that it gives, and every option of a class of jobs", () => {
    const text = readFileSync(join(projectDirectory, "docs/obrien.md"), "utf8");
    const names = [...Object.keys(RUNTIME_ERRORS), ...`${BODY_OPTIONS}, ${COMMAND_OPTIONS}`.split(", ")];
    expect(names.filter((name) => !text.includes(`${name}\``) && !text.includes(`"${name}"`))).toEqual([]);
  });

  test("the README names the two commands, each on one line", () => {
    const commands = blocksOf("README.md", readFileSync(join(projectDirectory, "README.md"), "utf8"))
      .filter((block) => block.language === "sh")
      .map((block) => block.code);
    expect(commands).toEqual(["npm ci && npm run demo\n", "npm ci && npm test\n"]);
  });
});
