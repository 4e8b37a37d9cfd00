/**
 * A map for items with rising numbers. They come and go by the million, mostly the oldest first, so a place in a
 * page of its neighbours does what a hash table does, without hashing, and without the tables the engine's Map leaves behind.
 */

/** Numbers in a page. One item that stays keeps its page, but no more. */
const PAGE = 512;

interface Page<Item> {
  readonly index: number;
  readonly items: (Item | null)[];
  size: number;
}

/** Items by number, in the order in which they were added. Numbers are whole, from 0, and must be added in rising order. */
export class NumberTable<Item> {
  readonly #pages = new Map<number, Page<Item>>();
  /** The page that was added to last; it stays while it is empty. */
  #newest: Page<Item> | null = null;
  /** The page that was read last. */
  #recent: Page<Item> | null = null;
  #size = 0;

  /** Number of items. */
  get size(): number {
    return this.#size;
  }

  get(number: number): Item | undefined {
    const page = this.#pageOf(number);
    return page === null ? undefined : (page.items[number - page.index * PAGE] ?? undefined);
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  /** Adds an item under a number that is higher than all before. */
  add(number: number, item: Item): void {
    const index = Math.floor(number / PAGE);
    if (this.#newest?.index !== index) this.#turnTo(index);
    const page = this.#newest!;
    page.items[number - index * PAGE] = item;
    page.size++;
    this.#size++;
  }

  /** Takes an item out; harmless when it is not there. */
  delete(number: number): void {
    const page = this.#pageOf(number);
    if (page === null || page.items[number - page.index * PAGE] === null) return;
    page.items[number - page.index * PAGE] = null;
    page.size--;
    this.#size--;
    if (page !== this.#newest) this.#dropIfEmpty(page);
  }

  *values(): Generator<Item, void, undefined> {
    for (const { items } of this.#pages.values()) for (const item of items) if (item !== null) yield item;
  }

  #pageOf(number: number): Page<Item> | null {
    const index = Math.floor(number / PAGE);
    if (this.#recent?.index === index) return this.#recent;
    const page = this.#pages.get(index);
    if (page === undefined) return null;
    this.#recent = page;
    return page;
  }

  #turnTo(index: number): void {
    const last = this.#newest;
    this.#newest = { index, items: new Array<Item | null>(PAGE).fill(null), size: 0 };
    this.#pages.set(index, this.#newest);
    if (last !== null) this.#dropIfEmpty(last);
  }

  #dropIfEmpty(page: Page<Item>): void {
    if (page.size > 0) return;
    this.#pages.delete(page.index);
    if (this.#recent === page) this.#recent = null;
  }
}
