// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { DeviceServiceHandlers } from '../../../shared/gen/services.ts';
import type { DiskUsage, KnownFolder } from '../../node/disk-usage.ts';
import type { ReadInventory } from '../../node/inventory.ts';
import type { ReadSecurityPosture } from '../../node/security-posture.ts';
import type { RolloutRegisters } from '../../rollout/registers.ts';
import type { Phase } from '../../update/life/state.ts';
import type { CurrentBoot, Reboot } from '../../update/ports.ts';
import type { Updater } from '../../update/updater.ts';
import { unary } from '../handlers.ts';
import { fileSystemMessage, inventoryMessage, protectionMessage } from '../messages/device-message.ts';
import type { ReadDevice } from './read-device.ts';
import { requireLast } from './require-last.ts';
import { guarded } from './rollout-service.ts';

export interface DeviceServiceParts {
  readonly readDevice: ReadDevice;
  readonly boot: CurrentBoot;
  readonly reboot: Reboot;
  readonly updater: Pick<Updater, 'state'>;
  readonly rollouts: Pick<RolloutRegisters, 'guard'>;
  readonly inventory: ReadInventory;
  readonly securityPosture: ReadSecurityPosture;
  readonly diskUsage: DiskUsage;
  /** The folders whose size is told. */
  readonly folders: readonly KnownFolder[];
}

/** A reboot in one of these would cut off a slot that is being written, or the verdict on one. */
const BUSY: ReadonlySet<Phase> = new Set(['installing', 'installed', 'activating', 'trial', 'checking', 'committing', 'rolling-back']);

export function deviceService(parts: DeviceServiceParts): DeviceServiceHandlers {
  const { boot, updater } = parts;
  return {
    getDevice: unary(async (_request, { signal }) => ({ device: await parts.readDevice(signal) })),

    reboot: unary(({ operationId, rolloutFence }, { signal }) =>
      guarded(parts.rollouts, rolloutFence, async () => {
        requireLast(updater.state, operationId);
        const { phase } = updater.state;
        const isWaitedFor = operationId === '' || phase === 'pending-reboot';
        if (BUSY.has(phase) || !isWaitedFor) throw new Failure('REBOOT_REFUSED', `Cannot reboot: the update is ${phase}`, { phase });
        await parts.reboot(signal);
        return { bootId: boot.bootId };
      }),
    ),

    getInventory: unary(async ({ refresh }, { signal }) => ({ inventory: inventoryMessage(await parts.inventory(refresh, signal)) })),

    getSecurityPosture: unary(async () => ({ protections: (await parts.securityPosture()).map(protectionMessage) })),

    getDiskUsage: unary(async (_request, { signal }) => {
      const { diskUsage } = parts;
      const fileSystems = (await diskUsage.fileSystems(signal)).map(fileSystemMessage);
      const folders = await Promise.all(parts.folders.map((folder) => diskUsage.folder(folder, signal)));
      return { fileSystems, folders };
    }),
  };
}
