// SPDX-License-Identifier: Apache-2.0

/** As many TLS handshakes at a time as two cores can work on without delaying each other (1,000 nodes: 7 s at 100 ms of network delay). */
export const CONCURRENCY = 64;

/** Runs the task for each item, at most `limit` at a time; results in the order of the items. The tasks must not throw. */
export async function fanOut<Item, Result>(
  items: readonly Item[],
  task: (item: Item) => Promise<Result>,
  limit = CONCURRENCY,
): Promise<readonly Result[]> {
  const results = new Array<Result>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
