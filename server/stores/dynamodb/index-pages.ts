import type { Item } from "./requests.js";

/** One partition of an index, in its order. */
export type Partition = AsyncGenerator<readonly Item[]>;

/**
 * The first `limit` items of several partitions as if they were one, and whether there are more. Only as many pages are
 * read as are needed for that.
 * @param sortOf the sort key; with `isDescending` the largest comes first
 */
export async function mergePartitions(
  partitions: readonly Partition[],
  options: { readonly limit: number; readonly isDescending: boolean; readonly sortOf: (item: Item) => string },
): Promise<{ readonly items: readonly Item[]; readonly hasMore: boolean }> {
  const { limit, isDescending, sortOf } = options;
  const heads = await Promise.all(partitions.map((partition) => new Reading(partition).start()));
  const items: Item[] = [];
  for (;;) {
    let best: Reading | null = null;
    for (const reading of heads) {
      if (reading.item === null) continue;
      const isBefore =
        best === null ||
        (isDescending ? sortOf(reading.item) > sortOf(best.item!) : sortOf(reading.item) < sortOf(best.item!));
      if (isBefore) best = reading;
    }
    if (best === null || items.length === limit) {
      await Promise.all(partitions.map((partition) => partition.return(undefined)));
      return { items, hasMore: best !== null };
    }
    items.push(best.item!);
    await best.advance();
  }
}

/** Where one partition has been read to. */
class Reading {
  readonly #partition: Partition;
  #page: readonly Item[] = [];
  #at = 0;

  constructor(partition: Partition) {
    this.#partition = partition;
  }

  /** The next item; null after the last one. */
  get item(): Item | null {
    return this.#page[this.#at] ?? null;
  }

  async start(): Promise<this> {
    this.#at = -1;
    await this.advance();
    return this;
  }

  async advance(): Promise<void> {
    this.#at += 1;
    while (this.#at >= this.#page.length) {
      const read = await this.#partition.next();
      if (read.done === true) return;
      this.#page = read.value;
      this.#at = 0;
    }
  }
}
