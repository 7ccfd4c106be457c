// SPDX-License-Identifier: Apache-2.0
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { lockFile } from '../../../agent/lamactl/file-lock.ts';
import { temporaryFolder } from '../fakes/folder.ts';

const fileIn = async () => {
  const folder = await temporaryFolder();
  return { folder, file: join(folder, 'registry.json') };
};

describe('a lock', () => {
  it('is one process’s, which names itself to the others', async () => {
    const { folder, file } = await fileIn();
    const unlock = await lockFile(file);
    await expect(lockFile(file, 0)).rejects.toMatchObject({ message: expect.stringContaining('another lamactl writes to it') });
    await unlock();
    expect(await readdir(folder)).toEqual([]);
    await (await lockFile(file))();
  });

  it('is waited for, but not for ever', async () => {
    const { file } = await fileIn();
    const unlock = await lockFile(file);
    await expect(lockFile(file, 60)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const waiting = lockFile(file);
    await unlock();
    await (await waiting)();
  });

  it('of a process that was killed counts for nothing', async () => {
    const { file } = await fileIn();
    const { stdout: pid } = await execa('node', ['-p', 'process.pid']);
    await writeFile(`${file}.lock`, pid);
    await (await lockFile(file))();
  });
});
