/**
 * A map from text to values for entries that come and go by the million. The engine's Map makes a new table
 * every few dozen deletions, and old tables keep the young ones from being collected cheaply; this one reuses its places.
 */

/** Places a new table has; always a power of two. */
const FIRST_PLACES = 64;

/** Characters that go into a key's hash, from its end: that is where numbered keys differ. */
const HASHED_CHARACTERS = 12;

/** A map with text keys: open addressing with linear probing, at most half full. */
export class TextTable<V> {
  #keys: (string | null)[] = new Array<string | null>(FIRST_PLACES).fill(null);
  #values: (V | null)[] = new Array<V | null>(FIRST_PLACES).fill(null);
  #size = 0;

  /** Entries in the table. */
  get size(): number {
    return this.#size;
  }

  /** The value of a key, or undefined. */
  get(key: string): V | undefined {
    const place = this.#find(key);
    return this.#keys[place] === null ? undefined : this.#values[place]!;
  }

  /** Adds a key or replaces its value. */
  set(key: string, value: V): void {
    let place = this.#find(key);
    if (this.#keys[place] === null && ++this.#size * 2 > this.#keys.length) {
      this.#grow();
      place = this.#find(key);
    }
    this.#keys[place] = key;
    this.#values[place] = value;
  }

  /** Takes a key out; false when it was not there. */
  delete(key: string): boolean {
    const mask = this.#keys.length - 1;
    let gap = this.#find(key);
    if (this.#keys[gap] === null) return false;
    this.#size--;
    // Entries behind the gap that would no longer be found past it move into it.
    for (let place = (gap + 1) & mask; ; place = (place + 1) & mask) {
      const other = this.#keys[place]!;
      if (other === null) break;
      if (((place - hash(other)) & mask) < ((place - gap) & mask)) continue;
      this.#keys[gap] = other;
      this.#values[gap] = this.#values[place]!;
      gap = place;
    }
    this.#keys[gap] = null;
    this.#values[gap] = null;
    return true;
  }

  /** Takes everything out and returns the values. */
  drain(): V[] {
    const values = this.#values.filter((_, place) => this.#keys[place] !== null) as V[];
    this.#keys = new Array<string | null>(FIRST_PLACES).fill(null);
    this.#values = new Array<V | null>(FIRST_PLACES).fill(null);
    this.#size = 0;
    return values;
  }

  /** The place of a key, or the free one where it belongs. */
  #find(key: string): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let place = hash(key) & mask;
    for (let at = keys[place]; at !== null && at !== key; at = keys[place]) place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Array<string | null>(keys.length * 2).fill(null);
    this.#values = new Array<V | null>(keys.length * 2).fill(null);
    keys.forEach((key, from) => {
      if (key === null) return;
      const place = this.#find(key);
      this.#keys[place] = key;
      this.#values[place] = values[from]!;
    });
  }
}

function hash(key: string): number {
  let value = 0;
  for (let at = Math.max(0, key.length - HASHED_CHARACTERS); at < key.length; at++)
    value = (Math.imul(value, 31) + key.charCodeAt(at)) | 0;
  return value ^ (value >>> 15);
}
