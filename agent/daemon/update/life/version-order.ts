// SPDX-License-Identifier: Apache-2.0

/** Numbers with dots, then perhaps a pre-release: 2, 2026.11, 1.4.0-rc.2, v1.4.0+build. */
const SHAPE = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Negative when `a` is older than `b`, positive when it is newer, 0 when they are equal; undefined when one of them has no
 * order. Precedence is Semantic Versioning 2.0.0, section 11, for any count of numbers.
 */
export function compareVersions(a: string, b: string): number | undefined {
  const [left, right] = [SHAPE.exec(a), SHAPE.exec(b)];
  if (!left || !right) return a === b ? 0 : undefined;
  return compareLists(left[1]!.split('.'), right[1]!.split('.'), '0') || comparePreReleases(left[2], right[2]);
}

function comparePreReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
  return compareLists(a.split('.'), b.split('.'), undefined);
}

function compareLists(a: readonly string[], b: readonly string[], missing: string | undefined): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i] ?? missing, b[i] ?? missing];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by their value and before words; words by their letters. */
function compareIdentifiers(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  // A date and a time in one number may have more digits than a number of JavaScript.
  const [left, right] = aIsNumber ? [BigInt(a), BigInt(b)] : [a, b];
  return left < right ? -1 : left > right ? 1 : 0;
}
