/** Programs whose servers speak TLS, and programs in a namespace, set up as people do it: by file, environment and command line. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GearmanServer, type GearmanServerOptions } from "../../../src/core/gearman/server/server.ts";
import { basilInProcess } from "../../helpers/in-process.ts";
import { CLIENT_TLS, SERVER_TLS } from "../../helpers/tls.ts";
import { outputOf } from "./program.ts";

const FIXTURES = new URL("../../fixtures/tls/", import.meta.url);

/** Client and worker in one program. */
const BOTH = `SUB shout(text$)
  RETURN UCASE$(text$) + GEARMAN.JOB_FUNCTION$
END SUB
ok% = GEARMAN.WORKER_ADD%("shout", "shout")
ok% = GEARMAN.WORKER_START%("w", 1)
PRINT GEARMAN.SUBMIT$("shout", "hello "); GEARMAN.ERR$
ok% = GEARMAN.WORKER_STOP%()
`;

let directory: string;
const servers: GearmanServer[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-tls-"));
});
afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  for (const server of servers.splice(0)) await server.close();
});

async function serve(options: GearmanServerOptions): Promise<number> {
  const server = new GearmanServer(options);
  servers.push(server);
  return (await server.listen()).port;
}

/** Puts a configuration and certificates into the directory. */
function write(config: string, ...certificates: string[]): void {
  writeFileSync(join(directory, ".basil-gearman.toml"), config);
  for (const name of certificates) copyFileSync(new URL(`${name}.pem`, FIXTURES), join(directory, `${name}.pem`));
}

describe("a program", () => {
  test("works over TLS with client certificates from the configuration", async () => {
    const port = await serve({ tls: { ...SERVER_TLS, ...CLIENT_TLS, requestClientCertificate: true } });
    write(
      `servers = [{ host = "127.0.0.1", port = ${port}, tls = true }]
      [tls]
      ca = "ca.pem"
      cert = "client.pem"
      key = "client-key.pem"`,
      "ca",
      "client",
      "client-key",
    );
    expect(await outputOf(BOTH, { directory })).toBe("HELLO shout\n");
  });

  test("is told what to set when the certificate is not trusted", async () => {
    const port = await serve({ tls: SERVER_TLS });
    const source = 'PRINT GEARMAN.SUBMIT$("f", ""); GEARMAN.ERRCODE% = GEARMAN_IO%; GEARMAN.ERR$';
    const output = await outputOf(source, { servers: `tls://127.0.0.1:${port}`, retries: 0 });
    expect(output).toContain("its certificate is not trusted: its authority is not known here; set ca");
    expect(output.startsWith("true")).toBe(true);
  });

  test("is told of a certificate that is not there, by file and key", async () => {
    write('servers = ["tls://127.0.0.1:1"]\n[tls]\nca = "missing.pem"');
    const output = await outputOf('PRINT GEARMAN.SUBMIT$("f", "")', { directory });
    expect(output).toMatch(/^failed: .*\.basil-gearman\.toml: tls\.ca: there is no file ".*missing\.pem": /);
  });

  test("takes tls:// from the command line and the authority from the environment", async () => {
    const port = await serve({ tls: SERVER_TLS });
    write("", "ca");
    writeFileSync(join(directory, "both.basil"), BOTH);
    const { stdout, stderr } = await basilInProcess(["run", "--servers", `tls://127.0.0.1:${port}`, "both.basil"], {
      directory,
      environment: { HOME: directory, GEARMAN_TLS_CA: join(directory, "ca.pem") },
    });
    expect(stderr.toString()).toBe("");
    expect(stdout.toString()).toBe("HELLO shout\n");
  });
});

describe("a namespace", () => {
  test("from the configuration keeps programs apart, and they do not see it", async () => {
    const port = await serve({});
    write(`servers = ["127.0.0.1:${port}"]\nnamespace = "test."\nretries = 0\ntimeout_ms = 200`);
    expect(await outputOf(BOTH, { directory })).toBe("HELLO shout\n");
    const other = 'PRINT GEARMAN.SUBMIT$("shout", "x"); GEARMAN.ERRCODE% = GEARMAN_TIMEOUT%';
    expect(await outputOf(other, { directory, environment: { GEARMAN_NAMESPACE: "live." } })).toBe("true\n");
  });
});
