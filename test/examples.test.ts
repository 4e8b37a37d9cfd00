/** Every example runs as its first comment says; those of Gearman on the embedded server and, where there is one, on gearmand. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { gearman } from "../modules/gearman/index.ts";
import { json } from "../modules/json/index.ts";
import { standard } from "../modules/standard/index.ts";
import { createInterpreter } from "../runtime/interpreter.ts";
import { GearmanServer } from "../src/core/gearman/server/server.ts";
import { projectDirectory } from "../src/tools/build.ts";
import { hasGearmand, startGearmand } from "./helpers/gearmand.ts";
import { basilInProcess } from "./helpers/in-process.ts";

const directory = join(projectDirectory, "examples/gearman");

/** What each example prints; `#PORT` stands for any port. The worker runs together with the client. */
const OUTPUT: Record<string, readonly string[]> = {
  quickstart: [
    "Worker started, server: 127.0.0.1:#PORT",
    "",
    "1. One job, one result",
    "   hello -> HELLO!",
    "",
    "2. A job that streams",
    ..."a queue is a promise kept in order by somebody else".split(" ").map((word, index) => `   ${index + 1}. ${word}`),
    "   warning: that was a long text",
    '   result: {"words":11,"longest":"somebody"}',
    "",
    "3. A job in the background",
    "   finished",
    "",
    "4. A job that does not exist",
    "   127.0.0.1:#PORT knows no job H:nowhere:1",
    "",
    "Done.",
  ],
  client_bg_status: [
    "Accepted.",
    'Queued:   {"known":true,"running":false,"numerator":0,"denominator":0}',
    'Finished: {"known":false,"running":false,"numerator":0,"denominator":0}',
  ],
  stream_demo: ["(stopping at 40 instead of 1000)", "2 3 5 7 11 13 17 19 23 29 31 37 ", "12 primes up to 40, their sum is 197"],
  ping: ["Server: 127.0.0.1:#PORT", "Reply:  ping", "Worker: HELLO"],
};
/** What the examples of O'Brien print. Jobs run two at once: lines of the crawler are compared in their alphabetical order. */
const OBRIEN_OUTPUT: Record<string, readonly string[]> = {
  batch: ["done: 5 words", "done: 3 words", "done: 4 words", "0 failed"],
  crawler: [
    "2 failed",
    "home about: 1 links",
    "home news news/old: 404, no page news/old",
    "home news news/today: 2 links",
    "home news: 3 links",
    "home shop shop/cake: 404, no page shop/cake",
    "home shop shop/tea: 1 links",
    "home shop: 3 links",
    "home: 3 links",
  ],
  retry: [
    "flaky",
    "   attempt 1: bryton/runtime/crashed",
    "   attempt 2: bryton/runtime/crashed",
    "   done at attempt 3",
    "missing",
    "   attempt 1: bryton/runtime/not-executable",
    "   no attempt will help",
  ],
};

const RESIZE = "worker_resize";
const CLIENT = "client_sync";

/** Progress lines depend on when somebody looks: they are checked on their own. */
const PROGRESS = /^(?: {3}#*\.* \d of 6|Running: {2}\d of 4)$/;

const linesOf = (bytes: Buffer): string[] =>
  bytes
    .toString()
    .replaceAll(/:\d{4,5}\b/g, ":#PORT")
    .replace(/\n$/, "")
    .split("\n");

async function expectExample(name: string, where: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await basilInProcess(["run", "--deadline-ms", "20000", ...where, `${name}.basil`], {
    directory,
  });
  const lines = linesOf(stdout);
  expect({ code, stderr, lines: lines.filter((line) => !PROGRESS.test(line)) }).toEqual({
    code: 0,
    stderr: "",
    lines: OUTPUT[name],
  });
  if (name === "quickstart" || name === "client_bg_status")
    expect(lines.filter((line) => PROGRESS.test(line)).length).toBeGreaterThan(2);
}

/** Runs the worker until its first line, then a client, then stops the worker as Ctrl-C does. */
async function resizeTogether(
  server: string,
): Promise<{ client: string[]; worker: string[]; outcome: string; code: number | null }> {
  const chunks: Buffer[] = [];
  let started!: () => void;
  const hasStarted = new Promise<void>((resolve) => {
    started = resolve;
  });
  const { createNodeHost } = await import("../src/tools/host/node-host.ts");
  const { Readable, Writable } = await import("node:stream");
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      started();
      done();
    },
  });
  const host = createNodeHost({
    stdin: Readable.from([]),
    stdout,
    stderr: stdout,
    directory,
    environment: {},
    arguments: [],
    sandbox: false,
  });
  const interpreter = createInterpreter({ modules: [standard(), json(), gearman({ servers: server })], host });
  try {
    const run = interpreter.run(readFileSync(join(directory, `${RESIZE}.basil`), "utf8"), { file: `${RESIZE}.basil` });
    await hasStarted;
    const client = await basilInProcess(["run", "--servers", server, `${CLIENT}.basil`, "dog.jpg", "320"], { directory });
    await interpreter.stop();
    const outcome = await run;
    return { client: linesOf(client.stdout), worker: linesOf(Buffer.concat(chunks)), outcome: outcome.kind, code: client.code };
  } finally {
    await interpreter.close();
  }
}

const RESIZED = {
  code: 0,
  outcome: "stopped",
  worker: ["Waiting for img.resize jobs from 127.0.0.1:#PORT, Ctrl-C stops."],
  client: [
    "Asking for dog.jpg at a width of 320 ...",
    'Result: {"ok":true,"file":"/out/dog-320.jpg"}',
    "File:   /out/dog-320.jpg",
  ],
};

test("every example is run by a test", () => {
  const present = readdirSync(join(projectDirectory, "examples"), { recursive: true, encoding: "utf8" });
  const tested = [...Object.keys(OUTPUT), RESIZE, CLIENT].map((name) => `gearman/${name}.basil`);
  const others = Object.keys(OBRIEN_OUTPUT).map((name) => `obrien/${name}.basil`);
  expect(present.filter((name) => name.endsWith(".basil")).sort()).toEqual([...tested, ...others].sort());
});

describe("of O'Brien", () => {
  test.for(Object.keys(OBRIEN_OUTPUT))("%s", async (name) => {
    const { code, stdout, stderr } = await basilInProcess(["run", "--deadline-ms", "30000", `${name}.basil`], {
      directory: join(projectDirectory, "examples/obrien"),
    });
    const lines = linesOf(stdout);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(name === "crawler" ? lines.sort() : lines).toEqual(OBRIEN_OUTPUT[name]);
  });
});

describe("on the embedded server", () => {
  test.for(Object.keys(OUTPUT))("%s", (name) => expectExample(name, ["--embedded"]));

  test("client_sync gets its picture from worker_resize, which stops gracefully", async () => {
    const server = new GearmanServer();
    const { port } = await server.listen();
    try {
      expect(await resizeTogether(`127.0.0.1:${port}`)).toEqual(RESIZED);
    } finally {
      await server.close();
    }
  });
});

describe.skipIf(!hasGearmand())("on gearmand", () => {
  test.for(Object.keys(OUTPUT))("%s", async (name) => {
    const gearmand = await startGearmand();
    try {
      await expectExample(name, ["--servers", gearmand.server]);
    } finally {
      await gearmand.stop();
    }
  });

  test("client_sync gets its picture from worker_resize", async () => {
    const gearmand = await startGearmand();
    try {
      expect(await resizeTogether(gearmand.server)).toEqual(RESIZED);
    } finally {
      await gearmand.stop();
    }
  });
});

describe("without a server", () => {
  test.for(["ping", CLIENT])("%s says so and ends with 1", async (name) => {
    const { code, stdout } = await basilInProcess(["run", "--servers", "127.0.0.1:1", `${name}.basil`], { directory });
    expect(code).toBe(1);
    expect(stdout.toString()).toMatch(/(?:No answer|No server): cannot reach 127\.0\.0\.1:1: connection refused/);
  });
});
