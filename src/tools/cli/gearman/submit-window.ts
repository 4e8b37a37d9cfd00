/** Many things under way at once, a bounded number of them, finished in order or as they come. */

/** How many are unfinished at most, and whether they finish in the order they began. */
export interface WindowOptions {
  readonly limit: number;
  readonly isOrdered: boolean;
}

/**
 * Begins each item as soon as there is room and runs what `begin` returns to finish it. Resolves when all are finished;
 * the first failure ends it, and nothing is begun any more.
 * @param begin gets the item and its number, from 1
 */
export async function throughWindow<T>(
  items: AsyncIterable<T>,
  { limit, isOrdered }: WindowOptions,
  begin: (item: T, number: number) => () => Promise<void>,
): Promise<void> {
  const unfinished = new Set<Promise<void>>();
  let wake = (): void => {};
  let last = Promise.resolve();
  let fail!: (error: unknown) => void;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const feed = async (): Promise<void> => {
    let number = 0;
    for await (const item of items) {
      const finish = begin(item, ++number);
      last = isOrdered ? last.then(finish) : finish();
      const done: Promise<void> = last.then(() => {
        unfinished.delete(done);
        wake();
      });
      done.catch(fail);
      unfinished.add(done);
      while (unfinished.size >= limit) await new Promise<void>((resolve) => (wake = resolve));
    }
    await Promise.all(unfinished);
  };
  await Promise.race([failed, feed()]);
}
