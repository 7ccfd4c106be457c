// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { StatusServiceDefinition } from '../../../shared/gen/services.ts';
import { type CallError, GRPC_STATUS } from '../../fleet/call-status.ts';
import type { Channel } from '../channel.ts';
import type { NodeStatus } from '../node.ts';
import { deviceFromWire, healthFromWire, updateFromWire } from '../wire/from-wire.ts';
import { deviceCalls } from './device.ts';
import { getUpdate } from './updates.ts';

/** How a node stands, with one question; an agent that does not know it yet is asked three. */
export async function getStatus(channel: Pick<Channel, 'call'>): Promise<NodeStatus> {
  try {
    const { device, health, update } = await channel.call(StatusServiceDefinition.getStatus, {});
    return {
      device: deviceFromWire(device ?? {}),
      health: healthFromWire(health ?? {}),
      ...(update && { update: updateFromWire(update) }),
    };
  } catch (thrown) {
    const cause = Failure.from(thrown).cause as Partial<CallError> | undefined;
    if (cause?.code !== GRPC_STATUS.UNIMPLEMENTED) throw thrown;
  }
  const node = deviceCalls(channel);
  const [device, health, update] = await Promise.all([node.device(), node.health(), getUpdate(channel, '')]);
  return { device, health, ...(update && { update }) };
}
