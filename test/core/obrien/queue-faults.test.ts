/** The queue when its file cannot be used: what it says, and that it goes on when the reason is gone. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { JobQueue } from "../../../src/core/obrien/queue.ts";
import { MIGRATIONS } from "../../../src/core/obrien/schema.ts";
import { openStore } from "../../../src/core/store/store.ts";
import { asMortal } from "../../helpers/as-mortal.ts";
import { doneOutcome, failedOutcome, QueueHarness, roomFor } from "./queue-harness.ts";

const harness = new QueueHarness();

/** Checks kind and message, which must name the file. */
async function refuses(opening: Promise<JobQueue>, kind: string, wayOut: string, path = harness.path): Promise<void> {
  await expect(opening).rejects.toMatchObject({ name: "ObrienError", kind, message: expect.stringContaining(path) });
  await expect(opening).rejects.toThrow(wayOut);
}

describe("opening", () => {
  test.skipIf(process.platform === "win32")("a file that cannot be written is refused at once", async () => {
    const queue = await harness.open();
    queue.enqueue([{ class: "a" }]);
    queue.close();
    chmodSync(harness.path, 0o444);
    chmodSync(harness.directory, 0o555);
    const opening = asMortal(() => harness.open());
    await refuses(opening, "READ_ONLY", "make the file and its directory writable, or use another file");
    chmodSync(harness.directory, 0o755);
    chmodSync(harness.path, 0o644);
    expect((await harness.open()).counts().total.pending).toBe(1);
  });

  test.skipIf(process.platform === "win32")("a file that cannot be written can be read where that is enough", async () => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a" }]) as [string];
    chmodSync(harness.path, 0o444);
    chmodSync(harness.directory, 0o555);
    const reader = await asMortal(() => harness.open({ mayReadOnly: true }));
    expect(reader.get(id)?.class).toBe("a");
    expect(reader.counts().total.pending).toBe(1);
    expect(reader.find({ class: "a" })).toHaveLength(1);
    expect(thrownBy(() => reader.enqueue([{ class: "a" }]))).toMatchObject({
      kind: "READ_ONLY",
      message: expect.stringMatching(/jobs\.db: .*make the file and its directory writable, or use another file$/),
    });
    reader.close();
    chmodSync(harness.directory, 0o755);
    chmodSync(harness.path, 0o644);
    expect(queue.enqueue([{ class: "a" }])).toHaveLength(1);
  });

  test.skipIf(process.platform === "win32")("reading without the files beside it that cannot be made is refused", async () => {
    const queue = await harness.open();
    queue.enqueue([{ class: "a" }]);
    queue.close();
    const path = join(harness.directory, "copy.db");
    copyFileSync(harness.path, path);
    chmodSync(path, 0o444);
    chmodSync(harness.directory, 0o555);
    const opening = asMortal(() => harness.open({ mayReadOnly: true }, path));
    await refuses(opening, "READ_ONLY", "make the file and its directory writable, or use another file", path);
    chmodSync(harness.directory, 0o755);
  });

  test.skipIf(process.platform === "win32")("a directory that cannot be written is refused", async () => {
    chmodSync(harness.directory, 0o555);
    await refuses(
      asMortal(() => harness.open()),
      "CANNOT_OPEN",
      "name a file in a directory that exists and can be written",
    );
    chmodSync(harness.directory, 0o755);
  });

  test("a file that is no database is refused, and left as it is", async () => {
    writeFileSync(harness.path, "no database\n".repeat(1000));
    await refuses(harness.open(), "CORRUPT", "restore the file from a copy, or move it away to start with a new one");
    expect(readFileSync(harness.path, "utf8")).toBe("no database\n".repeat(1000));
  });

  test("a missing directory is named", async () => {
    const path = join(harness.directory, "none/jobs.db");
    await refuses(harness.open({}, path), "CANNOT_OPEN", `there is no directory ${join(harness.directory, "none")}`, path);
  });

  test("a directory is no file, and an empty name no name", async () => {
    const path = join(harness.directory, "inner");
    mkdirSync(path);
    await refuses(harness.open({}, path), "CANNOT_OPEN", "is a directory, not a file: name a file", path);
    await refuses(harness.open({}, ""), "CANNOT_OPEN", "the name of the file to store in is empty", "empty");
  });

  test("a newer version, and another program's file, are refused", async () => {
    const newer = await openStore(harness.path, { migrations: [...MIGRATIONS, "CREATE TABLE more (x)"] });
    newer.close();
    await refuses(harness.open(), "VERSION", "use the program that wrote it, or another file");
    const path = join(harness.directory, "other.db");
    const other = await openStore(path, { migrations: MIGRATIONS.map(() => "CREATE TABLE jobs (number INTEGER PRIMARY KEY)") });
    other.close();
    await refuses(harness.open({}, path), "VERSION", "belongs to another program: use another file for jobs", path);
  });
});

describe("while it is open", () => {
  test("a damaged page is told from other failures", async () => {
    const queue = await harness.open();
    queue.enqueue(Array.from({ length: 2000 }, () => ({ class: "a", payload: "x".repeat(500) })));
    queue.close();
    const file = openSync(harness.path, "r+");
    const pages = statSync(harness.path).size / 4096;
    for (let page = 2; page < pages; page++) writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(file);
    const damaged = await harness.open().catch((error: unknown) => error);
    const failure = damaged instanceof JobQueue ? thrownBy(() => damaged.claim(roomFor("a"), 2000)) : damaged;
    expect(failure).toMatchObject({
      kind: "CORRUPT",
      message: expect.stringMatching(/jobs\.db: .*restore the file from a copy/),
    });
  });

  test("a full disk refuses jobs whole, still ends and prunes others, and takes more when there is room", async () => {
    const queue = await harness.open({ maxBytes: 400_000 });
    const large = { class: "a", payload: Buffer.alloc(50_000) };
    const ids = queue.enqueue([large, large, large, large]);
    const before = queue.counts();
    expect(thrownBy(() => queue.enqueue([{ class: "a" }, ...Array(6).fill(large)]))).toMatchObject({
      kind: "FULL",
      fatal: false,
      message: expect.stringMatching(/jobs\.db: .*make room on the disk or prune jobs that have ended, then try again$/),
    });
    expect(queue.counts()).toEqual(before);
    queue.claim(roomFor("a"), 4);
    queue.finish(ids.slice(1).map((id) => doneOutcome(id)));
    const verdict = { ...failedOutcome(ids[0]!), xeme: { success: false, io: { stdout: "x".repeat(300_000) } } };
    expect(thrownBy(() => queue.finish([verdict]))).toMatchObject({ kind: "FULL" });
    expect(queue.get(ids[0]!)?.state).toBe("claimed");
    expect(await queue.prune({ olderThan: new Date(harness.nowMs + 1) })).toBe(3);
    queue.finish([{ ...verdict, xeme: { success: false, io: { stdout: "x".repeat(100_000) } } }]);
    queue.enqueue([large]);
    expect(queue.counts().total).toEqual({ pending: 1, claimed: 0, done: 0, failed: 1 });
  });

  test("a disk too full to prune is told without the advice to prune", async () => {
    const queue = await harness.open({ maxBytes: 400_000 });
    const [id] = queue.enqueue([{ class: "a" }]) as [string];
    queue.claim(roomFor("a"), 1);
    queue.finish([doneOutcome(id)]);
    const other = await openStore(harness.path, { migrations: MIGRATIONS });
    other.exec(`CREATE TABLE ballast (bytes BLOB);
      CREATE TRIGGER fill AFTER DELETE ON jobs BEGIN INSERT INTO ballast VALUES (zeroblob(1000000)); END`);
    other.close();
    await expect(queue.prune({ olderThan: new Date(harness.nowMs + 1) })).rejects.toMatchObject({
      kind: "FULL",
      message: expect.stringMatching(/jobs\.db: (?!.*prune).*free a few MB by other means, then try again$/),
    });
    expect(queue.get(id)?.state).toBe("done");
  });

  test("another process that writes for too long is named as the reason", async () => {
    const queue = await harness.open({ busyTimeoutMs: 20 });
    const other = await openStore(harness.path, { migrations: MIGRATIONS });
    other.exec("BEGIN IMMEDIATE");
    expect(thrownBy(() => queue.enqueue([{ class: "a" }]))).toMatchObject({
      kind: "LOCKED",
      message: expect.stringMatching(/jobs\.db: .*try again, or end the process that holds it$/),
    });
    expect(queue.counts().total.pending).toBe(0);
    other.close();
    expect(queue.enqueue([{ class: "a" }]).length).toBe(1);
  });

  test("a verdict that was damaged in the file is named, and can be pruned", async () => {
    const queue = await harness.open();
    const [id] = queue.enqueue([{ class: "a" }]) as [string];
    queue.claim(roomFor("a"), 1);
    queue.finish([doneOutcome(id)]);
    const other = await openStore(harness.path, { migrations: MIGRATIONS });
    other.exec("UPDATE jobs SET xeme = '{'");
    other.close();
    expect(thrownBy(() => queue.get(id))).toMatchObject({
      kind: "CORRUPT",
      message: expect.stringContaining(`the outcome of job ${id} is damaged`),
    });
    expect(await queue.prune({ olderThan: new Date(harness.nowMs + 1) })).toBe(1);
  });

  test("closing may be done twice, and ends all use", async () => {
    const queue = await harness.open();
    queue.close();
    queue.close();
    expect(queue.isOpen).toBe(false);
    for (const use of [
      () => queue.enqueue([{ class: "a" }]),
      () => queue.claim(roomFor("a"), 1),
      () => queue.requestCancel("x"),
      () => queue.cancelRequests(),
      () => queue.get("x"),
      () => queue.find(),
      () => queue.counts(),
      () => queue.claimed(),
      () => queue.hasChanged(),
      () => queue.nextDue(),
    ]) {
      expect(thrownBy(use)).toMatchObject({ name: "ObrienError", kind: "CLOSED" });
    }
    await expect(queue.prune({ olderThan: new Date() })).rejects.toMatchObject({ kind: "CLOSED" });
  });
});

function thrownBy(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    return error;
  }
}
