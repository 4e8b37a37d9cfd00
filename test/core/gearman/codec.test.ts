/** The wire format, byte by byte: what packets look like, and that no way of cutting the stream changes what is read. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodePacket, PacketDecoder } from "../../../src/core/gearman/codec.ts";
import { GearmanError } from "../../../src/core/gearman/errors.ts";
import { PacketWriter } from "../../../src/core/gearman/packet-writer.ts";
import { type Magic, PACKETS, type Packet, type PacketArg, type PacketName } from "../../../src/core/gearman/packets.ts";

const NAMES = Object.keys(PACKETS) as PacketName[];

/** Encodes a packet whose name the compiler does not know. */
function encodeAny(magic: Magic, name: PacketName, args: readonly PacketArg[]): Buffer {
  const encode = encodePacket as (magic: Magic, name: PacketName, ...args: readonly PacketArg[]) => Buffer[];
  return Buffer.concat(encode(magic, name, ...args));
}

function decodeAll(decoder: PacketDecoder, chunks: Iterable<Buffer>): Packet[] {
  const packets: Packet[] = [];
  for (const chunk of chunks) packets.push(...decoder.push(chunk));
  return packets;
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

/** Name and arguments as plain text, for comparisons. */
function plain(packet: Packet): [string, ...string[]] {
  return [packet.name, ...Object.values<Buffer>(packet.args).map((arg) => arg.toString("latin1"))];
}

function failure(run: () => unknown): GearmanError {
  try {
    run();
  } catch (error) {
    if (error instanceof GearmanError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("packet table", () => {
  test("has every type from 1 to 42 but the unused 5, each once", () => {
    const codes = NAMES.map((name) => PACKETS[name].code).sort((a, b) => a - b);
    expect(codes).toEqual(Array.from({ length: 42 }, (_, index) => index + 1).filter((code) => code !== 5));
  });
});

describe("encoding", () => {
  test.each([
    ["REQ", "PRE_SLEEP", [], "00524551 00000004 00000000"],
    ["REQ", "SUBMIT_JOB", ["f", "u", "data"], "00524551 00000007 00000008 66007500 64617461"],
    ["REQ", "SUBMIT_JOB_BG", ["f", "", ""], "00524551 00000012 00000003 660000"],
    ["RES", "JOB_CREATED", ["H:a:1"], "00524553 00000008 00000005 483a613a31"],
    ["REQ", "WORK_COMPLETE", ["H:a:1", ""], "00524551 0000000d 00000006 483a613a3100"],
    ["REQ", "WORK_STATUS", ["H:a:1", "1", "3"], "00524551 0000000c 00000009 483a613a31003100 33"],
    ["REQ", "SUBMIT_REDUCE_JOB", ["f", "u", "r", "", "d"], "00524551 00000025 00000008 6600750072000064"],
    ["RES", "ERROR", ["CODE", "text"], "00524553 00000013 00000009 434f4445 00746578 74"],
  ] as const)("%s %s is written byte for byte as other programs write it", (magic, name, args, expected) => {
    expect(encodeAny(magic, name, args).toString("hex")).toBe(expected.replaceAll(" ", ""));
  });

  test("sends text as UTF-8 and counts bytes, not characters", () => {
    expect(encodeAny("REQ", "ECHO_REQ", ["žluť €"]).subarray(12).toString()).toBe("žluť €");
    expect(encodeAny("REQ", "CAN_DO", ["ž".repeat(100)]).readUInt32BE(8)).toBe(200);
    expect(encodeAny("REQ", "CAN_DO", ["abcž"]).subarray(12).toString()).toBe("abcž");
  });

  test("passes a large payload on without copying it", () => {
    const payload = Buffer.alloc(100_000, 1);
    const [head, tail] = encodePacket("REQ", "SUBMIT_JOB", "f", "", payload);
    expect(head).toHaveLength(12 + 3);
    expect(tail).toBe(payload);
  });

  test("refuses a NUL in every argument but the last, naming the argument and the place", () => {
    const error = failure(() => encodePacket("REQ", "SUBMIT_JOB", "a\0b", "", ""));
    expect(error.kind).toBe("ARGUMENT");
    expect(error.message).toBe("the function of SUBMIT_JOB has a NUL byte at position 1");
    expect(failure(() => encodePacket("REQ", "WORK_DATA", Buffer.from([72, 0]), "")).kind).toBe("ARGUMENT");
    expect(encodeAny("REQ", "SUBMIT_JOB", ["f", "", "a\0b"]).subarray(-3)).toEqual(Buffer.from("a\0b"));
  });

  test("a writer collects small packets in one buffer and keeps large payloads apart, in order", () => {
    const writer = new PacketWriter("RES");
    const large = Buffer.alloc(5000, 2);
    writer.add("NOOP", []);
    writer.add("ECHO_RES", ["x"]);
    writer.add("ECHO_RES", [large]);
    writer.add("NO_JOB", []);
    expect(writer.bytes).toBe(12 + 13 + 12 + 5000 + 12);
    const buffers = writer.take();
    expect(buffers).toHaveLength(3);
    expect(buffers[1]).toBe(large);
    expect(decodeAll(new PacketDecoder(), buffers).map(({ name }) => name)).toEqual(["NOOP", "ECHO_RES", "ECHO_RES", "NO_JOB"]);
    expect(writer.take()).toEqual([]);
  });

  test("a report is the packet that `add` would make of it, whatever its payload is", () => {
    const bytes = Buffer.from("..H:host:12..");
    const payloads = [
      "",
      "ok",
      "\u00fc\u20ac\u{1f600}",
      "x".repeat(50),
      "\u20ac".repeat(700),
      "x".repeat(5000),
      Buffer.from([0, 1, 0]),
    ];
    for (const payload of [...payloads, Buffer.alloc(2048, 1), Buffer.alloc(70_000, 1)]) {
      const [added, reported] = [new PacketWriter("REQ"), new PacketWriter("REQ")];
      for (const name of ["WORK_COMPLETE", "WORK_DATA"] as const) {
        added.add(name, ["H:host:12", payload]);
        reported.addReport(name, bytes, 2, 11, payload);
      }
      expect(reported.bytes).toBe(added.bytes);
      expect(Buffer.concat(reported.take()).equals(Buffer.concat(added.take()))).toBe(true);
    }
  });

  test("what a writer handed out does not change when it goes on writing", () => {
    const writer = new PacketWriter("REQ");
    const batches: Buffer[] = [];
    for (let index = 0; index < 500; index++) {
      for (let packet = 0; packet < 7; packet++) writer.add("ECHO_REQ", [`${index}.${packet}.${"x".repeat(index)}`]);
      batches.push(...writer.take());
    }
    const echoes = decodeAll(new PacketDecoder(10_000, "REQ"), batches).map((packet) => plain(packet)[1]);
    expect(echoes).toEqual(
      Array.from({ length: 3500 }, (_, at) => `${Math.floor(at / 7)}.${at % 7}.${"x".repeat(Math.floor(at / 7))}`),
    );
  });
});

describe("decoding", () => {
  const packets = [
    ["JOB_CREATED", "H:a:1"],
    ["WORK_DATA", "H:a:1", "a\0b\0"],
    ["NO_JOB"],
    ["JOB_ASSIGN_UNIQ", "H:a:2", "f", "", ""],
    ["WORK_COMPLETE", "H:a:1", "x".repeat(3000)],
    ["STATUS_RES", "H:a:1", "1", "0", "3", "4"],
    ["NOOP"],
  ] as const;
  const stream = Buffer.concat(packets.map(([name, ...args]) => encodeAny("RES", name, args)));

  test.each([1, 2, 3, 5, 11, 12, 13, 64, 1000, 100_000])("reads the same packets from chunks of %i bytes", (size) => {
    expect(decodeAll(new PacketDecoder(), cut(stream, size)).map(plain)).toEqual(packets);
  });

  test("reads any packets back, however the stream is cut", () => {
    const arbitraryPacket = fc.constantFrom(...NAMES).chain((name) => {
      const { args } = PACKETS[name];
      const parts = args.map((_, index) =>
        index === args.length - 1
          ? fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes))
          : fc.uint8Array({ min: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
      );
      return fc.tuple(fc.constant(name), fc.tuple(...parts));
    });
    fc.assert(
      fc.property(
        fc.array(arbitraryPacket, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 40 }),
        (list, cuts) => {
          const all = Buffer.concat(list.map(([name, args]) => encodeAny("REQ", name, args)));
          const chunks: Buffer[] = [];
          let at = 0;
          for (const size of cuts) chunks.push(all.subarray(at, (at = Math.min(all.length, at + size))));
          chunks.push(all.subarray(at));
          const read = decodeAll(new PacketDecoder(undefined, "REQ"), chunks);
          const expected = list.map(([name, args]) => {
            const texts = args.map((arg, index) => {
              const text = arg.toString("latin1");
              const isHandleAtEnd = (PACKETS[name].args as readonly string[])[index] === "handle" && index === args.length - 1;
              return isHandleAtEnd ? text.replace(/\0+$/, "") : text;
            });
            return [name, ...texts];
          });
          expect(read.map(plain)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("does not copy packets that arrive whole", () => {
    const [packet] = decodeAll(new PacketDecoder(), [stream]);
    expect((packet as Packet<"JOB_CREATED">).args.handle.buffer).toBe(stream.buffer);
  });

  test("strips the NUL that servers leave behind the handle of a forwarded WORK_FAIL", () => {
    const [packet] = decodeAll(new PacketDecoder(), [encodeAny("RES", "WORK_FAIL", ["H:vm:16\0"])]);
    expect(plain(packet!)).toEqual(["WORK_FAIL", "H:vm:16"]);
  });

  test("ignores bytes behind a packet without arguments", () => {
    const noop = encodeAny("RES", "ECHO_RES", ["junk"]);
    noop[7] = PACKETS.NOOP.code;
    expect(decodeAll(new PacketDecoder(), [noop]).map(plain)).toEqual([["NOOP"]]);
  });

  test.each([1000, 65_536, 131_072, 200_001])("reads small packets between large ones, with chunks of %i bytes", (size) => {
    const payloads = [10, 131_060, 131_072, 0, 700_000, 3, 131_071, 17 * 1024 * 1024, 5, 300_000].map((bytes, at) =>
      Buffer.alloc(bytes, `payload ${at}, `),
    );
    const stream = Buffer.concat(payloads.flatMap((payload) => encodePacket("RES", "ECHO_RES", payload)));
    const pushed: Buffer[] = [];
    const scanned: Buffer[] = [];
    const decoder = new PacketDecoder();
    const scanner = new PacketDecoder();
    for (let at = 0; at < stream.length; at += size) {
      const chunk = stream.subarray(at, at + size);
      for (const packet of decoder.push(chunk)) if (packet.name === "ECHO_RES") pushed.push(packet.args.payload);
      scanner.scan(Buffer.from(chunk), (bytes, start, end) => {
        scanned.push(bytes.subarray(start + 12, end));
        return true;
      });
    }
    expect(pushed.map((payload, at) => payload.equals(payloads[at]!))).toEqual(payloads.map(() => true));
    expect(scanned.map((payload, at) => payload.equals(payloads[at]!))).toEqual(payloads.map(() => true));
    expect([decoder.pendingBytes, scanner.pendingBytes]).toEqual([0, 0]);
  });

  test("joins a large packet once, not once per chunk", () => {
    const large = encodeAny("RES", "ECHO_RES", [Buffer.alloc(32 * 1024 * 1024, 3)]);
    const start = performance.now();
    const [packet] = decodeAll(new PacketDecoder(), cut(large, 4096));
    expect((packet as Packet<"ECHO_RES">).args.payload).toHaveLength(32 * 1024 * 1024);
    expect(performance.now() - start).toBeLessThan(5000); // quadratic copying would take minutes
  });
});

describe("bytes that are no Gearman packet", () => {
  test.each([
    [
      "magic",
      Buffer.from("HTTP/1.1 400 Bad Request"),
      'not a Gearman packet: starts with bytes 48 54 54 50 ("HTTP") where \\0RES is expected',
    ],
    ["direction", encodeAny("REQ", "PRE_SLEEP", []), "packet starts with \\0REQ (bytes 00 52 45 51) where \\0RES is expected"],
    ["type", Buffer.from("005245530000002b00000000", "hex"), "unknown packet type 43 (bytes 00 00 00 2b)"],
    ["type", Buffer.from("005245538000000000000000", "hex"), "unknown packet type 2147483648 (bytes 80 00 00 00)"],
    ["type", Buffer.from("005245530000000500000000", "hex"), "unknown packet type 5 (bytes 00 00 00 05)"],
    ["type", Buffer.from("005245530000000000000000", "hex"), "unknown packet type 0 (bytes 00 00 00 00)"],
    [
      "length",
      Buffer.from("0052455300000011ffffffff", "hex"),
      "ECHO_RES packet of 4294967295 bytes is over the limit of 268435456 (bytes ff ff ff ff)",
    ],
    [
      "arguments",
      Buffer.from("005245530000001c00000003414243", "hex"),
      "WORK_DATA packet has 1 of 2 arguments (no NUL ends its handle)",
    ],
  ] as const)("a wrong %s is a PROTOCOL error that names the bytes", (fault, bytes, message) => {
    const decoder = new PacketDecoder();
    const error = failure(() => decodeAll(decoder, [bytes]));
    expect(error).toMatchObject({ kind: "PROTOCOL", code: 3, fatal: true, message });
    expect(decoder.fault).toBe(fault);
    expect(failure(() => decodeAll(decoder, [encodeAny("RES", "NOOP", [])]))).toBe(error);
  });

  test("refuses a body over the limit before buffering it", () => {
    const decoder = new PacketDecoder(4, "REQ");
    const submit = encodeAny("REQ", "SUBMIT_JOB", ["f", "", "payload"]);
    expect(failure(() => decodeAll(decoder, [submit.subarray(0, 12)])).message).toBe(
      "SUBMIT_JOB packet of 10 bytes is over the limit of 4 (bytes 00 00 00 0a)",
    );
  });
});

describe("text commands between packets", () => {
  test.each([1, 7, 1000])("the decoder stops in front of them when asked, with chunks of %i bytes", (size) => {
    const decoder = new PacketDecoder(1000, "REQ", { stopAtText: true });
    const names: string[] = [];
    let text = "";
    for (const chunk of cut(Buffer.concat([encodeAny("REQ", "PRE_SLEEP", []), Buffer.from("status\r\n")]), size)) {
      names.push(...decodeAll(decoder, [chunk]).map(({ name }) => name));
      text += decoder.takeText().toString();
    }
    expect(names).toEqual(["PRE_SLEEP"]);
    expect(text).toBe("status\r\n");
    expect(decoder.pendingBytes).toBe(0);
  });
});
