// SPDX-License-Identifier: Apache-2.0

/** More differences than these and it is another word, not a slip. */
const MOST_SLIPS = 2;

/** The known name that was probably meant, when one is near enough. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((candidate) => ({ candidate, slips: distance(name.toLowerCase(), candidate) }))
    .filter(({ candidate, slips }) => slips <= MOST_SLIPS && slips < candidate.length)
    .sort((a, b) => a.slips - b.slips);
  return nearest?.candidate;
}

/** The Levenshtein distance, or more than MOST_SLIPS when the lengths alone differ by more. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_SLIPS) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const above = row;
    row = [index + 1];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = above[column - 1]! + (letter === b[column - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[column]! + 1, row[column - 1]! + 1));
    }
  }
  return row[b.length]!;
}
