// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { systemClock } from '../../../../agent/daemon/timing/clock.ts';

test('a sleep never ends before its time', async () => {
  for (let i = 0; i < 20; i += 1) {
    const start = systemClock.monotonicMs();
    await systemClock.sleep(2, new AbortController().signal);
    expect(systemClock.monotonicMs() - start).toBeGreaterThanOrEqual(2);
  }
});

test("a sleep rejects with the signal's own reason", async () => {
  const stop = new AbortController();
  const reason = new Error('shutting down');
  const sleep = systemClock.sleep(60_000, stop.signal);
  stop.abort(reason);
  await expect(sleep).rejects.toBe(reason);
  await expect(systemClock.sleep(0, stop.signal)).rejects.toBe(reason);
});

test('a sleep of a month does not end at once', async () => {
  const stop = new AbortController();
  let ended = false;
  const sleep = systemClock.sleep(31 * 24 * 3_600_000, stop.signal).then(() => {
    ended = true;
  });
  await systemClock.sleep(20, new AbortController().signal);
  expect(ended).toBe(false);
  stop.abort(new Error('enough'));
  await expect(sleep).rejects.toThrow('enough');
});
