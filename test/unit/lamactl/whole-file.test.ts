// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { writeWhole } from '../../../agent/lamactl/whole-file.ts';
import { temporaryFolder } from '../fakes/folder.ts';

/** The inodes that are put on the disk while something is done. */
async function synced(work: () => Promise<void>): Promise<readonly number[]> {
  const handle = await open('/dev/null');
  const inodes: number[] = [];
  const sync = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'sync').mockImplementation(async function (this: FileHandle) {
    inodes.push((await this.stat()).ino);
  });
  await handle.close();
  await work();
  sync.mockRestore();
  return inodes;
}

const inodeOf = async (path: string): Promise<number> => {
  const handle = await open(path);
  const { ino } = await handle.stat();
  await handle.close();
  return ino;
};

it('has the file, its name and the folders that it made on the disk, in that order, before it says so', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'pki', 'registry.json');
  const inodes = await synced(() => writeWhole(file, 'new'));
  expect(inodes).toEqual(await Promise.all([folder, file, join(folder, 'pki')].map(inodeOf)));
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readdir(join(folder, 'pki'))).toEqual(['registry.json']);
});
