// SPDX-License-Identifier: Apache-2.0

/** A copy of a rollout's record, as far as it matters which one is newer. */
interface Copy {
  readonly writtenEpoch: number;
  readonly sequence: number;
}

/** So many witnesses that any two such groups have one in common: what one group was told, the other can tell. */
export const majorityOf = (witnesses: number): number => Math.floor(witnesses / 2) + 1;

/**
 * What a runner that has taken a rollout from a majority of its witnesses goes on with. Everything that was ever acted on is at
 * least as old as it; undefined when nothing was written.
 */
export function newest<C extends Copy>(copies: readonly C[]): C | undefined {
  return copies
    .filter(({ sequence }) => sequence > 0)
    .reduce<C | undefined>((best, copy) => (best && !isNewer(copy, best) ? best : copy), undefined);
}

const isNewer = (a: Copy, b: Copy): boolean =>
  a.writtenEpoch > b.writtenEpoch || (a.writtenEpoch === b.writtenEpoch && a.sequence > b.sequence);
