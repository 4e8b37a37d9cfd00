/** The code cache of the command: it makes starts sooner and nothing else. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodeCache } from "../../../src/tools/start/code-cache.ts";
import { cliPath, runNode } from "../../helpers/cli.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "code-cache-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const TEXT = "(function add(a, b) { return a + b; })";

/** Compiles the text with what a cache holds of it, and keeps what came of it. */
function use(path: string, name = "add.js"): { isFromCache: boolean; sum: unknown } {
  const cache = new CodeCache(path);
  const cachedData = cache.get(name);
  const script = new Script(TEXT, { filename: name, ...(cachedData && { cachedData }) });
  cache.compiled(name, script);
  const sum = (script.runInThisContext() as (a: number, b: number) => number)(1, 2);
  cache.save();
  return { isFromCache: cachedData !== undefined && script.cachedDataRejected === false, sum };
}

describe("the cache", () => {
  test("gives back what was compiled, to later processes as well", () => {
    const path = join(place, "deep/er/code");
    expect(use(path)).toEqual({ isFromCache: false, sum: 3 });
    expect(use(path)).toEqual({ isFromCache: true, sum: 3 });
  });

  test("keeps the pieces of files that this process did not load", () => {
    const path = join(place, "code");
    use(path, "one.js");
    use(path, "two.js");
    expect(use(path, "one.js").isFromCache).toBe(true);
  });

  test.each([
    ["is damaged", (bytes: Buffer) => bytes.fill(7, bytes.length - 20)],
    ["is cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
    ["has a block of zeros", (bytes: Buffer) => bytes.fill(0, bytes.length - 300, bytes.length - 40)],
    [
      "has a single wrong bit",
      (bytes: Buffer) => {
        bytes[bytes.length - 101]! ^= 0x10;
        return bytes;
      },
    ],
    ["is empty", () => Buffer.alloc(0)],
    ["is something else", () => Buffer.from("hello\nworld")],
  ])("that %s is not used, and written anew", (_, spoil) => {
    const path = join(place, "code");
    use(path);
    writeFileSync(path, spoil(readFileSync(path)));
    expect(use(path)).toEqual({ isFromCache: false, sum: 3 });
    expect(use(path)).toEqual({ isFromCache: true, sum: 3 });
  });

  test("that cannot be written changes nothing", () => {
    writeFileSync(join(place, "file"), "");
    expect(use(join(place, "file/code"))).toEqual({ isFromCache: false, sum: 3 });
  });
});

describe("the command", () => {
  const codeFiles = () =>
    readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => /code-[0-9a-f]{16}-main-node/.test(name));

  test("keeps its code for its user alone, and does without when told so", async () => {
    const program = join(place, "hello.basil");
    writeFileSync(program, 'PRINT "hello"');
    const options = { environment: { XDG_CACHE_HOME: join(place, "cache") } };
    const without = await runNode(["--stack-size=7000", cliPath(), "run", "--no-cache", program], options);
    expect([String(without.stdout), codeFiles()]).toEqual(["hello\n", []]);
    const first = await runNode(["--stack-size=7000", cliPath(), "run", program], options);
    expect(String(first.stdout)).toBe("hello\n");
    const [name = ""] = codeFiles();
    expect(statSync(join(place, name)).mode & 0o777).toBe(0o600);
    const second = await runNode(["--stack-size=7000", cliPath(), "run", program], options);
    expect([String(second.stdout), second.stderr, codeFiles()]).toEqual(["hello\n", "", [name]]);
  });
});
