/** Where a setting comes from, which one wins, and what a wrong one is told. */
import { describe, expect, test } from "vitest";
import { formatServer, parseServer, parseServerList } from "../../../src/core/gearman/address.ts";
import { type ConfigHost, DEFAULTS, loadGearmanConfig } from "../../../src/core/gearman/config.ts";
import { parseGearmanConfig } from "../../../src/core/gearman/config-file.ts";
import { GearmanError } from "../../../src/core/gearman/errors.ts";

function host(files: Record<string, string>, more: Partial<ConfigHost> = {}): ConfigHost {
  return {
    readFile: async (path) => files[path] ?? null,
    startDirectory: "/srv/app/jobs",
    homeDirectory: "/home/user",
    environment: {},
    hostname: "box",
    processId: 42,
    ...more,
  };
}

function complaint(text: string): string {
  try {
    parseGearmanConfig(text, "/srv/.basil-gearman.toml");
  } catch (error) {
    expect(error).toBeInstanceOf(GearmanError);
    expect((error as GearmanError).kind).toBe("CONFIG");
    return (error as GearmanError).message;
  }
  throw new Error("nothing was thrown");
}

describe("server addresses", () => {
  test.each([
    ["jobs.example", "jobs.example", 4730],
    ["127.0.0.1:4731", "127.0.0.1", 4731],
    ["[::1]:4731", "::1", 4731],
    ["[::1]", "::1", 4730],
    ["::1", "::1", 4730],
    ["fe80::1%eth0", "fe80::1%eth0", 4730],
    [" host:1 ", "host", 1],
  ])("%j is read as host %j, port %i", (text, name, port) => {
    expect(parseServer(text)).toEqual({ host: name, port });
  });

  test.each(["127.0.0.1:4731", "[::1]:4730", "jobs.example:1"])("%s is written as it is read", (text) => {
    expect(formatServer(parseServer(text))).toBe(text);
  });

  test.each(["", ":4730", "host:", "host:0", "host:65536", "host:http", "host:-1", "[::1]x", "a b", "http://host"])(
    "%j is refused",
    (text) => {
      expect(() => parseServer(text)).toThrow(GearmanError);
      expect(() => parseServer(text)).toThrow(JSON.stringify(text));
    },
  );

  test("a list takes commas and blanks, and refuses to be empty", () => {
    expect(parseServerList("a, b:1 ,,[::1]:2").map(formatServer)).toEqual(["a:4730", "b:1", "[::1]:2"]);
    expect(() => parseServerList(" , ")).toThrow("must be a list");
  });
});

describe("the file", () => {
  test("sets every key", () => {
    const text = `
      servers = ["127.0.0.1:4730", "10.0.0.12"]
      client_id = "basil"
      timeout_ms = 5000
      retries = 0
      keepalive = false
      on_error = "raise"
      exceptions = true
    `;
    expect(parseGearmanConfig(text)).toEqual({
      servers: [
        { host: "127.0.0.1", port: 4730 },
        { host: "10.0.0.12", port: 4730 },
      ],
      clientId: "basil",
      timeoutMs: 5000,
      retries: 0,
      keepalive: false,
      onError: "raise",
      exceptions: true,
    });
  });

  test.each([
    ['timeout_ms = "5s"', '/srv/.basil-gearman.toml: timeout_ms must be a whole number from 1 to 2147483647, not "5s"'],
    ["timeout_ms = 0", "/srv/.basil-gearman.toml: timeout_ms must be a whole number from 1 to 2147483647, not 0"],
    ["retries = 1.5", "/srv/.basil-gearman.toml: retries must be a whole number from 0 to 100, not 1.5"],
    ["servers = []", '/srv/.basil-gearman.toml: servers must be a list of texts such as ["127.0.0.1:4730"], not empty, not []'],
    [
      'servers = ["a:x"]',
      '/srv/.basil-gearman.toml: servers: server "a:x" has the port "x": write host, host:port or [v6 address]:port, after tls:// for TLS',
    ],
    ["keepalive = 1", "/srv/.basil-gearman.toml: keepalive must be true or false, not 1"],
    ['on_error = "ignore"', '/srv/.basil-gearman.toml: on_error must be "return" or "raise", not "ignore"'],
    [
      "client_id = true",
      "/srv/.basil-gearman.toml: client_id must be a text of at most 127 bytes without control characters, not true",
    ],
    ["timout_ms = 5", '/srv/.basil-gearman.toml: unknown key "timout_ms". Did you mean timeout_ms?'],
    ["timeoutMs = 5", '/srv/.basil-gearman.toml: unknown key "timeoutMs". Did you mean timeout_ms?'],
    [
      "colour = 5",
      '/srv/.basil-gearman.toml: unknown key "colour". The keys are servers, client_id, namespace, timeout_ms, retries, keepalive, on_error, exceptions, tls.',
    ],
  ])("refuses %s", (text, message) => {
    expect(complaint(text)).toBe(message);
  });

  test("that is not TOML is refused with its line and column", () => {
    expect(complaint("retries = 1\nservers = [")).toMatch(/^\/srv\/\.basil-gearman\.toml:2:\d+: /);
  });
});

describe("which setting wins", () => {
  test("without anything the defaults hold", async () => {
    expect(await loadGearmanConfig(host({}))).toEqual(DEFAULTS);
  });

  test("the nearest file upwards is the only file read", async () => {
    const files = {
      "/srv/app/.basil-gearman.toml": "retries = 7",
      "/srv/.basil-gearman.toml": "retries = 8\ntimeout_ms = 1",
      "/home/user/.basil-gearman.toml": "retries = 9",
    };
    expect(await loadGearmanConfig(host(files))).toEqual({ ...DEFAULTS, retries: 7 });
  });

  test("the file at the root and the one in the home directory come last", async () => {
    const home = { "/home/user/.basil-gearman.toml": "retries = 9" };
    expect((await loadGearmanConfig(host(home))).retries).toBe(9);
    expect((await loadGearmanConfig(host({ ...home, "/.basil-gearman.toml": "retries = 5" }))).retries).toBe(5);
    expect((await loadGearmanConfig(host(home, { homeDirectory: null }))).retries).toBe(2);
  });

  test("Windows directories are searched upwards as well", async () => {
    const files = { "C:\\.basil-gearman.toml": "retries = 6" };
    expect((await loadGearmanConfig(host(files, { startDirectory: "C:\\srv\\app" }))).retries).toBe(6);
  });

  test("the environment goes before the file, overrides before both", async () => {
    const files = { "/srv/app/jobs/.basil-gearman.toml": 'retries = 7\ntimeout_ms = 70\nclient_id = "file"' };
    const environment = { GEARMAN_RETRIES: "3", GEARMAN_TIMEOUT_MS: "30", GEARMAN_SERVERS: "a,b:1", GEARMAN_CLIENT_ID: "env" };
    const config = await loadGearmanConfig(host(files, { environment }), { timeoutMs: 1 });
    expect(config).toMatchObject({ retries: 3, timeoutMs: 1, clientId: "env" });
    expect(config.servers.map(formatServer)).toEqual(["a:4730", "b:1"]);
  });

  test("an empty variable counts as not set", async () => {
    expect(await loadGearmanConfig(host({}, { environment: { GEARMAN_SERVERS: "", GEARMAN_RETRIES: "" } }))).toEqual(DEFAULTS);
  });

  test.each([
    ["GEARMAN_RETRIES", "many", 'environment variable GEARMAN_RETRIES must be a whole number from 0 to 100, not "many"'],
    ["GEARMAN_TIMEOUT_MS", "-5", 'environment variable GEARMAN_TIMEOUT_MS must be a whole number from 1 to 2147483647, not "-5"'],
    ["GEARMAN_SERVERS", "a:0", 'environment variable GEARMAN_SERVERS: server "a:0" has port 0, which is not in 1 to 65535'],
  ])("a wrong %s=%s is refused by name", async (variable, value, message) => {
    await expect(loadGearmanConfig(host({}, { environment: { [variable]: value } }))).rejects.toThrow(message);
  });

  test("%HOSTNAME% and %PID% in the client id are filled in", async () => {
    const environment = { GEARMAN_CLIENT_ID: "app-%HOSTNAME%-%PID%-%HOSTNAME%" };
    expect((await loadGearmanConfig(host({}, { environment }))).clientId).toBe("app-box-42-box");
  });
});
