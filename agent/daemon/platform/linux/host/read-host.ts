// SPDX-License-Identifier: Apache-2.0
import type { ReadHost } from '../../../node/host-readings.ts';
import { listKernelFolder, readKernelFile } from '../kernel-file.ts';
import { parseDiskstats } from './disks.ts';
import { parseFileNr, parseLoadavg, parsePressure } from './load.ts';
import { parseMeminfo, parseVmstat } from './memory.ts';
import { parseNetDev } from './network.ts';
import { parseStat } from './stat.ts';
import { readTemperatures } from './temperatures.ts';

/** The machine through /proc and /sys below `root`. */
export function readHost(root = ''): ReadHost {
  const file = async (path: string): Promise<string> => {
    const text = await readKernelFile(root + path);
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  };
  const folder = async (path: string): Promise<string[]> => (await listKernelFolder(root + path)) ?? [];
  return {
    cpu: async () => parseStat(await file('/proc/stat')),
    memory: async () => parseMeminfo(await file('/proc/meminfo')),
    load: async () => parseLoadavg(await file('/proc/loadavg')),
    disks: async () => parseDiskstats(await file('/proc/diskstats'), new Set(await folder('/sys/block'))),
    network: async () => {
      const names = await folder('/sys/class/net');
      const states = await Promise.all(names.map((name) => readKernelFile(`${root}/sys/class/net/${name}/operstate`)));
      // What has no state of its own, as loopback, says "unknown" and works.
      const up = names.filter((_, index) => states[index] === 'up' || states[index] === 'unknown');
      return parseNetDev(await file('/proc/net/dev'), new Set(up));
    },
    pressure: () =>
      Promise.all((['cpu', 'memory', 'io'] as const).map(async (name) => parsePressure(name, await file(`/proc/pressure/${name}`)))),
    temperature: () => readTemperatures(root),
    paging: async () => parseVmstat(await file('/proc/vmstat')),
    files: async () => parseFileNr(await file('/proc/sys/fs/file-nr')),
  };
}
