// SPDX-License-Identifier: Apache-2.0

export const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
export type CpuMode = (typeof CPU_MODES)[number];

export const MEMORY_KINDS = [
  'total',
  'free',
  'available',
  'buffers',
  'cached',
  'slab',
  'dirty',
  'writeback',
  'shmem',
  'swap-total',
  'swap-free',
] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** What the scheduler counted since the boot, proc_stat(5). */
export interface CpuReadings {
  readonly cores: readonly { readonly cpu: string; readonly seconds: Readonly<Record<CpuMode, number>> }[];
  readonly bootedAtSeconds: number;
  readonly contextSwitches: number;
  readonly forks: number;
  readonly running: number;
  readonly blocked: number;
}

export interface DiskReadings {
  readonly device: string;
  readonly reads: number;
  readonly readBytes: number;
  readonly readSeconds: number;
  readonly writes: number;
  readonly writtenBytes: number;
  readonly writeSeconds: number;
  /** The time in which anything was under way, and the same times how much of it. */
  readonly busySeconds: number;
  readonly queuedSeconds: number;
}

interface Traffic {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly drops: number;
}

export interface InterfaceReadings {
  readonly name: string;
  readonly received: Traffic;
  readonly transmitted: Traffic;
  readonly up: boolean;
}

/** For how long since the boot some work, and all work, waited for a resource (the kernel's PSI). */
export interface PressureReadings {
  readonly resource: 'cpu' | 'memory' | 'io';
  readonly someSeconds: number;
  readonly allSeconds: number;
}

export interface TemperatureReading {
  readonly chip: string;
  readonly sensor: string;
  readonly celsius: number;
}

export interface PagingReadings {
  readonly majorFaults: number;
  readonly outOfMemoryKills: number;
}

/** The machine as the kernel tells of it. */
export interface HostReadings {
  readonly cpu: CpuReadings;
  readonly memory: Readonly<Partial<Record<MemoryKind, number>>>;
  /** Averages of 1, 5 and 15 minutes. */
  readonly load: readonly [number, number, number];
  readonly disks: readonly DiskReadings[];
  readonly network: readonly InterfaceReadings[];
  readonly pressure: readonly PressureReadings[];
  readonly temperature: readonly TemperatureReading[];
  readonly paging: PagingReadings;
  readonly files: { readonly open: number; readonly maximum: number };
}

export type Subject = keyof HostReadings;
export const SUBJECTS: readonly Subject[] = ['cpu', 'memory', 'load', 'disks', 'network', 'pressure', 'temperature', 'paging', 'files'];

/** One look at a subject; it throws when this kernel does not tell of it. */
export type ReadHost = { readonly [S in Subject]: () => Promise<HostReadings[S]> };
