// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { lamadist } from '../../../shared/gen/messages.js';
import type { DeviceServiceHandlers } from '../../../shared/gen/services.ts';
import type { HostFacts } from '../../node/device.ts';
import type { DiskUsage, KnownFolder } from '../../node/disk-usage.ts';
import type { ReadInventory } from '../../node/inventory.ts';
import type { ReadSecurityPosture } from '../../node/security-posture.ts';
import type { Clock } from '../../timing/clock.ts';
import { within } from '../../timing/within.ts';
import type { Installer, Slot } from '../../update/installer.ts';
import type { Phase } from '../../update/life/state.ts';
import type { CurrentBoot, Reboot } from '../../update/ports.ts';
import type { Updater } from '../../update/updater.ts';
import { unary } from '../handlers.ts';
import { fileSystemMessage, inventoryMessage, protectionMessage } from '../messages/device-message.ts';
import { timestamp } from '../messages/update-message.ts';

export interface DeviceServiceParts {
  readonly host: HostFacts;
  readonly boot: CurrentBoot;
  readonly agentVersion: string;
  readonly installer: Pick<Installer, 'slots' | 'compatible'>;
  readonly busConnected: () => boolean;
  readonly reboot: Reboot;
  readonly updater: Pick<Updater, 'state'>;
  readonly clock: Clock;
  readonly inventory: ReadInventory;
  readonly securityPosture: ReadSecurityPosture;
  readonly diskUsage: DiskUsage;
  /** The folders whose size is told. */
  readonly folders: readonly KnownFolder[];
}

const { BootStatus, Reachability } = lamadist.agent.v1;

/** A reboot in one of these would cut off a slot that is being written, or the verdict on one. */
const BUSY: ReadonlySet<Phase> = new Set(['installing', 'installed', 'activating', 'trial', 'checking', 'committing', 'rolling-back']);

export function deviceService(parts: DeviceServiceParts): DeviceServiceHandlers {
  const { host, boot, installer, updater } = parts;
  return {
    getDevice: unary(async (_request, { signal }) => {
      const silent = () => UNREACHABLE;
      const rauc = await within(parts.clock, RAUC_PATIENCE_MS, signal, (inner) => readRauc(installer, inner), silent);
      const device = {
        hostname: host.hostname,
        machineId: host.machineId,
        bootId: boot.bootId,
        bootedAt: timestamp(host.bootedAt.getTime()),
        imageId: host.imageId,
        imageVersion: host.imageVersion,
        kernelRelease: host.kernelRelease,
        architecture: host.architecture,
        agentVersion: parts.agentVersion,
        ...rauc,
        bus: parts.busConnected() ? Reachability.REACHABILITY_REACHABLE : Reachability.REACHABILITY_UNREACHABLE,
      };
      return { device };
    }),

    reboot: unary(async (_request, { signal }) => {
      const { phase } = updater.state;
      if (BUSY.has(phase)) throw new Failure('REBOOT_REFUSED', `Cannot reboot: the update is ${phase}`, { phase });
      await parts.reboot(signal);
      return { bootId: boot.bootId };
    }),

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

/** A RAUC that is silent must not keep the node silent, so this is shorter than any client waits. */
const RAUC_PATIENCE_MS = 5_000;
const UNREACHABLE = { compatible: '', slots: [], rauc: Reachability.REACHABILITY_UNREACHABLE };

/** What only RAUC can tell; a node whose RAUC is silent still answers, and says so. */
async function readRauc(installer: DeviceServiceParts['installer'], signal: AbortSignal) {
  try {
    const [compatible, slots] = await Promise.all([installer.compatible(signal), readSlots(installer, signal)]);
    return { compatible, slots: slots.map(slotMessage), rauc: Reachability.REACHABILITY_REACHABLE };
  } catch {
    return UNREACHABLE;
  }
}

/** None while RAUC writes one: it is there then, and refuses to tell. */
async function readSlots(installer: DeviceServiceParts['installer'], signal: AbortSignal): Promise<readonly Slot[]> {
  try {
    return await installer.slots(signal);
  } catch (error) {
    if (Failure.from(error).code !== 'UPDATE_IN_PROGRESS') throw error;
    return [];
  }
}

const BOOT_STATUS = {
  good: BootStatus.BOOT_STATUS_GOOD,
  bad: BootStatus.BOOT_STATUS_BAD,
  unknown: BootStatus.BOOT_STATUS_UNSPECIFIED,
} as const;

function slotMessage(slot: Slot): lamadist.agent.v1.Slot.$Properties {
  const { name, bootname, device, booted, primary, version, status } = slot;
  const installedAt = slot.installedAt && { installedAt: timestamp(slot.installedAt.getTime()) };
  return { name, bootname, device, booted, primary, version, status, bootStatus: BOOT_STATUS[slot.bootStatus], ...installedAt };
}
