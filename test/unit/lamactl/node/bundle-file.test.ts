// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BundleFile } from '../../../../agent/lamactl/node/bundle-file.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const CONTENT = Buffer.from('0123456789');

async function bundle(): Promise<{ path: string; file: BundleFile }> {
  const path = join(await temporaryFolder(), 'v2.raucb');
  await writeFile(path, CONTENT);
  const file = await BundleFile.open(path);
  onTestFinished(() => file.close());
  return { path, file };
}

describe('a bundle on the disk of the administrator', () => {
  it('is known by its name, its size and its hash', async () => {
    const sha256 = createHash('sha256').update(CONTENT).digest('hex');
    expect((await bundle()).file.info).toEqual({ name: 'v2.raucb', sizeBytes: 10, sha256 });
  });

  it('is read part by part', async () => {
    const { file } = await bundle();
    expect((await file.read(3, 4)).toString()).toBe('3456');
    expect((await file.read(9, 1)).toString()).toBe('9');
  });

  it('that became shorter is not given any further', async () => {
    const { path, file } = await bundle();
    await truncate(path, 5);
    expect((await file.read(0, 5)).toString()).toBe('01234');
    await expect(file.read(3, 4)).rejects.toMatchObject({ code: 'BUNDLE_CHANGED' });
  });

  it('must be a file with something in it', async () => {
    const folder = await temporaryFolder();
    const empty = join(folder, 'empty');
    await writeFile(empty, '');
    const found = (message: string) => ({ code: 'BUNDLE_NOT_FOUND', message: expect.stringContaining(message) });
    await expect(BundleFile.open(empty)).rejects.toMatchObject(found('it is empty'));
    await expect(BundleFile.open(folder)).rejects.toMatchObject(found('it is not a file'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(BundleFile.open(pipe)).rejects.toMatchObject(found('it is not a file'));
    await expect(BundleFile.open(join(folder, 'none'))).rejects.toMatchObject(
      found('it does not exist; one that lies on the node goes with --on-node'),
    );
  });
});
