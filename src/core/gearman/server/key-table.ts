/**
 * Finds items by keys that are bytes. They come and go by the million: no text is made of their keys, and the chains
 * are linked through the items, so that an entry costs no memory but its place.
 */
import { randomInt } from "node:crypto";

/** What an item needs to be in a table; it can be in one at a time. */
export interface Keyed<Item> {
  /** Where the key is: `keyLength` bytes from `keyStart` on. */
  readonly keyBytes: Buffer;
  readonly keyStart: number;
  readonly keyLength: number;
  /** For the table only. */
  keyHash: number;
  /** For the table only: the next item whose key has a hash like it. */
  nextKeyed: Item | null;
}

/** Places a table has at least; always a power of two. */
const FIRST_PLACES = 16;

/** A hash table whose hashes nobody can foretell, so that keys cannot be chosen to collide. */
export class KeyTable<Item extends Keyed<Item>> {
  readonly #seed = randomInt(2 ** 32) | 0;
  /** Odd, so that no bit is lost. */
  readonly #factor = randomInt(2 ** 32) | 1;
  #places: (Item | null)[] = new Array<Item | null>(FIRST_PLACES).fill(null);
  #size = 0;

  /** Number of items. */
  get size(): number {
    return this.#size;
  }

  /** The item with that key, or null. */
  find(key: Buffer): Item | null {
    return this.findHashed(key, this.hash(key));
  }

  /** As `find`, with the hash of the key, which `add` wants as well. */
  findHashed(key: Buffer, hash: number): Item | null {
    let item: Item | null = this.#places[hash & (this.#places.length - 1)]!;
    while (item !== null && !(item.keyHash === hash && hasKey(item, key))) item = item.nextKeyed;
    return item;
  }

  /** Adds an item; `hash` is that of its key. One that is there with the same key is found again when this one is gone. */
  add(item: Item, hash: number): void {
    item.keyHash = hash;
    this.#link(item);
    if (++this.#size > this.#places.length) this.#resize(this.#places.length * 2);
  }

  /** Takes an item out; harmless when it is not there. */
  delete(item: Item): void {
    const place = item.keyHash & (this.#places.length - 1);
    const first = this.#places[place]!;
    if (first === item) this.#places[place] = item.nextKeyed;
    else {
      let before: Item | null = first;
      while (before !== null && before.nextKeyed !== item) before = before.nextKeyed;
      if (before === null) return;
      before.nextKeyed = item.nextKeyed;
    }
    item.nextKeyed = null;
    const places = this.#places.length;
    if (--this.#size * 8 < places && places > FIRST_PLACES) this.#resize(Math.max(FIRST_PLACES, places / 4));
  }

  /** The hash of a key, for `findHashed` and `add` of this table. */
  hash(key: Buffer): number {
    const { length } = key;
    let value = this.#seed ^ length;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
      value = Math.imul(value ^ word, this.#factor);
      value ^= value >>> 15;
    }
    for (; at < length; at++) {
      value = Math.imul(value ^ key[at]!, this.#factor);
      value ^= value >>> 15;
    }
    return value;
  }

  #link(item: Item): void {
    const place = item.keyHash & (this.#places.length - 1);
    item.nextKeyed = this.#places[place]!;
    this.#places[place] = item;
  }

  #resize(places: number): void {
    const old = this.#places;
    this.#places = new Array<Item | null>(places).fill(null);
    for (const first of old) {
      for (let item = first; item !== null; ) {
        const next: Item | null = item.nextKeyed;
        this.#link(item);
        item = next;
      }
    }
  }
}

function hasKey<Item>({ keyBytes, keyStart, keyLength }: Keyed<Item>, key: Buffer): boolean {
  if (keyLength !== key.length) return false;
  for (let at = 0; at < keyLength; at++) if (keyBytes[keyStart + at] !== key[at]) return false;
  return true;
}
