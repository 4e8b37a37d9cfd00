/** The store: what it keeps, what it refuses, and how it fails. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STORE_ERRORS, StoreError, storeErrorOf } from "../../../src/core/store/errors.ts";
import { lockStore } from "../../../src/core/store/lock.ts";
import { openStore, type Store, type StoreOptions, type StoreValue } from "../../../src/core/store/store.ts";
import { projectDirectory } from "../../../src/tools/build.ts";
import { asMortal } from "../../helpers/as-mortal.ts";

let directory = "";
let path = "";
const stores: Store[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "store-"));
  path = join(directory, "a.db");
});

afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(directory, { recursive: true, force: true });
});

const TABLE = "CREATE TABLE items (id INTEGER PRIMARY KEY, value)";

async function open(options: Partial<StoreOptions> = {}, file = path): Promise<Store> {
  const store = await openStore(file, { migrations: [TABLE], ...options });
  stores.push(store);
  return store;
}

const insertInto = (store: Store) => store.prepare("INSERT INTO items (value) VALUES (?)");
const count = (store: Store) => store.prepare("SELECT count(*) FROM items").get()?.[0];

describe("values", () => {
  test.each<[string, StoreValue]>([
    ["bytes with NUL", Buffer.from("a\0b\xff", "latin1")],
    ["no bytes", Buffer.alloc(0)],
    ["text beyond ASCII", "naïve 🙂"],
    ["empty text", ""],
    ["a whole number", 2 ** 53 - 1],
    ["a fraction", -0.5],
    ["a number over 64 bits", 1e30],
    ["nothing", null],
  ])("%s comes back as it was", async (_name, value) => {
    const store = await open();
    insertInto(store).run(value);
    expect(store.prepare("SELECT value FROM items").get()).toEqual([value]);
    expect(store.prepare("SELECT value, id FROM items").all()).toEqual([[value, 1]]);
  });

  test("part of a buffer is stored as that part", async () => {
    const store = await open();
    insertInto(store).run(Buffer.from("abcdef").subarray(2, 4));
    expect(store.prepare("SELECT value FROM items").get()).toEqual([Buffer.from("cd")]);
  });

  test.each([
    ["text with NUL", "a\0b", "text with a NUL"],
    ["half a character", "a\udc80", "half a character"],
    ["not a number", Number.NaN, "NaN cannot be stored"],
    ["a truth value", true as unknown as StoreValue, "boolean cannot be stored"],
    ["undefined", undefined as unknown as StoreValue, "undefined cannot be stored"],
  ])("%s is refused", async (_name, value, message) => {
    const store = await open();
    expect(() => insertInto(store).run(value)).toThrow(
      expect.objectContaining({ kind: "VALUE", message: expect.stringContaining(message) }),
    );
    expect(count(store)).toBe(0);
  });

  test("too few and too many values are refused", async () => {
    const insert = insertInto(await open());
    expect(() => insert.run()).toThrow("0 values for 1 places");
    expect(() => insert.run(1, 2)).toThrow("2 values for 1 places");
  });

  test("a query without rows gives undefined, or none", async () => {
    const store = await open();
    expect(store.prepare("SELECT id FROM items WHERE id = ?").get(7)).toBeUndefined();
    expect(store.prepare("SELECT id FROM items").all()).toEqual([]);
  });
});

describe("transactions", () => {
  test("happen whole", async () => {
    const store = await open();
    const insert = insertInto(store);
    const changes = store.transaction(() => [1, 2, 3].reduce((sum, value) => sum + insert.run(value), 0));
    expect([changes, count(store)]).toEqual([3, 3]);
  });

  test("leave nothing behind when something in them fails", async () => {
    const store = await open();
    const failing = () => {
      insertInto(store).run(1);
      throw new StoreError("VALUE", "changed my mind");
    };
    expect(() => store.transaction(failing)).toThrow("changed my mind");
    expect(count(store)).toBe(0);
    store.transaction(() => insertInto(store).run(2));
    expect(count(store)).toBe(1);
  });

  test("do not nest", async () => {
    const store = await open();
    expect(() => store.transaction(() => store.transaction(() => 1))).toThrow("begun within another");
  });

  test("outlive the process, durable or not", async () => {
    const script = `
      const { openStore } = await import(${JSON.stringify(pathToFileURL(join(projectDirectory, "src/core/store/store.ts")).href)});
      const store = await openStore(${JSON.stringify(path)}, { migrations: [${JSON.stringify(TABLE)}] });
      const insert = store.prepare("INSERT INTO items (value) VALUES (?)");
      store.transaction(() => insert.run(1));
      store.transaction(() => insert.run(2), { isDurable: false });
      process.kill(process.pid, "SIGKILL");`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: projectDirectory,
      stdio: "inherit",
    });
    const [, signal] = await once(child, "exit");
    expect(signal).toBe("SIGKILL");
    expect(count(await open())).toBe(2);
  });
});

describe("the schema", () => {
  test("grows by the migrations a file has not seen", async () => {
    (await open()).close();
    const migrations = [TABLE, "ALTER TABLE items ADD COLUMN note; INSERT INTO items (note) VALUES ('new')"];
    (await open({ migrations })).close();
    const store = await open({ migrations });
    expect(store.prepare("SELECT note FROM items").all()).toEqual([["new"]]);
  });

  test("stays as it was when a migration fails", async () => {
    (await open()).close();
    await expect(open({ migrations: [TABLE, "CREATE TABLE more (x); CREATE nonsense"] })).rejects.toMatchObject({
      kind: "FAILED",
    });
    const store = await open();
    expect(store.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()).toEqual([["items"]]);
  });

  test("of a newer version is refused", async () => {
    (await open({ migrations: [TABLE, "CREATE TABLE more (x)"] })).close();
    await expect(open()).rejects.toMatchObject({ kind: "VERSION", message: expect.stringContaining("version 2 of its tables") });
  });
});

describe("failures", () => {
  test("a missing directory is named", async () => {
    const file = join(directory, "no/such/a.db");
    await expect(open({}, file)).rejects.toMatchObject({
      kind: "MISSING_DIRECTORY",
      message: expect.stringContaining(join(directory, "no/such")),
    });
  });

  test("a directory is no file, an empty name no name", async () => {
    await expect(open({}, directory)).rejects.toMatchObject({
      kind: "CANNOT_OPEN",
      message: `${directory} is a directory, not a file`,
    });
    await expect(open({}, "")).rejects.toMatchObject({ kind: "CANNOT_OPEN" });
  });

  test("a file that is no database is refused, and left as it is", async () => {
    writeFileSync(path, "not a database ".repeat(1000));
    await expect(open()).rejects.toMatchObject({ kind: "CORRUPT", message: expect.stringContaining(path) });
    expect(statSync(path).size).toBe(15_000);
  });

  test("a full file refuses the transaction, and takes others once there is room", async () => {
    const store = await open({ maxBytes: 100_000 });
    const insert = insertInto(store);
    store.transaction(() => insert.run(Buffer.alloc(60_000)));
    expect(() => store.transaction(() => insert.run(Buffer.alloc(60_000)))).toThrow(expect.objectContaining({ kind: "FULL" }));
    expect(count(store)).toBe(1);
    store.exec("DELETE FROM items");
    store.transaction(() => insert.run(Buffer.alloc(60_000)));
    expect(count(store)).toBe(1);
  });

  test("room is refused before the disk is full to the last byte, so that deleting stays possible", async () => {
    const asked: string[] = [];
    const store = await open({ freeBytes: (where) => asked.push(where) * 0 + 17 * 1024 * 1024 });
    store.checkRoom(512 * 1024);
    expect(() => store.checkRoom(512 * 1024 + 1)).toThrow(expect.objectContaining({ kind: "FULL" }));
    expect(asked).toEqual([directory, directory]);
    (await open({ freeBytes: () => 0 }, ":memory:")).checkRoom(1);
  });

  test("what was deleted makes room, even if the disk is nearly full", async () => {
    const store = await open({ freeBytes: () => 8 * 1024 * 1024 });
    expect(() => store.checkRoom(10_000)).toThrow(expect.objectContaining({ kind: "FULL" }));
    store.transaction(() => insertInto(store).run(Buffer.alloc(100_000)));
    store.exec("DELETE FROM items");
    store.checkRoom(10_000);
    expect(() => store.checkRoom(100_000)).toThrow(expect.objectContaining({ kind: "FULL" }));
  });

  test("a file that others write to is LOCKED once the wait is over", async () => {
    const [first, second] = [await open(), await open({ busyTimeoutMs: 20 })];
    first.exec("BEGIN IMMEDIATE");
    expect(() => second.transaction(() => insertInto(second).run(1))).toThrow(expect.objectContaining({ kind: "LOCKED" }));
    first.exec("ROLLBACK");
    second.transaction(() => insertInto(second).run(1));
    expect(count(first)).toBe(1);
  });

  test("a key that is there already breaks a rule", async () => {
    const insert = (await open()).prepare("INSERT INTO items (id) VALUES (?)");
    insert.run(1);
    expect(() => insert.run(1)).toThrow(expect.objectContaining({ kind: "CONSTRAINT" }));
  });

  test("a file that cannot be written is refused at once", async () => {
    (await open()).close();
    chmodSync(path, 0o444);
    chmodSync(directory, 0o555);
    await expect(asMortal(open)).rejects.toMatchObject({ kind: expect.stringMatching(/READ_ONLY|CANNOT_OPEN/) });
    chmodSync(directory, 0o755);
  });

  test.each(Object.entries(STORE_ERRORS).flatMap(([kind, { sqlite }]) => sqlite.map((code) => [`${code}_X`, kind] as const)))(
    "%s is of kind %s, and names the file",
    (code, kind) => {
      const failure = storeErrorOf(Object.assign(new Error("the reason"), { code }), "/some/file");
      expect(failure).toMatchObject({ kind, message: expect.stringMatching(/^\/some\/file: .*the reason/) });
      expect(storeErrorOf(failure, "elsewhere")).toBe(failure);
    },
  );
});

describe("closing", () => {
  test("may be done twice, undoes what is under way, and ends all use", async () => {
    const store = await open();
    const insert = insertInto(store);
    store.exec("BEGIN");
    insert.run(1);
    store.close();
    store.close();
    expect(store.isOpen).toBe(false);
    for (const use of [
      () => insert.run(1),
      () => store.exec("SELECT 1"),
      () => store.prepare("SELECT 1"),
      () => store.transaction(() => 1),
    ]) {
      expect(use).toThrow(expect.objectContaining({ kind: "CLOSED" }));
    }
    expect(count(await open())).toBe(0);
  });

  test("leaves an empty log, so that the file alone can be copied", async () => {
    const store = await open();
    store.transaction(() => insertInto(store).run(1));
    expect(count(store)).toBe(1);
    store.close();
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
  });
});

describe("the lock", () => {
  test("has one owner at a time", async () => {
    const lock = await lockStore(path);
    await expect(lockStore(path)).rejects.toMatchObject({
      kind: "LOCKED",
      message: expect.stringContaining("in use by another process"),
    });
    lock.release();
    lock.release();
    (await lockStore(path)).release();
  });

  test("does not keep others from reading the store", async () => {
    const lock = await lockStore(path);
    expect(count(await open())).toBe(0);
    lock.release();
  });

  test("ends with its process, however that dies", async () => {
    const script = `
      const { lockStore } = await import(${JSON.stringify(pathToFileURL(join(projectDirectory, "src/core/store/lock.ts")).href)});
      globalThis.lock = await lockStore(${JSON.stringify(path)});
      console.log("locked");
      setInterval(() => globalThis.lock, 1000);`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: projectDirectory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await expect(lockStore(path)).rejects.toMatchObject({ kind: "LOCKED" });
    child.kill("SIGKILL");
    await once(child, "exit");
    (await lockStore(path)).release();
  });

  test("of a store in memory is nobody's", async () => {
    (await lockStore(":memory:")).release();
    const store = await open({}, ":memory:");
    insertInto(store).run(1);
    expect(count(store)).toBe(1);
  });

  test("is the same by whatever symbolic links the file is named, there or not there yet", async () => {
    mkdirSync(join(directory, "there"));
    symlinkSync(join(directory, "there"), join(directory, "here"));
    symlinkSync("here/a.db", join(directory, "to-come.db"));
    symlinkSync("to-come.db", join(directory, "twice.db"));
    const lock = await lockStore(join(directory, "there/a.db"));
    for (const name of ["here/a.db", "to-come.db", "twice.db"])
      await expect(lockStore(join(directory, name))).rejects.toMatchObject({ kind: "LOCKED" });
    insertInto(await open({}, join(directory, "twice.db"))).run(1);
    expect(count(await open({}, join(directory, "there/a.db")))).toBe(1);
    for (const name of ["here/a.db", "to-come.db", "twice.db"])
      await expect(lockStore(join(directory, name))).rejects.toMatchObject({ kind: "LOCKED" });
    lock.release();
  });

  test("and the store itself are refused to a file with several names, until it has one again", async () => {
    (await open()).close();
    const other = join(directory, "b.db");
    linkSync(path, other);
    const refusal = { kind: "CANNOT_OPEN", message: expect.stringContaining("2 names (hard links)") };
    await expect(lockStore(other)).rejects.toMatchObject(refusal);
    await expect(lockStore(path)).rejects.toMatchObject(refusal);
    await expect(openStore(other, { migrations: [TABLE] })).rejects.toMatchObject(refusal);
    rmSync(other);
    (await lockStore(path)).release();
  });

  test("is refused where symbolic links lead round or nowhere", async () => {
    symlinkSync("round.db", join(directory, "round.db"));
    await expect(lockStore(join(directory, "round.db"))).rejects.toMatchObject({
      kind: "CANNOT_OPEN",
      message: expect.stringContaining("symbolic links"),
    });
    symlinkSync("gone/a.db", join(directory, "nowhere.db"));
    await expect(lockStore(join(directory, "nowhere.db"))).rejects.toMatchObject({
      kind: "MISSING_DIRECTORY",
      message: expect.stringContaining("gone/a.db"),
    });
  });

  test("that cannot be made is told of the file that was named", async () => {
    mkdirSync(`${path}-lock`);
    await expect(lockStore(path)).rejects.toMatchObject({ message: expect.stringMatching(`^${path} cannot be locked: `) });
  });

  test("in a missing directory fails like the store", async () => {
    mkdirSync(join(directory, "there"));
    (await lockStore(join(directory, "there/a.db"))).release();
    await expect(lockStore(join(directory, "gone/a.db"))).rejects.toMatchObject({
      kind: "MISSING_DIRECTORY",
      message: expect.not.stringContaining("-lock"),
    });
  });
});
