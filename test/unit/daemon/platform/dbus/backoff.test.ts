// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { backoffMs } from '../../../../../agent/daemon/platform/dbus/backoff.ts';

it('doubles from attempt to attempt, up to a quarter of a minute', () => {
  const pauses = [0, 1, 2, 3, 7, 8, 100, 100_000].map((attempt) => backoffMs(attempt, () => 1));
  expect(pauses).toEqual([100, 200, 400, 800, 12_800, 15_000, 15_000, 15_000]);
});

it('is spread over its upper half', () => {
  expect(backoffMs(3, () => 0)).toBe(400);
  expect(backoffMs(3, () => 0.5)).toBe(600);
});
