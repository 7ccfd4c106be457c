// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { DiskUsage } from '../../../../../agent/daemon/node/disk-usage.ts';
import { requireEpoch } from '../../../../../agent/daemon/rollout/register.ts';
import { deviceService } from '../../../../../agent/daemon/rpc/services/device-service.ts';
import { deviceReader } from '../../../../../agent/daemon/rpc/services/read-device.ts';
import { PHASES, type UpdateState } from '../../../../../agent/daemon/update/life/state.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { callUnary } from '../../../fakes/call.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { FakeInstaller } from '../../../fakes/installer.ts';
import { STATES } from '../../update/states.ts';

const { BootStatus, Inventory, ProtectionKind, ProtectionState, Reachability } = lamadist.agent.v1;
const HOST = {
  hostname: 'attic',
  machineId: 'm',
  bootedAt: new Date(1_500),
  imageId: 'lamadist',
  imageVersion: '1',
  kernelRelease: '6.6',
  architecture: 'x86_64',
};

const NAMELESS = { vendor: '', name: '', version: '', serial: '' };
const FOUND = {
  system: { ...NAMELESS, name: 'Box 3' },
  board: NAMELESS,
  firmware: { vendor: '', version: '', released: '' },
  processor: { vendor: '', model: 'EPYC', cores: null, threads: 4 },
  memoryBytes: null,
  disks: [],
  networkInterfaces: [],
  problems: ['disks: not here'],
};
const ANSWERS = { mountPoint: '/var', device: '/dev/vda', type: 'ext4', readOnly: false };
const FULL: DiskUsage = {
  fileSystems: async () => [
    { ...ANSWERS, capacity: { sizeBytes: 3, usedBytes: 2, availableBytes: 1, inodes: 9, freeInodes: 8 } },
    { ...ANSWERS, mountPoint: '/srv', capacity: undefined },
  ],
  folder: async (folder) => ({ ...folder, usedBytes: 512, files: 1, complete: false }),
};

function device(state: UpdateState = STATES.idle, busConnected = true) {
  const installer = new FakeInstaller();
  const orders = { reboots: 0 };
  const clock = new FakeClock();
  const boot = { bootId: 'boot', bootname: 'A' } as const;
  const readDevice = deviceReader({ clock, host: HOST, boot, agentVersion: '1.2.3', installer, busConnected: () => busConnected });
  const service = deviceService({
    readDevice,
    boot,
    reboot: async () => void orders.reboots++,
    updater: { state },
    rollouts: {
      guard: async (_id, epoch, work) => {
        requireEpoch({ promised: { epoch: 2, holder: 'another' } }, epoch);
        return work();
      },
    },
    inventory: async (refresh) => ({ ...FOUND, collectedAt: new Date(refresh ? 2_000 : 1_000) }),
    securityPosture: async () => [
      { kind: 'tpm', state: 'on', detail: 'there is a TPM 2.0', evidence: '/sys/class/tpm' },
      { kind: 'ima', state: 'unknown', detail: 'only root may see', evidence: '' },
    ],
    diskUsage: FULL,
    folders: [{ path: '/var/lib/lamadist-agent', description: 'all' }],
  });
  return {
    installer,
    clock,
    orders,
    get: async () => (await callUnary(service.getDevice)).device,
    reboot: (request: Parameters<typeof callUnary<lamadist.agent.v1.RebootRequest, unknown>>[1] = { operationId: '' }) =>
      callUnary(service.reboot, request),
    inventory: async (refresh: boolean) => (await callUnary(service.getInventory, { refresh })).inventory,
    posture: () => callUnary(service.getSecurityPosture),
    usage: () => callUnary(service.getDiskUsage),
  };
}

describe('the device', () => {
  it('tells what it is and what its slots hold', async () => {
    const { installer, get } = device();
    installer.slotB = { ...installer.slotB, bootStatus: 'unknown', installedAt: new Date(2_250), version: '2' };
    installer.slotA = { ...installer.slotA, bootStatus: 'bad' };
    expect(await get()).toMatchObject({
      hostname: 'attic',
      bootId: 'boot',
      bootedAt: { seconds: 1, nanos: 500_000_000 },
      agentVersion: '1.2.3',
      compatible: 'lamadist-test',
      rauc: Reachability.REACHABILITY_REACHABLE,
      bus: Reachability.REACHABILITY_REACHABLE,
      slots: [
        { name: 'rootfs.0', bootname: 'A', booted: true, primary: true, bootStatus: BootStatus.BOOT_STATUS_BAD },
        { name: 'rootfs.1', bootStatus: BootStatus.BOOT_STATUS_UNSPECIFIED, installedAt: { seconds: 2, nanos: 250_000_000 } },
      ],
    });
  });

  it('answers without RAUC and without the bus, and says so', async () => {
    const { installer, get } = device(STATES.idle, false);
    installer.failures.set('slots', [new Failure('BUS_UNAVAILABLE', 'Cannot ask RAUC: there is no bus')]);
    expect(await get()).toMatchObject({
      hostname: 'attic',
      compatible: '',
      slots: [],
      rauc: Reachability.REACHABILITY_UNREACHABLE,
      bus: Reachability.REACHABILITY_UNREACHABLE,
    });
  });

  it('calls RAUC unreachable that is silent, before its client gives up', async () => {
    const { installer, clock, get } = device();
    installer.slots = () => new Promise(() => {});
    const answer = get();
    await clock.advance(5_000);
    expect(await answer).toMatchObject({ hostname: 'attic', rauc: Reachability.REACHABILITY_UNREACHABLE });
  });

  it('does not call RAUC unreachable that is busy writing a slot', async () => {
    const { installer, get } = device(STATES.installing);
    installer.failures.set('slots', [new Failure('UPDATE_IN_PROGRESS', 'Cannot ask RAUC for the slots: it is installing')]);
    expect(await get()).toMatchObject({ compatible: 'lamadist-test', slots: [], rauc: Reachability.REACHABILITY_REACHABLE });
  });
});

describe('what the device is asked for beside', () => {
  it('tells each protection with its evidence, and what cannot be told as such', async () => {
    expect((await device().posture()).protections).toEqual([
      {
        kind: ProtectionKind.PROTECTION_KIND_TPM,
        state: ProtectionState.PROTECTION_STATE_ON,
        detail: 'there is a TPM 2.0',
        evidence: '/sys/class/tpm',
      },
      {
        kind: ProtectionKind.PROTECTION_KIND_IMA,
        state: ProtectionState.PROTECTION_STATE_UNSPECIFIED,
        detail: 'only root may see',
        evidence: '',
      },
    ]);
  });

  it('tells the hardware that was found, without what is unknown, and looks again when asked', async () => {
    const { inventory } = device();
    const seen = Inventory.toObject(Inventory.decode(Inventory.encode((await inventory(false)) ?? {}).finish()));
    expect(seen).toMatchObject({ collectedAt: { seconds: 1 }, system: { name: 'Box 3' }, processor: { model: 'EPYC', threads: 4 } });
    expect(seen).not.toHaveProperty('memoryBytes');
    expect(seen.processor).not.toHaveProperty('cores');
    expect(await inventory(true)).toMatchObject({ collectedAt: { seconds: 2 } });
  });

  it('tells how full the disks are, without figures where there are none', async () => {
    const { fileSystems, folders } = await device().usage();
    expect(fileSystems?.map(({ mountPoint, capacity }) => [mountPoint, capacity?.usedBytes])).toEqual([
      ['/var', 2],
      ['/srv', undefined],
    ]);
    expect(folders).toEqual([{ path: '/var/lib/lamadist-agent', description: 'all', usedBytes: 512, files: 1, complete: false }]);
  });
});

describe('a reboot that is asked for', () => {
  const free = ['idle', 'scheduled', 'paused', 'downloading', 'inspecting', 'pending-reboot', 'committed', 'rolled-back', 'failed'];

  it.each(PHASES)('is taken or refused in phase %s', async (phase) => {
    const { reboot, orders } = device(STATES[phase]);
    if (free.includes(phase)) {
      expect(await reboot()).toEqual({ bootId: 'boot' });
      expect(orders.reboots).toBe(1);
    } else {
      const message = `Cannot reboot: the update is ${phase}`;
      await expect(reboot()).rejects.toMatchObject({ code: 'REBOOT_REFUSED', message, facts: { phase } });
      expect(orders.reboots).toBe(0);
    }
  });

  const ofRollout = (epoch: number, id: string) => ({
    operationId: id,
    rolloutFence: { rolloutId: '00000000-0000-4000-8000-000000000000', epoch },
  });

  it('is for the update that a rollout means, and for no runner that was fenced off', async () => {
    const { reboot, orders } = device(STATES['pending-reboot']);
    const { id } = STATES['pending-reboot'].operation;
    await expect(reboot(ofRollout(1, id))).rejects.toMatchObject({ code: 'ROLLOUT_TAKEN_OVER' });
    await expect(reboot(ofRollout(2, 'another'))).rejects.toMatchObject({ code: 'UPDATE_NOT_FOUND' });
    expect(orders.reboots).toBe(0);
    expect(await reboot(ofRollout(2, id))).toEqual({ bootId: 'boot' });
    expect(orders.reboots).toBe(1);
  });

  it('is not carried out again for an update that has rebooted already', async () => {
    const { reboot, orders } = device(STATES.committed);
    await expect(reboot(ofRollout(2, STATES.committed.operation.id))).rejects.toMatchObject({ code: 'REBOOT_REFUSED' });
    expect(orders.reboots).toBe(0);
  });
});
