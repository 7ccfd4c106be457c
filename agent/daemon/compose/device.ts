// SPDX-License-Identifier: Apache-2.0
import {
  DeviceServiceDefinition,
  EventServiceDefinition,
  LogServiceDefinition,
  StatusServiceDefinition,
  UnitServiceDefinition,
} from '../../shared/gen/services.ts';
import { VERSION } from '../../shared/version.ts';
import type { Config } from '../config.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import type { EventLog } from '../node/event-log.ts';
import type { Units } from '../node/units.ts';
import { diskUsage } from '../platform/linux/disk-usage.ts';
import { securityPosture } from '../platform/linux/posture/security-posture.ts';
import { readJournal } from '../platform/systemd/journal-reader.ts';
import { systemdUnits } from '../platform/systemd/unit-control.ts';
import { inventoryReader } from '../platform/systeminformation/inventory-reader.ts';
import type { RolloutRegisters } from '../rollout/registers.ts';
import type { Service } from '../rpc/server.ts';
import { deviceService } from '../rpc/services/device-service.ts';
import { eventService } from '../rpc/services/event-service.ts';
import { logService } from '../rpc/services/log-service.ts';
import { deviceReader } from '../rpc/services/read-device.ts';
import { statusService } from '../rpc/services/status-service.ts';
import { unitService } from '../rpc/services/unit-service.ts';
import { systemClock as clock } from '../timing/clock.ts';
import { type Folders, keptFolders } from './folders.ts';
import type { Neighbours } from './neighbours.ts';
import type { Updates } from './updates.ts';

/** The argument that makes this program print the inventory. */
export const INVENTORY = 'inventory';

export interface DeviceParts {
  readonly config: Pick<Config, 'units'>;
  readonly folders: Folders;
  readonly events: EventLog;
  readonly monitor: HealthMonitor;
  readonly rollouts: RolloutRegisters;
}

/** The services about the node itself. */
export function deviceServices(
  { config, folders, events, monitor, rollouts }: DeviceParts,
  neighbours: Neighbours,
  { updater }: Updates,
): Service[] {
  const { boot, host, bus, installer, reboot, busConnected } = neighbours;
  const readDevice = deviceReader({ clock, host, boot, agentVersion: VERSION, installer, busConnected });
  return [
    {
      name: 'lamadist.agent.v1.StatusService',
      definition: StatusServiceDefinition,
      implementation: statusService({ readDevice, monitor, updater }),
    },
    {
      name: 'lamadist.agent.v1.DeviceService',
      definition: DeviceServiceDefinition,
      implementation: deviceService({
        readDevice,
        boot,
        reboot,
        updater,
        rollouts,
        // The same program, which does nothing else when it is told so: see main.ts.
        inventory: inventoryReader([process.execPath, '--max-old-space-size=48', process.argv[1] ?? '', INVENTORY], clock),
        securityPosture: securityPosture(),
        diskUsage: diskUsage(clock),
        folders: keptFolders(folders),
      }),
    },
    {
      name: 'lamadist.agent.v1.UnitService',
      definition: UnitServiceDefinition,
      implementation: unitService(recorded(systemdUnits(bus, clock), events), config.units.restart),
    },
    { name: 'lamadist.agent.v1.LogService', definition: LogServiceDefinition, implementation: logService(readJournal) },
    { name: 'lamadist.agent.v1.EventService', definition: EventServiceDefinition, implementation: eventService(events) },
  ];
}

/** Restarts are events, too. */
function recorded(units: Units, events: EventLog): Units {
  return {
    ...units,
    async restart(name, signal) {
      const unit = await units.restart(name, signal);
      void events.record({ type: 'unit-restarted', name });
      return unit;
    },
  };
}
