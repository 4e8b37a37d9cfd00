/** The text protocol as servers really answer it, and what becomes of cancelling on servers that cannot. */
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type AdminOptions, askAdmin, cancelJob, functionStatus } from "../../../src/core/gearman/admin.ts";
import { GearmanClient } from "../../../src/core/gearman/client.ts";
import { type GearmanHost, systemHost } from "../../../src/core/gearman/host.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that answers the first line with these pieces, one write each, or closes without a word. */
async function answering(pieces: readonly string[] | null, timeoutMs = 5000): Promise<AdminOptions & { lines: string[] }> {
  const lines: string[] = [];
  const sockets: Socket[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      lines.push(chunk.toString());
      if (pieces === null) return socket.end();
      const write = ([first, ...rest]: readonly string[]) => {
        if (first !== undefined) socket.write(first, () => setImmediate(write, rest));
      };
      return write(pieces);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { address: { host: "127.0.0.1", port }, timeoutMs, lines };
}

describe("lists", () => {
  test("end with a dot, whatever the pieces they come in", async () => {
    const options = await answering(["f\t3\t1", "\t2\ng h\t0\t0\t0\n", ".", "\n"]);
    expect(await functionStatus(options)).toEqual([
      { name: "f", total: 3, running: 1, workers: 2 },
      { name: "g h", total: 0, running: 0, workers: 0 },
    ]);
    expect(options.lines).toEqual(["status\r\n"]);
  });

  test("may be empty, and function names may hold tabs", async () => {
    expect(await askAdmin("workers", await answering([".\n"]))).toEqual([]);
    expect((await functionStatus(await answering(["a\tb\t1\t0\t2\n.\n"])))[0]).toEqual({
      name: "a\tb",
      total: 1,
      running: 0,
      workers: 2,
    });
  });

  test("that are refused are one line", async () => {
    expect(await askAdmin("jobs", await answering(["ERR UNKNOWN_COMMAND Unknown+server+command\r\n"]))).toEqual([
      "ERR UNKNOWN_COMMAND Unknown+server+command",
    ]);
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
    const options = await answering(pieces);
    const cancelling = cancelJob("H:a:1", options);
    if (kind === null) expect(await cancelling).toBe(true);
    else await expect(cancelling).rejects.toMatchObject({ kind });
    expect(options.lines).toEqual(["cancel job H:a:1\r\n"]);
  });

  test("no answer is a TIMEOUT, and a signal or closing the client calls it off", async () => {
    const { address } = await answering([]);
    await expect(cancelJob("H:a:1", { address, timeoutMs: 20 })).rejects.toMatchObject({ kind: "TIMEOUT" });
    await expect(cancelJob("H:a:1", { address, timeoutMs: 5000, signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "ABORTED",
    });
    const client = new GearmanClient({ servers: [address] });
    const cancelling = client.cancel("H:a:1");
    void client.close();
    await expect(cancelling).rejects.toMatchObject({ kind: "CLOSED" });
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
  const address = { host: "127.0.0.1", port: 1 };
  await expect(askAdmin("version", { address, timeoutMs: 5000 })).rejects.toMatchObject({
    kind: "IO",
    message: "cannot ask 127.0.0.1:1: connection refused",
  });
});
