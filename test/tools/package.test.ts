/** The package as its users get it: what is packed, what its entries export, and types that compile in their project. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { buildTypes, projectDirectory } from "../../src/tools/build.ts";
import { cliPath, runNode } from "../helpers/cli.ts";

let directory = "";
beforeAll(async () => {
  cliPath();
  await buildTypes();
  directory = mkdtempSync(join(tmpdir(), "basil-consumer-"));
  mkdirSync(join(directory, "node_modules"));
  symlinkSync(projectDirectory, join(directory, "node_modules/basil-gearman"), "dir");
  symlinkSync(join(projectDirectory, "node_modules/@types"), join(directory, "node_modules/@types"), "dir");
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the package", () => {
  test("has every file that its package.json names", () => {
    const named = [
      packageJson.bin.basil,
      packageJson.types,
      ...Object.values(packageJson.exports).flatMap((entry) => Object.values(entry)),
    ];
    expect(named.filter((path) => path.length > 1 && !existsSync(join(projectDirectory, path)))).toEqual([]);
  });

  test("asks for Node's types, which its own types speak of, but not those who use none", () => {
    expect(packageJson.peerDependencies).toEqual({ "@types/node": expect.stringMatching(/^>=20/) });
    expect(packageJson.peerDependenciesMeta).toEqual({ "@types/node": { optional: true } });
  });

  test("packs what users need and nothing of its workshop", () => {
    const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: projectDirectory,
      encoding: "utf8",
    });
    const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
    const tops = new Set(files.map(({ path }) => path.split("/")[0]!));
    expect([...tops].sort()).toEqual(["LICENSE", "README.md", "dist", "docs", "examples", "package.json"]);
    expect(files.map(({ path }) => path).filter((path) => /\.test\.|^dist\/types\/test/.test(path))).toEqual([]);
  });

  test("exports the interpreter and the Gearman core under their two names", async () => {
    writeFileSync(
      join(directory, "names.js"),
      `import * as basil from "basil-gearman";
       import * as gearman from "basil-gearman/gearman";
       console.log(typeof basil.createInterpreter, typeof basil.gearman, typeof gearman.GearmanClient, typeof gearman.GearmanServer);`,
    );
    const { stdout, stderr } = await runNode(["names.js"], { directory });
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: "function function function function\n", stderr: "" });
  });

  test("exports the whole Gearman library under its own name: client, worker, administrator, server, errors and figures", async () => {
    writeFileSync(
      join(directory, "gearman-names.js"),
      `import * as gearman from "basil-gearman/gearman";
       const names = ["GearmanClient", "GearmanWorker", "GearmanAdmin", "GearmanServer", "GearmanError", "prometheusText", "clientMetricsText"];
       console.log(names.filter((name) => typeof gearman[name] !== "function").join(), Object.keys(gearman.GEARMAN_ERRORS).length > 10);
       const server = new gearman.GearmanServer({ port: 0 });
       const { port } = await server.listen();
       const servers = ["127.0.0.1:" + port];
       const worker = new gearman.GearmanWorker({ servers });
       worker.add("twice", (job) => job.payload.toString().repeat(2));
       worker.start();
       const client = new gearman.GearmanClient({ servers });
       for await (const outcome of client.tasks([{ name: "twice", payload: "ab" }])) console.log(outcome.ok && outcome.result.toString());
       try { await client.submit({ name: "" }); } catch (error) { console.log(error instanceof gearman.GearmanError, error.kind, error.code); }
       await client.close(); await worker.stop(); await server.close();`,
    );
    const { stdout, stderr } = await runNode(["gearman-names.js"], { directory });
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: " true\nabab\ntrue ARGUMENT 9\n", stderr: "" });
  });

  test("exports O'Brien under its own name: its manager runs jobs of a program, and each ends once", async () => {
    writeFileSync(
      join(directory, "obrien-names.js"),
      `import { Manager, ObrienError, OBRIEN_ERRORS, JOB_STATES, DEFAULT_STORE } from "basil-gearman/obrien";
       console.log(JOB_STATES.join(), DEFAULT_STORE, Object.keys(OBRIEN_ERRORS).length > 10);
       const manager = await Manager.open({ path: "jobs.db" });
       manager.define({ name: "copy", command: { program: "cat", args: [] } });
       const ids = manager.enqueue([{ class: "copy", payload: '{"success":true,"tags":["a"]}' }, { class: "copy", payload: "no" }]);
       const { done, failed } = await manager.run({ concurrency: 2 });
       console.log(done, failed, ids.map((id) => manager.get(id).errorClass).join(), manager.get(ids[0]).xeme.tags);
       try { manager.enqueue({ class: "" }); } catch (error) { console.log(error instanceof ObrienError, error.kind, error.code); }
       await manager.close();`,
    );
    const { stdout, stderr } = await runNode(["obrien-names.js"], { directory });
    expect({ stdout: stdout.toString(), stderr }).toEqual({
      stdout: `pending,claimed,done,failed .basil-obrien.db true
1 1 ,bryton/runtime/unparseable [ 'a' ]
true ARGUMENT 1
`,
      stderr: "",
    });
  });

  test("has types that compile strictly in a user's project, without looking into the package's own checks", () => {
    writeFileSync(
      join(directory, "consumer.ts"),
      `import { createHost, createInterpreter, defineModule, functionsOf, gearman, type Outcome, required, standard } from "basil-gearman";
       import { type BackgroundRequest, type ClientEvent, GearmanAdmin, GearmanClient, GearmanServer, GearmanWorker, type TaskOutcome } from "basil-gearman/gearman";
       import type { JobClass, Manager, NewJob, Xeme } from "basil-gearman/obrien";
       export const later: BackgroundRequest = { name: "f", at: new Date() };
       export const watching = (event: ClientEvent): string => (event.type === "jobFailed" ? event.name : event.server);
       export const all = (outcome: TaskOutcome): Buffer | null => (outcome.ok ? outcome.result : null);
       export const queued = async (client: GearmanClient): Promise<string[]> =>
         (await client.tasks([{ name: "f" }], { background: true }).all()).map((o) => (o.ok ? o.receipt.handle : o.error.kind));
       export const parts = [GearmanAdmin, GearmanServer, GearmanWorker];
       const fn = functionsOf<{ factor: number }>();
       const shop = defineModule({
         name: "SHOP", doc: "", open: () => ({ factor: 2 }),
         rows: [fn({ name: "PRICE%", doc: "", params: { item: required("text", "") }, run: ({ factor }, { item }) => item.length * factor })],
       });
       const interpreter = createInterpreter({ modules: [standard(), gearman(), shop], host: createHost(), limits: { steps: 1000 } });
       const outcome: Outcome = await interpreter.run("PRINT 1");
       export const code: number = outcome.kind === "ended" ? outcome.exitCode : 1;
       export const client = GearmanClient;
       export const job: NewJob = { class: "a", payload: "b", runAt: new Date() };
       export const command: JobClass = { name: "a", command: { program: "cat", args: [] }, timeoutMs: 1000 };
       export const verdict = async (manager: Manager, id: string): Promise<Xeme | null> => (await manager.wait(id)).xeme;`,
    );
    const options = { module: "nodenext", target: "es2023", strict: true, noEmit: true, skipLibCheck: false, types: ["node"] };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] }));
    const tsc = join(projectDirectory, "node_modules/typescript/bin/tsc");
    let output = "";
    try {
      output = execFileSync(process.execPath, [tsc, "-p", directory], { encoding: "utf8" });
    } catch (error) {
      output = String((error as { stdout: unknown }).stdout);
    }
    expect(output).toBe("");
  });
});
