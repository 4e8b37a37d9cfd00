/** The small parts under every connection: delays, deadlines, queues. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backoffMs } from "../../../src/core/net/backoff.ts";
import { bounded, DeadlineList, pause } from "../../../src/core/net/deadline.ts";
import { EventQueue } from "../../../src/core/net/event-queue.ts";
import { Fifo } from "../../../src/core/net/fifo.ts";
import { TextTable } from "../../../src/core/net/text-table.ts";

describe("backoffMs", () => {
  const options = { firstMs: 100, maxMs: 5000, jitter: 0 };

  test("doubles up to the limit and stays there", () => {
    expect([0, 1, 2, 5, 6, 60, 5000].map((attempt) => backoffMs(attempt, options))).toEqual([
      100, 200, 400, 3200, 5000, 5000, 5000,
    ]);
  });

  test("chance takes away at most the jitter's share", () => {
    expect(backoffMs(0, { ...options, jitter: 0.5 }, () => 0)).toBe(100);
    expect(backoffMs(0, { ...options, jitter: 0.5 }, () => 0.999999)).toBe(50);
  });
});

describe("Fifo", () => {
  test("gives back what went in, in order, whatever the mix of pushes and shifts", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 5000 }), (steps) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        steps.forEach((isPush, index) => {
          if (isPush) {
            fifo.push(index);
            model.push(index);
          } else expect(fifo.shift()).toBe(model.shift());
          expect(fifo.size).toBe(model.length);
          expect(fifo.peek()).toBe(model[0]);
        });
        expect(fifo.drain()).toEqual(model);
        expect(fifo.size).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  test("stays in order over many more items than it gives places back for", () => {
    const fifo = new Fifo<number>();
    let next = 0;
    for (let index = 0; index < 10_000; index++) {
      fifo.push(index);
      if (index % 3 !== 0) expect(fifo.shift()).toBe(next++);
    }
    expect(fifo.drain()).toHaveLength(10_000 - next);
  });
});

describe("TextTable", () => {
  test("behaves like a Map, whatever is set, deleted and looked up", () => {
    const key = fc.oneof(
      fc.nat(60).map((number) => `H:host:${number}`),
      fc.constantFrom("", "a", "ž", "x".repeat(50)),
    );
    const step = fc.record({ key, action: fc.constantFrom("set", "set", "delete", "get") });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const table = new TextTable<number>();
        const model = new Map<string, number>();
        steps.forEach(({ key: name, action }, index) => {
          if (action === "set") {
            table.set(name, index);
            model.set(name, index);
          } else if (action === "delete") expect(table.delete(name)).toBe(model.delete(name));
          expect(table.get(name)).toBe(model.get(name));
          expect(table.size).toBe(model.size);
        });
        for (const [name, value] of model) expect(table.get(name)).toBe(value);
        expect(table.drain().sort((a, b) => a - b)).toEqual([...model.values()].sort((a, b) => a - b));
        expect(table.size).toBe(0);
      }),
    );
  });

  test("grows to many entries and finds them all, also after most are gone", () => {
    const table = new TextTable<number>();
    for (let index = 0; index < 10_000; index++) table.set(`H:host:${index}`, index);
    for (let index = 0; index < 10_000; index++) if (index % 10 !== 0) expect(table.delete(`H:host:${index}`)).toBe(true);
    expect(table.size).toBe(1000);
    for (let index = 0; index < 10_000; index++) expect(table.get(`H:host:${index}`)).toBe(index % 10 === 0 ? index : undefined);
  });
});

describe("DeadlineList", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function item(name: string, log: string[]) {
    return { expire: () => void log.push(name) };
  }

  test("expires each item once, in the order of the deadlines, never early", () => {
    const log: string[] = [];
    const list = new DeadlineList();
    list.add(item("late", log), 300);
    list.add(item("early", log), 100);
    vi.advanceTimersByTime(99);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(log).toEqual(["early"]);
    vi.advanceTimersByTime(10_000);
    expect(log).toEqual(["early", "late"]);
    expect(list.size).toBe(0);
  });

  test("a removed item never expires, and removing it twice is harmless", () => {
    const log: string[] = [];
    const list = new DeadlineList();
    const gone = item("gone", log);
    const ticket = list.add(gone, 50);
    list.remove(ticket);
    list.remove(ticket);
    expect(list.size).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(log).toEqual([]);
  });

  test("whatever is added and removed in whatever order, what is left expires in order of its deadline", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ timeoutMs: fc.constantFrom(10, 50, 50, 90), waitMs: fc.nat(30), isRemoved: fc.boolean() })),
        (plan) => {
          const list = new DeadlineList();
          const expired: number[] = [];
          const pending: { dueAt: number; remove: () => void }[] = [];
          let expected: number[] = [];
          for (const { timeoutMs, waitMs, isRemoved } of plan) {
            const dueAt = performance.now() + timeoutMs;
            const deadline = list.add({ expire: () => void expired.push(dueAt) }, timeoutMs);
            if (isRemoved) pending.push({ dueAt, remove: () => list.remove(deadline) });
            else expected.push(dueAt);
            vi.advanceTimersByTime(waitMs);
            const victim = pending.shift();
            if (victim === undefined) continue;
            if (expired.includes(victim.dueAt)) expected.push(victim.dueAt);
            victim.remove();
          }
          vi.advanceTimersByTime(1000);
          expected = expected.sort((a, b) => a - b);
          expect(expired.length).toBeGreaterThanOrEqual(expected.length);
          expect([...new Set(expired)]).toEqual([...new Set(expired)].sort((a, b) => a - b));
          expect(expired).toEqual(expect.arrayContaining(expected));
          expect(list.size).toBe(0);
          list.close();
        },
      ),
    );
  });

  test("one timer serves any number of deadlines", () => {
    const list = new DeadlineList();
    for (let index = 0; index < 1000; index++) list.add(item("", []), 1000 + index);
    expect(vi.getTimerCount()).toBe(1);
    list.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("Infinity never expires and needs no timer", () => {
    const list = new DeadlineList();
    list.add(item("", []), Number.POSITIVE_INFINITY);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an item may add the next one while it expires", () => {
    const log: string[] = [];
    const list = new DeadlineList();
    list.add({ expire: () => void list.add(item("second", log), 50) }, 50);
    vi.advanceTimersByTime(200);
    expect(log).toEqual(["second"]);
  });
});

describe("bounded", () => {
  const onTimeout = () => new Error("too late");

  test("hands on the value and the failure", async () => {
    await expect(bounded(Promise.resolve(1), { timeoutMs: 1000, onTimeout })).resolves.toBe(1);
    await expect(bounded(Promise.reject(new Error("no")), { timeoutMs: 1000, onTimeout })).rejects.toThrow("no");
  });

  test("gives up after the time, or when called off, before or during the wait", async () => {
    const never = new Promise(() => undefined);
    await expect(bounded(never, { timeoutMs: 1, onTimeout })).rejects.toThrow("too late");
    await expect(bounded(never, { signal: AbortSignal.abort(new Error("off")), onTimeout })).rejects.toThrow("off");
    const controller = new AbortController();
    const waiting = bounded(never, {
      signal: controller.signal,
      onTimeout,
      onAbort: (reason) => new Error(`called off: ${reason}`),
    });
    controller.abort("now");
    await expect(waiting).rejects.toThrow("called off: now");
  });
});

describe("pause", () => {
  test("ends at once when called off", async () => {
    const controller = new AbortController();
    const waiting = pause(1_000_000, controller.signal);
    controller.abort();
    await waiting;
    await pause(1_000_000, controller.signal);
  });
});

describe("EventQueue", () => {
  function queue(maxEvents = 4) {
    const log: string[] = [];
    const events = new EventQueue<number>({
      maxEvents,
      maxBytes: 100,
      onFull: () => log.push("full"),
      onRoom: () => log.push("room"),
      onLeft: () => log.push("left"),
    });
    return { events, log };
  }

  test("asks for a pause above the limit and for more when half empty", async () => {
    const { events, log } = queue();
    for (let index = 0; index < 6; index++) events.push(index, 1);
    expect(log).toEqual(["full"]);
    for (let index = 0; index < 3; index++) await events.next();
    expect(log).toEqual(["full"]);
    await events.next();
    expect(log).toEqual(["full", "room"]);
  });

  test("counts bytes as well as events", () => {
    const { events, log } = queue();
    events.push(1, 101);
    expect(log).toEqual(["full"]);
  });

  test("delivers what is queued before the end or the failure", async () => {
    const { events } = queue();
    events.push(1, 1);
    events.end({ error: new Error("broken") });
    events.push(2, 1);
    await expect(events.next()).resolves.toEqual({ done: false, value: 1 });
    await expect(events.next()).rejects.toThrow("broken");
    await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test("wakes a waiting reader with the event, the end or the failure", async () => {
    const waiting = queue();
    const first = waiting.events.next();
    waiting.events.push(7, 1);
    await expect(first).resolves.toEqual({ done: false, value: 7 });
    const last = waiting.events.next();
    waiting.events.end();
    await expect(last).resolves.toEqual({ done: true, value: undefined });
    const other = queue();
    const failing = other.events.next();
    other.events.end({ error: new Error("gone") });
    await expect(failing).rejects.toThrow("gone");
  });

  test("tells when the reader leaves early, but not when it leaves at the end", async () => {
    const { events, log } = queue();
    events.push(1, 1);
    for await (const _ of events) break;
    expect(log).toEqual(["left"]);
    const ended = queue();
    ended.events.end();
    for await (const _ of ended.events) break;
    expect(ended.log).toEqual([]);
  });
});
