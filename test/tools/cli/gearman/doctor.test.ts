/** `basil gearman doctor`: each thing it knows, shown to it by a server that has it. */
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { GearmanAdmin } from "../../../../src/core/gearman/admin.ts";
import { GearmanClient } from "../../../../src/core/gearman/client.ts";
import { encodePacket, PacketDecoder } from "../../../../src/core/gearman/codec.ts";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { until } from "../../../core/gearman/fake-server.ts";
import { hasGearmand, startGearmand } from "../../../helpers/gearmand.ts";
import { basilInProcess } from "../../../helpers/in-process.ts";
import { type Replies, startTextServer } from "./text-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** One finding as it stands in the JSON output. */
interface Shown {
  readonly check: string;
  readonly severity: string;
  readonly server: string;
  readonly function?: string;
  readonly text: string;
  readonly advice: string;
}

async function doctor(servers: string, ...args: string[]) {
  const { code, stdout, stderr } = await basilInProcess(["gearman", "doctor", "--servers", servers, ...args]);
  return { code, stdout: stdout.toString(), stderr };
}

async function findings(servers: string, ...args: string[]): Promise<{ code: number | null; found: Shown[] }> {
  const { code, stdout } = await doctor(servers, "--json", ...args);
  return { code, found: JSON.parse(stdout).findings };
}

async function fake(replies: Replies, echoDelayMs = 0): Promise<string> {
  const made = await startTextServer({ version: "OK 2.0.0\n", ...replies }, echoDelayMs);
  cleanups.push(() => made.close());
  return made.server;
}

describe("a server in order", () => {
  test("has no findings", async () => {
    const server = new GearmanServer();
    cleanups.push(() => server.close());
    const { host, port } = await server.listen();
    const { code, stdout, stderr } = await doctor(`${host}:${port}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^127\.0\.0\.1:\d+ {2}version 1\.1\.20\+basil, 0 functions, 0 jobs, echo [\d.]+ ms\n\nNothing is wrong\.\n$/,
    );
  });

  test("stands with its counts in the JSON output", async () => {
    const server = await fake({
      status: "f\t1\t1\t1\n.\n",
      workers: "30 127.0.0.1 - :\n31 127.0.0.1 w : f\n.\n",
      "show jobs": "H:a:1\t0\t0\t1\n.\n",
    });
    const { stdout } = await doctor(server, "--json");
    expect(JSON.parse(stdout)).toEqual({
      servers: [
        {
          server,
          version: "2.0.0",
          pid: 123,
          connectMs: expect.any(Number),
          roundTripMs: expect.any(Number),
          functions: 1,
          workers: 1,
          connections: 2,
          jobs: 1,
          ignoredJobs: 0,
        },
      ],
      findings: [],
    });
  });
});

describe("servers that cannot be asked", () => {
  test("that are down: an error, with where to start", async () => {
    const { code, found } = await findings("127.0.0.1:1");
    expect(code).toBe(1);
    expect(found).toEqual([
      {
        check: "unreachable",
        severity: "error",
        server: "127.0.0.1:1",
        text: "cannot ask 127.0.0.1:1: connection refused.",
        advice: expect.stringContaining("basil gearman serve"),
      },
    ]);
  });

  test("that hang, that are something else, that have no address", async () => {
    const advice = async (server: string) => (await findings(server, "--timeout-ms", "300")).found[0]?.advice;
    expect(await advice(await fake({ version: "HTTP/1.1 400 Bad Request\r\n" }))).toContain("Something else listens");
    expect(await advice(await fake({ version: "" }))).toContain("firewall");
    expect(await advice("no-such-host.invalid")).toContain("The name has no address");
  });

  test("that speak no TLS when asked to, or end the connection when not", async () => {
    const plain = new GearmanServer();
    cleanups.push(() => plain.close());
    const { port } = await plain.listen();
    const { found } = await findings(`tls://127.0.0.1:${port}`);
    expect(found).toMatchObject([
      { check: "unreachable", server: `127.0.0.1:${port}`, advice: expect.stringContaining("tls, ca") },
    ]);
    const closing = createServer((socket) => void socket.on("error", () => undefined).end());
    await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => closing.close());
    const { port: closingPort } = closing.address() as AddressInfo;
    expect((await findings(`127.0.0.1:${closingPort}`)).found[0]?.advice).toContain("tls://host");
  });

  test("do not hide what is found on the others", async () => {
    const server = await fake({ status: "f\t2\t0\t0\n.\n" });
    const { found } = await findings(`127.0.0.1:1,${server}`);
    expect(found.map(({ check }) => check)).toEqual(["unreachable", "noWorkers"]);
  });
});

describe("findings", () => {
  const ONE_WORKER = { workers: "31 127.0.0.1 w : f\n.\n" };

  test.each([
    [
      "jobs without workers",
      { status: "f\t3\t0\t0\n.\n" },
      "noWorkers",
      "error",
      "3 jobs of f wait, and no worker",
      "Start a worker",
    ],
    [
      "a count below zero",
      { status: "f\t1\t4294967295\t1\n.\n" },
      "wrongCount",
      "error",
      "running 4294967295",
      "Restart the server",
    ],
    ["more running than there are", { status: "f\t1\t2\t1\n.\n" }, "wrongCount", "error", "total 1, running 2", "CAN_DO_TIMEOUT"],
    [
      "jobs no worker takes",
      { status: "f\t2\t0\t1\n.\n" },
      "waiting",
      "warning",
      "Jobs of f wait although workers",
      "restart them",
    ],
    [
      "ignored jobs",
      { "show jobs": "H:a:1\t0\t1\t1\nH:a:2\t0\t0\t1\n.\n" },
      "ignoredJobs",
      "warning",
      "1 job is cancelled",
      "same unique key",
    ],
    [
      "jobs that kill workers",
      { "show jobs": "H:a:1\t3\t0\t1\nH:a:2\t2\t0\t1\n.\n" },
      "oftenRetried",
      "warning",
      "Workers were lost 3 times or more over H:a:1.",
      "basil gearman cancel",
    ],
    [
      "a worker registered twice",
      { workers: "31 127.0.0.1 w : f g f\n.\n" },
      "registeredTwice",
      "warning",
      "The worker w at 127.0.0.1 is registered more than once for f.",
      "too high",
    ],
    ["a gearmand that wakes nobody", { version: "OK 1.1.20+ds\n" }, "epochWakeUp", "note", "gearmand 1.1.20+ds", "gearmand 2"],
  ] as const)("%s", async (_, replies: Replies, check, severity, text, advice) => {
    const server = await fake({ ...ONE_WORKER, ...replies });
    const { code, found } = await findings(server);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ check, severity, server });
    expect(found[0]?.text).toContain(text);
    expect(found[0]?.advice).toContain(advice);
    expect(code).toBe(severity === "error" ? 1 : 0);
  });

  test("jobs that wait on gearmand 1.1 may be due without anybody woken", async () => {
    const { found } = await findings(await fake({ version: "OK 1.1.20\n", status: "f\t2\t0\t1\n.\n" }));
    expect(found.map(({ check }) => check)).toEqual(["waiting", "epochWakeUp"]);
    expect(found[0]?.advice).toContain("wakes no sleeping worker");
  });

  test("a slow echo", async () => {
    const { code, found } = await findings(await fake({}, 120));
    expect(found).toMatchObject([{ check: "slowEcho", severity: "warning", text: expect.stringMatching(/^An echo took 1\d\d/) }]);
    expect(code).toBe(0);
  });

  test("a deep queue on gearmand, not on our server", async () => {
    const jobs = `${Array.from({ length: 100_001 }, (_, at) => `H:a:${at}\t0\t0\t1\n`).join("")}.\n`;
    const { found } = await findings(await fake({ "show jobs": jobs }));
    expect(found).toMatchObject([
      { check: "deepQueue", severity: "note", advice: expect.stringContaining("--hashtable-buckets") },
    ]);
    const ours = await fake({ version: "OK 1.1.20+basil\n", "show jobs": jobs });
    expect((await findings(ours)).found).toEqual([]);
  });

  test("workers that are connected to one server only: where jobs wait an error, else a warning", async () => {
    const a = await fake({ status: "f\t2\t0\t0\n.\n" });
    const b = await fake({ status: "f\t0\t0\t1\ng\t0\t0\t1\n.\n" });
    const { found } = await findings(`${a},${b}`);
    expect(found).toMatchObject([
      { check: "noWorkers", server: a, advice: `Its workers are registered on ${b} only: let them connect to this server too.` },
      { check: "otherFunctions", server: a, text: `Workers of g are registered on ${b}, but not on ${a}.` },
    ]);
  });
});

test("the report fits 80 columns whatever functions are called, and sums up", async () => {
  const name = `shop.${"very.".repeat(30)}long\x1b[31m`;
  const server = await fake({
    version: "OK 1.1.20\n",
    status: `${name}\t3\t0\t0\n.\n`,
    workers: `31 ::1 w : ${name} ${name}\n.\n`,
  });
  const { code, stdout } = await doctor(server);
  expect(code).toBe(1);
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  expect(stdout).not.toContain("\x1b");
  expect(stdout).toContain(`\n\nERROR: ${server}: 3 jobs of\nshop.very`);
  expect(stdout).toContain("\n\nNOTE: ");
  expect(stdout).toMatch(/\n1 error, 1 warning\.\n$/);
});

test("the report shows ten findings of a kind and counts the others", async () => {
  const rows = Array.from({ length: 25 }, (_, at) => `f${at}\t1\t0\t0\n`).join("");
  const server = await fake({ status: `${rows}.\n` });
  const { stdout } = await doctor(server);
  expect(stdout.match(/^ERROR: .* 1 job of f\d+ waits/gm)).toHaveLength(10);
  expect(stdout).toContain(`\nERROR: ${server}: 15 more like these.\n\n25 errors, 0 warnings.\n`);
  expect((await findings(server)).found).toHaveLength(25);
});

describe.skipIf(!hasGearmand())("with gearmand", () => {
  test("finds jobs without workers, cancelled jobs, and the version that wakes nobody", async () => {
    const gearmand = await startGearmand();
    cleanups.push(() => gearmand.stop());
    const client = new GearmanClient({ servers: [gearmand.server] });
    cleanups.push(() => client.close());
    await client.submitBackground({ name: "nobody.does.it" });
    const { handle } = await client.submitBackground({ name: "nobody.does.it" });
    await client.cancel(handle);
    const { code, found } = await findings(gearmand.server);
    expect(code).toBe(1);
    expect(found.map(({ check }) => check).filter((check) => check !== "epochWakeUp")).toEqual(["noWorkers", "ignoredJobs"]);
    expect(found[0]).toMatchObject({ function: "nobody.does.it", server: gearmand.server });
  });

  test("finds the count that a CAN_DO_TIMEOUT has brought below zero", async () => {
    const gearmand = await startGearmand();
    cleanups.push(() => gearmand.stop());
    const client = new GearmanClient({ servers: [gearmand.server] });
    cleanups.push(() => client.close());
    await client.submitBackground({ name: "timed" });
    const worker = connect(gearmand.port, "127.0.0.1");
    cleanups.push(() => worker.destroy());
    const decoder = new PacketDecoder(undefined, "RES");
    worker.on("data", (chunk: Buffer) => {
      for (const packet of decoder.push(chunk)) {
        if (packet.name === "JOB_ASSIGN")
          for (const part of encodePacket("REQ", "WORK_COMPLETE", packet.args.handle, "")) worker.write(part);
      }
    });
    worker.write(Buffer.concat([...encodePacket("REQ", "CAN_DO_TIMEOUT", "timed", "1000"), ...encodePacket("REQ", "GRAB_JOB")]));
    const admin = new GearmanAdmin({ server: gearmand.server });
    await until(async () => (await admin.status()).some(({ running }) => running > 1), "gearmand's timer fires");
    const { code, found } = await findings(gearmand.server);
    expect(code).toBe(1);
    expect(found[0]).toMatchObject({
      check: "wrongCount",
      function: "timed",
      text: expect.stringContaining("running 4294967295"),
    });
  });
});
