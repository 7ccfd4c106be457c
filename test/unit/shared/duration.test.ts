// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../agent/shared/duration.ts';

test('reads every unit', () => {
  expect(['500ms', '10s', '5m', '1h', '0s'].map(parseDuration)).toEqual([500, 10_000, 300_000, 3_600_000, 0]);
});

test('refuses what is no duration', () => {
  for (const text of ['', '10', 's', '-1s', '1.5s', '10 s', '10S', '5min', '1e3s', ' 1s', '1s ', '999999999999999h']) {
    expect(parseDuration(text), text).toBeUndefined();
  }
});

test('a duration that was formatted reads as the same again', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 ** 12 }), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
    }),
  );
});

test('formats in the largest unit that needs no fraction', () => {
  expect([0, 1, 1500, 10_000, 90_000, 300_000, 7_200_000].map(formatDuration)).toEqual(['0ms', '1ms', '1500ms', '10s', '90s', '5m', '2h']);
});
