// SPDX-License-Identifier: Apache-2.0
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mediaBundles } from '../../../../agent/daemon/delivery/media-bundles.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

async function medium(folder: string, name: string, ...files: string[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const file of files) await writeFile(join(path, file), 'bundle');
  return path;
}

describe('bundles on removable media', () => {
  it('are the *.raucb files at the top of each, by path', async () => {
    const folder = await temporaryFolder();
    await medium(folder, 'sdb1', 'v2.raucb', 'photo.jpg');
    const card = await medium(folder, 'mmcblk1p1', 'v3.raucb');
    await mkdir(join(card, 'folder.raucb'));
    await symlink('/etc/passwd', join(card, 'link.raucb'));
    expect((await mediaBundles(folder)).map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      [join(folder, 'mmcblk1p1/v3.raucb'), 6],
      [join(folder, 'sdb1/v2.raucb'), 6],
    ]);
  });

  it('are none where there never was a medium', async () => {
    expect(await mediaBundles(join(await temporaryFolder(), 'missing'))).toEqual([]);
  });

  it('are counted up to a hundred', async () => {
    const folder = await temporaryFolder();
    await medium(folder, 'sdb1', ...Array.from({ length: 120 }, (_, index) => `${index}.raucb`));
    expect(await mediaBundles(folder)).toHaveLength(100);
  });
});
