// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { abortScope } from '../../../../agent/daemon/timing/abort-scope.ts';

const LIVE = new AbortController().signal;

test('follows the outer signal, with its reason', async () => {
  const outer = new AbortController();
  const reason = await abortScope(outer.signal, async ({ signal }) => {
    outer.abort('shutting down');
    return signal.reason;
  });
  expect(reason).toBe('shutting down');
});

test('is aborted from the start when the outer signal is', async () => {
  expect(await abortScope(AbortSignal.abort('gone'), async ({ signal }) => signal.reason)).toBe('gone');
});

test.each([
  ['has ended', async () => 'done'],
  ['has thrown', () => Promise.reject(new Error('no'))],
])('stops what was begun within when the work %s', async (_, work) => {
  let inner = LIVE;
  await abortScope(LIVE, ({ signal }) => {
    inner = signal;
    return work();
  }).catch(() => undefined);
  expect(inner.aborted).toBe(true);
});

test('leaves the outer signal alone', async () => {
  const outer = new AbortController();
  await abortScope(outer.signal, async (scope) => scope.abort());
  expect(outer.signal.aborted).toBe(false);
});

test('many may listen within it without a warning', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  await abortScope(LIVE, async ({ signal }) => {
    for (let i = 0; i < 100; i += 1) signal.addEventListener('abort', () => {});
  });
  await new Promise(setImmediate);
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});

test('leaves nothing behind on an outer signal that lives on', async () => {
  const outer = new AbortController();
  for (let i = 0; i < 10; i += 1) await abortScope(outer.signal, async () => undefined);
  expect(getEventListeners(outer.signal, 'abort')).toEqual([]);
});
