// SPDX-License-Identifier: Apache-2.0
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deviceSizeBytes } from '../../../../../agent/daemon/platform/linux/device-size.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

/** A sysfs with a disk of two partitions and an encrypted one, as Linux shows them. */
async function sysfs(): Promise<string> {
  const folder = await temporaryFolder();
  const files = {
    'vda/size': '41943040\n',
    'vda/uevent': 'MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n',
    'vda2/size': '2097152\n',
    'vda2/uevent': 'MAJOR=254\nMINOR=2\nDEVNAME=vda2\nDEVTYPE=partition\nPARTN=2\nPARTNAME=root-a\n',
    'vda3/size': '4194304\n',
    'vda3/uevent': 'MAJOR=254\nMINOR=3\nDEVNAME=vda3\nDEVTYPE=partition\nPARTN=3\nPARTNAME=root-a-old\n',
    'dm-0/size': '8\n',
    'dm-0/dm/name': 'data\n',
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, 'class/block', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return folder;
}

describe('the size of a device', () => {
  it.each([
    ['/dev/vda', 20 * 2 ** 30],
    ['/dev/vda2', 2 ** 30],
    ['/dev/disk/by-partlabel/root-a', 2 ** 30],
    ['/dev/disk/by-partlabel/root-a-old', 2 * 2 ** 30],
    ['/dev/mapper/data', 4096],
  ])('%s is told by sysfs', async (device, sizeBytes) => {
    expect(await deviceSizeBytes(device, await sysfs())).toBe(sizeBytes);
  });

  it('is that of the device behind a link', async () => {
    const sys = await sysfs();
    const link = join(sys, 'slot-b');
    await writeFile(join(sys, 'vda2'), '');
    await symlink(join(sys, 'vda2'), link);
    expect(await deviceSizeBytes(link, sys)).toBe(2 ** 30);
  });

  it.each(['/dev/vdb', '/dev/disk/by-partlabel/root', '/dev/mapper/other', '', '/'])('"%s" is unknown', async (device) => {
    expect(await deviceSizeBytes(device, await sysfs())).toBeUndefined();
  });

  it('is unknown where there is no sysfs', async () => {
    expect(await deviceSizeBytes('/dev/vda', '/nowhere')).toBeUndefined();
  });
});
