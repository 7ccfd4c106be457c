// SPDX-License-Identifier: Apache-2.0

/** From the largest to the smallest. */
const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Milliseconds of a text such as "500ms", "10s", "5m" or "1h"; undefined when it is no such text. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,15})(ms|s|m|h)$/.exec(text) ?? [];
  const factorMs = UNITS.find(([name]) => name === unit)?.[1];
  if (factorMs === undefined) return undefined;
  const durationMs = Number(digits) * factorMs;
  return Number.isSafeInteger(durationMs) ? durationMs : undefined;
}

/** The text that parseDuration reads as these whole milliseconds, in the largest unit that needs no fraction. */
export function formatDuration(durationMs: number): string {
  const [unit, factorMs] = UNITS.find(([, factor]) => durationMs >= factor && durationMs % factor === 0) ?? ['ms', 1];
  return `${durationMs / factorMs}${unit}`;
}
