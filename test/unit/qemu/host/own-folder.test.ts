// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownFolder } from '../../../../qemu/host/own-folder.ts';

/** Above the most that Linux counts processes to. */
const NOBODY = 2 ** 22 + 1;

describe('a folder for as long as a process lives', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'own-folder-'));
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('is made anew each time, and takes those away that killed processes left behind, and nothing else', async () => {
    const first = await ownFolder(parent, 'lab-');
    for (const name of [`lab-${NOBODY}-abc`, `${NOBODY}-abc`, 'lab-abc', 'lab-1-abc']) await mkdir(path.join(parent, name));
    await writeFile(path.join(parent, `lab-${NOBODY}-abc`, 'disk'), '');
    const link = `lab-${NOBODY}-link`;
    await symlink(first, path.join(parent, link));
    const second = await ownFolder(parent, 'lab-');
    expect((await readdir(parent)).sort()).toEqual(
      [`${NOBODY}-abc`, 'lab-abc', 'lab-1-abc', link, path.basename(first), path.basename(second)].sort(),
    );
    expect(path.basename(second)).toMatch(new RegExp(`^lab-${process.pid}-`));
  });
});
