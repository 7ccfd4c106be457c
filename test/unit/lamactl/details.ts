// SPDX-License-Identifier: Apache-2.0
import type { DiskUsage, Inventory, Protection, Unit } from '../../../agent/lamactl/node/node-details.ts';
import type { NodeEvent } from '../../../agent/lamactl/node/node-event.ts';
import type { LogEntry } from '../../../agent/lamactl/node/node-log.ts';

/* What a node answers beside its state; a test changes the part that it is about. */

const evidence = '/sys/firmware/efi';

export const PROTECTIONS: readonly Protection[] = [
  { kind: 'secure-boot', state: 'off', detail: 'the node was not booted by UEFI', evidence },
  { kind: 'verity-root', state: 'on', detail: '/ is erofs on dm-verity', evidence: '/sys/dev/block/254:0/dm/uuid' },
  { kind: 'luks-data', state: 'on', detail: '/var is ext4 on LUKS', evidence: '/sys/dev/block/254:1/dm/uuid' },
  { kind: 'selinux', state: 'on', detail: 'SELinux enforces its policy', evidence: '/sys/fs/selinux/enforce' },
  { kind: 'ima', state: 'on', detail: 'IMA runs by the policy tcb', evidence: '/proc/cmdline' },
  { kind: 'tpm', state: 'on', detail: 'there is a TPM 2.0', evidence: '/sys/class/tpm/tpm0/tpm_version_major' },
  { kind: 'lockdown', state: 'on', detail: 'the kernel is locked down for integrity', evidence: '/sys/kernel/security/lockdown' },
];

const MIB = 1 << 20;

export const DISK_USAGE: DiskUsage = {
  fileSystems: [
    {
      mountPoint: '/',
      device: '/dev/mapper/root',
      type: 'erofs',
      readOnly: true,
      capacity: { sizeBytes: 100 * MIB, usedBytes: 100 * MIB, availableBytes: 0, inodes: 0, freeInodes: 0 },
    },
    {
      mountPoint: '/var',
      device: '/dev/mapper/var',
      type: 'ext4',
      readOnly: false,
      capacity: { sizeBytes: 512 * MIB, usedBytes: 128 * MIB, availableBytes: 384 * MIB, inodes: 1000, freeInodes: 900 },
    },
  ],
  folders: [
    { path: '/var/lib/lamadist-agent', description: 'all that the agent keeps', usedBytes: 2 * MIB, files: 7, complete: true },
    { path: '/var/log/journal', description: "the node's log", usedBytes: 8 * MIB, files: 3, complete: false },
  ],
};

const ENTRY: LogEntry = {
  cursor: 's=a;i=1',
  at: '2026-11-20T10:00:00.000Z',
  priority: 'info',
  unit: 'k3s.service',
  identifier: 'k3s',
  pid: 42,
  bootId: 'boot-1',
  message: 'started',
  messageLeftOut: false,
};

export const LOG: readonly LogEntry[] = [
  ENTRY,
  { ...ENTRY, cursor: 's=a;i=2', at: '2026-11-20T10:00:02.000Z', priority: 'error', message: 'broken\nin two lines\n' },
];

export const INVENTORY: Inventory = {
  collectedAt: '2026-11-20T10:00:00.000Z',
  system: { vendor: 'Example', name: 'Box 3', version: '', serial: '' },
  board: { vendor: '', name: '', version: '', serial: '' },
  firmware: { vendor: 'Example', version: 'F7', released: '2026-01-02' },
  processor: { vendor: 'AMD', model: 'EPYC', cores: 2, threads: 4 },
  memoryBytes: 8 * 1024 * MIB,
  disks: [{ name: '/dev/nvme0n1', vendor: 'Example', model: 'Fast', serial: '', type: 'NVMe', sizeBytes: 512 * 1024 * MIB }],
  networkInterfaces: [
    { name: 'eth0', macAddress: '02:00:00:00:00:01', addresses: ['10.0.0.5/24'], state: 'up', megabitsPerSecond: 1000, virtual: false },
    { name: 'cni0', macAddress: '02:00:00:00:00:02', addresses: [], state: 'down', virtual: true },
  ],
  problems: [],
};

const HAPPENED = { at: '2026-11-20T10:00:00.000Z', bootId: 'boot-1', gap: false };

export const EVENTS: readonly NodeEvent[] = [
  { ...HAPPENED, cursor: 'e.1', type: 'booted', bootname: 'A', imageVersion: '1.0.0', agentVersion: '0.1.0' },
  { ...HAPPENED, cursor: 'e.2', at: '2026-11-20T10:00:05.000Z', type: 'gate-decided', verdict: 'passed', message: 'All 4 passed' },
];

export const UNITS: readonly Unit[] = [
  {
    name: 'k3s.service',
    description: 'Lightweight Kubernetes',
    loadState: 'loaded',
    activeState: 'active',
    subState: 'running',
    restartable: true,
  },
  {
    name: 'nightly.service',
    description: 'Nightly work',
    loadState: 'loaded',
    activeState: 'failed',
    subState: 'failed',
    restartable: false,
  },
];
