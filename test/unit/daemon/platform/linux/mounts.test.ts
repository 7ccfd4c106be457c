// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountOf, readMounts } from '../../../../../agent/daemon/platform/linux/mounts.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const TABLE = `22 1 254:0 / / ro,relatime shared:1 - erofs /dev/mapper/root ro
23 22 254:1 / /var rw,relatime - ext4 /dev/mapper/var rw,errors=remount-ro
24 22 254:1 /lib/etc /etc ro - ext4 /dev/mapper/var rw
25 22 0:31 / /mnt/two\\040words rw master:2 propagate_from:1 - btrfs /dev/sdb1 ro,space_cache
nonsense
26 23 0:40 / /var rw - tmpfs tmpfs rw
`;

async function table() {
  const root = await temporaryFolder();
  await mkdir(join(root, 'proc/self'), { recursive: true });
  await writeFile(join(root, 'proc/self/mountinfo'), TABLE);
  return readMounts(root);
}

describe('the mounts', () => {
  it('are read with the state of the file system itself, and lines that are none are passed over', async () => {
    expect(await table()).toEqual([
      { device: '254:0', mountPoint: '/', type: 'erofs', source: '/dev/mapper/root', readOnly: true },
      { device: '254:1', mountPoint: '/var', type: 'ext4', source: '/dev/mapper/var', readOnly: false },
      { device: '254:1', mountPoint: '/etc', type: 'ext4', source: '/dev/mapper/var', readOnly: false },
      { device: '0:31', mountPoint: '/mnt/two words', type: 'btrfs', source: '/dev/sdb1', readOnly: true },
      { device: '0:40', mountPoint: '/var', type: 'tmpfs', source: 'tmpfs', readOnly: false },
    ]);
  });

  it.each([
    ['/', 'erofs'],
    ['/variable', 'erofs'],
    ['/etc/passwd', 'ext4'],
    // The later mount on the same place hides the one before.
    ['/var/lib', 'tmpfs'],
  ])('hold %s on %s', async (path, type) => {
    expect(mountOf(await table(), path)?.type).toBe(type);
  });

  it('are none where the kernel does not tell', async () => {
    expect(mountOf(await readMounts(await temporaryFolder()), '/')).toBeUndefined();
  });
});
