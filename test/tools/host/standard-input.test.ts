/** Standard input by lines, characters and keys, from streams that arrive in any pieces. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { StandardInput } from "../../../src/tools/host/standard-input.ts";

const never = new AbortController().signal;

function inputOf(...chunks: (string | Buffer)[]): StandardInput {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return new StandardInput(stream);
}

async function allLines(input: StandardInput): Promise<string[]> {
  const lines: string[] = [];
  for (let line = await input.readLine(never); line !== null; line = await input.readLine(never)) lines.push(line);
  return lines;
}

test("lines end at LF or CRLF, the last one perhaps at the end of input", async () => {
  expect(await allLines(inputOf("one\r\ntwo\n\nfour"))).toEqual(["one", "two", "", "four"]);
  expect(await allLines(inputOf())).toEqual([]);
  expect(await allLines(inputOf("\n"))).toEqual([""]);
});

test("lines are the same however the bytes arrive, and keep bytes that are no text", async () => {
  const text = Buffer.concat([Buffer.from("añ😀\r\nzwei\n"), Buffer.of(0xff, 0x0a), Buffer.from("end")]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 6 }), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const chunks = places.slice(1).map((end, i) => Buffer.from(text.subarray(places[i], end)));
      expect(await allLines(inputOf(...chunks))).toEqual(["añ😀", "zwei", "\udcff", "end"]);
    }),
    { numRuns: 50 },
  );
});

test("characters come one by one, whole, and mix with lines", async () => {
  const input = inputOf(
    "a",
    Buffer.from("é").subarray(0, 1),
    Buffer.from("é").subarray(1),
    "😀rest\nnext\n",
    Buffer.of(0xff, 0xc3),
  );
  expect(await input.readCharacter(never)).toBe("a");
  expect(await input.readCharacter(never)).toBe("é");
  expect(await input.readCharacter(never)).toBe("😀");
  expect(await input.readLine(never)).toBe("rest");
  expect(await input.readLine(never)).toBe("next");
  expect(await input.readCharacter(never)).toBe("\udcff");
  expect(await input.readCharacter(never)).toBe("\udcc3");
  expect(await input.readCharacter(never)).toBeNull();
});

test("reads that wait at the same time are served in their order", async () => {
  const stream = new PassThrough();
  const input = new StandardInput(stream);
  const both = Promise.all([input.readLine(never), input.readLine(never)]);
  stream.write("one\nt");
  stream.end("wo\n");
  expect(await both).toEqual(["one", "two"]);
});

test("an aborted read rejects with the reason and loses nothing", async () => {
  const stream = new PassThrough();
  const input = new StandardInput(stream);
  const abort = new AbortController();
  const first = input.readLine(abort.signal);
  const second = input.readLine(never);
  stream.write("half ");
  await vi.waitFor(() => expect(stream.readableLength).toBe(0));
  abort.abort(new Error("deadline"));
  await expect(first).rejects.toThrow("deadline");
  stream.write("a line\n");
  expect(await second).toBe("half a line");
  await expect(input.readLine(abort.signal)).rejects.toThrow("deadline");
});

test("nothing is read before a program asks, and no more than it needs", async () => {
  const stream = new PassThrough();
  stream.write("one\n");
  const input = new StandardInput(stream);
  expect(stream.readableFlowing).toBeNull();
  expect(await input.readLine(never)).toBe("one");
  expect(stream.isPaused()).toBe(true);
});

test("close ends a read that waits, and may be called in every mode", async () => {
  new StandardInput(new PassThrough()).close();
  const input = new StandardInput(new PassThrough());
  const waiting = input.readLine(never);
  await Promise.resolve();
  input.close();
  expect(await waiting).toBeNull();
  input.close();
  expect(await input.readLine(never)).toBeNull();
});

test("a pipe that stays open does not keep a program alive that reads no more", async () => {
  const reader = `
    import { StandardInput } from ${JSON.stringify(new URL("../../../src/tools/host/standard-input.ts", import.meta.url))};
    const input = new StandardInput(process.stdin);
    process.stdout.write(await input.readLine(new AbortController().signal));`;
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", reader], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.write("one\ntwo\n");
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect([output, code]).toEqual(["one", 0]);
});

/** A terminal that records its modes. */
class Terminal extends PassThrough {
  readonly isTTY = true;
  readonly modes: boolean[] = [];
  isHeld = true;
  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw);
  }
  ref(): void {
    this.isHeld = true;
  }
  unref(): void {
    this.isHeld = false;
  }
}

describe("on a terminal", () => {
  test("pressedKey gives keys already pressed, whole escape sequences included, and holds no program alive", async () => {
    const terminal = new Terminal();
    const input = new StandardInput(terminal);
    expect(input.pressedKey()).toBe("");
    expect(terminal.modes).toEqual([true]);
    expect(terminal.isHeld).toBe(false);
    terminal.write("x\x1b[A\x1b[1;5Cé\x1b");
    const keys: string[] = [];
    await vi.waitFor(() => {
      keys.push(input.pressedKey());
      expect(keys.filter((key) => key !== "")).toHaveLength(5);
    });
    expect(keys.filter((key) => key !== "")).toEqual(["x", "\x1b[A", "\x1b[1;5C", "é", "\x1b"]);
    input.close();
    expect(terminal.modes).toEqual([true, false]);
  });

  test("readCharacter takes a key without Enter and gives the terminal's mode back", async () => {
    const terminal = new Terminal();
    const input = new StandardInput(terminal);
    const key = input.readCharacter(never);
    terminal.write("\x1b[B");
    expect(await key).toBe("\x1b[B");
    expect(terminal.modes).toEqual([true, false]);
  });

  test("readLine after pressedKey lets the terminal edit the line", async () => {
    const terminal = new Terminal();
    const input = new StandardInput(terminal);
    input.pressedKey();
    const line = input.readLine(never);
    terminal.write("Ada\n");
    expect(await line).toBe("Ada");
    expect(terminal.modes).toEqual([true, false]);
    input.close();
  });

  test("a line typed ahead while single keys were read ends at its Enter", async () => {
    const terminal = new Terminal();
    const input = new StandardInput(terminal);
    const key = input.readCharacter(never);
    terminal.write("yAda\rnext\r");
    expect(await key).toBe("y");
    expect(await input.readLine(never)).toBe("Ada");
    expect(await input.readLine(never)).toBe("next");
  });

  test("Ctrl-C interrupts while single keys are read", async () => {
    const terminal = new Terminal();
    const interrupt = vi.fn();
    const input = new StandardInput(terminal, interrupt);
    const key = input.readCharacter(never);
    terminal.write("\x03y");
    expect(await key).toBe("y");
    expect(interrupt).toHaveBeenCalledOnce();
  });
});

test("without a terminal there is never a pressed key", () => {
  const input = inputOf("x");
  expect(input.pressedKey()).toBe("");
});
