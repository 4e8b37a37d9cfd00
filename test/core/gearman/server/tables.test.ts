/** The server's tables and lists against the engine's own, over random comings and goings. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Keyed, KeyTable } from "../../../../src/core/gearman/server/key-table.ts";
import { type Linked, LinkedList } from "../../../../src/core/gearman/server/linked-list.ts";
import { NumberTable } from "../../../../src/core/gearman/server/number-table.ts";
import { Slab } from "../../../../src/core/gearman/server/slab.ts";

class Entry implements Keyed<Entry>, Linked<Entry> {
  keyHash = 0;
  nextKeyed: Entry | null = null;
  ahead: Entry | null = null;
  behind: Entry | null = null;
  readonly keyBytes: Buffer;
  readonly keyStart = 2;
  readonly keyLength: number;

  constructor(key: string) {
    this.keyBytes = Buffer.from(`<<${key}>>`);
    this.keyLength = this.keyBytes.length - 4;
  }
}

describe("a table by key", () => {
  test("holds what a Map would hold", () => {
    const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 300 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1000, size: "max" }), (steps) => {
        const table = new KeyTable<Entry>();
        const model = new Map<string, Entry>();
        for (const [isComing, number] of steps) {
          const key = "k".repeat(number % 9) + number;
          const present = model.get(key);
          expect(table.find(Buffer.from(key))).toBe(present ?? null);
          if (isComing && present === undefined) {
            model.set(key, new Entry(key));
            table.add(model.get(key)!, table.hash(Buffer.from(key)));
          } else if (!isComing && present !== undefined) {
            model.delete(key);
            table.delete(present);
          }
          expect(table.size).toBe(model.size);
        }
      }),
    );
  });

  test("finds 10,000 keys while it grows and while it shrinks, and forgets an item once", () => {
    const table = new KeyTable<Entry>();
    const keys = Array.from({ length: 10_000 }, (_, number) => `key ${number}`);
    const entries = keys.map((key) => new Entry(key));
    for (const [at, entry] of entries.entries()) table.add(entry, table.hash(Buffer.from(keys[at]!)));
    for (let at = 0; at < keys.length; at++) {
      expect(table.find(Buffer.from(keys[at]!))).toBe(entries[at]);
      table.delete(entries[at]!);
      table.delete(entries[at]!);
      expect(table.find(Buffer.from(keys[at]!))).toBeNull();
    }
    expect(table.size).toBe(0);
  });

  test("hashes the same key differently each time", () => {
    const hashes = Array.from({ length: 20 }, () => new KeyTable<Entry>().hash(Buffer.from("key")));
    expect(new Set(hashes).size).toBeGreaterThan(15);
  });
});

describe("a table by number", () => {
  test("holds what a Map would hold, in its order", () => {
    const step = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 700 }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), fc.array(step, { maxLength: 1000, size: "max" }), (first, steps) => {
        const table = new NumberTable<string>();
        const model = new Map<number, string>();
        let last = first;
        for (const [isComing, distance] of steps) {
          if (isComing) {
            last += distance;
            table.add(last, `${last}`);
            model.set(last, `${last}`);
          } else {
            const number = [...model.keys()][distance % (model.size + 1)] ?? last + distance;
            expect(table.has(number)).toBe(model.has(number));
            table.delete(number);
            table.delete(number);
            model.delete(number);
            expect(table.get(number)).toBeUndefined();
          }
          expect(table.size).toBe(model.size);
        }
        expect([...table.values()]).toEqual([...model.values()]);
        for (const [number, text] of model) expect(table.get(number)).toBe(text);
      }),
    );
  });
});

describe("a linked list", () => {
  test("keeps its order, whoever leaves", () => {
    const step = fc.tuple(fc.boolean(), fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1000, size: "max" }), (steps) => {
        const list = new LinkedList<Entry>();
        const model: Entry[] = [];
        steps.forEach(([isComing, place], at) => {
          if (isComing || model.length === 0) {
            const entry = new Entry(`${at}`);
            list.append(entry);
            model.push(entry);
          } else list.remove(model.splice(place % model.length, 1)[0]!);
          expect(list.first).toBe(model[0] ?? null);
        });
        const backwards = list.backwards();
        expect(backwards.length).toBe(model.length);
        expect(backwards.every((entry, at) => entry === model.at(-1 - at))).toBe(true);
      }),
    );
  });
});

describe("a slab", () => {
  test("gives back all that it keeps, also what is larger than its buffers", () => {
    const slab = new Slab();
    const sizes = [0, 1, 47, 48, 49, 4095, 5000, 20_000];
    const kept = sizes.flatMap((first) =>
      sizes.map((second) => {
        const parts = [Buffer.alloc(first, "a"), Buffer.alloc(second, "b")] as const;
        const start = slab.keep(...parts);
        const whole = Buffer.concat([parts[0], Buffer.alloc(1), parts[1]]);
        return { bytes: slab.bytes.subarray(start, start + whole.length), whole };
      }),
    );
    for (const { bytes, whole } of kept) expect(bytes.equals(whole)).toBe(true);
  });
});
