// SPDX-License-Identifier: Apache-2.0
import type { Answer } from '../fleet/ask.ts';
import { given } from './print-answers.ts';

/** All that a stream tells until it ends. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What several nodes told, in the order of time; of one node, in the order in which it told it. */
export function merged<Item extends { readonly at?: string }>(
  answers: readonly Answer<readonly Item[]>[],
): readonly { readonly node: string; readonly item: Item }[] {
  const timed = given(answers).flatMap(({ node, value }) => {
    // The clock of a node may jump back; its own order counts for more.
    let atMs = 0;
    return value.map((item) => {
      atMs = Math.max(atMs, Date.parse(item.at ?? '') || 0);
      return { node, item, atMs };
    });
  });
  return timed.sort((a, b) => a.atMs - b.atMs);
}
