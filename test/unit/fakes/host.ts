// SPDX-License-Identifier: Apache-2.0
import type { HostMetricsParts } from '../../../agent/daemon/metrics/host-metrics.ts';
import { CPU_MODES, type CpuMode, MEMORY_KINDS, type MemoryKind } from '../../../agent/daemon/node/host-readings.ts';

const traffic = { bytes: 100, packets: 2, errors: 0, drops: 1 };

/** A machine with one of everything. */
export function smallHost(): HostMetricsParts {
  const cores = [{ cpu: '0', seconds: Object.fromEntries(CPU_MODES.map((mode) => [mode, 1.5])) as Record<CpuMode, number> }];
  const disk = {
    reads: 1,
    readBytes: 512,
    readSeconds: 0.1,
    writes: 2,
    writtenBytes: 1024,
    writeSeconds: 0.2,
    busySeconds: 0.3,
    queuedSeconds: 0.4,
  };
  const capacity = { sizeBytes: 1000, usedBytes: 400, availableBytes: 500, inodes: 10, freeInodes: 5 };
  return {
    readHost: {
      cpu: async () => ({ cores, bootedAtSeconds: 1_700_000_000, contextSwitches: 5, forks: 6, running: 2, blocked: 0 }),
      memory: async () => Object.fromEntries(MEMORY_KINDS.map((kind) => [kind, 4096])) as Record<MemoryKind, number>,
      load: async () => [0.1, 0.2, 0.3],
      disks: async () => [{ device: 'sda', ...disk }],
      network: async () => [{ name: 'eth0', received: traffic, transmitted: traffic, up: true }],
      pressure: async () => [{ resource: 'io', someSeconds: 2, allSeconds: 1 }],
      temperature: async () => [{ chip: 'soc', sensor: 'temp1', celsius: 45.5 }],
      paging: async () => ({ majorFaults: 3, outOfMemoryKills: 0 }),
      files: async () => ({ open: 7, maximum: 100 }),
    },
    fileSystems: async () => [{ mountPoint: '/var', device: '/dev/sda3', type: 'ext4', readOnly: false, capacity }],
    clockSynchronised: async () => true,
  };
}
