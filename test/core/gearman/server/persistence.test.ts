/** The embedded server with a queue file, on the wire: what was accepted is there after any end. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GearmanServer } from "../../../../src/core/gearman/server/server.ts";
import { openStore, Store } from "../../../../src/core/store/store.ts";
import { projectDirectory } from "../../../../src/tools/build.ts";
import { hasGearmand, startGearmand } from "../../../helpers/gearmand.ts";
import { line, packet, play, RawConnection } from "./dialogue.ts";
import { DIALOGUES, forHost } from "./dialogues.ts";
import { ask, serving } from "./serving.ts";

let directory = "";
let queueFile = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "queue-"));
  queueFile = join(directory, "queue.db");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const { closers, events, open, serve } = serving(() => ({ queueFile }));

const grab = packet("GRAB_JOB_ALL");
const types = () => events.map(({ type }) => type);

describe.skipIf(!hasGearmand())("answers as gearmand does, with a queue file too", () => {
  test("in every dialogue", async () => {
    for (const [rule, steps] of Object.entries(DIALOGUES)) {
      const gearmand = await startGearmand();
      const server = new GearmanServer({ queueFile: join(directory, `${rule.replaceAll(/\W/g, "-")}.db`) });
      try {
        const { port } = await server.listen();
        const script = forHost(steps, hostname());
        const [theirs, ours] = await Promise.all([play(gearmand.port, script), play(port, script)]);
        expect({ rule, answers: ours }).toEqual({ rule, answers: theirs });
      } finally {
        await Promise.all([gearmand.stop(), server.close()]);
      }
    }
  });
});

describe("after a restart", () => {
  test("background jobs are there, foreground and finished ones are not", async () => {
    const first = await serve();
    const client = await open(first.port);
    await ask(
      client,
      packet("SUBMIT_JOB_BG", "f\0done\0done"),
      packet("CAN_DO", "f"),
      grab,
      packet("WORK_COMPLETE", "H:test:1\0"),
      packet("SUBMIT_JOB_LOW_BG", "f\0u1\0low\0\xff"),
      packet("SUBMIT_JOB", "f\0\0foreground"),
      packet("SUBMIT_JOB_HIGH_BG", "f\0\0high"),
      packet("SUBMIT_REDUCE_JOB_BACKGROUND", "f\0\0red\0\0reduce"),
      packet("SUBMIT_JOB_EPOCH", "f\0\x004000000000\0later"),
      packet("SUBMIT_JOB_BG", "f\0\0running"),
    );
    expect(first.server.stats()).toMatchObject({ connections: 1, workers: 1, queued: 6, running: 0, stored: 5 });
    await first.server.close();
    const second = await serve();
    expect(events.find(({ type }) => type === "restored")).toEqual({ type: "restored", jobs: 5 });
    const worker = await open(second.port);
    expect(await ask(worker, packet("CAN_DO", "f"), grab, grab, grab, grab, grab, packet("GET_STATUS", "H:test:6"))).toEqual([
      "JOB_ASSIGN_UNIQ H:test:4|f||high",
      "JOB_ASSIGN_ALL H:test:5|f||red|reduce",
      "JOB_ASSIGN_UNIQ H:test:7|f||running",
      "JOB_ASSIGN_UNIQ H:test:2|f|u1|low|\xff",
      "NO_JOB",
      "STATUS_RES H:test:6|1|0|0|0",
    ]);
    expect(second.server.stats()).toMatchObject({ queued: 1, running: 4, stored: 5 });
  });

  test("new handles name no job of before", async () => {
    const first = await serve();
    await ask(await open(first.port), packet("SUBMIT_JOB_BG", "f\0\0x"));
    await first.server.close();
    const { port } = await serve();
    const answers = await ask(await open(port), packet("SUBMIT_JOB_BG", "f\0\0y"), packet("SUBMIT_JOB", "f\0\0z"));
    expect(answers).toEqual(["JOB_CREATED H:test:1000001", "JOB_CREATED H:test:1000002"]);
  });
});

describe("a queue file that cannot be used", () => {
  test.each([
    ["in a missing directory", () => join(directory, "no/queue.db"), "MISSING_DIRECTORY"],
    ["that is a directory", () => directory, "CANNOT_OPEN"],
    ["that is something else", () => join(directory, "text"), "CORRUPT"],
  ])("%s keeps the server from listening, with the reason", async (_name, path, kind) => {
    writeFileSync(join(directory, "text"), "text ".repeat(1000));
    const server = new GearmanServer({ queueFile: path() });
    await expect(server.listen()).rejects.toMatchObject({
      kind: "IO",
      message: expect.stringContaining(`cannot use the queue file: ${path()}`),
      cause: { kind },
    });
    await server.close();
  });

  test("because another server has it is refused; once that is closed, listening works", async () => {
    const { server } = await serve();
    const other = new GearmanServer({ queueFile });
    closers.push(() => other.close());
    await expect(other.listen()).rejects.toMatchObject({ cause: { kind: "LOCKED" } });
    await server.close();
    await other.listen();
  });

  test("because another server has it under another name is refused, symbolic or hard", async () => {
    await serve();
    for (const [link, kind] of [
      [symlinkSync, "LOCKED"],
      [linkSync, "CANNOT_OPEN"],
    ] as const) {
      const other = new GearmanServer({ queueFile: join(directory, `${link.name}.db`) });
      closers.push(() => other.close());
      link(queueFile, join(directory, `${link.name}.db`));
      await expect(other.listen()).rejects.toMatchObject({ cause: { kind } });
    }
  });

  test("is free again when the server could not listen, or was closed while it started", async () => {
    const { port, server } = await serve();
    const file = join(directory, "other.db");
    const blocked = new GearmanServer({ queueFile: file, port });
    await expect(blocked.listen()).rejects.toMatchObject({ kind: "IO" });
    const early = new GearmanServer({ queueFile: file });
    const listening = expect(early.listen()).rejects.toMatchObject({ kind: "CLOSED" });
    await early.close();
    await listening;
    await server.close();
    await blocked.listen();
    await blocked.close();
  });
});

test("while the file cannot be written, background jobs are refused in their turn, and all else goes on", async () => {
  const { port, server } = await serve();
  const connection = await open(port);
  await ask(connection, packet("SUBMIT_JOB_BG", "f\0u\0before"));
  const other = await openStore(queueFile, { migrations: ["", ""].slice(1) });
  closers.push(async () => other.close());
  // Somebody else writes and does not come to an end: the wait for them is bounded.
  other.exec("BEGIN IMMEDIATE");
  const answers = await ask(
    connection,
    packet("ECHO_REQ", "1"),
    packet("SUBMIT_JOB_BG", "f\0\0x"),
    packet("ECHO_REQ", "2"),
    packet("SUBMIT_JOB_BG", "f\0u\0joins what is stored"),
    packet("SUBMIT_JOB", "f\0\0foreground"),
  );
  const reason = "The job cannot be stored: Another process, or another part of this one, uses the file.";
  expect(answers).toEqual([
    "ECHO_RES 1",
    `ERROR QUEUE_ERROR|${reason}`,
    "ECHO_RES 2",
    "JOB_CREATED H:test:1",
    "JOB_CREATED H:test:3",
  ]);
  await ask(connection, packet("SUBMIT_JOB_BG", "f\0\0y"));
  expect(types().filter((type) => type === "notStored")).toHaveLength(1);
  other.exec("ROLLBACK");
  expect(await ask(connection, packet("SUBMIT_JOB_BG", "f\0\0z"))).toEqual(["JOB_CREATED H:test:5"]);
  expect(types().at(-1)).toBe("stored");
  expect(server.stats()).toMatchObject({ queued: 3, stored: 2 });
});

test("a client that hangs up right after its submits has all of them kept", async () => {
  const { port, server } = await serve();
  const client = await open(port);
  client.send(...Array.from({ length: 500 }, (_, number) => packet("SUBMIT_JOB_BG", `f\0\0${number}`)));
  client.socket.end();
  let created = 0;
  while ((await client.next()) !== "closed") created++;
  await server.close();
  const again = await serve();
  expect([created, again.server.stats().stored]).toEqual([500, 500]);
});

test("the log of the file is empty after close, so that the file alone can be copied", async () => {
  const { port, server } = await serve();
  await ask(await open(port), packet("SUBMIT_JOB_BG", "f\0\0x"), line("status"));
  await server.close();
  const store = await openStore(queueFile, { migrations: ["SELECT 1"] });
  expect(store).toBeInstanceOf(Store);
  expect(store.prepare("SELECT count(*) FROM jobs").get()).toEqual([1]);
  store.close();
});

/** A server in a process of its own, to be killed. */
async function startChild(): Promise<{ child: ChildProcess; port: number }> {
  const script = `
    const { GearmanServer } = await import(${JSON.stringify(pathToFileURL(join(projectDirectory, "src/core/gearman/server/server.ts")).href)});
    const { port } = await new GearmanServer({ queueFile: ${JSON.stringify(queueFile)}, handleHost: "test" }).listen();
    console.log(port);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: projectDirectory,
  });
  const ended = once(child, "exit").then(() => [Buffer.from("none: it ended")]);
  const [port] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  expect(String(port)).toMatch(/^\d+\s*$/);
  return { child, port: Number(port) };
}

/** What clients and worker know of all jobs, by number, over all lives of the server. */
class Books {
  readonly accepted = new Set<number>();
  readonly finished = new Set<number>();
  /** The server answered something after the job's WORK_COMPLETE. */
  readonly confirmed = new Set<number>();
  readonly handles = new Map<string, number>();
  readonly faults: string[] = [];
  runs = 0;
  next = 0;

  /** Submits jobs, 50 at once, until the connection ends. */
  async submit(port: number): Promise<void> {
    const connection = await RawConnection.open(port);
    const sent: number[] = [];
    const more = () => {
      const number = this.next++;
      sent.push(number);
      const type = number % 5 === 0 ? "SUBMIT_JOB_HIGH_BG" : number % 7 === 0 ? "SUBMIT_JOB_LOW_BG" : "SUBMIT_JOB_BG";
      connection.send(packet(type, `f\0u${number}\0${number}\0\xff${"x".repeat(number % 300)}`));
    };
    for (let first = 0; first < 50; first++) more();
    for (let answer = await connection.next(); answer !== "closed"; answer = await connection.next()) {
      if (!answer.startsWith("JOB_CREATED ")) this.faults.push(answer);
      this.accepted.add(sent.shift()!);
      more();
    }
    await connection.close();
  }

  /** Works off jobs until the connection ends, or, with `stopWhenEmpty`, until there are none. */
  async work(port: number, stopWhenEmpty: boolean): Promise<void> {
    const connection = await RawConnection.open(port);
    connection.send(packet("CAN_DO", "f"), ...Array<Buffer>(10).fill(packet("GRAB_JOB_UNIQ")));
    for (let answer = await connection.next(); answer !== "closed"; answer = await connection.next()) {
      if (answer === "NO_JOB" && stopWhenEmpty) {
        await connection.answers();
        break;
      }
      if (answer === "NO_JOB") connection.send(packet("GRAB_JOB_UNIQ"));
      else if (answer.startsWith("ECHO_RES ")) this.confirmed.add(Number(answer.slice("ECHO_RES ".length)));
      else connection.send(...this.#run(answer));
    }
    await connection.close();
  }

  #run(assignment: string): Buffer[] {
    const [, handle, unique, text, rest] = /^JOB_ASSIGN_UNIQ (\S+?)\|f\|u(\d+)\|(\d+)\|(\xffx*)$/s.exec(assignment) ?? [];
    const number = Number(text);
    if (handle === undefined || unique !== text || rest!.length !== 1 + (number % 300))
      this.faults.push(`damaged: ${assignment}`);
    if (this.confirmed.has(number)) this.faults.push(`${number} ran again though its end was confirmed`);
    if ((this.handles.get(handle!) ?? number) !== number) this.faults.push(`${handle} names two jobs`);
    this.handles.set(handle!, number);
    this.runs++;
    this.finished.add(number);
    return [packet("WORK_COMPLETE", `${handle}\0`), packet("ECHO_REQ", text!), packet("GRAB_JOB_UNIQ")];
  }
}

test("20 crashes under load lose no accepted job, and repeat only those whose end was not confirmed", async () => {
  const books = new Books();
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    const { child, port } = await startChild();
    const enough = books.accepted.size + 100 + 37 * round;
    const load = [books.submit(port), books.submit(port), books.work(port, false)];
    while (books.accepted.size < enough) await new Promise((resolve) => setImmediate(resolve));
    child.kill("SIGKILL");
    await once(child, "exit");
    await Promise.all(load);
  }
  const { port, server } = await serve();
  await books.work(port, true);
  expect(books.faults).toEqual([]);
  expect([...books.accepted].filter((number) => !books.finished.has(number))).toEqual([]);
  expect(books.accepted.size).toBeGreaterThan(20 * 100);
  // At a crash at most ten jobs run, and a few more have ended without a word of it reaching the worker.
  expect(books.runs - books.finished.size).toBeLessThan(rounds * 100);
  expect(server.stats()).toMatchObject({ queued: 0, stored: 0 });
}, 120_000);
