/** The host for programs inside other programs: what it gives by default, and what only on request. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { createHost, createInterpreter, type HostOptions, type Outcome, standard } from "../../src/index.ts";

async function run(text: string, options: HostOptions = {}): Promise<{ printed: string; outcome: Outcome }> {
  const chunks: Buffer[] = [];
  const host = createHost({ stdin: new PassThrough().end(), ...options }, { write: (bytes) => void chunks.push(bytes) });
  const interpreter = createInterpreter({ modules: [standard()], host });
  try {
    const outcome = await interpreter.run(text, { file: "embedded.basil" });
    return { printed: Buffer.concat(chunks).toString(), outcome };
  } finally {
    await interpreter.close();
    host.close();
  }
}

describe("a host for embedding", () => {
  test("takes single functions from the embedder: here, where output goes", async () => {
    expect(await run("PRINT 1 + 1")).toMatchObject({ printed: "2\n", outcome: { kind: "ended", exitCode: 0 } });
  });

  test.each(['x$ = READFILE$("x")', 'x$ = ENV$("HOME")', 'x = SHELL("true")', 'INCLUDE "other.basil"'])(
    "is a sandbox unless asked otherwise: %s fails",
    async (text) => {
      expect((await run(text)).outcome.kind).toMatch(/failed|rejected/);
    },
  );

  test("gives files below a directory when sandbox is false", async () => {
    const directory = mkdtempSync(join(tmpdir(), "basil-embed-"));
    try {
      writeFileSync(join(directory, "data.txt"), "data");
      const { printed } = await run('PRINT READFILE$("data.txt"); ENV$("COLOR")', {
        directory,
        sandbox: false,
        environment: { COLOR: "red" },
      });
      expect(printed).toBe("datared\n");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("passes arguments on", async () => {
    expect((await run("PRINT ARGS", { arguments: ["a", "b"] })).printed).toBe("[a, b]\n");
  });
});
