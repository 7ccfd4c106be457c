// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { nextOccurrence, parseWindow } from '../../../agent/shared/maintenance-window.ts';

const at = (text: string) => new Date(text).getTime();
const next = (window: string, now: string) => {
  const parsed = parseWindow(window);
  if (!parsed) throw new Error(`"${window}" is no window`);
  const { startMs, endMs } = nextOccurrence(parsed, at(now));
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
};

describe('a maintenance window', () => {
  it.each([
    ['Sat 02:00-05:00 Europe/Berlin', { weekdays: [6], startMinute: 120, endMinute: 300, timeZone: 'Europe/Berlin' }],
    ['02:00-04:30', { weekdays: [0, 1, 2, 3, 4, 5, 6], startMinute: 120, endMinute: 270, timeZone: 'UTC' }],
    ['daily 23:00-01:00', { weekdays: [0, 1, 2, 3, 4, 5, 6], startMinute: 1380, endMinute: 60, timeZone: 'UTC' }],
    ['Fri-Mon,wed 00:00-23:59', { weekdays: [0, 1, 3, 5, 6], startMinute: 0, endMinute: 1439, timeZone: 'UTC' }],
  ])('reads "%s"', (text, window) => {
    expect(parseWindow(text)).toEqual(window);
  });

  it.each([
    '',
    'Sat',
    'Sat 2:00-05:00',
    'Sat 24:00-05:00',
    'Sat 02:60-05:00',
    'Sta 02:00-05:00',
    'Sat-Sun-Mon 02:00-05:00',
    'Sat 02:00-05:00 Mars/Olympus',
    'Sat, 02:00-05:00',
  ])('refuses "%s"', (text) => {
    expect(parseWindow(text)).toBeUndefined();
  });

  it.each([
    ['before it', '2026-11-20T12:00:00Z', ['2026-11-21T01:00:00.000Z', '2026-11-21T04:00:00.000Z']],
    ['in it', '2026-11-21T03:59:59Z', ['2026-11-21T01:00:00.000Z', '2026-11-21T04:00:00.000Z']],
    ['at its end', '2026-11-21T04:00:00Z', ['2026-11-28T01:00:00.000Z', '2026-11-28T04:00:00.000Z']],
    ['in summer', '2026-07-01T00:00:00Z', ['2026-07-04T00:00:00.000Z', '2026-07-04T03:00:00.000Z']],
  ])('comes next when it is %s', (_when, now, expected) => {
    expect(next('Sat 02:00-05:00 Europe/Berlin', now)).toEqual(expected);
  });

  it('goes on after midnight', () => {
    expect(next('Sat 23:00-01:00', '2026-11-22T00:30:00Z')).toEqual(['2026-11-21T23:00:00.000Z', '2026-11-22T01:00:00.000Z']);
    expect(next('Sat 23:00-01:00', '2026-11-22T01:00:00Z')).toEqual(['2026-11-28T23:00:00.000Z', '2026-11-29T01:00:00.000Z']);
  });

  it.each([
    ['begins in the hour that they skip, begins when they do', 'Sun 02:30-03:15', '01:00', '01:15'],
    ['ends in the hour that they skip, ends when they do', 'Sun 01:30-02:30', '00:30', '01:00'],
  ])('that, in the night in which the clocks go forward, %s', (_what, window, start, end) => {
    const expected = [`2027-03-28T${start}:00.000Z`, `2027-03-28T${end}:00.000Z`];
    expect(next(`${window} Europe/Berlin`, '2027-03-27T12:00:00Z')).toEqual(expected);
  });

  it('that the clocks skip as a whole comes a week later', () => {
    expect(next('Sun 02:15-02:45 Europe/Berlin', '2027-03-27T12:00:00Z')).toEqual(['2027-04-04T00:15:00.000Z', '2027-04-04T00:45:00.000Z']);
  });

  it('of a short day is not passed over late in the evening before it', () => {
    for (const now of ['2026-03-28T21:30:00Z', '2026-03-28T22:30:00Z', '2026-03-28T23:30:00Z'])
      expect(next('Sun 04:00-05:00 Europe/Berlin', now)[0]).toBe('2026-03-29T02:00:00.000Z');
    for (const now of ['2026-10-24T21:30:00Z', '2026-10-24T22:30:00Z'])
      expect(next('Sun 04:00-05:00 Europe/Berlin', now)[0]).toBe('2026-10-25T03:00:00.000Z');
  });

  it('that the clocks show twice is the first of the two', () => {
    expect(next('Sun 02:15-02:45 Europe/Berlin', '2026-10-24T12:00:00Z')).toEqual(['2026-10-25T00:15:00.000Z', '2026-10-25T00:45:00.000Z']);
  });

  it('is shorter in the night in which the clocks go forward, and longer when they go back', () => {
    expect(next('Sun 01:00-04:00 Europe/Berlin', '2026-03-28T12:00:00Z')).toEqual(['2026-03-29T00:00:00.000Z', '2026-03-29T02:00:00.000Z']);
    expect(next('Sun 01:00-04:00 Europe/Berlin', '2026-10-24T12:00:00Z')).toEqual(['2026-10-24T23:00:00.000Z', '2026-10-25T03:00:00.000Z']);
  });
});
