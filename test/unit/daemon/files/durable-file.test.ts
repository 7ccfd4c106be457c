// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeDurably } from '../../../../agent/daemon/files/durable-file.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

test('puts the new content in place of the old, for its owner and group only, and leaves nothing else behind', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'state');
  await writeDurably(file, 'old and longer\n');
  await writeDurably(file, 'new\n');
  expect(await readFile(file, 'utf8')).toBe('new\n');
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await readdir(folder)).toEqual(['state']);
});

test('passes over what a power cut left of an earlier attempt', async () => {
  const file = join(await temporaryFolder(), 'state');
  await writeFile(`${file}.tmp`, 'half of something that was much longer');
  await writeDurably(file, 'whole');
  expect(await readFile(file, 'utf8')).toBe('whole');
});

test('leaves the old content alone when the new one cannot be written', async () => {
  const file = join(await temporaryFolder(), 'state');
  await writeDurably(file, 'old');
  await mkdir(`${file}.tmp`);
  await expect(writeDurably(file, 'new')).rejects.toThrow('EISDIR');
  expect(await readFile(file, 'utf8')).toBe('old');
});
