// SPDX-License-Identifier: Apache-2.0
import type { NodeConnection } from '../node/node.ts';
import { type Judgement, judgeNode } from '../node/node-state.ts';
import type { Update } from '../node/node-update.ts';
import type { NodeAsking } from './node-asking.ts';
import { Patience } from './patience.ts';

const PAUSE_MS = 2_000;
/** How long a node may take to be well again after a commit. */
const SETTLE_MS = 120_000;

/**
 * Why a node is not to be called well with the update that it committed for a rollout; empty when it is. It may take a while to be.
 * `update`: without it the last of the node has to be one of this rollout.
 */
export async function whyUnwell(asking: NodeAsking, node: number, update: Update | undefined, signal: AbortSignal): Promise<string> {
  const { clock } = asking.parts;
  const patience = new Patience(clock, SETTLE_MS);
  for (;;) {
    const look = async (connection: NodeConnection): Promise<string> => {
      const now = await connection.update('');
      const wanted = update ?? (now && asking.isOurs(node, now) ? now : undefined);
      return wanted?.phase === 'committed' ? whyOtherwise(connection, wanted, now) : 'what it was updated to is no longer its last update';
    };
    const answer = await asking.once(node, signal, look);
    const why = answer.ok ? answer.value : answer.failure.message;
    if (why === '' || signal.aborted || !patience.isLeft()) return why;
    await clock.sleep(PAUSE_MS, signal);
  }
}

async function whyOtherwise(node: NodeConnection, wanted: Update, now: Update | undefined): Promise<string> {
  const [device, health] = await Promise.all([node.device(), node.health()]);
  const booted = device.slots.find((slot) => slot.booted)?.name ?? '';
  if (booted !== wanted.targetSlot || device.imageVersion !== wanted.bundle?.version) {
    return `it runs ${device.imageVersion} in ${booted || 'no slot'}, and ${wanted.bundle?.version} was committed in ${wanted.targetSlot}`;
  }
  return whyUnhealthy(judgeNode(device, health, now));
}

/** Why a node is not to be called healthy; empty when it is. */
export function whyUnhealthy({ state, why }: Judgement): string {
  return state === 'healthy' ? '' : `it is ${state}${why === '' ? '' : `: ${why}`}`;
}
