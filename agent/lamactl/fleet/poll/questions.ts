// SPDX-License-Identifier: Apache-2.0
import { deviceCalls } from '../../node/calls/device.ts';
import { rolloutCalls } from '../../node/calls/rollouts.ts';
import { getStatus } from '../../node/calls/status.ts';
import { getUpdate } from '../../node/calls/updates.ts';
import type { NodeConnection, NodeStatus } from '../../node/node.ts';
import type { DiskUsage, Protection } from '../../node/node-details.ts';
import type { Device, Health } from '../../node/node-device.ts';
import type { KnownRollout } from '../../node/node-rollout.ts';
import type { Update } from '../../node/node-update.ts';
import type { UnaryChannel } from '../../node/unary-channel.ts';

/** What a node is asked with many others at once; calls that are answered once, and nothing else. */
export type AskedNode = Pick<NodeConnection, 'status' | 'device' | 'health' | 'protections' | 'diskUsage' | 'update' | 'rollouts'>;

/** The answers, as plain data that one thread can give to another. */
export interface Answers {
  readonly status: NodeStatus;
  readonly device: Device;
  readonly health: Health;
  readonly posture: readonly Protection[];
  readonly usage: DiskUsage;
  readonly rollout: { readonly device: Device; readonly update?: Update; readonly rollouts: readonly KnownRollout[] };
}

export type QuestionName = keyof Answers;

export const QUESTIONS: { readonly [Name in QuestionName]: (node: AskedNode) => Promise<Answers[Name]> } = {
  status: (node) => node.status(),
  device: (node) => node.device(),
  health: (node) => node.health(),
  posture: (node) => node.protections(),
  usage: (node) => node.diskUsage(),
  rollout: async (node) => {
    const [device, update, rollouts] = await Promise.all([node.device(), node.update(''), node.rollouts()]);
    return { device, rollouts, ...(update && { update }) };
  },
};

export function askedNode(channel: Pick<UnaryChannel, 'call'>): AskedNode {
  const { device, health, protections, diskUsage } = deviceCalls(channel);
  const { rollouts } = rolloutCalls(channel);
  const update = (operationId: string) => getUpdate(channel, operationId);
  return { status: () => getStatus(channel), device, health, protections, diskUsage, rollouts, update };
}
