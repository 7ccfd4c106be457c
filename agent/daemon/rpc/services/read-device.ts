// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { lamadist } from '../../../shared/gen/messages.js';
import type { HostFacts } from '../../node/device.ts';
import type { Clock } from '../../timing/clock.ts';
import { within } from '../../timing/within.ts';
import type { Installer, Slot } from '../../update/installer.ts';
import type { CurrentBoot } from '../../update/ports.ts';
import { timestamp } from '../messages/update-message.ts';

const { BootStatus, Reachability } = lamadist.agent.v1;

export interface DeviceParts {
  readonly host: HostFacts;
  readonly boot: Pick<CurrentBoot, 'bootId'>;
  readonly agentVersion: string;
  readonly installer: Pick<Installer, 'slots' | 'compatible'>;
  readonly busConnected: () => boolean;
  readonly clock: Clock;
}

/** What the node is, and what it booted. Never fails: what RAUC does not tell is missing. */
export type ReadDevice = (signal: AbortSignal) => Promise<lamadist.agent.v1.Device.$Properties>;

export function deviceReader({ host, boot, agentVersion, installer, busConnected, clock }: DeviceParts): ReadDevice {
  return async (signal) => {
    const silent = () => UNREACHABLE;
    const rauc = await within(clock, RAUC_PATIENCE_MS, signal, (inner) => readRauc(installer, inner), silent);
    return {
      hostname: host.hostname,
      machineId: host.machineId,
      bootId: boot.bootId,
      bootedAt: timestamp(host.bootedAt.getTime()),
      imageId: host.imageId,
      imageVersion: host.imageVersion,
      kernelRelease: host.kernelRelease,
      architecture: host.architecture,
      agentVersion,
      ...rauc,
      bus: busConnected() ? Reachability.REACHABILITY_REACHABLE : Reachability.REACHABILITY_UNREACHABLE,
    };
  };
}

/** A RAUC that is silent must not keep the node silent, so this is shorter than any client waits. */
const RAUC_PATIENCE_MS = 5_000;
const UNREACHABLE = { compatible: '', slots: [], rauc: Reachability.REACHABILITY_UNREACHABLE };

/** What only RAUC can tell; a node whose RAUC is silent still answers, and says so. */
async function readRauc(installer: DeviceParts['installer'], signal: AbortSignal) {
  try {
    const [compatible, slots] = await Promise.all([installer.compatible(signal), readSlots(installer, signal)]);
    return { compatible, slots: slots.map(slotMessage), rauc: Reachability.REACHABILITY_REACHABLE };
  } catch {
    return UNREACHABLE;
  }
}

/** None while RAUC writes one: it is there then, and refuses to tell. */
async function readSlots(installer: DeviceParts['installer'], signal: AbortSignal): Promise<readonly Slot[]> {
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
