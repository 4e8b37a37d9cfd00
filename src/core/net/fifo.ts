/** A first-in first-out queue whose shift takes constant time, for replies that come in the order of their requests. */

/** Spent places are given back once there are this many and they are the larger half. */
const COMPACT_AT = 1024;

/** First in, first out. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The oldest item without taking it, or undefined. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the oldest item, or undefined. */
  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.#reset([]);
    else if (this.#head >= COMPACT_AT && this.#head * 2 > this.#items.length) this.#reset(this.#items.slice(this.#head));
    return item;
  }

  /** Takes everything, oldest first. */
  drain(): T[] {
    const items = this.#items.slice(this.#head) as T[];
    this.#reset([]);
    return items;
  }

  #reset(items: (T | undefined)[]): void {
    if (items.length === 0) this.#items.length = 0;
    else this.#items = items;
    this.#head = 0;
  }
}
