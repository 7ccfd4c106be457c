// SPDX-License-Identifier: Apache-2.0
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskUsage, onDisks } from '../../../../../agent/daemon/platform/linux/disk-usage.ts';
import type { Mount } from '../../../../../agent/daemon/platform/linux/mounts.ts';
import { systemClock } from '../../../../../agent/daemon/timing/clock.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const inTime = () => AbortSignal.timeout(20_000);
const usage = diskUsage(systemClock);
const mount = (device: string, mountPoint: string, type = 'ext4'): Mount => ({
  device,
  mountPoint,
  type,
  source: '/dev/x',
  readOnly: false,
});

describe('the file systems on disks', () => {
  it('are told once each, where they are mounted first', () => {
    const found = onDisks([
      mount('254:0', '/'),
      mount('254:1', '/var/lib/lamadist-agent'),
      mount('254:1', '/var'),
      mount('0:20', '/proc', 'proc'),
      mount('0:21', '/run', 'tmpfs'),
      mount('0:31', '/srv', 'btrfs'),
      mount('254:1', '/etc'),
    ]);
    expect(found.map(({ mountPoint }) => mountPoint)).toEqual(['/', '/srv', '/var']);
  });

  it('of this machine have figures that fit together', async () => {
    for (const { capacity } of await usage.fileSystems(inTime())) {
      expect(capacity).toBeDefined();
      expect(capacity?.sizeBytes).toBeGreaterThanOrEqual((capacity?.usedBytes ?? 0) + (capacity?.availableBytes ?? 0));
    }
  });
});

describe('what a folder takes', () => {
  const count = (path: string) => usage.folder({ path, description: 'test' }, inTime());

  it('is what its files take, however deep, and what its links point at is not', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await writeFile(join(folder, 'a/b/file'), Buffer.alloc(100_000, 1));
    await symlink('/', join(folder, 'a/everything'));
    const { usedBytes, files, complete } = await count(folder);
    expect({ files, complete }).toEqual({ files: 4, complete: true });
    expect(usedBytes).toBeGreaterThanOrEqual(100_000);
    expect(usedBytes).toBeLessThan(200_000);
  });

  it('is nothing where there is no folder', async () => {
    expect(await count('/nonexistent')).toMatchObject({ usedBytes: 0, files: 0, complete: true });
  });

  it('is said to be more where it could not all be counted', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), 'no folder');
    expect(await count(join(folder, 'file'))).toMatchObject({ usedBytes: 0, complete: false });
  });

  it('is not waited for by whoever went', async () => {
    await expect(usage.folder({ path: '/', description: '' }, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });
});
