/** The real host: output, sleep, environment, shell, and what a sandbox leaves out. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProgramEnd } from "../../../runtime/errors.ts";
import { createNodeHost, type NodeHostOptions } from "../../../src/tools/host/node-host.ts";

const never = new AbortController().signal;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-host-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A stream that keeps what is written. */
class Collected extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function hostWith(options: Partial<NodeHostOptions> = {}) {
  const stdout = new Collected();
  const stderr = new Collected();
  const host = createNodeHost({ directory, arguments: ["a"], stdin: new PassThrough(), stdout, stderr, ...options });
  return { host, stdout, stderr };
}

test("output and reports go to the streams it was given", () => {
  const { host, stdout, stderr } = hostWith();
  expect(host.write(Buffer.from("out"))).toBeUndefined();
  host.writeError("err\n");
  expect(stdout.text).toBe("out");
  expect(stderr.text).toBe("err\n");
  host.close();
  host.close();
});

test("tells its arguments, name, time and random values", () => {
  const { host } = hostWith();
  expect(host.arguments).toEqual(["a"]);
  expect(host.hostName()).not.toBe("");
  expect(host.now()).toBeGreaterThan(1.6e12);
  expect(host.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(host.randomSeed()).not.toBe(host.randomSeed());
});

test("a sandbox has input and output, but no files, environment and shell", () => {
  const { host } = hostWith({ sandbox: true });
  expect(Object.keys(host)).not.toEqual(expect.arrayContaining(["files"]));
  expect([host.files, host.environment, host.shell]).toEqual([undefined, undefined, undefined]);
  expect(host.input).toBeDefined();
});

describe("output", () => {
  test("a slow reader makes the writer wait until it wants more", async () => {
    let release = (): void => {};
    const slow = new Writable({
      highWaterMark: 4,
      write(_chunk, _encoding, done) {
        release = done;
      },
    });
    const { host } = hostWith({ stdout: slow });
    const written = host.write(Buffer.from("much more"));
    expect(written).toBeInstanceOf(Promise);
    release();
    await written;
  });

  test("a reader that went away ends the program with 141, and later output is dropped", async () => {
    const gone = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    const { host } = hostWith({ stdout: gone });
    const ending = Promise.resolve().then(() => host.write(Buffer.from("text")));
    await expect(ending).rejects.toEqual(new ProgramEnd(141));
    expect(host.write(Buffer.from("more"))).toBeUndefined();
  });

  test("a failure noticed later is raised by the next write", async () => {
    const full = new PassThrough();
    const { host } = hostWith({ stdout: full });
    expect(host.write(Buffer.from("x"))).toBeUndefined();
    full.destroy(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
    await new Promise((resolve) => full.once("close", resolve));
    expect(() => host.write(Buffer.from("y"))).toThrow("PRINT: ENOSPC: no space left on device, write");
  });
});

describe("many hosts on one stream", () => {
  const broken = Object.assign(new Error("disk full"), { code: "ENOSPC" });
  const counts = (stream: Writable): number[] => ["error", "drain", "close"].map((event) => stream.listenerCount(event));

  test("are one listener, however many are never closed, and each hears of a failure", () => {
    const stdout = new Collected({ emitClose: false });
    const hosts = Array.from({ length: 30 }, () => hostWith({ stdout }).host);
    expect(counts(stdout)).toEqual([1, 0, 0]);
    stdout.emit("error", broken);
    for (const host of hosts) expect(() => host.write(Buffer.from("x"))).toThrow("PRINT: disk full");
  });

  test("closing one leaves the others listening; the last one takes the listener away", () => {
    const stdout = new Collected({ emitClose: false });
    const [first, second] = [hostWith({ stdout }).host, hostWith({ stdout }).host];
    first.close();
    expect(counts(stdout)).toEqual([1, 0, 0]);
    stdout.emit("error", broken);
    expect(() => second.write(Buffer.from("x"))).toThrow("PRINT: disk full");
    second.close();
    first.close();
    expect(counts(stdout)).toEqual([0, 0, 0]);
  });

  test("that all wait for a slow reader are one listener too", async () => {
    const stdout = new PassThrough({ highWaterMark: 1 });
    const hosts = Array.from({ length: 30 }, () => hostWith({ stdout }).host);
    const waits = hosts.map((host) => host.write(Buffer.from("xx")));
    expect(counts(stdout).map((count) => count <= 2)).toEqual([true, true, true]);
    stdout.resume();
    await Promise.all(waits);
    for (const host of hosts) host.close();
    expect(stdout.listenerCount("error")).toBe(0);
  });
});

describe("sleep", () => {
  test("is kept after the time; NaN and negative times are no time", async () => {
    const { host } = hostWith();
    const started = performance.now();
    await host.sleep(20, never);
    expect(performance.now() - started).toBeGreaterThanOrEqual(18);
    await host.sleep(Number.NaN, never);
    await host.sleep(-1, never);
  });

  test("ends when the signal fires, also in a sleep longer than timers can be", async () => {
    const { host } = hostWith();
    const abort = new AbortController();
    const asleep = host.sleep(1e15, abort.signal);
    abort.abort();
    await expect(asleep).rejects.toThrow();
  });
});

describe("environment and shell", () => {
  const environment = { PATH: process.env["PATH"], GIVEN: "1" };

  test("variables are the program's own copy; children see what is exported", async () => {
    const { host, stdout } = hostWith({ environment });
    const variables = host.environment!;
    expect(variables.get("GIVEN")).toBe("1");
    expect(variables.get("NOPE")).toBeUndefined();
    variables.set("OWN", "o", false);
    variables.set("OUT", "x", true);
    variables.set("GIVEN", "2", false);
    expect([variables.get("OWN"), variables.get("OUT"), variables.get("GIVEN")]).toEqual(["o", "x", "2"]);
    expect(await host.shell!.run('echo "[$OWN][$OUT][$GIVEN]"', never)).toBe(0);
    expect(stdout.text).toBe("[][x][1]\n");
    expect(process.env["OUT"]).toBeUndefined();
    expect(environment).toEqual({ PATH: process.env["PATH"], GIVEN: "1" });
  });

  test("a command runs in the script's directory and gives its exit code", async () => {
    const { host, stdout, stderr } = hostWith();
    expect(await host.shell!.run("pwd; echo problem >&2; exit 3", never)).toBe(3);
    expect(stdout.text.trim().endsWith(directory)).toBe(true);
    expect(stderr.text).toBe("problem\n");
    expect(await host.shell!.run("kill -TERM $$", never)).toBe(143);
    expect(await host.shell!.run("no-such-command-here", never)).toBe(127);
  });

  test("a command ends when the signal fires", async () => {
    const { host } = hostWith();
    const abort = new AbortController();
    const running = host.shell!.run("sleep 60", abort.signal);
    abort.abort(new Error("deadline"));
    await expect(running).rejects.toThrow("deadline");
    await expect(host.shell!.run("true", abort.signal)).rejects.toThrow("deadline");
  });
});
