// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { freeSpaceProbe } from '../../../../../agent/daemon/platform/linux/free-space-probe.ts';

const LIVE = new AbortController().signal;
const path = tmpdir();

test('holds when there is enough, and says how much', async () => {
  const found = await freeSpaceProbe({ type: 'free-space', path, minimumBytes: 1 }, LIVE);
  expect(found).toEqual({ holds: true, detail: expect.stringMatching(/^[\d.]+[KMGT]iB free at .+, of at least 1B$/) });
});

test('does not hold when there is less', async () => {
  const found = await freeSpaceProbe({ type: 'free-space', path, minimumBytes: Number.MAX_SAFE_INTEGER }, LIVE);
  expect(found).toEqual({ holds: false, detail: expect.stringContaining(', of at least 8191.9TiB') });
});

test('a file system without a byte to give does not hold', async () => {
  await expect(freeSpaceProbe({ type: 'free-space', path: '/proc', minimumBytes: 1 }, LIVE)).resolves.toEqual({
    holds: false,
    detail: '0B free at /proc, of at least 1B',
  });
});

test('does not hold for a path that is not there', async () => {
  await expect(freeSpaceProbe({ type: 'free-space', path: '/nowhere', minimumBytes: 1 }, LIVE)).resolves.toEqual({
    holds: false,
    detail: 'cannot tell the free space at /nowhere: no such file or directory',
  });
});

test('ends with the signal', async () => {
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(freeSpaceProbe({ type: 'free-space', path, minimumBytes: 1 }, aborted)).rejects.toThrow('enough');
});
