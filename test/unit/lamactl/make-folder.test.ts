// SPDX-License-Identifier: Apache-2.0
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../../agent/lamactl/make-folder.ts';
import { temporaryFolder } from '../fakes/folder.ts';

describe('a folder', () => {
  it('is made with all that are missing above it, once or twice, and with its mode', async () => {
    const folder = join(await temporaryFolder(), 'a', 'b', 'c');
    await Promise.all([makeFolder(folder, 0o700), makeFolder(folder, 0o700)]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('is refused where there is a file, and where the file system takes none', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(file, 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeFolder('/proc/lamadist/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
