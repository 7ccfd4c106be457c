// SPDX-License-Identifier: Apache-2.0
import {
  DeviceServiceDefinition as device,
  HealthServiceDefinition as health,
  UnitServiceDefinition as unit,
} from '../../../shared/gen/services.ts';
import type { Channel } from '../channel.ts';
import type { DeviceCalls } from '../node.ts';
import { diskUsageFromWire, inventoryFromWire, protectionFromWire, unitFromWire } from '../wire/details-from-wire.ts';
import { checksFromWire, deviceFromWire, healthFromWire } from '../wire/from-wire.ts';
import { text } from '../wire/wire-values.ts';

/** What a node is and how it fares. */
export function deviceCalls(channel: Pick<Channel, 'call'>): Omit<DeviceCalls, 'status'> {
  return {
    device: async () => deviceFromWire((await channel.call(device.getDevice, {})).device ?? {}),
    reboot: async (only) => text((await channel.call(device.reboot, { ...only })).bootId),
    health: async () => healthFromWire(await channel.call(health.getHealth, {})),
    runChecks: async () => checksFromWire(await channel.call(health.runChecks, {})),
    inventory: async (refresh) => inventoryFromWire((await channel.call(device.getInventory, { refresh })).inventory ?? {}),
    protections: async () => (await channel.call(device.getSecurityPosture, {})).protections.map(protectionFromWire),
    diskUsage: async () => diskUsageFromWire(await channel.call(device.getDiskUsage, {})),
    async units({ states, patterns }) {
      const { units } = await channel.call(unit.listUnits, { states: [...states], patterns: [...patterns] });
      return units.map(unitFromWire);
    },
    restartUnit: async (name) => unitFromWire((await channel.call(unit.restartUnit, { name })).unit ?? {}),
  };
}
