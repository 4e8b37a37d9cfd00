/** Compiled programs that are kept between runs: never wrong, whatever happens to the entries or the files. */
import { describe, expect, test } from "vitest";
import { standard } from "../../modules/standard/index.ts";
import type { FileHost } from "../../runtime/capabilities.ts";
import { createInterpreter } from "../../runtime/interpreter.ts";
import type { ProgramCache } from "../../runtime/program-cache.ts";
import { createHost } from "../../src/tools/embedding.ts";

/** A cache in memory that counts what it is asked. */
function memory() {
  const entries = new Map<string, string>();
  const counts = { hits: 0, misses: 0, writes: 0 };
  const cache: ProgramCache = {
    read(key) {
      const text = entries.get(key);
      if (text === undefined) counts.misses += 1;
      else counts.hits += 1;
      return text;
    },
    write(key, text) {
      counts.writes += 1;
      entries.set(key, text);
    },
  };
  return { cache, counts, entries };
}

/** Runs a program with a cache and gives what it prints. */
async function outputOf(source: string, cache: ProgramCache, texts: Record<string, string> = {}): Promise<string> {
  let output = "";
  const files = {
    resolve: (path: string) => path,
    readFile(path: string) {
      const text = texts[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return Buffer.from(text);
    },
  } as Partial<FileHost> as FileHost;
  const host = createHost({}, { files, write: (bytes) => void (output += bytes) });
  const interpreter = createInterpreter({ modules: [standard()], host, cache });
  const outcome = await interpreter.run(source, { file: "main.basil" });
  await interpreter.close();
  host.close();
  if (outcome.kind === "failed")
    return `${output}${outcome.error.message} at ${outcome.error.place?.source.position(outcome.error.place.span.start).line}`;
  return outcome.kind === "ended" ? output : outcome.kind;
}

describe("the program cache", () => {
  test("keeps a program, and a kept one does the same", async () => {
    const { cache, counts } = memory();
    const source = 'FUNC f(n)\nRETURN n * 2\nEND FUNC\nDATA 4\nREAD x\nPRINT f(x); EVAL("x + 1")';
    expect(await outputOf(source, cache)).toBe("85\n");
    expect(await outputOf(source, cache)).toBe("85\n");
    expect(counts).toEqual({ hits: 1, misses: 1, writes: 1 });
  });

  test("errors of a kept program have their place", async () => {
    const { cache } = memory();
    const source = "PRINT 1\nPRINT 1 + NULL";
    const first = await outputOf(source, cache);
    expect(first).toBe("1\nexpected number at 2");
    expect(await outputOf(source, cache)).toBe(first);
  });

  test("another text, another file name or other rows are another entry", async () => {
    const { cache, counts } = memory();
    await outputOf("PRINT 1", cache);
    await outputOf("PRINT 2", cache);
    expect(counts).toEqual({ hits: 0, misses: 2, writes: 2 });
  });

  test("a changed INCLUDE is noticed, a missing one is reported as ever", async () => {
    const { cache } = memory();
    const source = 'INCLUDE "part.basil"\nPRINT part()';
    const part = (n: number): Record<string, string> => ({ "part.basil": `FUNC part()\nRETURN ${n}\nEND FUNC` });
    expect(await outputOf(source, cache, part(1))).toBe("1\n");
    expect(await outputOf(source, cache, part(2))).toBe("2\n");
    expect(await outputOf(source, cache, part(2))).toBe("2\n");
    expect(await outputOf(source, cache)).toBe("rejected");
  });

  test.each([
    ["cut off", (text: string) => text.slice(0, text.length / 2)],
    ["emptied", () => ""],
    ["changed in one character", (text: string) => text.replace("print(", "pr1nt(")],
    ["something else", () => "{}"],
  ])("an entry that was %s is not used, and made anew", async (_, damage) => {
    const { cache, entries } = memory();
    await outputOf("PRINT 7", cache);
    for (const [key, text] of entries) entries.set(key, damage(text));
    expect(await outputOf("PRINT 7", cache)).toBe("7\n");
    expect(await outputOf("PRINT 7", cache)).toBe("7\n");
  });

  test("a program with errors is not kept", async () => {
    const { cache, counts } = memory();
    expect(await outputOf("PRINT (", cache)).toBe("rejected");
    expect(counts.writes).toBe(0);
  });
});
