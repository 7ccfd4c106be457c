// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { within } from '../../../../agent/daemon/timing/within.ts';
import { FakeClock } from '../../fakes/clock.ts';

const LIVE = new AbortController().signal;
const late = () => 'late';

test('answers what the work came to in time, and leaves no timer', async () => {
  const clock = new FakeClock();
  await expect(within(clock, 1000, LIVE, async () => 'done', late)).resolves.toBe('done');
  await expect(within(clock, 1000, LIVE, () => Promise.reject(new Error('no')), late)).rejects.toThrow('no');
  expect(clock.sleeping).toBe(0);
});

test('answers in place of work that takes longer, and tells it to stop', async () => {
  const clock = new FakeClock();
  let stopped = false;
  const answer = within(
    clock,
    1000,
    LIVE,
    (signal) => {
      signal.addEventListener('abort', () => {
        stopped = true;
      });
      return new Promise<string>(() => {});
    },
    late,
  );
  await clock.advance(1000);
  await expect(answer).resolves.toBe('late');
  expect(stopped).toBe(true);
});

test('ends with the outer signal, even when the work does not', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const answer = within(clock, 1000, stop.signal, () => new Promise<string>(() => {}), late);
  stop.abort(new Error('shutting down'));
  await expect(answer).rejects.toThrow('shutting down');
  expect(clock.sleeping).toBe(0);
});
