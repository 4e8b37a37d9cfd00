/** Lists whose links are in the items themselves: entering, leaving from anywhere and passing on cost no memory. */

/** What an item needs to be in a list; it can be in one at a time. */
export interface Linked<Item> {
  ahead: Item | null;
  behind: Item | null;
}

/** First in, first out, and out of turn as well. */
export class LinkedList<Item extends Linked<Item>> {
  #first: Item | null = null;
  #last: Item | null = null;

  get first(): Item | null {
    return this.#first;
  }

  append(item: Item): void {
    item.ahead = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
  }

  /** Takes out an item that is in this list. */
  remove(item: Item): void {
    const { ahead, behind } = item;
    if (ahead === null) this.#first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    // A removed item that still pointed on would keep all later ones from being collected young.
    item.ahead = null;
    item.behind = null;
  }

  /** All items in a list of their own, the last first. */
  backwards(): Item[] {
    const items: Item[] = [];
    for (let item = this.#last; item !== null; item = item.ahead) items.push(item);
    return items;
  }
}
