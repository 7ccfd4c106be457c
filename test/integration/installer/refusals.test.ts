// SPDX-License-Identifier: Apache-2.0
// The installer erases a disk: what it must not take for an order to do so.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../unit/fakes/folder.ts';
import { disk, install, type Machine } from './installation.ts';

const SUM = `sha256=${'0'.repeat(64)}`;

async function smallDisk(): Promise<string> {
  const file = path.join(await temporaryFolder(), 'disk.img');
  await writeFile(file, Buffer.alloc(1 << 20));
  return disk(file);
}

/** What the installer says last, when it has refused. */
async function refusal(machine: Machine): Promise<string | undefined> {
  const { exitCode, console, restarted } = await install(machine);
  expect({ exitCode, restarted }).toEqual({ exitCode: 1, restarted: false });
  return console.trim().split('\n').at(-1)?.replace('lamadist-install: Cannot install: ', '');
}

describe('the installer', { timeout: 90_000 }, () => {
  it('refuses what is not a disk', async () => {
    expect(await refusal({ words: ['disk=/dev/null', 'url=https://server.invalid/image', SUM] })).toBe('/dev/null is not a disk');
  });

  it('refuses an image without its checksum', async () => {
    const target = await smallDisk();
    expect(await refusal({ words: [`disk=${target}`, 'url=https://server.invalid/image'], disks: [target] })).toBe(
      'lamadist.install.url is given without lamadist.install.sha256',
    );
  });

  it('refuses an image that comes over a line anybody can read', async () => {
    const target = await smallDisk();
    expect(await refusal({ words: [`disk=${target}`, 'url=http://server.invalid/image', SUM], disks: [target] })).toBe(
      'http://server.invalid/image is not an https: address',
    );
  });

  it('says that there is no disk but the one that it was started from', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'medium.img');
    await execa('mkfs.ext4', ['-q', '-O', '^has_journal', file, '1024']);
    const medium = await disk(file);
    expect(await refusal({ medium, disks: [medium] })).toBe('there is no disk to install on');
  });

  it('refuses a name that is not typed the same twice', async () => {
    const target = await smallDisk();
    const name = path.basename(target);
    expect(await refusal({ words: ['url=https://server.invalid/image', SUM], disks: [target], answers: [name, 'sda'] })).toBe(
      `"sda" is not "${name}"`,
    );
  });
});
