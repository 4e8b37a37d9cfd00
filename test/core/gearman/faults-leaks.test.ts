/** A thousand lost connections, and nothing is left of them: no socket, timer, listener or memory. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import type { FaultProxy } from "../../helpers/fault-proxy.ts";
import { until } from "./fake-server.ts";
import { SERVER_KINDS, usedBytes, useRig } from "./faults-rig.ts";

const ROUNDS = 1000;
/** A worker waits before it connects again, so many of them share the rounds. */
const WORKERS = 50;
const MAX_GROWTH_BYTES = 4 * 1024 * 1024;

const rig = useRig();

/** Warnings of this process while a test runs, such as that of too many listeners. */
function warnings(): string[] {
  const seen: string[] = [];
  const listener = (warning: Error) => void seen.push(warning.message);
  process.on("warning", listener);
  rig.onEnd(() => process.off("warning", listener));
  return seen;
}

/** Open sockets and pending timers of this process. */
function resources(): { sockets: number; timers: number } {
  const kinds = process.getActiveResourcesInfo();
  const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length;
  return { sockets: count("TCPSocketWrap"), timers: count("Timeout") };
}

/** A socket that is destroyed stays in the count until its close event. */
const back = (before: ReturnType<typeof resources>) =>
  until(
    () => {
      const now = resources();
      return now.sockets <= before.sockets && now.timers <= before.timers;
    },
    `${JSON.stringify(before)}, no more`,
  );

const cut = (proxy: FaultProxy, round: number) => {
  for (const connection of proxy.open) connection[round % 2 === 0 ? "reset" : "drop"]();
};

describe.each(SERVER_KINDS)("with $kind", ({ kind, isMissing }) => {
  test.skipIf(isMissing)("a client that connects again a thousand times leaks nothing", async () => {
    const noise = warnings();
    const server = await rig.server(kind);
    const proxy = await rig.proxy(server);
    const client = rig.client(proxy.server);
    const { signal } = new AbortController();
    const round = async (number: number) => {
      expect(String(await client.echo(`${number}`, { signal }))).toBe(`${number}`);
      await client.submitBackground({ name: "f", unique: `${number % 10}`, signal });
      const stream = number % 10 === 0 ? client.start({ name: "g", signal }) : null;
      await stream?.created;
      cut(proxy, number);
      await stream?.result.catch(() => undefined);
    };
    for (let number = 0; number < 50; number++) await round(number);
    await client.echo("");
    const [before, memory] = [resources(), usedBytes()];
    for (let number = 0; number < ROUNDS; number++) await round(number);
    await client.echo("");
    await back(before);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(proxy.open).toHaveLength(1);
    expect(usedBytes() - memory).toBeLessThan(MAX_GROWTH_BYTES);
    await client.close();
    await until(() => proxy.open.length === 0);
    expect(noise).toEqual([]);
  });

  test.skipIf(isMissing)("workers that connect again a thousand times leak nothing, and still work", async () => {
    const noise = warnings();
    const server = await rig.server(kind);
    const caller = rig.client(`127.0.0.1:${server}`);
    const proxy = await rig.proxy(server);
    const idle = resources();
    const losses: number[] = Array(WORKERS).fill(0);
    // Each worker has heard from its server, so that its next wait is a short one.
    const areServed = () => proxy.open.length === WORKERS && proxy.open.every(({ bytes }) => bytes.toClient > 0);
    const workers = await Promise.all(
      losses.map((_, index) =>
        rig.worker(
          proxy.server,
          { up: (job) => String(job.payload).toUpperCase() },
          {
            onEvent: ({ type }) => {
              if (type === "lost") losses[index]!++;
            },
          },
        ),
      ),
    );
    const round = async (number: number) => {
      await until(areServed);
      cut(proxy, number);
    };
    for (let number = 0; number < 3; number++) await round(number);
    await until(areServed);
    const [before, memory] = [resources(), usedBytes()];
    const wanted = ROUNDS / WORKERS;
    for (let number = 0; number < wanted; number++) await round(number);
    await until(areServed);
    expect(losses).toEqual(Array(WORKERS).fill(wanted + 3));
    await back(before);
    expect(usedBytes() - memory).toBeLessThan(MAX_GROWTH_BYTES);
    expect(String(await caller.submit({ name: "up", payload: "still here" }))).toBe("STILL HERE");
    await Promise.all(workers.map((worker) => worker.stop()));
    await until(() => proxy.open.length === 0);
    await caller.close();
    await back(idle);
    expect(noise).toEqual([]);
  });
});
