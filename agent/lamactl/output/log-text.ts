// SPDX-License-Identifier: Apache-2.0

/** The last lines of a node's log, set off from what lamactl says itself. */
export function logText(log: string, lastLines = Number.POSITIVE_INFINITY): string {
  const lines = log.trimEnd().split('\n');
  return lines
    .slice(Math.max(0, lines.length - lastLines))
    .map((line) => `  | ${line}\n`)
    .join('');
}
