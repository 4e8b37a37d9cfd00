/** How a byte stream becomes requests, however it is cut. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GearmanError } from "../../../../src/core/gearman/errors.ts";
import { Heap } from "../../../../src/core/gearman/server/heap.ts";
import { parseInt32, parseInt64, parseUint32 } from "../../../../src/core/gearman/server/numbers.ts";
import { joinSmall } from "../../../../src/core/gearman/server/outbox.ts";
import { RequestReader, type RequestSink } from "../../../../src/core/gearman/server/wire.ts";
import { line, packet } from "./dialogue.ts";

class Recorder implements RequestSink {
  readonly requests: string[] = [];
  readonly payloads: Buffer[] = [];

  takeLine(text: string): void {
    this.requests.push(`line ${text}`);
  }

  takePacket(...[name, magic, args]: Parameters<RequestSink["takePacket"]>): void {
    this.requests.push(`${magic} ${name} ${args.map((arg) => arg.toString("latin1")).join("|")}`);
    this.payloads.push(...args.slice(-1));
  }
}

function read(chunks: readonly Buffer[], maxPacketBytes?: number): string[] {
  const recorder = new Recorder();
  const reader = new RequestReader(recorder, maxPacketBytes);
  for (const chunk of chunks) reader.push(chunk);
  return recorder.requests;
}

const STREAM = Buffer.concat([
  packet("SUBMIT_JOB", "f\0u\0payload\0with\0NULs"),
  line("status"),
  packet("GRAB_JOB"),
  line("version", "\r\n"),
  packet("CAN_DO", "f\0raw"),
  packet("NOOP", "", "\0RES"),
  packet(5, "surplus"),
  packet("ECHO_REQ", "x".repeat(300)),
  line(""),
]);

const REQUESTS = [
  "REQ SUBMIT_JOB f|u|payload\0with\0NULs",
  "line status",
  "REQ GRAB_JOB ",
  "line version",
  "REQ CAN_DO f\0raw",
  "RES NOOP ",
  "REQ null ",
  `REQ ECHO_REQ ${"x".repeat(300)}`,
  "line ",
];

describe("reading requests", () => {
  test.each(["WORK_COMPLETE", "WORK_DATA", "WORK_WARNING", "WORK_EXCEPTION"] as const)(
    "takes %s with a handle alone, as Perl's worker sends it, for one with an empty payload",
    (name) => {
      expect(read([packet(name, "H:x:1")])).toEqual([`REQ ${name} H:x:1|`]);
    },
  );

  test.each([1, 2, 3, 5, 11, 12, 13, 50, 10_000])("reads the same requests from chunks of %i bytes", (size) => {
    const chunks: Buffer[] = [];
    for (let start = 0; start < STREAM.length; start += size) chunks.push(STREAM.subarray(start, start + size));
    expect(read(chunks)).toEqual(REQUESTS);
  });

  test("reads the same requests however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 20 }), (cuts) => {
        const edges = [0, ...cuts.sort((left, right) => left - right), STREAM.length];
        const chunks = edges.slice(1).map((end, index) => Buffer.from(STREAM.subarray(edges[index], end)));
        expect(read(chunks)).toEqual(REQUESTS);
      }),
    );
  });

  test("does not copy a payload that arrives whole", () => {
    const recorder = new Recorder();
    const chunk = packet("WORK_COMPLETE", `h\0${"x".repeat(5000)}`);
    new RequestReader(recorder).push(chunk);
    expect(recorder.payloads[0]!.buffer).toBe(chunk.buffer);
  });

  test("joins a large packet once, not once per chunk", () => {
    const chunk = Buffer.alloc(64 * 1024);
    const recorder = new Recorder();
    const reader = new RequestReader(recorder);
    reader.push(packet("ECHO_REQ").fill(Buffer.from([4, 0, 0, 0]), 8));
    for (let sent = 0; sent < 64 * 1024 * 1024; sent += chunk.length) reader.push(chunk);
    expect(recorder.payloads[0]!.length).toBe(64 * 1024 * 1024);
  }, 10_000);

  test("ignores the rest of a chunk once it was stopped", () => {
    const requests: string[] = [];
    const reader: RequestReader = new RequestReader({
      takeLine(text) {
        requests.push(text);
        reader.stop();
      },
      takePacket: () => undefined,
    });
    reader.push(line("first\nsecond"));
    reader.push(line("third"));
    expect(requests).toEqual(["first"]);
  });
});

describe("refusing bytes that are no request", () => {
  test.each([
    ["bad magic", packet("ECHO_REQ", "", "\0BAD"), "starts with bytes 00424144"],
    ["type 0", packet(0), "unknown packet type 0"],
    ["type 43", packet(43), "unknown packet type 43"],
    ["type 0x80000000", packet(0x80000000), "unknown packet type 2147483648"],
    ["type 0xffffffff", packet(0xffffffff), "unknown packet type 4294967295"],
    ["a missing argument", packet("SUBMIT_JOB", "f\0no unique"), "SUBMIT_JOB has 2 of 3 arguments"],
    ["a time limit without NUL", packet("CAN_DO_TIMEOUT", "f"), "CAN_DO_TIMEOUT has 1 of 2 arguments"],
    ["an argument over 8 KiB", packet("SUBMIT_JOB", `${"f".repeat(8192)}\0\0x`), "8193 bytes, over the limit of 8192"],
    ["a name over 8 KiB", packet("CAN_DO", "f".repeat(8193)), "8193 bytes is over the limit of 8192"],
    ["a line over 8 KiB", line("x".repeat(8192)), "over the limit of 8192 bytes"],
    ["8 KiB without a line's end", Buffer.alloc(8193, "x"), "over the limit of 8192 bytes"],
  ])("%s", (_what, bytes, message) => {
    expect(() => read([bytes])).toThrow(expect.objectContaining({ kind: "PROTOCOL", message: expect.stringContaining(message) }));
  });

  test("refuses a body over the limit before buffering it", () => {
    const header = packet("ECHO_REQ").fill(0xff, 8);
    expect(() => read([header])).toThrow(GearmanError);
    expect(() => read([packet("SUBMIT_JOB", "f\0\x0012345").subarray(0, 12)], 7)).toThrow(
      "SUBMIT_JOB of 8 bytes is over the limit of 7",
    );
    expect(read([packet("SUBMIT_JOB", "f\0\x001234")], 7)).toHaveLength(1);
  });
});

test.each([
  ["", 0, 0],
  ["abc", 0, 0],
  ["42", 42, 42],
  [" \t+7 apples", 7, 7],
  ["-1", 4294967295, -1],
  ["1.5", 1, 1],
  ["4294967296", 0, 0],
  ["4294967295", 4294967295, -1],
  ["9".repeat(30), 4294967295, -1],
  [`-${"9".repeat(30)}`, 0, 0],
])("reads the number %j as C does", (text, unsigned, signed) => {
  expect(parseUint32(text)).toBe(unsigned);
  expect(parseInt32(text)).toBe(signed);
});

test("says when a number does not fit in 64 bits", () => {
  expect(parseInt64("9223372036854775807").isOverflow).toBe(false);
  expect(parseInt64("9223372036854775808").isOverflow).toBe(true);
  expect(parseInt64("-9223372036854775809").isOverflow).toBe(true);
});

test("a heap hands out its items in order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((left, right) => left < right);
      for (const number of numbers) heap.push(number);
      const sorted = [...numbers].sort((left, right) => left - right);
      expect(numbers.map(() => heap.pop())).toEqual(sorted);
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

test("small buffers are joined for writing, large ones kept as they are", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1, 100, 2048, 2049, 5000)), (sizes) => {
      const buffers = sizes.map((size, index) => Buffer.alloc(size, index));
      const joined = joinSmall(buffers);
      expect(Buffer.concat(joined).equals(Buffer.concat(buffers))).toBe(true);
      for (const buffer of buffers) if (buffer.length > 2048) expect(joined).toContain(buffer);
    }),
  );
});
