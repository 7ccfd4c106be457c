// SPDX-License-Identifier: Apache-2.0
import type { HostReadings, MemoryKind, PagingReadings } from '../../../node/host-readings.ts';

const KINDS: Readonly<Record<string, MemoryKind>> = {
  MemTotal: 'total',
  MemFree: 'free',
  MemAvailable: 'available',
  Buffers: 'buffers',
  Cached: 'cached',
  Slab: 'slab',
  Dirty: 'dirty',
  Writeback: 'writeback',
  Shmem: 'shmem',
  SwapTotal: 'swap-total',
  SwapFree: 'swap-free',
};

/** Reads /proc/meminfo, proc_meminfo(5): lines of `MemTotal:  1024 kB`. In bytes. */
export function parseMeminfo(text: string): HostReadings['memory'] {
  const lines = text.matchAll(/^(\w+):\s+(\d+) kB$/gm);
  return Object.fromEntries([...lines].flatMap(([, name = '', kib]) => (KINDS[name] ? [[KINDS[name], Number(kib) * 1024]] : [])));
}

/** Reads /proc/vmstat, proc_vmstat(5): lines of `name value`. */
export function parseVmstat(text: string): PagingReadings {
  const counter = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { majorFaults: counter('pgmajfault'), outOfMemoryKills: counter('oom_kill') };
}
