// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readBounded } from '../../../../agent/daemon/files/bounded-file.ts';

async function file(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bounded-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'file'), content);
  return join(folder, 'file');
}

test('reads a small file whole, and no more of a large one than the limit', async () => {
  const path = await file('0123456789');
  expect((await readBounded(path, 11)).toString()).toBe('0123456789');
  expect((await readBounded(path, 10)).toString()).toBe('0123456789');
  expect((await readBounded(path, 4)).toString()).toBe('0123');
  expect(await readBounded(await file(''), 4)).toHaveLength(0);
});

test('refuses what is no regular file', async () => {
  await expect(readBounded('/dev/zero', 10)).rejects.toThrow('/dev/zero is not a regular file');
  await expect(readBounded(tmpdir(), 10)).rejects.toThrow('is not a regular file');
  await expect(readBounded('/nowhere/at/all', 10)).rejects.toThrow('ENOENT');
});
