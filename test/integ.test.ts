/** Programs on a list of several real job servers: those in GEARMAN_TEST_SERVERS, or two gearmands started here. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDirectory } from "../src/tools/build.ts";
import { basil } from "./helpers/cli.ts";
import { type Gearmand, hasGearmand, startGearmand } from "./helpers/gearmand.ts";

const given = process.env["GEARMAN_TEST_SERVERS"] ?? "";

describe.skipIf(given === "" && !hasGearmand())("on several real job servers", () => {
  const started: Gearmand[] = [];
  let servers = given;
  let directory = "";

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "basil-integ-"));
    if (given !== "") return;
    started.push(await startGearmand(), await startGearmand());
    servers = started.map(({ server }) => server).join(",");
  });
  afterAll(async () => {
    await Promise.all(started.map((one) => one.stop()));
    rmSync(directory, { recursive: true, force: true });
  });

  const run = async (file: string, list = servers, options: readonly string[] = []) => {
    const { code, stdout, stderr } = await basil(["run", "--servers", list, ...options, file], { directory });
    return { code, stdout: stdout.toString(), stderr };
  };
  const program = (text: string): string => {
    writeFileSync(join(directory, "test.basil"), text);
    return "test.basil";
  };

  test.each(["quickstart", "client_bg_status", "stream_demo", "ping"])("the example %s runs to its end", async (name) => {
    const { code, stderr } = await run(join(projectDirectory, "examples/gearman", `${name}.basil`));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("a worker takes jobs from every server, and each handle finds the way back to its own", async () => {
    const text = `
SUB double(n$)
  RETURN STR$(VAL(n$) * 2)
END SUB
ok% = GEARMAN.WORKER_ADD%("integ.double", "double")
ok% = GEARMAN.WORKER_START%("integ", 4)
sum = 0
FOR i = 1 TO 20
  sum = sum + VAL(GEARMAN.SUBMIT$("integ.double", STR$(i)))
NEXT
PRINT sum
handles@ = []
FOR i = 1 TO 6
  ok% = GEARMAN.SUBMIT_BG%("integ.nobody", "", "integ-#{UUID$()}")
  APPEND handles@, GEARMAN.LAST_HANDLE$
NEXT
FOR EACH h$ IN handles@
  PRINT JSON.GET(GEARMAN.STATUS$(h$), "known"); " "; GEARMAN.CANCEL%(h$)
NEXT
PRINT LEN(SPLIT(GEARMAN.SERVERS$(), ","))
`;
    const { code, stdout, stderr } = await run(program(text));
    const count = servers.split(",").length;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `420\n${"true 1\n".repeat(6)}${count}\n`, stderr: "" });
  });

  test("a worker with a single place serves all servers in turn", async () => {
    const text = `
SUB echo(text$)
  RETURN text$
END SUB
ok% = GEARMAN.WORKER_ADD%("integ.single", "echo")
ok% = GEARMAN.WORKER_START%("integ", 1)
FOR i = 1 TO 8
  PRINT GEARMAN.SUBMIT$("integ.single", STR$(i)); GEARMAN.ERR$
NEXT
`;
    const { code, stdout } = await run(program(text), servers, ["--timeout-ms", "5000"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "1\n2\n3\n4\n5\n6\n7\n8\n" });
  });

  test("a server that is down costs nothing but a look", async () => {
    const { code, stdout } = await run(
      program('FOR i = 1 TO 4\nPRINT GEARMAN.ECHO$("still here"); GEARMAN.ERRCODE%\nNEXT'),
      `127.0.0.1:1,${servers}`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "still here0\n".repeat(4) });
  });
});
