/** Our own client and worker in the shape of a foreign peer: the same calls and the same functions as in test/fixtures/gearman/peer.*. */
import { setTimeout as sleep } from "node:timers/promises";
import { GearmanClient } from "../../../src/core/gearman/client.ts";
import { GearmanWorker } from "../../../src/core/gearman/worker.ts";
import type { JobHandler } from "../../../src/core/gearman/worker-options.ts";
import type { PeerReport } from "./foreign-peers.ts";

const hex = (bytes: Buffer) => bytes.toString("hex");

/** What each kind of run does, and the report it makes. */
const MODES: Readonly<Record<string, (client: GearmanClient) => Promise<PeerReport>>> = {
  async calls(client) {
    const large = Buffer.from("0123456789abcde\0".repeat(65_536));
    const answer = await client.submit({ name: "echo", payload: large });
    const set = Array.from({ length: 20 }, (_, index) => client.submit({ name: "reverse", payload: `<${index}` }));
    const shared = await Promise.all([1, 2].map(() => client.submit({ name: "run", unique: "own-shared" })));
    const { handle } = await client.submitBackground({ name: "nobody", unique: "own-status" });
    const { known, running } = await client.status(handle);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    return {
      bytes: hex(await client.submit({ name: "reverse", payload: bytes })),
      high: String(await client.submit({ name: "echo", payload: "first", priority: "high" })),
      low: String(await client.submit({ name: "echo", payload: "last", priority: "low" })),
      large: `${answer.length} ${answer.equals(large) ? "same" : "different"}`,
      fail: await client.submit({ name: "fail" }).then(
        () => "worked",
        ({ message }: Error) => (message.startsWith("fail failed: no luck") ? "failed" : message),
      ),
      steps: await steps(client),
      set: (await Promise.all(set)).join(" "),
      shared: `${shared.length} ${shared[0]!.equals(shared[1]!) ? "same" : "different"}`,
      status: known && !running ? "queued" : "something else",
    };
  },
  none: async (client) => ({
    none: hex(await client.submit({ name: "none" })),
    empty: hex(await client.submit({ name: "echo" })),
  }),
  hidden: (client) =>
    client.submit({ name: "explode" }).then(
      () => ({ hidden: "worked" }),
      ({ message }: Error) => ({ hidden: message.startsWith("explode failed") ? "failed" : message }),
    ),
  async queue(client) {
    for (const priority of ["low", "normal", "high"] as const)
      await client.submitBackground({ name: "note", payload: `\0own ${priority}`, unique: `own-${priority}`, priority });
    return {};
  },
  notes: async (client) => ({ notes: String(await client.submit({ name: "notes" })) }),
  unique: async (client) => ({ unique: String(await client.submit({ name: "unique", unique: "the key, ä" })) }),
  exception: (client) =>
    client.submit({ name: "explode" }).then(
      () => ({ exception: "none" }),
      ({ message }: Error) => ({ exception: /^explode failed: (.*) \(job /.exec(message)?.[1] ?? message }),
    ),
};

async function steps(client: GearmanClient): Promise<string> {
  const stream = client.start({ name: "steps" });
  const events: string[] = [];
  for await (const event of stream)
    events.push(
      event.type === "status" ? `status ${event.numerator}/${event.denominator}` : `${event.type} ${hex(event.payload)}`,
    );
  return [...events, `complete ${hex(await stream.result)}`].join("|");
}

/** Runs our client in the way of a foreign one. */
export async function runOwn(port: number, mode: string): Promise<PeerReport> {
  const client = new GearmanClient({ servers: [`127.0.0.1:${port}`], timeoutMs: 15_000, exceptions: mode === "exception" });
  try {
    return await MODES[mode]!(client);
  } finally {
    await client.close();
  }
}

/** Starts our worker with the functions that the foreign ones have; resolves to what stops it. */
export async function startOwnWorker(port: number): Promise<() => Promise<unknown>> {
  const notes: string[] = [];
  let runs = 0;
  const functions: Record<string, JobHandler> = {
    echo: (job) => job.payload,
    reverse: (job) => Buffer.from(job.payload).reverse(),
    none: () => "",
    unique: (job) => job.unique,
    fail: () => Promise.reject(new Error("no luck")),
    steps: async (job) => {
      await job.sendData("a");
      await job.sendStatus(1, 2);
      await job.sendWarning("careful");
      await job.sendData("b\0c");
      await job.sendStatus(2, 2);
      return "done";
    },
    run: async () => {
      await sleep(30);
      return `run ${++runs}`;
    },
    note: (job) => void notes.push(hex(job.payload)),
    notes: () => notes.join(" "),
  };
  const servers = [`127.0.0.1:${port}`];
  const worker = new GearmanWorker({ servers });
  for (const [name, handler] of Object.entries(functions)) worker.add(name, handler);
  const exploding = new GearmanWorker({ servers, exceptions: true });
  exploding.add("explode", () => Promise.reject(new Error("boom")));
  for (const one of [worker, exploding]) {
    one.start();
    await one.ready();
  }
  return () => Promise.all([worker, exploding].map((one) => one.stop()));
}
