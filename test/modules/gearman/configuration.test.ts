/** Where GEARMAN finds its settings, which of them wins, and what bad ones say. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProgramEvents } from "../../../modules/gearman/events.ts";
import { ScriptWorker } from "../../../modules/gearman/script-worker.ts";
import { DEFAULTS, GearmanAdmin } from "../../../src/core/gearman/index.ts";
import { bareHost, contextOn } from "../../helpers/call-row.ts";
import { basilInProcess } from "../../helpers/in-process.ts";
import { outputOf, program, withServer } from "./program.ts";

const FILE = ".basil-gearman.toml";
/** Nobody listens on port 1: the message names the server that was used. */
const PING = 'PRINT GEARMAN.ECHO$("x"); GEARMAN.ERR$';
const used = (output: string): string | undefined => /127\.0\.0\.\d+:\d+|\[::1\]:\d+/.exec(output)?.[0];

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-config-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (folder: string, text: string | Buffer): string => {
  mkdirSync(join(directory, folder), { recursive: true });
  writeFileSync(join(directory, folder, FILE), text);
  return join(directory, folder);
};

describe("the file", () => {
  test("is found in the script's directory, else above it, else at home", async () => {
    const home = write("home", 'servers = ["127.0.0.4:1"]\nretries = 0');
    const above = write("a", 'servers = ["127.0.0.3:1"]\nretries = 0');
    const nearest = write("a/b", 'servers = ["127.0.0.2:1"]\nretries = 0');
    expect(used(await outputOf(PING, { directory: nearest, homeDirectory: home }))).toBe("127.0.0.2:1");
    expect(used(await outputOf(PING, { directory: join(above, "other"), homeDirectory: home }))).toBe("127.0.0.3:1");
    expect(used(await outputOf(PING, { directory: join(directory, "elsewhere"), homeDirectory: home }))).toBe("127.0.0.4:1");
  });

  test("may come from the host instead of the file system", async () => {
    const readFile = async (path: string) => (path === `/virtual/${FILE}` ? 'servers = ["[::1]:1"]\nretries = 0' : null);
    expect(used(await outputOf(PING, { directory: "/virtual/deep", readFile }))).toBe("[::1]:1");
  });

  test("is not looked at by a program that does not use GEARMAN, nor by reading ERRCODE%", async () => {
    const place = write("bad", "servers = 5");
    expect(await outputOf("PRINT 1; GEARMAN.ERRCODE%; GEARMAN.WORKER_ALIVE%()", { directory: place })).toBe("100\n");
  });

  test.for([
    ["an unknown key", "server = []", /\.basil-gearman\.toml: unknown key "server". Did you mean servers\?$/],
    ["a wrong type", 'timeout_ms = "soon"', /timeout_ms must be a whole number from 1 to 2147483647, not "soon"$/],
    ["a bad server", 'servers = ["box:99999"]', /\.basil-gearman\.toml: servers/],
    ["no TOML", "servers = [", /\.basil-gearman\.toml:1:\d+: /],
    ["a wrong on_error", 'on_error = "explode"', /on_error must be "return" or "raise", not "explode"$/],
    ["bytes that are no UTF-8", Buffer.from([0x61, 0xff]), /\.basil-gearman\.toml cannot be read: it is not UTF-8$/],
  ] as const)(
    "with %s is a fatal error at the first row that needs it, and at each one after that",
    async ([, text, message]) => {
      const place = write("bad", text);
      const source = `FOR i = 1 TO 2
  TRY
    r$ = GEARMAN.ECHO$("x")
  CATCH e$
    PRINT ERRNAME$; ERR%; GEARMAN.ERRCODE% = GEARMAN_CONFIG%; " "; GEARMAN.ERR$ = e$; " "; i
  END TRY
NEXT
ok% = GEARMAN.WORKER_ADD%("f")`;
      const output = await outputOf(source, { directory: place });
      expect(output).toMatch(/^GEARMAN_ERROR2010true true 1\nGEARMAN_ERROR2010true true 2\nfailed: /);
      expect(output.trimEnd()).toMatch(message);
    },
  );
});

describe("what wins", () => {
  test("the environment over the file, the host's own options over both", async () => {
    const place = write("a", 'servers = ["127.0.0.2:1"]\nretries = 0\ntimeout_ms = 5000');
    const environment = { GEARMAN_SERVERS: "127.0.0.3:1, 127.0.0.3:1" };
    expect(used(await outputOf(PING, { directory: place }))).toBe("127.0.0.2:1");
    expect(used(await outputOf(PING, { directory: place, environment }))).toBe("127.0.0.3:1");
    expect(used(await outputOf(PING, { directory: place, environment, servers: "127.0.0.4:1" }))).toBe("127.0.0.4:1");
    expect(used(await outputOf(PING, { servers: ["127.0.0.5:1"], retries: 0 }))).toBe("127.0.0.5:1");
  });

  test("on the command line: --servers, then the environment, then the file beside the script", async () => {
    const place = write("a", 'servers = ["127.0.0.2:1"]\nretries = 0');
    writeFileSync(join(place, "ping.basil"), PING);
    const run = async (args: string[], environment: Record<string, string>) =>
      used(
        (
          await basilInProcess(["run", ...args, "a/ping.basil"], { directory, environment: { HOME: directory, ...environment } })
        ).stdout.toString(),
      );
    expect(await run([], {})).toBe("127.0.0.2:1");
    expect(await run([], { GEARMAN_SERVERS: "127.0.0.3:1" })).toBe("127.0.0.3:1");
    expect(await run(["--servers", "127.0.0.4:1"], { GEARMAN_SERVERS: "127.0.0.3:1" })).toBe("127.0.0.4:1");
  });

  test("a bad variable is named", async () => {
    const output = await outputOf(PING, { environment: { GEARMAN_TIMEOUT_MS: "never" } });
    expect(output).toBe(
      'failed: environment variable GEARMAN_TIMEOUT_MS must be a whole number from 1 to 2147483647, not "never"\n',
    );
  });
});

describe("a server named twice", () => {
  const WORKER = `SUB f(t$)
  RETURN t$
END SUB
ok% = GEARMAN.WORKER_ADD%("f", "f")
PRINT GEARMAN.WORKER_START%("twin", 2); " ";`;

  test("is one server: one connection of the worker, and handles without its name", async () => {
    await withServer(async (server, port) => {
      const script = program({ servers: `${server}, ${server}` });
      const run = script.run(`${WORKER}
PRINT GEARMAN.SUBMIT$("f", "x"); INSTR(GEARMAN.LAST_HANDLE$, "//"); " "; GEARMAN.SERVERS$()
DO : SLEEP 1000 : LOOP`);
      await script.printed("\n");
      expect(script.output()).toBe(`1 x0 ${server}\n`);
      const connections = await new GearmanAdmin({ server: `127.0.0.1:${port}` }).workers();
      expect(connections.filter(({ clientId }) => clientId === "twin").length).toBe(1);
      await script.interpreter.stop();
      await run;
      await script.interpreter.close();
    });
  });

  test("and down is told once, and WORKER_START% does not wait for a second one", async () => {
    const place = write("a", 'servers = ["LOCALHOST:1", "localhost:1"]\ntimeout_ms = 15000');
    const script = program({ directory: place });
    await script.run(`${WORKER} : EXIT`);
    expect(script.output()).toBe("1 ");
    expect(script.errors().match(/keeps trying/g)?.length).toBe(1);
    await script.interpreter.close();
  });

  test("timeout_ms bounds the wait of WORKER_START% for its servers in any case", async () => {
    const server = { host: "127.0.0.1", port: 1 };
    const context = contextOn({ ...bareHost, now: () => Date.now() });
    const worker = new ScriptWorker(
      context,
      { ...DEFAULTS, servers: [server, server], timeoutMs: 50 },
      new ProgramEvents(context),
    );
    worker.add("f", undefined);
    await worker.start("", 1, new AbortController().signal);
    expect(worker.isAlive).toBe(true);
    await worker.close();
  });
});

describe("settings do what they say", () => {
  test('on_error = "raise" raises ordinary failures as well, with their code', async () => {
    const place = write("a", 'on_error = "raise"');
    const source = `TRY
  ok% = GEARMAN.CANCEL%("H:nowhere:1")
CATCH e$
  PRINT ERRNAME$; " "; ERR%; " "; GEARMAN.ERRCODE%; " "; GEARMAN.ERR$ = e$
END TRY
PRINT GEARMAN.ECHO$("fine"); " "; GEARMAN.ERRCODE%
ok% = GEARMAN.CANCEL%("H:nowhere:1")`;
    const output = await withServer((servers) => outputOf(source, { servers, directory: place }));
    expect(output).toMatch(/^GEARMAN_ERROR 2004 4 true\nfine 0\nfailed: .* knows no job H:nowhere:1\n$/);
  });

  test("timeout_ms from the environment bounds a call", async () => {
    const source = 'r$ = GEARMAN.SUBMIT$("nobody", "")\nPRINT GEARMAN.ERRCODE%; " "; GEARMAN.ERR$';
    const output = await withServer((servers) => outputOf(source, { servers, environment: { GEARMAN_TIMEOUT_MS: "50" } }));
    expect(output).toBe("1 no answer from nobody within 50 ms\n");
  });

  test("client_id names the client and the worker at the server, with the host's name filled in", async () => {
    await withServer(async (servers, port) => {
      const script = program({ servers, clientId: "shop-%HOSTNAME%" });
      const run = script.run(`SUB f(t$)
END SUB
ok% = GEARMAN.WORKER_ADD%("f", "f")
ok% = GEARMAN.WORKER_START%("")
r$ = GEARMAN.SUBMIT$("f", "")
PRINT "ready"
DO : SLEEP 1000 : LOOP`);
      await script.printed("ready");
      const connections = await new GearmanAdmin({ server: `127.0.0.1:${port}` }).workers();
      expect(connections.filter(({ clientId }) => clientId === "shop-box").length).toBe(2);
      await script.interpreter.stop();
      expect((await run).kind).toBe("stopped");
      await script.interpreter.close();
    });
  });
});
