/** `basil gearman top`: on a terminal until a key or signal, in a pipe one table; the terminal is as before afterwards. */
import { PassThrough, Writable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { runCommandLine } from "../../../../src/tools/cli/command-line.ts";
import { until } from "../../../core/gearman/fake-server.ts";
import { basilInProcess } from "../../../helpers/in-process.ts";
import { type Replies, startTextServer, type TextServer } from "./text-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function fake(replies: Replies): Promise<TextServer> {
  const made = await startTextServer(replies);
  cleanups.push(() => made.close());
  return made;
}

/** A server whose `status` answers differently each time; the last answer stays. */
async function changing(...statuses: string[]): Promise<TextServer> {
  return fake({
    get status() {
      return (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? "";
    },
  });
}

/** A terminal of 80 columns that remembers what it was sent. */
class Screen extends Writable {
  readonly isTTY = true;
  columns = 80;
  rows = 12;
  text = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** What the last frame shows, as lines. */
  get lines(): string[] {
    const frame = this.text.slice(this.text.lastIndexOf("\x1b[H") + 3);
    return frame.slice(0, frame.indexOf("\x1b[J")).replaceAll("\x1b[K", "").split("\r\n");
  }
}

class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
}

/** Runs top on a terminal. */
function onTerminal(servers: string, ...args: string[]) {
  const [stdin, stdout, stderr] = [new Keyboard(), new Screen(), new Screen()];
  const ended = runCommandLine(["gearman", "top", "--interval", "0.1", "--servers", servers, ...args], {
    stdin,
    stdout,
    stderr,
    directory: "/",
    environment: { TERM: "xterm" },
    isColored: false,
  });
  return { stdin, stdout, stderr, ended };
}

describe("on a terminal", () => {
  test.each(["q", "Q", "\x03"])("shows the queues anew until %j, and leaves the terminal as it was", async (key) => {
    const { server } = await changing("f\t10\t0\t1\n.\n", "f\t30\t5\t1\n.\n");
    const { stdin, stdout, stderr, ended } = onTerminal(server);
    await until(() => stdout.text.includes("30") || stdout.lines.some((line) => /^f +25 +5 +1 +/.test(line)), "the second look");
    expect(stdin.isRaw).toBe(true);
    expect(stdout.text.startsWith("\x1b[?1049h\x1b[?25l")).toBe(true);
    expect(stdout.lines.slice(0, 4)).toEqual([
      "basil gearman top, every 0.1 s, q ends it",
      "1 server, 1 function, 25 queued, 5 running",
      "",
      "FUNCTION  QUEUED  RUNNING  WORKERS  CHANGE/S",
    ]);
    stdin.write(`x${key}`);
    expect(await ended).toBe(0);
    expect(stdin.isRaw).toBe(false);
    expect(stdout.text.endsWith("\x1b[?25h\x1b[?1049l")).toBe(true);
    expect(stderr.text).toBe("");
  });

  test("SIGTERM ends it as well, with the code of the signal", async () => {
    const { server } = await fake({});
    const { stdin, stdout, ended } = onTerminal(server);
    await until(() => stdout.lines.includes("No functions are known."));
    process.emit("SIGTERM", "SIGTERM");
    expect(await ended).toBe(143);
    expect([stdin.isRaw, stdout.text.endsWith("\x1b[?1049l")]).toEqual([false, true]);
  });

  test("shows the functions with most jobs that fit, and follows the terminal's size", async () => {
    const rows = Array.from({ length: 40 }, (_, at) => `function.${at}\t${at}\t0\t1\n`).join("");
    const { server } = await fake({ status: `${rows}.\n` });
    const { stdin, stdout, ended } = onTerminal(server, "--interval", "3600");
    await until(() => stdout.lines.length > 4);
    expect(stdout.lines).toHaveLength(12);
    expect(stdout.lines[4]).toMatch(/^function\.39 +39 /);
    expect(stdout.lines.at(-1)).toBe("… and 33 more functions");
    stdout.rows = 20;
    stdout.emit("resize");
    expect(stdout.lines).toHaveLength(20);
    stdin.write("q");
    await ended;
  });

  test("shows servers that are down among the others, and goes on", async () => {
    const { server } = await fake({ status: "f\t1\t0\t1\n.\n" });
    const { stdin, stdout, stderr, ended } = onTerminal(`${server},127.0.0.1:1`);
    await until(() => stdout.lines.some((line) => line.startsWith("f ")));
    expect(stdout.lines[2]).toBe("! cannot ask 127.0.0.1:1: connection refused");
    expect(stdout.lines.filter((line) => line.length > 80)).toEqual([]);
    stdin.write("q");
    expect(await ended).toBe(0);
    expect(stderr.text).toBe("");
  });

  test("does not wait for a server that hangs when it is to end", async () => {
    const { server, lines } = await fake({ status: "" });
    const { stdin, ended } = onTerminal(server);
    await until(() => lines.includes("status"));
    stdin.write("q");
    expect(await ended).toBe(0);
  });

  test("--once prints one table and no control sequences", async () => {
    const { server } = await fake({ status: "f\t1\t0\t1\n.\n" });
    const { stdout, ended } = onTerminal(server, "--once");
    expect(await ended).toBe(0);
    expect(stdout.text).toMatch(/^1 server, .*\n\nFUNCTION .*\nf +1 +0 +1 +0\n$/);
  });
});

describe("in a pipe", () => {
  const top = async (...args: string[]) => {
    const { code, stdout, stderr } = await basilInProcess(["gearman", "top", "--interval", "0.1", ...args]);
    return { code, stdout: stdout.toString(), stderr };
  };

  test("prints one table, with how fast the number of jobs changed", async () => {
    const { server } = await changing("f\t10\t0\t1\ng\t5\t0\t0\n.\n", "f\t30\t5\t1\ng\t0\t0\t0\nnew\t1\t0\t0\n.\n");
    const { code, stdout } = await top("--servers", server);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^1 server, 3 functions, 26 queued, 5 running\n\nFUNCTION +QUEUED +RUNNING +WORKERS +CHANGE\/S\nf +25 +5 +1 +\+[\d.]+\nnew +1 +0 +0 +-\ng +0 +0 +0 +-[\d.]+\n$/,
    );
  });

  test("as JSON, and with a server that is down", async () => {
    const { server } = await changing("f\t10\t0\t1\n.\n");
    const { code, stdout, stderr } = await top("--json", "--servers", `${server},127.0.0.1:1`);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).servers).toEqual([
      { server, functions: [{ name: "f", total: 10, running: 0, workers: 1, queued: 10, changePerSecond: 0 }] },
      { server: "127.0.0.1:1", error: { kind: "IO", message: "cannot ask 127.0.0.1:1: connection refused" } },
    ]);
    expect(stderr).toBe("basil: cannot ask 127.0.0.1:1: connection refused\n");
    const plain = await top("--servers", `${server},127.0.0.1:1`);
    expect([plain.code, plain.stdout.startsWith("1 server, 1 function")]).toEqual([1, true]);
  });
});
