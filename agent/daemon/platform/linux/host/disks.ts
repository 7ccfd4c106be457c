// SPDX-License-Identifier: Apache-2.0
import type { DiskReadings } from '../../../node/host-readings.ts';

/** The kernel counts sectors of this size, whatever the device's own are. */
const SECTOR_BYTES = 512;

/** Memory, and files that are disks for a moment. */
const NO_DISK = /^(?:loop|ram|zram|fd|sr|nbd)\d/;

/** Reads /proc/diskstats (the kernel's admin-guide/iostats). `whole` are the names of /sys/block: partitions are not told. */
export function parseDiskstats(text: string, whole: ReadonlySet<string>): DiskReadings[] {
  return text.split('\n').flatMap((line) => {
    const [, , device = '', ...fields] = line.trim().split(/\s+/);
    if (!whole.has(device) || NO_DISK.test(device)) return [];
    const [reads = 0, , sectorsRead = 0, readMs = 0, writes = 0, , sectorsWritten = 0, writeMs = 0, , busyMs = 0, queuedMs = 0] =
      fields.map(Number);
    return [
      {
        device,
        reads,
        readBytes: sectorsRead * SECTOR_BYTES,
        readSeconds: readMs / 1000,
        writes,
        writtenBytes: sectorsWritten * SECTOR_BYTES,
        writeSeconds: writeMs / 1000,
        busySeconds: busyMs / 1000,
        queuedSeconds: queuedMs / 1000,
      },
    ];
  });
}
