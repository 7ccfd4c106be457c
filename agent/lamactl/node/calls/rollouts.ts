// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../../shared/gen/messages.js';
import { RolloutServiceDefinition as service } from '../../../shared/gen/services.ts';
import type { Channel } from '../channel.ts';
import type { RolloutCalls } from '../node.ts';
import type { KnownRollout, RolloutCopy } from '../node-rollout.ts';
import { text } from '../wire/wire-values.ts';

/** What a node is asked about rollouts, and given to remember. */
export function rolloutCalls(channel: Pick<Channel, 'call'>): RolloutCalls {
  return {
    takeRollout: async (claim) => copy(await channel.call(service.takeRollout, claim)),
    async putRollout({ rolloutId: id, plan, progress, replaced, witnesses, ...rest }) {
      await channel.call(service.putRollout, {
        rollout: { id, witnesses: [...witnesses], ...rest },
        plan,
        progress,
        replaced: [...replaced],
      });
    },
    rollout: async (rolloutId) => copy(await channel.call(service.getRollout, { rolloutId })),
    rollouts: async () => (await channel.call(service.listRollouts, {})).rollouts.map(known),
  };
}

function copy({ rollout, plan, progress }: lamadist.agent.v1.GetRolloutResponse.$Properties): RolloutCopy {
  return { ...known(rollout ?? {}), plan: Buffer.from(plan ?? []), progress: Buffer.from(progress ?? []) };
}

function known(rollout: lamadist.agent.v1.Rollout.$Properties): KnownRollout {
  return {
    id: text(rollout.id),
    epoch: rollout.epoch ?? 0,
    holder: text(rollout.holder),
    sequence: rollout.sequence ?? 0,
    writtenEpoch: rollout.writtenEpoch ?? 0,
    witnesses: (rollout.witnesses ?? []).map(text),
    summary: text(rollout.summary),
    ended: rollout.ended === true,
  };
}
