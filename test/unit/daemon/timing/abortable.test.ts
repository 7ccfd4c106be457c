// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { abortable } from '../../../../agent/daemon/timing/abortable.ts';

const live = new AbortController().signal;

test('passes on what the work came to', async () => {
  await expect(abortable(Promise.resolve(7), live)).resolves.toBe(7);
  await expect(abortable(Promise.reject(new Error('no')), live)).rejects.toThrow('no');
});

test('leaves work behind that does not heed the signal', async () => {
  const stop = new AbortController();
  const waiting = abortable(new Promise(() => {}), stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('does not begin to wait when the signal is aborted already', async () => {
  const failing = Promise.reject(new Error('nobody hears this'));
  await expect(abortable(failing, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});
