/** The file built-ins on real files of a temporary directory (language.md §12). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { standard } from "../../../modules/standard/index.ts";
import { decodeBytes } from "../../../runtime/bytes.ts";
import { type BasilArray, typeName } from "../../../runtime/values.ts";
import { NodeFiles } from "../../../src/tools/host/files.ts";
import { bareHost, type Caller, CountingTask, callerOf } from "../../helpers/call-row.ts";

let directory: string;
let call: Caller;

const open = (task = new CountingTask()): Caller => callerOf(standard(), { ...bareHost, files: new NodeFiles(directory) }, task);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-files-"));
  call = open();
});

afterEach(async () => {
  await call.close();
  rmSync(directory, { recursive: true });
});

const content = (file: string): string => readFileSync(join(directory, file), "utf8");

test("WRITEFILE, APPENDFILE and READFILE$ keep every byte", () => {
  const everyByte = decodeBytes(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
  expect(call("WRITEFILE", "a.bin", everyByte)).toBeNull();
  expect(readFileSync(join(directory, "a.bin"))).toHaveLength(256);
  expect(call("READFILE$", "a.bin")).toBe(everyByte);
  call("APPENDFILE", "a.bin", [1, "é"]);
  expect(call("READFILE$", "a.bin")).toBe(`${everyByte}[1, é]`);
  call("WRITEFILE", "a.bin", 5);
  expect(content("a.bin")).toBe("5");
});

test("COPY, MOVE, RENAME and DELETE", () => {
  call("WRITEFILE", "a.txt", "x");
  expect(call("MKDIRS%", "d/e")).toBe(1);
  expect(call("MKDIRS%", "d/e")).toBe(1);
  expect(call("MKDIRS%", "a.txt/e")).toBe(0);
  call("COPY", "a.txt", "d/b.txt");
  call("RENAME", "d/b.txt", "c.txt");
  call("MOVE", "d/c.txt", "d/e/f.txt");
  expect(content("d/e/f.txt")).toBe("x");
  call("DELETE", "a.txt");
  expect(() => content("a.txt")).toThrow("ENOENT");
});

test("DIR$ gives the sorted names of files, without directories", () => {
  mkdirSync(join(directory, "d/sub.txt"), { recursive: true });
  for (const name of ["b.txt", "a.txt", "B.txt", "c.dat", "ab.txt", "é.txt"]) writeFileSync(join(directory, "d", name), "");
  symlinkSync(join(directory, "d", "a.txt"), join(directory, "d", "link.txt"));
  symlinkSync(join(directory, "nowhere"), join(directory, "d", "broken.txt"));
  const names = (pattern: string) => [...(call("DIR$", pattern) as BasilArray).data];
  expect(names("d/*.txt")).toEqual(["B.txt", "a.txt", "ab.txt", "b.txt", "link.txt", "é.txt"]);
  expect(names("d/?.txt")).toEqual(["B.txt", "a.txt", "b.txt", "é.txt"]);
  expect(names("d/c.dat")).toEqual(["c.dat"]);
  expect(names("nowhere/*")).toEqual([]);
  expect(names("*.txt")).toEqual([]);
  expect(typeName(call("DIR$", "d/*"))).toBe("STRING[]");
});

test("a file name that is no text is listed, read and deleted by its bytes", () => {
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/x`), Buffer.of(0xff)]), "odd");
  expect([...(call("DIR$", "x*") as BasilArray).data]).toEqual(["x\udcff"]);
  expect(call("READFILE$", "x\udcff")).toBe("odd");
  call("DELETE", "x\udcff");
  expect(call("DIR$", "*")).toMatchObject({ upper: [-1] });
});

test.each([
  ["READFILE$", ["nope.txt"], "READFILE$ nope.txt: No such file or directory (os error 2)"],
  ["READFILE$", ["."], "READFILE$ .: Is a directory (os error 21)"],
  ["READFILE$", ["a\0b"], "READFILE$ a\0b: Invalid argument (os error 22)"],
  ["WRITEFILE", ["no/where", "x"], "WRITEFILE no/where: No such file or directory (os error 2)"],
  ["APPENDFILE", ["no/where", "x"], "APPENDFILE no/where: No such file or directory (os error 2)"],
  ["COPY", ["nope", "b"], "COPY nope: No such file or directory (os error 2)"],
  ["MOVE", ["nope", "b"], "MOVE nope: No such file or directory (os error 2)"],
  ["RENAME", ["nope", "b"], "RENAME nope: No such file or directory (os error 2)"],
  ["DELETE", ["nope"], "DELETE nope: No such file or directory (os error 2)"],
])("%s of %j is an IO_ERROR: %s", (name, args, message) => {
  expect(() => call(name, ...args)).toThrow(expect.objectContaining({ errorName: "IO_ERROR", message }));
});

describe("handles", () => {
  test("count from 1 and are never reused", () => {
    expect(call("FOPEN", "a.txt", "w")).toBe(1);
    expect(call("FOPEN", "b.txt", "wb+")).toBe(2);
    expect(call("FCLOSE", 1)).toBe(true);
    expect(call("FCLOSE", 1)).toBe(false);
    expect(call("FOPEN", "a.txt", "rb")).toBe(3);
    expect(() => call("FEOF", 9)).toThrow("InvalidHandle (wanted 9, have [2, 3])");
  });

  test("FOPEN gives -1 when a file cannot be opened and refuses modes that are none", () => {
    expect(call("FOPEN", "nope.txt", "r")).toBe(-1);
    expect(call("FOPEN", ".", "r")).toBe(-1);
    for (const mode of ["q", "", "rw", "r++", "rbb", "b"]) {
      expect(() => call("FOPEN", "a.txt", mode)).toThrow(`FOPEN: invalid mode '${mode}'; expected r/w/a variants`);
    }
    for (const mode of ["w", "w+", "wb", "wb+", "w+b", "a", "a+", "r", "r+"]) {
      expect(call("FOPEN", "a.txt", mode)).toBeGreaterThan(0);
    }
  });

  test("FWRITE, FWRITELN, FSEEK, FTELL&, FREAD$ and FFLUSH", () => {
    const h = call("FOPEN", "a.txt", "w+");
    expect(call("FWRITE", h, "abc")).toBe(true);
    expect(call("FWRITELN", h, 5)).toBe(true);
    call("FWRITELN", h);
    expect(content("a.txt")).toBe("abc5\n\n");
    expect(call("FTELL&", h)).toBe(6);
    expect(call("FSEEK", h, 1, 0)).toBe(true);
    expect(call("FREAD$", h, 2)).toBe("bc");
    expect(call("FREAD$", h, 100)).toBe("5\n\n");
    expect(call("FREAD$", h, 1)).toBe("");
    expect(call("FREAD$", h, -1)).toBe("");
    expect(call("FSEEK", h, -2, 2)).toBe(true);
    expect(call("FSEEK", h, -1, 1)).toBe(true);
    expect(call("FTELL&", h)).toBe(3);
    expect(call("FSEEK", h, -4, 1)).toBe(false);
    expect(call("FSEEK", h, 0, 3)).toBe(false);
    expect(call("FTELL&", h)).toBe(3);
    call("FWRITE", h, "X");
    expect(content("a.txt")).toBe("abcX\n\n");
    expect(call("FFLUSH", h)).toBe(true);
  });

  test("FREADLINE$ and FEOF walk through lines that end in LF, CRLF or nothing", () => {
    writeFileSync(join(directory, "a.txt"), "one\r\ntwo\n\nthree");
    const h = call("FOPEN", "a.txt", "r");
    const lines = [];
    while (!call("FEOF", h)) lines.push(call("FREADLINE$", h));
    expect(lines).toEqual(["one", "two", "", "three"]);
    expect(call("FREADLINE$", h)).toBe("");
  });

  test("FREADLINE$ reads long lines whole and mixes with FREAD$, FSEEK and FTELL&", () => {
    const long = "é".repeat(100_000);
    writeFileSync(join(directory, "a.txt"), `${long}\nshort\nrest`);
    const h = call("FOPEN", "a.txt", "r");
    expect(call("FREADLINE$", h)).toBe(long);
    expect(call("FTELL&", h)).toBe(200_001);
    expect(call("FREAD$", h, 3)).toBe("sho");
    expect(call("FREADLINE$", h)).toBe("rt");
    expect(call("FREAD$", h, 99)).toBe("rest");
    call("FSEEK", h, -4, 2);
    expect(call("FREADLINE$", h)).toBe("rest");
  });

  test("what is written between two reads is seen", () => {
    writeFileSync(join(directory, "a.txt"), "one\ntwo\n");
    const h = call("FOPEN", "a.txt", "r+");
    expect(call("FREADLINE$", h)).toBe("one");
    call("FWRITE", h, "TWO");
    call("FSEEK", h, 4, 0);
    expect(call("FREADLINE$", h)).toBe("TWO");
    call("APPENDFILE", "a.txt", "three\n");
    expect(call("FREADLINE$", h)).toBe("three");
  });

  test("a appends, wherever the position is", () => {
    writeFileSync(join(directory, "a.txt"), "one");
    const h = call("FOPEN", "a.txt", "a+");
    expect(call("FREAD$", h, 3)).toBe("one");
    call("FSEEK", h, 0, 0);
    call("FWRITE", h, "two");
    expect(content("a.txt")).toBe("onetwo");
    expect(call("FTELL&", h)).toBe(6);
    expect(call("FTELL&", call("FOPEN", "a.txt", "a"))).toBe(6);
  });

  test("a handle refuses what it was not opened for", () => {
    const w = call("FOPEN", "a.txt", "w");
    const r = call("FOPEN", "a.txt", "r");
    expect(() => call("FREAD$", w, 1)).toThrow("FREAD$: handle not opened for reading");
    expect(() => call("FREADLINE$", w)).toThrow("FREADLINE$: handle not opened for reading");
    expect(() => call("FWRITE", r, "x")).toThrow("FWRITE: handle not opened for writing");
    expect(() => call("FWRITELN", r, "x")).toThrow("FWRITELN: handle not opened for writing");
    for (const name of ["FREAD$", "FWRITE"]) {
      expect(() => call(name, 99, 1)).toThrow(expect.objectContaining({ errorName: "IO_ERROR" }));
    }
  });

  test("the program's end closes what is still open", async () => {
    const h = call("FOPEN", "a.txt", "w");
    await call.close();
    expect(() => call("FWRITE", h, "x")).toThrow("InvalidHandle (wanted 1, have [])");
    await call.close();
  });
});

test("reading is refused over the host's limit on bytes", () => {
  writeFileSync(join(directory, "a.txt"), "x".repeat(1000));
  const limited = open(new CountingTask({ maxBytes: 100 }));
  const h = limited("FOPEN", "a.txt", "r");
  expect(() => limited("READFILE$", "a.txt")).toThrow("over the limit");
  expect(() => limited("FREAD$", h, 1000)).toThrow("over the limit");
  expect(() => limited("FREADLINE$", h)).toThrow("over the limit");
  expect(limited("FREAD$", h, 100)).toHaveLength(100);
});

test("without files in the host each built-in says so", () => {
  const bare = callerOf(standard());
  const message = "READFILE$ is not available here: this host gives scripts no files";
  expect(() => bare("READFILE$", "a")).toThrow(expect.objectContaining({ errorName: "IO_ERROR", message }));
  for (const [name, ...args] of [
    ["FOPEN", "a", "r"],
    ["DIR$", "*"],
    ["MKDIRS%", "a"],
    ["WRITEFILE", "a", "b"],
  ] as const) {
    expect(() => bare(name, ...args)).toThrow(`${name} is not available here`);
  }
});
