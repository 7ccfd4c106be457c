// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { deviceService } from '../../../../agent/daemon/rpc/device-service.ts';
import { PHASES, type UpdateState } from '../../../../agent/daemon/update/state.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { lamadist } from '../../../../agent/shared/gen/messages.js';
import { callUnary } from '../../fakes/call.ts';
import { FakeInstaller } from '../../fakes/installer.ts';
import { STATES } from '../update/states.ts';

const { BootStatus, Reachability } = lamadist.agent.v1;
const HOST = {
  hostname: 'attic',
  machineId: 'm',
  bootedAt: new Date(1_500),
  imageId: 'lamadist',
  imageVersion: '1',
  kernelRelease: '6.6',
  architecture: 'x86_64',
};

function device(state: UpdateState = STATES.idle, busConnected = true) {
  const installer = new FakeInstaller();
  const orders = { reboots: 0 };
  const service = deviceService({
    host: HOST,
    boot: { bootId: 'boot', bootname: 'A' },
    agentVersion: '1.2.3',
    installer,
    busConnected: () => busConnected,
    reboot: async () => void orders.reboots++,
    updater: { state },
  });
  return {
    installer,
    orders,
    get: async () => (await callUnary(service.getDevice)).device,
    reboot: () => callUnary(service.reboot),
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

  it('does not call RAUC unreachable that is busy writing a slot', async () => {
    const { installer, get } = device(STATES.installing);
    installer.failures.set('slots', [new Failure('UPDATE_IN_PROGRESS', 'Cannot ask RAUC for the slots: it is installing')]);
    expect(await get()).toMatchObject({ compatible: 'lamadist-test', slots: [], rauc: Reachability.REACHABILITY_REACHABLE });
  });
});

describe('a reboot that is asked for', () => {
  const free = ['idle', 'downloading', 'inspecting', 'pending-reboot', 'committed', 'rolled-back', 'failed'];

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
});
