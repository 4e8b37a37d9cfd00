/** Where the program of a job is looked for. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CliContext } from "../../../../src/tools/cli/context.ts";
import { findProgram } from "../../../../src/tools/cli/gearman/work-program.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-path-"));
  for (const name of ["good", "closed"]) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, "tool"), "#!/bin/sh\n", { mode: name === "good" ? 0o755 : 0o644 });
  }
  symlinkSync("loop", join(directory, "loop"));
  chmodSync(join(directory, "closed"), 0);
});
afterAll(() => {
  chmodSync(join(directory, "closed"), 0o700);
  rmSync(directory, { recursive: true });
});

function contextWith(path: string): CliContext {
  const stream = new PassThrough();
  return { stdin: stream, stdout: stream, stderr: stream, directory, environment: { PATH: path }, isColored: false };
}

describe("a program is looked for in the rest of PATH after", () => {
  test.each([
    ["a directory that may not be searched", "closed"],
    ["a link to itself", "loop"],
    ["a name that is too long", "x".repeat(5000)],
    ["a directory that is not there", "nowhere"],
  ])("%s", (_, folder) => {
    expect(findProgram("tool", contextWith(`${folder}:good`))).toBe(join(directory, "good/tool"));
    expect(() => findProgram("tool2", contextWith(`${folder}:good`))).toThrow("there is no such program in PATH");
  });
});
