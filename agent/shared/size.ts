// SPDX-License-Identifier: Apache-2.0

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const STEP = 1024;

/** Bytes of a text such as "64MiB" or "1GiB"; undefined when it is no such text. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,15})([KMGT]i)?B$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const sizeBytes = Number(digits) * STEP ** UNITS.findIndex((name) => name === `${unit ?? ''}B`);
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

/** A size for people, rounded down to one decimal of the unit in which it is at least 1: "3.9GiB", "512B". */
export function formatSize(sizeBytes: number): string {
  const exponent = UNITS.findLastIndex((_, index) => index === 0 || sizeBytes >= STEP ** index);
  return `${Math.floor((sizeBytes * 10) / STEP ** exponent) / 10}${UNITS[exponent]}`;
}
