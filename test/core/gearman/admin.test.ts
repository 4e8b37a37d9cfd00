/** The text protocol as servers really answer it, typed, and what becomes of cancelling on servers that cannot. */
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { GearmanAdmin, type GearmanAdminOptions } from "../../../src/core/gearman/admin.ts";
import { GearmanClient } from "../../../src/core/gearman/client.ts";
import { type GearmanHost, systemHost } from "../../../src/core/gearman/host.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that does something with each connection. */
async function serving(serve: (socket: Socket) => void): Promise<{ port: number; server: string }> {
  const sockets: Socket[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, server: `127.0.0.1:${port}` };
}

/** A server that answers each line with these pieces, one write each, or closes without a word; and its administrator. */
async function answering(pieces: readonly (string | Buffer)[] | null, options: GearmanAdminOptions = {}) {
  const lines: string[] = [];
  const { server, port } = await serving((socket) => {
    socket.on("data", (chunk: Buffer) => {
      lines.push(chunk.toString());
      if (pieces === null) return socket.end();
      const write = ([first, ...rest]: readonly (string | Buffer)[]) => {
        if (first !== undefined) socket.write(first, () => setImmediate(write, rest));
      };
      return write(pieces);
    });
  });
  const admin = new GearmanAdmin({ server, timeoutMs: 5000, ...options });
  cleanups.push(() => void admin.close());
  return { admin, lines, server, address: { host: "127.0.0.1", port } };
}

describe("status", () => {
  test("ends with a dot, whatever the pieces it comes in", async () => {
    const { admin, lines } = await answering(["f\t3\t1", "\t2\ng h\t0\t0\t0\n", ".", "\n"]);
    expect(await admin.status()).toEqual([
      { name: "f", total: 3, running: 1, workers: 2 },
      { name: "g h", total: 0, running: 0, workers: 0 },
    ]);
    expect(lines).toEqual(["status\r\n"]);
  });

  test.each([
    ["tabs", "a\tb"],
    ["numbers behind tabs", "a\t1\t2\t3"],
    ["blanks at its ends", " a "],
    ["a line feed", "a\nb"],
    ["the word of an error", "ERR"],
    ["an error's text", "ERR UNKNOWN_COMMAND x"],
    ["a dot", "."],
    ["nothing at all", ""],
    ["a character that a chunk ends in", "é"],
  ])("reads a function whose name has %s", async (_, name) => {
    const bytes = Buffer.from(`${name}\t4\t2\t1\n.\n`);
    for (const cut of [bytes.length, 1, 2]) {
      const { admin } = await answering([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(await admin.status()).toEqual([{ name, total: 4, running: 2, workers: 1 }]);
    }
  });

  test("keeps counts that gearmand got wrong as it says them", async () => {
    const { admin } = await answering(["f\t1\t4294967295\t1\n.\n"]);
    expect((await admin.status())[0]?.running).toBe(4294967295);
  });

  test("by priority has the waiting jobs of each", async () => {
    const { admin, lines } = await answering(["f\tg\t1\t2\t3\t4\n.\n"]);
    expect(await admin.priorityStatus()).toEqual([{ name: "f\tg", high: 1, normal: 2, low: 3, workers: 4 }]);
    expect(lines).toEqual(["prioritystatus\r\n"]);
  });
});

describe("workers", () => {
  test.each([
    ["30 127.0.0.1 - : f g", "127.0.0.1", "-", ["f", "g"]],
    ["30 127.0.0.1 - :", "127.0.0.1", "-", []],
    ["30 127.0.0.1 - : ", "127.0.0.1", "-", []],
    ["30 127.0.0.1  : f", "127.0.0.1", "", ["f"]],
    ["30 127.0.0.1  :", "127.0.0.1", "", []],
    ["30 ::1 my own worker : f", "::1", "my own worker", ["f"]],
    ["30 fe80::1%eth0 a : b : f", "fe80::1%eth0", "a : b", ["f"]],
    ["30 127.0.0.1 shop : app::resize x:y :z", "127.0.0.1", "shop", ["app::resize", "x:y", ":z"]],
    ["30 127.0.0.1 w : f f f", "127.0.0.1", "w", ["f", "f", "f"]],
    ["30 127.0.0.1 w : a\nb c", "127.0.0.1", "w", ["a"]],
    ["30 127.0.0.1 : : f", "127.0.0.1", ":", ["f"]],
  ])("reads %j", async (line, address, clientId, functions) => {
    const { admin } = await answering([`${line}\n.\n`]);
    expect(await admin.workers()).toEqual([{ fd: 30, address, clientId, functions }]);
  });
});

describe("jobs", () => {
  test("have their retries and two marks", async () => {
    const { admin, lines } = await answering(["H:a:1\t0\t0\t1\nH:a:2\t3\t1\t0\n.\n"]);
    expect(await admin.jobs()).toEqual([
      { handle: "H:a:1", retries: 0, isIgnored: false, isBackground: true },
      { handle: "H:a:2", retries: 3, isIgnored: true, isBackground: false },
    ]);
    expect(lines).toEqual(["show jobs\r\n"]);
  });

  test("tell their uniques: a dot among them does not end the list, and jobs without one have an empty one", async () => {
    const version = "OK 1.1.20\n";
    const uniques = async (...pieces: string[]) => (await answering(pieces)).admin.uniqueJobs();
    expect(await uniques("a\n\n.\nOK\n.\n", version)).toEqual(["a", "", ".", "OK"]);
    expect(await uniques(".\n.\n.\n", version)).toEqual([".", "."]);
    expect(await uniques("ERR mine\n.\n", version)).toEqual(["ERR mine"]);
    expect(await uniques(".\n", version)).toEqual([]);
  });
});

describe("a reply that is none", () => {
  test.each([
    [["ERR UNKNOWN_COMMAND Unknown+server+commandstatus\r\n"], "SERVER", "UNKNOWN_COMMAND: Unknown server commandstatus"],
    [["HTTP/1.1 400 Bad Request\r\n\r\n", null], "PROTOCOL", 'is no Gearman server: it answered "HTTP/1.1 400 Bad Request"'],
    [["-ERR unknown command 'status'\r\n"], "PROTOCOL", "is no Gearman server"],
    [["x".repeat(20_000), "\n"], "PROTOCOL", "is no Gearman server"],
    [["f\t1\t0\t0\n", null], "IO", "closed the connection before its reply to status was complete"],
    [[null], "IO", "closed the connection before its reply to status was complete"],
    [["f\t1"], "TIMEOUT", 'only the beginning "f\\t1"'],
    [[], "TIMEOUT", "to status within 150 ms"],
  ] as const)("%j is %s", async (pieces, kind, text) => {
    const { server } = await serving((socket) => {
      socket.once("data", () => {
        for (const piece of pieces) piece === null ? socket.end() : socket.write(piece);
      });
    });
    const admin = new GearmanAdmin({ server, timeoutMs: 150 });
    await expect(admin.status()).rejects.toMatchObject({ kind, message: expect.stringContaining(text) });
  });
});

describe("long lists", () => {
  const COUNT = 1_000_000;

  /** Writes rows as fast as they are taken, and counts them. */
  const endless = async (sent: { rows: number }) =>
    serving((socket) => {
      const write = (): void => {
        while (sent.rows < COUNT) {
          let text = "";
          for (let i = 0; i < 1000; i++) text += `H:machine:${++sent.rows}\t0\t0\t1\n`;
          if (!socket.write(text)) return void socket.once("drain", write);
        }
        socket.write(".\n");
      };
      socket.once("data", write);
    });

  test("come row by row: a reader that stops to think holds the server up, and leaving the loop ends the connection", async () => {
    const sent = { rows: 0 };
    const { server } = await endless(sent);
    const rows = new GearmanAdmin({ server }).jobRows();
    expect((await rows.next()).value).toMatchObject({ handle: "H:machine:1" });
    const before = new Set<number>();
    // The server is held up when it sends nothing more for many turns of the event loop.
    for (let still = 0; still < 200; still = before.has(sent.rows) ? still + 1 : 0) {
      before.add(sent.rows);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent.rows).toBeLessThan(COUNT / 2);
    await rows.return();
    await expect(rows.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test("are complete, and their time limit is for each wait, not for the reader", async () => {
    const { server } = await endless({ rows: COUNT - 50_000 });
    let count = 0;
    for await (const row of new GearmanAdmin({ server, timeoutMs: 400 }).jobRows()) {
      if (count++ === 0) await new Promise((resolve) => setTimeout(resolve, 500));
      expect(row.isBackground || row.handle).toBe(true);
    }
    expect(count).toBe(50_000);
  });

  test("are refused whole from two million rows on, before they take all memory", async () => {
    const { server } = await serving((socket) => {
      socket.on("data", () => void socket.write(Buffer.alloc(2_100_000, "\n")));
    });
    await expect(new GearmanAdmin({ server }).uniqueJobs()).rejects.toMatchObject({
      kind: "PROTOCOL",
      message: expect.stringContaining("read it row by row"),
    });
  });

  test("end with an error when the server falls silent, however much came before", async () => {
    const { admin } = await answering(["f\t1\t0\t0\n"], { timeoutMs: 50 });
    const rows = admin.statusRows();
    expect((await rows.next()).value).toMatchObject({ name: "f" });
    await expect(rows.next()).rejects.toMatchObject({ kind: "TIMEOUT" });
  });
});

describe("changes", () => {
  test.each([
    ["createFunction", ["f"], "create function f\r\n"],
    ["createFunction", ["a\tb"], "create function a\tb\r\n"],
    ["dropFunction", ["f"], "drop function f\r\n"],
    ["version", [], "version\r\n"],
    ["verbose", [], "verbose\r\n"],
    ["pid", [], "getpid\r\n"],
  ] as const)("%s%j sends one line with CR and LF", async (method, args, line) => {
    const { admin, lines } = await answering(["OK 12\n"]);
    await (admin[method] as (...args: string[]) => Promise<unknown>).apply(admin, [...args]);
    expect(lines).toEqual([line]);
  });

  test("the version, the process id and the verbosity are what stands behind the OK", async () => {
    expect(await (await answering(["OK 1.1.20+ds\n"])).admin.version()).toBe("1.1.20+ds");
    expect(await (await answering(["OK 123\n"])).admin.pid()).toBe(123);
    expect(await (await answering(["OK ERROR\r\n"])).admin.verbose()).toBe("ERROR");
    await expect((await answering(["OK abc\n"])).admin.pid()).rejects.toMatchObject({ kind: "PROTOCOL" });
  });

  test.each([
    ["ERR function not found\r\n", "NOT_FOUND"],
    ["ERR there are still connected workers or executing clients\r\n", "SERVER"],
    ["ERR UNKNOWN_COMMAND Unknown+server+commanddrop\r\n", "SERVER"],
    ["220 mail.example ESMTP\r\n", "PROTOCOL"],
    [null, "IO"],
  ] as const)("the answer %j to dropFunction is %s", async (answer, kind) => {
    const { admin } = await answering(answer === null ? null : [answer]);
    await expect(admin.dropFunction("f")).rejects.toMatchObject({ kind });
  });

  test.each(["", "two words", "a\nb", "a\rb", "a\0b"])("the function name %j is refused before it is sent", async (name) => {
    const { admin, lines } = await answering(["OK\r\n"]);
    for (const call of [admin.createFunction(name), admin.dropFunction(name), admin.maxQueue(name, 1)])
      await expect(call).rejects.toMatchObject({ kind: "ARGUMENT" });
    expect(lines).toEqual([]);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 31])("the limit %j is refused", async (limit) => {
    const { admin, lines } = await answering(["OK\r\n"]);
    await expect(admin.maxQueue("f", limit)).rejects.toMatchObject({ kind: "ARGUMENT" });
    await expect(admin.maxQueue("f", { high: 1, normal: limit, low: 1 })).rejects.toMatchObject({ kind: "ARGUMENT" });
    expect(lines).toEqual([]);
  });
});

describe("cancelling", () => {
  test.each([
    [["OK\r\n"], null],
    [["O", "K\n"], null],
    [["ERR UNKNOWN_JOB\r\n"], "NOT_FOUND"],
    [["ERR UNKNOWN_COMMAND Unknown+server+commandcancel\r\n"], "CANCEL_UNSUPPORTED"],
    [["ERR UNKNOWN_ERROR\r\n"], "CANCEL_UNSUPPORTED"],
    [null, "CANCEL_UNSUPPORTED"],
    [["ERR DENIED not+yours\r\n"], "SERVER"],
    [["HTTP/1.1 400 Bad Request\r\n"], "PROTOCOL"],
    [["<!DOCTYPE HTML>\n"], "PROTOCOL"],
  ] as const)("the answer %j is told as %s", async (pieces, kind) => {
    const { admin, lines } = await answering(pieces);
    const cancelling = admin.cancelJob("H:a:1");
    if (kind === null) expect(await cancelling).toBe(true);
    else await expect(cancelling).rejects.toMatchObject({ kind });
    expect(lines).toEqual(["cancel job H:a:1\r\n"]);
  });

  test("takes a handle with its server, refuses another server's, and what is no handle", async () => {
    const { admin, server } = await answering(["OK\r\n"]);
    expect(await admin.cancelJob(`${server}//H:a:1`)).toBe(true);
    await expect(admin.cancelJob("127.0.0.1:1//H:a:1")).rejects.toMatchObject({ kind: "ARGUMENT" });
    await expect(admin.cancelJob("H:a:1\r\ndrop function f")).rejects.toMatchObject({ kind: "ARGUMENT" });
  });

  test("with several servers one that did it is enough, and one that could not be asked is not taken for a no", async () => {
    const [yes, no] = [await answering(["OK\r\n"]), await answering(["ERR UNKNOWN_JOB\r\n"])];
    const down = { host: "127.0.0.1", port: 1 };
    const client = (...servers: { host: string; port: number }[]) => {
      const made = new GearmanClient({ servers });
      cleanups.push(() => void made.close());
      return made;
    };
    expect(await client(no.address, yes.address).cancel("H:a:1")).toBe(true);
    await expect(client(no.address).cancel("H:a:1")).rejects.toMatchObject({ kind: "NOT_FOUND" });
    await expect(client(no.address, down).cancel("H:a:1")).rejects.toMatchObject({ kind: "IO" });
  });
});

test("no answer is a TIMEOUT, and a signal or closing calls it off, from wherever it is given", async () => {
  const { server, address } = await answering([]);
  const admin = new GearmanAdmin({ server });
  await expect(admin.version({ timeoutMs: 20 })).rejects.toMatchObject({ kind: "TIMEOUT" });
  await expect(admin.version({ signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "ABORTED" });
  const stop = new AbortController();
  const stopped = new GearmanAdmin({ server, signal: stop.signal }).status();
  stop.abort();
  await expect(stopped).rejects.toMatchObject({ kind: "ABORTED" });
  const client = new GearmanClient({ servers: [address] });
  const cancelling = client.cancel("H:a:1");
  void client.close();
  await expect(cancelling).rejects.toMatchObject({ kind: "CLOSED" });
});

test("close() ends calls and lists under way with CLOSED, also those that come later, and may be called again", async () => {
  const { server } = await answering([]);
  const admin = new GearmanAdmin({ server });
  const underWay = [admin.version(), admin.status(), admin.jobRows().next(), admin.cancelJob("H:a:1")];
  await Promise.all([admin.close(), admin.close()]);
  for (const call of [...underWay, admin.pid()]) await expect(call).rejects.toMatchObject({ kind: "CLOSED" });
  await admin.close();
});

test("a cancel connects as often as the client's retries say, and sends its line once", async () => {
  const { address, lines } = await answering(["OK\r\n"]);
  let tries = 0;
  const connect: GearmanHost["connect"] = (to) => systemHost.connect(++tries < 3 ? { host: "127.0.0.1", port: 1 } : to);
  const host = { ...systemHost, random: () => 1, connect };
  const client = (retries: number) => new GearmanClient({ servers: [address], retries, host });
  expect(await client(2).cancel("H:a:1")).toBe(true);
  expect([tries, lines]).toEqual([3, ["cancel job H:a:1\r\n"]]);
  tries = 0;
  await expect(client(1).cancel("H:a:1")).rejects.toMatchObject({
    kind: "IO",
    message: `cannot ask 127.0.0.1:${address.port}: connection refused (after 2 tries)`,
  });
  tries = -1000;
  await expect(client(1000).cancel("H:a:1", { timeoutMs: 300 })).rejects.toMatchObject({ kind: "IO" });
});

test("a server that is down is an IO error that says why", async () => {
  await expect(new GearmanAdmin({ server: "127.0.0.1:1", retries: 0 }).version()).rejects.toMatchObject({
    kind: "IO",
    message: "cannot ask 127.0.0.1:1: connection refused",
  });
});
