// SPDX-License-Identifier: Apache-2.0
import type { StatusServiceHandlers } from '../../../shared/gen/services.ts';
import type { HealthMonitor } from '../../health/health-monitor.ts';
import type { Updater } from '../../update/updater.ts';
import { unary } from '../handlers.ts';
import { updateMessage } from '../messages/update-message.ts';
import { healthAnswer } from './health-service.ts';
import type { ReadDevice } from './read-device.ts';

export interface StatusServiceParts {
  readonly readDevice: ReadDevice;
  readonly monitor: Pick<HealthMonitor, 'health'>;
  readonly updater: Pick<Updater, 'state'>;
}

/** How the node stands, with one question. */
export function statusService({ readDevice, monitor, updater }: StatusServiceParts): StatusServiceHandlers {
  return {
    getStatus: unary(async (_request, { signal }) => {
      const device = await readDevice(signal);
      const { state } = updater;
      return { device, health: healthAnswer(monitor), ...(state.phase !== 'idle' && { update: updateMessage(state) }) };
    }),
  };
}
