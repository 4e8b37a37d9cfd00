/** TLS in the configuration: which servers have it, where certificates come from, and what a wrong one is told. */
import { describe, expect, test } from "vitest";
import { formatServer, parseServer, parseServerList, type ServerAddress } from "../../../src/core/gearman/address.ts";
import { type ConfigHost, type ConfigOverrides, loadGearmanConfig } from "../../../src/core/gearman/config.ts";
import { GearmanError } from "../../../src/core/gearman/errors.ts";
import { pem } from "../../helpers/tls.ts";

const FILE = "/srv/app/.basil-gearman.toml";
const FILES: Readonly<Record<string, string>> = {
  "/srv/app/ca.pem": pem("ca"),
  "/srv/app/keys/client.pem": pem("client"),
  "/srv/app/keys/client-key.pem": pem("client-key"),
  "/etc/other-ca.pem": pem("other-ca"),
  "own-ca.pem": pem("other-ca"),
  "/srv/app/encrypted-key.pem": pem("encrypted-key"),
  "/srv/app/empty.pem": "",
};

function host(config: string, environment: ConfigHost["environment"] = {}): ConfigHost {
  const files: Readonly<Record<string, string>> = { ...FILES, [FILE]: config };
  return {
    readFile: async (path) => {
      if (path.endsWith("secret.pem")) throw new GearmanError("CONFIG", `${path} cannot be read: permission denied`);
      return files[path] ?? null;
    },
    startDirectory: "/srv/app",
    homeDirectory: null,
    environment,
    hostname: "box",
    processId: 42,
  };
}

async function servers(config: string, environment = {}, overrides: ConfigOverrides = {}): Promise<readonly ServerAddress[]> {
  return (await loadGearmanConfig(host(config, environment), overrides)).servers;
}

describe("a server with TLS", () => {
  test.each([
    ["tls://jobs.example", "jobs.example", 4730],
    ["TLS://127.0.0.1:4731", "127.0.0.1", 4731],
    [" tls://[::1]:1 ", "::1", 1],
    ["tls://::1", "::1", 4730],
  ])("may be written %j", (text, name, port) => {
    expect(parseServer(text)).toEqual({ host: name, port, tls: true });
    expect(formatServer(parseServer(text))).not.toContain("tls");
  });

  test.each(["tls://", "tls:host", "https://host", "tls://tls://host", "tls://host/path"])("may not be written %j", (text) => {
    expect(() => parseServer(text)).toThrow(JSON.stringify(text));
  });

  test("stands in lists next to others, and in tables", async () => {
    const both = [
      { host: "a", port: 4730 },
      { host: "b", port: 1, tls: {} },
    ];
    expect(parseServerList("a, tls://b:1")).toEqual([both[0], { ...both[1], tls: true }]);
    expect(await servers('servers = ["a", "tls://b:1"]')).toEqual(both);
    expect(await servers('servers = [{ host = "a" }, { host = "b", port = 1, tls = true }]')).toEqual(both);
    expect(await servers('servers = [{ host = "a", tls = false }]')).toEqual([both[0]]);
    expect(await servers("", { GEARMAN_SERVERS: "a,tls://b:1" })).toEqual(both);
  });
});

describe("certificates and keys", () => {
  test("of [tls] are for every server with TLS, from files next to the configuration, and for no other", async () => {
    const config = `servers = ["plain", "tls://a", { host = "b", tls = true }]
      [tls]
      ca = "ca.pem"
      cert = "keys/client.pem"
      key = "keys/client-key.pem"
      server_name = "jobs.example"`;
    const tls = { ca: pem("ca"), cert: pem("client"), key: pem("client-key"), serverName: "jobs.example" };
    expect(await servers(config)).toEqual([
      { host: "plain", port: 4730 },
      { host: "a", port: 4730, tls },
      { host: "b", port: 4730, tls },
    ]);
  });

  test("of one server go before those of [tls], part by part", async () => {
    const config = `servers = [{ host = "a", tls = { ca = "/etc/other-ca.pem", verify = false } }]
      tls = { ca = "ca.pem", server_name = "x" }`;
    expect((await servers(config))[0]!.tls).toEqual({ ca: pem("other-ca"), serverName: "x", verify: false });
  });

  test("may stand in the configuration themselves", async () => {
    expect((await servers(`servers = ["tls://a"]\n[tls]\nca = """${pem("ca")}"""`))[0]!.tls).toEqual({ ca: pem("ca") });
  });

  test("of the environment go before the file, those of the program before both", async () => {
    const config = 'servers = ["tls://a"]\n[tls]\nca = "ca.pem"\nserver_name = "x"';
    const environment = { GEARMAN_TLS_CA: "own-ca.pem", GEARMAN_TLS_CERT: pem("client"), GEARMAN_TLS_KEY: pem("client-key") };
    const pair = { cert: pem("client"), key: pem("client-key") };
    expect((await servers(config, environment))[0]!.tls).toEqual({ ca: pem("other-ca"), ...pair, serverName: "x" });
    const given = await servers(config, environment, { tls: { ca: pem("ca"), serverName: "y" } });
    expect(given[0]!.tls).toEqual({ ca: pem("ca"), ...pair, serverName: "y" });
  });

  test("are there for servers named elsewhere, such as on the command line", async () => {
    const config = 'servers = ["tls://a"]\n[tls]\nca = "ca.pem"';
    const tls = { ca: pem("ca") };
    expect(await servers(config, { GEARMAN_SERVERS: "tls://b" })).toEqual([{ host: "b", port: 4730, tls }]);
    expect(await servers(config, {}, { servers: parseServerList("tls://c") })).toEqual([{ host: "c", port: 4730, tls }]);
  });

  test("that no server needs are not read", async () => {
    expect(await servers('[tls]\nca = "missing.pem"', { GEARMAN_SERVERS: "a" })).toEqual([{ host: "a", port: 4730 }]);
  });
});

describe("refused with file, key, value and way out is", () => {
  const inTls = (lines: string) => `servers = ["tls://a"]\n[tls]\n${lines}`;
  test.each([
    [
      "a file that is not there",
      inTls('ca = "missing.pem"'),
      'tls.ca: there is no file "/srv/app/missing.pem": give the name of a PEM file, counted from the directory of the configuration file',
    ],
    ["a file that may not be read", inTls('ca = "secret.pem"'), "tls.ca: /srv/app/secret.pem cannot be read: permission denied"],
    ["a file without certificate", inTls('ca = "empty.pem"'), 'tls.ca "empty.pem" has no certificate: it must be PEM'],
    ["a key for a certificate", inTls('ca = "keys/client-key.pem"'), 'tls.ca "keys/client-key.pem" has no certificate'],
    [
      "a key of something else",
      `${inTls('cert = "ca.pem"')}\nkey = "keys/client-key.pem"`,
      'tls.key "keys/client-key.pem" does not belong to /srv/app/.basil-gearman.toml: tls.cert "ca.pem": give the key it was made with',
    ],
    [
      "an encrypted key",
      `${inTls('cert = "keys/client.pem"')}\nkey = "encrypted-key.pem"`,
      'tls.key "encrypted-key.pem" is encrypted: store it decrypted',
    ],
    ["a certificate alone", inTls('cert = "keys/client.pem"'), 'tls.cert "keys/client.pem" is given without its private key'],
    [
      "an unknown key of [tls]",
      inTls('cafile = "x"'),
      'tls: unknown key "cafile". The keys are ca, cert, key, server_name, verify.',
    ],
    ["a misspelt one", inTls('servername = "x"'), 'tls: unknown key "servername". Did you mean server_name?'],
    ["a value of the wrong type", inTls("verify = 0"), "tls.verify must be true or false, not 0"],
    [
      "an empty name",
      inTls('server_name = ""'),
      'tls.server_name must be a text of at most 253 bytes, not empty and without blanks, not ""',
    ],
    ["a table that is none", "tls = true", "tls must be a table with some of ca, cert, key, server_name, verify, not true"],
    ["a server without host", "servers = [{ port = 1 }]", "servers[0].host is missing: write { host ="],
    [
      "a server's wrong port",
      'servers = ["a", { host = "b", port = "x" }]',
      'servers[1].port must be a whole number from 1 to 65535, not "x"',
    ],
    ["a server's unknown key", 'servers = [{ host = "a", ssl = true }]', 'servers[0]: unknown key "ssl". '],
    [
      "a server's wrong file",
      'servers = [{ host = "a", tls = { ca = "missing.pem" } }]',
      'servers[0].tls.ca: there is no file "/srv/app/missing.pem"',
    ],
    [
      "TLS that protects no server",
      'servers = ["a:1"]\n[tls]\nca = "ca.pem"',
      'tls is set, but no server is reached over TLS: write "tls://a:1", for example',
    ],
  ])("%s", async (_, config, message) => {
    const error = await servers(config).then(
      () => null,
      (reason: GearmanError) => reason,
    );
    expect(error?.kind).toBe("CONFIG");
    expect(error?.message).toContain(`${FILE}: ${message}`);
  });

  test("a wrong variable, by its name", async () => {
    const environment = { GEARMAN_SERVERS: "tls://a", GEARMAN_TLS_CA: "missing.pem" };
    await expect(servers("", environment)).rejects.toThrow(
      'environment variable GEARMAN_TLS_CA: there is no file "missing.pem": give the name of a PEM file, counted from the directory it was started in',
    );
    await expect(servers("", { GEARMAN_SERVERS: "a", GEARMAN_TLS_CA: "own-ca.pem" })).rejects.toThrow(
      'environment: tls is set, but no server is reached over TLS: write "tls://a:4730"',
    );
  });
});

describe("the namespace", () => {
  test("comes from the environment before the file", async () => {
    expect((await loadGearmanConfig(host('namespace = "a."'))).namespace).toBe("a.");
    expect((await loadGearmanConfig(host('namespace = "a."', { GEARMAN_NAMESPACE: "b." }))).namespace).toBe("b.");
  });

  test.each(["with blank", "tab\t", "x".repeat(65)])("may not be %j", async (namespace) => {
    await expect(loadGearmanConfig(host("", { GEARMAN_NAMESPACE: namespace }))).rejects.toThrow(
      "environment variable GEARMAN_NAMESPACE must be a text of at most 64 bytes without blanks and control characters",
    );
  });
});
