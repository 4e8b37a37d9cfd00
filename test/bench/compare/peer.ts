/**
 * One end of the comparison, in a process of its own, for packages of npm. Arguments: package, the directory it lies in,
 * role, port, and what the role needs. What is found goes to stdout in lines that begin with RESULT; a crash shows as one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { adapterOf, type PeerClient } from "./adapters.ts";

const [library = "", directory = "", role = "", port = "0", ...rest] = process.argv.slice(2);

/** Longest time of one measured round, and of one job of `outage`, in milliseconds. */
const ROUND_MS = 1000;
const ATTEMPT_MS = 2000;
const MAX_JOBS_PER_ROUND = 10_000;

const adapter = adapterOf(library, directory);
const say = (text: string): void => void process.stdout.write(`RESULT ${text.replaceAll("\n", " ")}\n`);
const textOf = (error: unknown): string => `error: ${error instanceof Error ? error.message : String(error)}`;

/** Who hears of failures that belong to no job. */
const listeners = new Set<(error: Error) => void>();
const onError = (error: Error): void => {
  for (const listener of [...listeners]) listener(error);
};

/** What `wait` comes to, unless the package reports a failure that belongs to no job before that. */
async function orError<Value>(wait: () => Promise<Value>): Promise<Value> {
  let stop = (_: Error): void => undefined;
  const told = new Promise<never>((_, reject) => {
    stop = reject;
  });
  listeners.add(stop);
  try {
    return await Promise.race([wait(), told]);
  } finally {
    listeners.delete(stop);
  }
}

const connected = (): Promise<PeerClient> => orError(async () => adapter.client(Number(port), onError));

/** One round: as many jobs as `lanes` at once finish in its time. Resolves with jobs a second. */
async function round(send: () => Promise<unknown>, lanes: number, maxJobs: number): Promise<number> {
  const start = performance.now();
  let jobs = 0;
  const lane = async () => {
    while (jobs < maxJobs && performance.now() - start < ROUND_MS) {
      jobs++;
      await send();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (jobs / (performance.now() - start)) * 1000;
}

/** Jobs a second in one round. Arguments: foreground or background, jobs at once, bytes of payload. */
async function rate(client: PeerClient): Promise<string> {
  const [kind = "", lanes = "1", bytes = "0"] = rest;
  const payload = Buffer.alloc(Number(bytes), "p");
  const { submitBackground } = client;
  if (kind === "background" && !submitBackground) return "none";
  const foreground = async () => {
    const result = await client.submit("echo", payload);
    if (result?.length !== payload.length) throw new Error(`${result?.length} bytes came back, not ${payload.length}`);
  };
  const send = kind === "background" ? () => submitBackground!("nobody", payload) : foreground;
  await round(send, 1, 20);
  return String(await round(send, Number(lanes), MAX_JOBS_PER_ROUND));
}

/** All byte values there and back, on this client and whoever works. */
async function bytes(client: PeerClient): Promise<string> {
  const payload = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  return Buffer.compare(payload, await client.submit("echo", payload)) === 0 ? "exact" : "corrupted";
}

/** Jobs one after another, for ever, each with its outcome. */
async function outage(client: PeerClient): Promise<never> {
  for (;;) {
    const attempt = async () => {
      await client.submit("echo", Buffer.from("x"));
      return "ok";
    };
    const late = sleep(ATTEMPT_MS, "no answer");
    say(await Promise.race([orError(attempt), late]).catch(textOf));
    await sleep(100);
  }
}

const ROLES: Record<string, (client: PeerClient) => Promise<string>> = {
  rate,
  bytes,
  echo: async (client) => String(await client.submit("echo", Buffer.from("x"))),
  fail: async (client) => `done: ${await client.submit("fail", Buffer.from("x"))}`,
  queue: async (client) => (client.submitBackground ? `${await client.submitBackground("nobody", Buffer.from("x"))}` : "none"),
};

// A package whose promise is never kept must not look like one whose process ended.
const alive = setInterval(() => undefined, 60_000);
if (role === "work") await adapter.work(Number(port), (error) => console.error(error));
else {
  const start = performance.now();
  try {
    const client = await connected();
    // An outage goes on after errors.
    if (role === "outage") await outage(client);
    say(await orError(() => ROLES[role]!(client)));
  } catch (error) {
    say(`${textOf(error)} (after ${Math.round(performance.now() - start)} ms)`);
  }
  clearInterval(alive);
  process.exit(0);
}
