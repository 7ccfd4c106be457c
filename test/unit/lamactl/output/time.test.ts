// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { age, parseDuration, stopwatch } from '../../../../agent/lamactl/output/time.ts';

describe('times', () => {
  it.each([
    [0, '0:00'],
    [7_999, '0:07'],
    [760_000, '12:40'],
    [3_723_000, '1:02:03'],
  ])('%i ms on a stopwatch is %s', (durationMs, expected) => {
    expect(stopwatch(durationMs)).toBe(expected);
  });

  it.each([
    [-5_000, '0s'],
    [59_000, '59s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [47 * 3_600_000, '47h'],
    [49 * 3_600_000, '2d'],
  ])('%i ms ago is %s', (agoMs, expected) => {
    const nowMs = Date.parse('2026-11-20T12:00:00Z');
    expect(age(new Date(nowMs - agoMs).toISOString(), nowMs)).toBe(expected);
  });

  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['0s', undefined],
    ['10', undefined],
    ['-1s', undefined],
    ['1d', undefined],
    ['1000h', undefined],
    ['', undefined],
  ])('"%s" is %s ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});
