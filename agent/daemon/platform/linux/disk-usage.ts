// SPDX-License-Identifier: Apache-2.0
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskUsage, FileSystem, FolderUsage, KnownFolder } from '../../node/disk-usage.ts';
import { abortScope } from '../../timing/abort-scope.ts';
import { abortable } from '../../timing/abortable.ts';
import type { Clock } from '../../timing/clock.ts';
import { type Mount, readMounts } from './mounts.ts';
import { statOnce } from './stat-once.ts';

/** What does not answer by then is told without figures. */
const STAT_TIMEOUT_MS = 3_000;
const MAX_ENTRIES = 20_000;
/** lstat(2): st_blocks counts these, whatever the file system's own blocks are. */
const BLOCK_BYTES = 512;
/** On disks, and yet with a device number that is no block device's. */
const OF_SEVERAL_DEVICES = new Set(['btrfs', 'bcachefs', 'zfs']);

export function diskUsage(clock: Clock): DiskUsage {
  return {
    async fileSystems(signal) {
      const mounts = onDisks(await readMounts());
      return Promise.all(mounts.map((mount) => fileSystem(mount, clock, signal)));
    },
    folder: countFolder,
  };
}

/** Each file system once. The sandbox mounts many again, deeper down; where it is at its shortest is where it belongs. */
export function onDisks(mounts: readonly Mount[]): readonly Mount[] {
  const outermost = new Map<string, Mount>();
  for (const mount of mounts) {
    if (mount.device.startsWith('0:') && !OF_SEVERAL_DEVICES.has(mount.type)) continue;
    const known = outermost.get(mount.device);
    if (!known || mount.mountPoint.length < known.mountPoint.length) outermost.set(mount.device, mount);
  }
  return [...outermost.values()].sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
}

async function fileSystem(mount: Mount, clock: Clock, signal: AbortSignal): Promise<FileSystem> {
  const { mountPoint, type, source, readOnly } = mount;
  const capacity = await capacityOf(mountPoint, clock, signal).catch(() => undefined);
  signal.throwIfAborted();
  return { mountPoint, device: source, type, readOnly, capacity };
}

function capacityOf(path: string, clock: Clock, signal: AbortSignal): Promise<FileSystem['capacity']> {
  return abortScope(signal, async (scope) => {
    void clock.sleep(STAT_TIMEOUT_MS, scope.signal).then(
      () => scope.abort(),
      () => undefined,
    );
    const { blocks, bfree, bavail, bsize, files, ffree } = await abortable(statOnce(path), scope.signal);
    return {
      sizeBytes: blocks * bsize,
      usedBytes: (blocks - bfree) * bsize,
      availableBytes: bavail * bsize,
      inodes: files,
      freeInodes: ffree,
    };
  });
}

/** Adds up what the files below a folder take on the disk. Links are not followed. */
async function countFolder(folder: KnownFolder, signal: AbortSignal): Promise<FolderUsage> {
  const total = { usedBytes: 0, files: 0, complete: true };
  const open = [folder.path];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    try {
      for await (const entry of await opendir(path)) {
        signal.throwIfAborted();
        if (total.files >= MAX_ENTRIES) return { ...folder, ...total, complete: false };
        const { blocks } = await lstat(join(path, entry.name));
        total.usedBytes += blocks * BLOCK_BYTES;
        total.files += 1;
        if (entry.isDirectory()) open.push(join(path, entry.name));
      }
    } catch (error) {
      signal.throwIfAborted();
      // A folder that was never made takes nothing; a file that went meanwhile, no more.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') total.complete = false;
    }
  }
  return { ...folder, ...total };
}
