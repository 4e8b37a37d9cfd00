/** The progress line of `basil obrien run`: one line, rewritten, on a terminal only. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { runCommandLine } from "../../../../src/tools/cli/command-line.ts";
import { ProgressLine } from "../../../../src/tools/cli/obrien/progress.ts";

class Terminal extends Writable {
  readonly isTTY = true;
  columns = 80;
  text = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** What was drawn, each time the line was begun anew. */
  get drawn(): string[] {
    return this.text.split("\r\x1b[K").slice(1);
  }
}

const large = { running: 16, pending: 1_000_000_000_000, done: 1_000_000_000_000, failed: 1_000_000_000_000 };

test.each([80, 40, 200])("on %i columns it leaves the last one free, and never takes more than 79", (columns) => {
  const output = Object.assign(new Terminal(), { columns });
  const line = new ProgressLine({ output, take: () => large, now: () => 0 });
  line.close();
  expect(output.drawn[0]).toMatch(/^16 running, 1000000000000 pending/);
  expect(output.drawn[0]!.length).toBeLessThan(Math.min(columns, 80));
});

test("on a terminal that does not know its width it takes 80 columns to be there", () => {
  const output = Object.assign(new Terminal(), { columns: 0 });
  new ProgressLine({ output, take: () => large, now: () => 0 }).close();
  expect(output.drawn[0]).toMatch(/^16 running, 1000000000000 pending/);
});

test("it tells the speed of the last seconds once a second has passed", () => {
  let nowMs = 0;
  let done = 0;
  const output = new Terminal();
  const line = new ProgressLine({ output, take: () => ({ running: 1, pending: 2, done, failed: 0 }), now: () => nowMs });
  [nowMs, done] = [2000, 7];
  line.draw();
  [nowMs, done] = [4000, 207];
  line.draw();
  [nowMs, done] = [20_000, 207];
  line.draw();
  line.close();
  expect(output.drawn.map((text) => text.split(", ")[4] ?? "")).toEqual(["", "3.5 a second", "52 a second", "", ""]);
});

test("other lines stand above it, and it is gone at the end", () => {
  const output = new Terminal();
  const line = new ProgressLine({ output, take: () => ({ running: 0, pending: 0, done: 0, failed: 0 }), now: () => 0 });
  line.above("news");
  line.close();
  expect(output.drawn).toEqual([
    "0 running, 0 pending, 0 done, 0 failed",
    "news\n",
    "0 running, 0 pending, 0 done, 0 failed",
    "",
  ]);
});

test("run draws it on a terminal", async () => {
  const directory = mkdtempSync(join(tmpdir(), "basil-progress-"));
  try {
    const [stdout, stderr] = [new Terminal(), new Terminal()];
    const environment = { PATH: process.env["PATH"] };
    const context = { stdin: Readable.from(["1\n2\n"]), stdout, stderr, directory, environment, isColored: false };
    await runCommandLine(["obrien", "enqueue", "a", "--lines"], context);
    expect(await runCommandLine(["obrien", "run", "--class", "a=true"], context)).toBe(0);
    expect(stderr.drawn[0]).toBe("0 running, 2 pending, 0 done, 0 failed");
    expect(stderr.drawn.at(-1)).toBe("");
    expect(stdout.text).toContain("2 done, 0 failed\n");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
