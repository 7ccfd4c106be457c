// SPDX-License-Identifier: Apache-2.0
const FIRST_MS = 100;
const LONGEST_MS = 15_000;

/**
 * The pause before an attempt to connect again: doubled from attempt to attempt (counted from 0) and spread over its upper
 * half by `random` (0 to 1), so that the services of a node don't all come back to a restarted bus at once.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceilingMs * (0.5 + random() / 2));
}
