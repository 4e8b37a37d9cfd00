/** `basil gearman` for administrators: what it prints for people and as JSON, several servers, servers that are down. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { GearmanClient } from "../../../../src/core/gearman/client.ts";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { basil } from "../../../helpers/cli.ts";
import { hasGearmand, startGearmand } from "../../../helpers/gearmand.ts";
import { basilInProcess } from "../../../helpers/in-process.ts";
import { type Replies, startTextServer } from "./text-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const DOWN = "127.0.0.1:1";

/** Runs `basil gearman`. */
async function gearman(...args: string[]) {
  const { code, stdout, stderr } = await basilInProcess(["gearman", ...args]);
  return { code, stdout: stdout.toString(), stderr };
}

async function fake(replies: Replies) {
  const made = await startTextServer(replies);
  cleanups.push(() => made.close());
  return made;
}

/** Our own server, with some background jobs of these functions. */
async function served(...names: string[]) {
  const server = new GearmanServer();
  cleanups.push(() => server.close());
  const { host, port } = await server.listen();
  const name = `${host}:${port}`;
  const client = new GearmanClient({ servers: [name] });
  cleanups.push(() => client.close());
  const handles: string[] = [];
  for (const one of names) handles.push((await client.submitBackground({ name: one, unique: `u-${one}` })).handle);
  return { server: name, handles };
}

const longLines = (text: string) => text.split("\n").filter((line) => line.length > 80);

describe("help", () => {
  const COMMANDS = "status workers jobs cancel create drop maxqueue echo version top doctor".split(" ");

  test.each([[], ...COMMANDS.map((name) => [name])])("of %s fits 80 columns", async (...names) => {
    const { code, stdout, stderr } = await gearman(...names, "--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: basil gearman/);
    expect(longLines(stdout)).toEqual([]);
  });

  test("without a command is the help, with examples and every command, as wrong usage", async () => {
    const { code, stdout, stderr } = await gearman();
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const name of COMMANDS) expect(stderr).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
    expect(stderr).toContain("Examples:\n");
  });

  test.each([
    [["fly"], "unknown command 'fly'"],
    [["cancel"], "missing required argument 'handle'"],
    [["cancel", "17", "--servers", DOWN], "handles start with H:"],
    [
      ["cancel", "127.0.0.1:1//H:x:1", "--servers", "a,b"],
      "the server of 127.0.0.1:1//H:x:1 is not among those asked (a:4730,b:4730): add --servers 127.0.0.1:1\n",
    ],
    [["fly"], "\nTry: basil gearman help\n"],
    [["cancel"], "\nTry: basil gearman help cancel\n"],
    [["serve", "--fast"], "\nTry: basil gearman help serve\n"],
    [["status", "--servers", "a:b"], 'server "a:b" has the port "b"'],
    [["status", "--timeout-ms", "0"], "Give a whole number from 1."],
    [["maxqueue", "f", "many"], '"many" is no limit'],
    [["maxqueue", "f", "1", "2"], "one limit, or three"],
    [["maxqueue", "f", "2147483648", "--servers", DOWN], "2147483648"],
    [["create", "two words", "--servers", DOWN], "has a blank"],
    [["top", "--interval", "0"], "Give a number of seconds"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, stdout, stderr } = await gearman(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("status", () => {
  const LONG = `shop.${"very.".repeat(20)}long.name.resize`;

  test("is a table by name, in 80 columns: long names lose their middle, control characters are written out", async () => {
    const { server } = await fake({ status: `zoo\t3\t1\t2\n${LONG}\t12345678\t0\t0\n\x1b[2Ja\tb\t0\t0\t1\n函数\t1\t0\t1\n.\n` });
    const { code, stdout } = await gearman("status", "--servers", server);
    expect(code).toBe(0);
    expect(longLines(stdout)).toEqual([]);
    expect(stdout).toMatch(
      /^FUNCTION +QUEUED +RUNNING +WORKERS\n\\u\{1b\}\[2Ja\\tb +0 +0 +1\nshop\.very\.very.*….*resize +12345678 +0 +0\nzoo +2 +1 +2\n函数 +1 +0 +1\n$/,
    );
    expect((await gearman("status", "--wide", "--servers", server)).stdout).toContain(`\n${LONG}  `);
  });

  test("has waiting jobs by priority when asked", async () => {
    const { server } = await fake({ status: "f\t6\t0\t1\n.\n", prioritystatus: "f\t1\t2\t3\t1\n.\n" });
    const { stdout } = await gearman("status", "--priorities", "--servers", server);
    expect(stdout).toBe(
      "FUNCTION  QUEUED  RUNNING  WORKERS  HIGH  NORMAL  LOW\nf              6        0        1     1       2    3\n",
    );
    const { stdout: json } = await gearman("status", "--priorities", "--json", "--servers", server);
    const [entry] = JSON.parse(json).servers;
    expect(entry.functions).toEqual([{ name: "f", total: 6, running: 0, workers: 1, queued: 6, high: 1, normal: 2, low: 3 }]);
  });

  test("names each of several servers; one that is down is told on stderr and by the exit code", async () => {
    const [a, b] = [await fake({ status: "f\t1\t0\t1\n.\n" }), await fake({})];
    const { code, stdout, stderr } = await gearman("status", "--servers", `${a.server},${DOWN},${b.server}`);
    expect(stdout).toBe(
      `${a.server}\nFUNCTION  QUEUED  RUNNING  WORKERS\nf              1        0        1\n\n${b.server}\nNo functions are known.\n`,
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: `basil: cannot ask ${DOWN}: connection refused\n` });
  });

  test("as JSON has an entry for each server, with its functions or its error", async () => {
    const { server } = await fake({ status: "a\tb\t3\t1\t2\n.\n" });
    const { code, stdout } = await gearman("status", "--json", "--servers", `${server},${DOWN}`);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      servers: [
        { server, functions: [{ name: "a\tb", total: 3, running: 1, workers: 2, queued: 2 }] },
        { server: DOWN, error: { kind: "IO", message: `cannot ask ${DOWN}: connection refused` } },
      ],
    });
  });

  test("asks the servers of the environment, or of the nearest configuration file, and of --servers before both", async () => {
    const [a, b, c] = [await fake({ status: "a\t0\t0\t0\n.\n" }), await fake({ status: "b\t0\t0\t0\n.\n" }), await fake({})];
    const directory = mkdtempSync(join(tmpdir(), "basil-gearman-"));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, ".basil-gearman.toml"), `servers = ["${a.server}"]\n`);
    const names = async (args: string[], environment: Record<string, string>) => {
      const { stdout } = await basilInProcess(["gearman", "status", "--json", ...args], { directory, environment });
      return JSON.parse(stdout.toString()).servers.map(({ server }: { server: string }) => server);
    };
    expect(await names([], {})).toEqual([a.server]);
    expect(await names([], { GEARMAN_SERVERS: b.server })).toEqual([b.server]);
    expect(await names(["--servers", c.server], { GEARMAN_SERVERS: b.server })).toEqual([c.server]);
  });

  test("of a server that never answers ends after --timeout-ms", async () => {
    const { server } = await fake({ status: "" });
    const { code, stderr } = await gearman("status", "--timeout-ms", "50", "--servers", server);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `basil: no answer from ${server} to status within 50 ms\n` });
  });
});

describe("workers", () => {
  const REPLIES = { workers: "30 127.0.0.1 - :\n31 ::1 my worker : send app::resize\n.\n" };

  test("shows who can do what, and with --all also clients", async () => {
    const { server } = await fake(REPLIES);
    const { stdout } = await gearman("workers", "--servers", server);
    expect(stdout).toBe("ID  ADDRESS  NAME       FUNCTIONS\n31  ::1      my worker  send app::resize\n");
    expect((await gearman("workers", "--all", "--servers", server)).stdout).toContain("\n30  127.0.0.1  -");
    expect((await gearman("workers", "--servers", (await fake({})).server)).stdout).toBe("No workers are connected.\n");
  });

  test("as JSON", async () => {
    const { server } = await fake(REPLIES);
    const { stdout } = await gearman("workers", "--json", "--servers", server);
    const connections = [{ fd: 31, address: "::1", clientId: "my worker", functions: ["send", "app::resize"] }];
    expect(JSON.parse(stdout)).toEqual({ servers: [{ server, connections }] });
  });

  test("cuts long lists of functions at their end", async () => {
    const { server } = await fake({ workers: `31 127.0.0.1 w : ${"some.function ".repeat(50).trim()}\n.\n` });
    const { stdout } = await gearman("workers", "--servers", server);
    expect(longLines(stdout)).toEqual([]);
    expect(stdout).toMatch(/some\.function some.*…\n$/);
  });
});

describe("jobs", () => {
  test("are listed with what is known of them, or by their uniques", async () => {
    const { server } = await fake({
      "show jobs": "H:a:1\t0\t0\t1\nH:a:2\t3\t1\t0\n.\n",
      "show unique jobs": "one\n\n.\n",
    });
    const { stdout } = await gearman("jobs", "--servers", server);
    expect(stdout).toBe(`\
RETRIES  KIND        STATE    HANDLE
      0  background  -        H:a:1
      3  foreground  ignored  H:a:2
`);
    expect((await gearman("jobs", "--uniques", "--servers", server)).stdout).toBe("one\n\n");
    const { stdout: json } = await gearman("jobs", "--json", "--servers", server);
    expect(JSON.parse(json)).toEqual({
      servers: [
        {
          server,
          jobs: [
            { handle: "H:a:1", retries: 0, isIgnored: false, isBackground: true },
            { handle: "H:a:2", retries: 3, isIgnored: true, isBackground: false },
          ],
        },
      ],
    });
    const uniques = await gearman("jobs", "--uniques", "--json", "--servers", server);
    expect(JSON.parse(uniques.stdout).servers[0].uniques).toEqual(["one", ""]);
  });

  test("of several servers stand under their names, and one that is down does not hide the next", async () => {
    const [a, b] = [await fake({}), await fake({ "show jobs": "H:b:1\t0\t0\t1\n.\n" })];
    const { code, stdout, stderr } = await gearman("jobs", "--servers", `${a.server},${DOWN},${b.server}`);
    expect(stdout).toMatch(/^127.0.0.1:\d+\nNo jobs are there.\n\n127.0.0.1:\d+\nRETRIES .*\n.* H:b:1\n$/);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `basil: cannot ask ${DOWN}: connection refused\n` });
  });

  test("as JSON keep what came before a server broke off", async () => {
    const [a, b] = [await fake({ "show jobs": "H:a:1\t0\t0\t1\nH:a" }), await fake({})];
    const { code, stdout } = await gearman(
      "jobs",
      "--json",
      "--timeout-ms",
      "50",
      "--servers",
      `${a.server},${DOWN},${b.server}`,
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      servers: [
        {
          server: a.server,
          jobs: [{ handle: "H:a:1", retries: 0, isIgnored: false, isBackground: true }],
          error: { kind: "TIMEOUT", message: expect.stringContaining("within 50 ms") },
        },
        { server: DOWN, error: { kind: "IO", message: `cannot ask ${DOWN}: connection refused` } },
        { server: b.server, jobs: [] },
      ],
    });
  });
});

describe("changes", () => {
  test("cancel takes jobs out, with or without their server's name, and tells those it does not find", async () => {
    const { server, handles } = await served("f", "g");
    const [first = "", second = ""] = handles;
    const { code, stdout, stderr } = await gearman("cancel", first, `${server}//${second}`, "H:no:1", "--servers", server);
    expect(stdout).toBe(`cancelled ${first}\ncancelled ${server}//${second}\n`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `basil: ${server} knows no job H:no:1\n` });
    const { stdout: json } = await gearman("cancel", "H:no:1", "--json", "--servers", server);
    expect(JSON.parse(json)).toEqual({
      jobs: [{ handle: "H:no:1", isCancelled: false, error: { kind: "NOT_FOUND", message: `${server} knows no job H:no:1` } }],
    });
  });

  test("create, maxqueue and drop work on every server", async () => {
    const [a, b] = [await served(), await served()];
    const servers = ["--servers", `${a.server},${b.server}`];
    const each = (text: string) => `${a.server}: ${text}\n${b.server}: ${text}\n`;
    expect(await gearman("create", "f", ...servers)).toEqual({ code: 0, stdout: each("created: f"), stderr: "" });
    expect(await gearman("maxqueue", "f", "10", ...servers)).toEqual({ code: 0, stdout: each("limited to 10: f"), stderr: "" });
    expect((await gearman("maxqueue", "f", "1", "2", "3", ...servers)).stdout).toBe(each("limited to 1 2 3: f"));
    expect(await gearman("drop", "f", ...servers)).toEqual({ code: 0, stdout: each("dropped: f"), stderr: "" });
    const again = await gearman("drop", "f", "--json", ...servers);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout).servers[0].functions).toEqual([
      { name: "f", isDone: false, error: { kind: "NOT_FOUND", message: `${a.server}: drop function f: function not found` } },
    ]);
    expect((await gearman("maxqueue", "f", "1", ...servers)).stderr).toContain('knows no function "f": create it');
  });

  test("drop leaves functions with queued jobs alone, unless forced", async () => {
    const { server } = await served("f");
    const { code, stderr } = await gearman("drop", "f", "--servers", server);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `basil: ${server} has 1 queued job of f: --force drops it, and them\n` });
    const forced = await fake({ "drop function f": "OK\r\n", status: "f\t1\t0\t0\n.\n" });
    expect((await gearman("drop", "f", "--force", "--servers", forced.server)).code).toBe(0);
    expect(forced.lines).toEqual(["drop function f"]);
  });

  test("one refused name does not keep the others from being done", async () => {
    const { server } = await fake({ "drop function a": "ERR function not found\r\n", "drop function b": "OK\r\n" });
    const { code, stdout, stderr } = await gearman("drop", "a", "b", "--servers", server);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${server}: dropped: b\n` });
    expect(stderr).toContain("drop function a: function not found");
  });
});

describe("echo and version", () => {
  test("echo tells how long it took", async () => {
    const { server } = await served();
    expect((await gearman("echo", "--servers", server)).stdout).toMatch(/^127.0.0.1:\d+ {2}ping {2}[\d.]+ ms\n$/);
    const { stdout } = await gearman("echo", "höllo", "--json", "--servers", server);
    expect(JSON.parse(stdout).servers[0]).toEqual({
      server,
      text: "höllo",
      connectMs: expect.any(Number),
      roundTripMs: expect.any(Number),
    });
    expect((await gearman("echo", "--servers", DOWN)).code).toBe(1);
  });

  test("version tells version and process", async () => {
    const { server } = await fake({});
    expect((await gearman("version", "--servers", server)).stdout).toBe(`${server}  1.1.20+ds  process 123\n`);
    const { stdout } = await gearman("version", "--json", "--servers", server);
    expect(JSON.parse(stdout)).toEqual({ servers: [{ server, version: "1.1.20+ds", pid: 123 }] });
  });
});

describe("the built command", () => {
  test.skipIf(!hasGearmand())("asks gearmand", async () => {
    const gearmand = await startGearmand();
    cleanups.push(() => gearmand.stop());
    await basil(["gearman", "create", "from.the.tool", "--servers", gearmand.server]);
    const { code, stdout, stderr } = await basil(["gearman", "status", "--servers", gearmand.server]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.toString()).toMatch(/^from\.the\.tool +0 +0 +0$/m);
  });
});
